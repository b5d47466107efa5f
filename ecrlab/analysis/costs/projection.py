"""A repository a year ahead: days go on as they did, a policy runs each night, and what becomes of images and bytes.

    Snapshot ─┐
    policies ─┼─► project ──► a course for each policy and each future: images and bytes at the end of each day,
    futures ──┘               what each rule took, and which pulls found nothing

A *future* is a list of days, each with its pushes and pulls (`ecrlab.scenarios.Day`). A made-up shop has any number
of them (`Shop.future`); those of a real account are drawn from its own days (`ecrlab.analysis.costs.rates`). All
policies meet the same futures, so that no difference between two policies comes from luck.

Policies are run at midnight (UTC), after the day; ECR says only that it acts within 24 hours (AWS user guide,
lifecycle policies).
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from statistics import median

from ecrlab.analysis.costs.stored_bytes import Stock, Stored
from ecrlab.analysis.inventory.snapshot import Snapshot
from ecrlab.errors import EcrLabError
from ecrlab.lifecycle import Image, Policy
from ecrlab.lifecycle.daily import Daily
from ecrlab.scenarios import Day, Pull, Push

NO_POLICY = "no policy"
DAYS_OF_A_YEAR = 365

Future = Sequence[Day]
"""Days to come, one after the other."""
Futures = Callable[[int], Iterable[Day]]
"""For each number another future, without end; `Shop.future` is one."""


@dataclass(frozen=True, slots=True)
class Evening:
    """How a repository stands at the end of a day, after the policy has run."""

    day: date
    images: int
    stored: Stored


@dataclass(frozen=True, slots=True)
class Course:
    """What becomes of a repository under one policy in one future."""

    evenings: tuple[Evening, ...]
    taken: Mapping[int, int]
    """How many images each rule took, by its priority."""
    in_vain: tuple[Pull, ...]
    """The pulls of images that are gone or archived by then: somebody needed them."""

    @property
    def end(self) -> Evening:
        """The last evening."""
        return self.evenings[-1]


@dataclass(frozen=True)
class Projection:
    """The courses of a repository under some policies, by their names; a course for each future."""

    name: str
    courses: Mapping[str, tuple[Course, ...]]

    @property
    def days(self) -> list[date]:
        """The days looked at."""
        return [evening.day for evening in next(iter(self.courses.values()))[0].evenings]

    def spread(self, policy: str, of: Callable[[Evening], float]) -> list[tuple[float, float, float]]:
        """For each day the lowest, the middle and the highest of a quantity, over all futures."""
        courses = self.courses[policy]
        of_days = zip(*([of(evening) for evening in course.evenings] for course in courses), strict=True)
        return [(min(values), median(values), max(values)) for values in of_days]


def futures(source: Futures, *, days: int = DAYS_OF_A_YEAR, number: int = 5) -> list[Future]:
    """The first days of some futures, drawn once, to hold several policies against."""
    return [tuple(islice(source(one), days)) for one in range(number)]


def project(snapshot: Snapshot, policies: Mapping[str, Policy | None], to_come: Sequence[Future]) -> Projection:
    """Let each policy (None: no policy) meet each future of a repository.

    Raises `EcrLabError` without a policy, a future, or a day, and for a future that begins before the snapshot.
    """
    if not policies:
        raise EcrLabError("a projection needs a policy (None for none)")
    ready = prepare_all(snapshot, to_come)
    return Projection(
        snapshot.name,
        {name: tuple(course(snapshot, policy, days) for days in ready) for name, policy in policies.items()},
    )


@dataclass(frozen=True, slots=True)
class Arrival:
    """A push as a policy sees it: the image, and the layers that it brings or shares."""

    image: Image
    blobs: tuple[tuple[str, int], ...]


Happenings = Sequence[tuple[date, Sequence[Arrival | Pull]]]
"""What happens to one repository on each day, in the order of the instants."""


def prepare_all(snapshot: Snapshot, to_come: Sequence[Future]) -> list[Happenings]:
    """Futures of a repository, ready to be met by many policies.

    Raises `EcrLabError` without a future or a day, for lengths that differ, and for a future that begins before the
    snapshot.
    """
    if not to_come or not all(to_come):
        raise EcrLabError("a projection needs at least one future of at least one day")
    if len({len(future) for future in to_come}) > 1:
        raise EcrLabError("the futures of a projection are of one length")
    for future in to_come:
        if _midnight(future[0].date) <= snapshot.taken_at:
            raise EcrLabError(f"a future of {snapshot.taken_at:%Y-%m-%d %H:%M} begins later, got {future[0].date}")
    return [prepare(future, snapshot.name) for future in to_come]


def prepare(future: Iterable[Day], name: str) -> Happenings:
    """The part of some days that is about one repository, ready to be met by many policies."""
    return [(day.date, list(_happenings(day, name))) for day in future]


def course(snapshot: Snapshot, policy: Policy | None, days: Happenings, *, start: int = 0) -> Course:
    """Let one policy meet one future, as `prepare` gives it; it is put on the day counted `start` from the first."""
    life, stock = Daily(None if start else policy, snapshot.images), Stock(snapshot)
    taken: Counter[int] = Counter()
    evenings, in_vain = [], []
    for number, (day, happenings) in enumerate(days):
        if start and number == start:
            life = Daily(policy, life)
        for happening in happenings:
            if isinstance(happening, Arrival):
                _arrive(happening, life, stock)
            elif not life.pull(happening.image_digest, happening.pulled_at):
                in_vain.append(happening)
        for image, rule in life.run(_midnight(day)):
            taken[rule.rule_priority] += 1
            _follow(image, life, stock)
        evenings.append(Evening(day, len(life), stock.stored))
    return Course(tuple(evenings), dict(taken), tuple(in_vain))


def lived(name: str, past: Iterable[Day], *, at: datetime) -> Snapshot:
    """What a repository holds after some days without a policy, such as those of a made-up shop's past."""
    life = Daily(None)
    layers: dict[str, tuple[str, ...]] = {}
    sizes: dict[str, int] = {}
    for _, happenings in prepare(past, name):
        for happening in happenings:
            if isinstance(happening, Arrival):
                life.push(happening.image)
                layers[happening.image.image_digest] = tuple(dict(happening.blobs))
                sizes.update(happening.blobs)
            else:
                life.pull(happening.image_digest, happening.pulled_at)
    return Snapshot(name, at, tuple(life), layers, sizes)


