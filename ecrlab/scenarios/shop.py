"""A shop: its services and its base image, simulated day by day."""

import copy
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import partial

from ecrlab.oci.media_types import OCI
from ecrlab.scenarios import manifests
from ecrlab.scenarios.chance import Chance
from ecrlab.scenarios.days import Day, Push, Repository, Task
from ecrlab.scenarios.habits import SHOPS, Habits, services
from ecrlab.scenarios.service import HOUR, Base, Diary, Job, Service

ONE_DAY = timedelta(days=1)
YEAR = 365


@dataclass(frozen=True, slots=True, repr=False)
class Shop:
    """A shop and its past, which ends with the day `last`."""

    name: str
    seed: int
    last: date
    repositories: tuple[Repository, ...]
    past: tuple[Day, ...]
    tasks: tuple[Task, ...]
    """What ECS runs at the end of the past."""
    _at_work: "_Work" = field(compare=False)

    def __repr__(self) -> str:
        pushed = {push.image_digest for day in self.past for push in day.pushes}
        return (
            f"<the {self.name} shop (seed {self.seed}): {len(self.repositories)} repositories, {len(pushed):,} images "
            f"of {self.past[0].date} to {self.last}, {len(self.tasks)} task definitions>"
        )

    def future(self, number: int = 0) -> Iterator[Day]:
        """The days after the past, without end, at the same rate; each number is another future."""
        work = copy.deepcopy(self._at_work)
        work.use_random_stream(f"{work.past} future {number}")
        day = self.last
        while True:
            day += ONE_DAY
            yield work.live(day)


def draw(seed: int, last: date, *, days: int = YEAR, history: str | None = None) -> Shop:
    """Make up a shop, and its past of so many days up to the day `last`.

    Another `history` is another past of the same shop: its repositories and what runs keep their names, and versions,
    digests, sizes and dates differ.
    """
    work = _Work(seed, str(seed) if history is None else f"{seed} {history}")
    first = last - (days - 1) * ONE_DAY
    forgotten = _Forgotten(work, days)
    past = tuple(forgotten.live(number, first + number * ONE_DAY) for number in range(days))
    tasks = {task.family: task for day in past for task in day.deployments}
    return Shop(work.name, seed, last, tuple(work.repositories()), past, tuple(tasks.values()), work)


class _Work:
    """The present state of a shop."""

    def __init__(self, seed: int, past: str) -> None:
        chance = Chance(seed, "shop")
        self.name = chance.pick(SHOPS)
        self.seed, self.past = seed, past
        self.stream = f"{past} past"
        self.base_chance = Chance(past, "base")
        self.habits: list[Habits] = services(chance)
        self.bases = {
            stack.base: Base(f"base {number}", stack.base)
            for number, stack in enumerate(dict.fromkeys(habits.stack for habits in self.habits))
        }
        self.services = [
            Service(
                habits,
                f"{self.name}/{habits.name}",
                self.bases[habits.stack.base],
                Chance(past, habits.name),
                self.stream,
            )
            for habits in self.habits
        ]
        self.monthly: Push | None = None
        self.own = next(self.bases[habits.stack.base] for habits in self.habits if habits.stack.from_the_shops_base)

    def repositories(self) -> Iterator[Repository]:
        """Where the shop keeps its images."""
        yield Repository(f"{self.name}/base")
        for service in self.services:
            yield Repository(service.repository, service.habits.is_immutable)

    def use_random_stream(self, stream: str) -> None:
        """Use other random numbers from now on, also for new digests."""
        self.stream, self.base_chance = stream, Chance(stream, "base")
        for service in self.services:
            service.stream, service.chance = stream, Chance(stream, service.habits.name)

    def live(self, day: date) -> Day:
        """One day of work."""
        diary = Diary(day)
        self.work(diary)
        return diary.close()

    def work(self, diary: Diary) -> None:
        """Do what is to be done on a day, in the order of the hours."""
        jobs: list[Job] = [(4 * HOUR, self._build_base)] if diary.date.weekday() == 0 or not self.own.layers else []
        for base in self.bases.values():
            if base is not self.own and (diary.date.day == 1 or not base.layers):
                base.renew(self.base_chance, self.stream)
        for service in self.services:
            jobs += service.jobs(diary.date)
        if self.monthly is not None and diary.date.day == 1:
            jobs.append((6 * HOUR, partial(_pull, self.monthly)))
        for second, do in sorted(jobs, key=lambda job: job[0]):
            diary.begin(second)
            do(diary)

    def _build_base(self, diary: Diary) -> None:
        """The shop's own base, for two architectures, with the updates of the week."""
        base, repository = self.own, f"{self.name}/base"
        base.renew(self.base_chance, self.stream)
        images: list[tuple[str, Push]] = []
        for architecture, layers in base.layers.items():
            config = manifests.blob(5_812, self.stream, repository, architecture, base.generation, "config")
            pushed = manifests.image(diary.now, repository, (), OCI, config, layers)
            images.append((architecture, diary.push(pushed)))
        tags = (f"bookworm-{diary.date:%Y%m%d}", "bookworm")
        base.image = diary.push(manifests.index(diary.now, repository, tags, images))


def _pull(push: Push, diary: Diary) -> None:
    diary.pull(push, 0)


class _Forgotten:
    """Forgotten deployments: they still run, and were pulled long ago, or are pulled once a month.

    A partner's copy of a release; a demonstration of a pull request, by the digest of an image whose tag has moved on
    since; a monthly report that runs a nightly build.
    """

    def __init__(self, work: _Work, days: int) -> None:
        chance = Chance(work.seed, "past forgotten")
        self._work = work
        self._partner = chance.pick([one for one in work.services if not one.habits.is_immutable])
        self._proposing = chance.pick([one for one in work.services if one.habits.moves_the_tag])
        self._reporting = next(one for one in work.services if one.habits.nightly)
        self._due = {
            self._deploy_for_the_partner: chance.between(days * 25 // 100, days * 40 // 100),
            self._deploy_the_demonstration: chance.between(days * 50 // 100, days * 65 // 100),
            self._deploy_the_report: chance.between(days * 66 // 100, days * 75 // 100),
        }

    def live(self, number: int, day: date) -> Day:
        """One day of the past, of that number."""
        diary = Diary(day)
        self._work.work(diary)
        diary.begin(22 * HOUR)
        for deploy, due in list(self._due.items()):
            if number >= due and deploy(diary):
                del self._due[deploy]
        return diary.close()

    def _deploy_for_the_partner(self, diary: Diary) -> bool:
        service, release = self._partner, self._partner.release
        if release is not None:
            diary.deploy(f"{service.habits.name}-partner", release, f":{release.image_tags[0]}")
        return release is not None

    def _deploy_the_demonstration(self, diary: Diary) -> bool:
        service, proposed = self._proposing, self._proposing.proposed
        if proposed is not None:
            diary.deploy(f"{service.habits.name}-demo", proposed, f"@{proposed.image_digest}")
        return proposed is not None

    def _deploy_the_report(self, diary: Diary) -> bool:
        service, nightly = self._reporting, self._reporting.nightly
        if nightly is not None:
            diary.deploy(f"{service.habits.name}-report", nightly, f":{nightly.image_tags[0]}")
            self._work.monthly = nightly
        return nightly is not None