def _arrive(arrival: Arrival, life: Daily, stock: Stock) -> None:
    digest = arrival.image.image_digest
    there = life.get(digest)
    life.push(arrival.image)
    if there is None:
        stock.learn(digest, arrival.blobs)
        stock.add(arrival.image)
    else:
        # It may have come back from the archive.
        _follow(there, life, stock)


def _follow(image: Image, life: Daily, stock: Stock) -> None:
    """Count an image where it is now, and no longer where it was."""
    stock.remove(image)
    now = life.get(image.image_digest)
    if now is not None:
        stock.add(now)


def _happenings(day: Day, name: str) -> Iterator[Arrival | Pull]:
    mine: list[Push | Pull] = [push for push in day.pushes if push.repository_name == name]
    mine += [pull for pull in day.pulls if pull.repository_name == name]
    for one in sorted(mine, key=lambda one: one.pulled_at if isinstance(one, Pull) else one.pushed_at):
        yield one if isinstance(one, Pull) else Arrival(_image(one), one.blobs)


def _image(push: Push) -> Image:
    return Image(
        push.image_digest,
        push.image_tags,
        push.pushed_at,
        subject_digest=push.subject_digest,
        children=push.children,
        media_type=push.media_type,
        size_in_bytes=push.size_in_bytes,
    )


def _midnight(day: date) -> datetime:
    """The end of a day."""
    return datetime.combine(day + timedelta(days=1), time(), UTC)
