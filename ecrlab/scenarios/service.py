"""One service of a shop: what its pipeline pushes, and who pulls it.

A build takes the newest base, dependencies that change with it or with their lock file, and an application layer of its
own. That is how layers come to be shared, and how they stop being shared: a new base makes new layers on top of it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import partial

from ecrlab.oci.media_types import DOCKER, OCI
from ecrlab.scenarios import manifests
from ecrlab.scenarios.chance import Chance
from ecrlab.scenarios.days import Blob, Day, Pull, Push, Task
from ecrlab.scenarios.habits import Habits, business

SECOND = timedelta(seconds=1)
HOUR = 3600


class Diary:
    """Records one day: its pushes, pulls and deployments, in order."""

    def __init__(self, day: date) -> None:
        self.date = day
        self.midnight = self.now = datetime.combine(day, time(), UTC)
        self._pushes: list[Push] = []
        self._pulls: list[Pull] = []
        self._deployments: list[Task] = []

    def begin(self, second: int) -> None:
        """Go to a second of the day, unless it is later already."""
        self.now = max(self.now, self.midnight + timedelta(seconds=second))

    def push(self, push: Push) -> Push:
        """Note a push that was made `now`; the next one is a second later."""
        self._pushes.append(push)
        self.now += SECOND
        return push

    def pull(self, push: Push, minutes: int) -> None:
        """Note a pull of an image after some time, still today; of an index, its first image too."""
        at = min(self.now + timedelta(minutes=minutes), self.midnight + timedelta(days=1) - SECOND)
        for digest in (push.image_digest, *push.children[:1]):
            self._pulls.append(Pull(at, push.repository_name, digest))

    def deploy(self, family: str, push: Push, reference: str) -> None:
        """Note that ECS runs an image from now on, and pulls it."""
        self._deployments.append(Task(family, push.repository_name, reference, push.image_digest, self.date))
        self.pull(push, 3)

    def close(self) -> Day:
        """The finished day."""
        pulls = sorted(self._pulls, key=lambda pull: pull.pulled_at)
        return Day(self.date, tuple(self._pushes), tuple(pulls), tuple(self._deployments))


Job = tuple[int, Callable[[Diary], None]]
"""The second of the day at which something is done, and what."""


@dataclass
class Base:
    """A base image: its newest layers by architecture, and its image if the shop pushes it itself."""

    name: str
    sizes: tuple[float, ...]
    generation: int = 0
    layers: dict[str, tuple[Blob, ...]] = field(default_factory=dict)
    image: Push | None = None

    def renew(self, chance: Chance, stream: str) -> None:
        """Build it again, with new layers."""
        self.generation += 1
        for architecture in ("amd64", "arm64"):
            names = (stream, self.name, architecture, self.generation)
            self.layers[architecture] = tuple(
                manifests.blob(chance.about(size, 0.01), *names, number) for number, size in enumerate(self.sizes)
            )


@dataclass
class PullRequest:
    """An open pull request, and how many builds of it are still to come."""

    number: int
    builds_left: int


class Service:
    """One service's pipeline, as it stands: call `jobs` once for each day, in order."""

    def __init__(self, habits: Habits, repository: str, base: Base, chance: Chance, stream: str) -> None:
        self.habits, self.repository, self.base, self.chance, self.stream = habits, repository, base, chance, stream
        self.major, self.minor, self.patch = chance.between(1, 3), chance.between(0, 18), 0
        self.number = chance.between(80, 900)  # of the last pull request
        self.open: list[PullRequest] = []
        self.wait = 0  # working days until the next release
        self.hotfix: int | None = None  # days until it comes, if one does
        self.lock = self.model = self.built = 0
        self.ground: dict[str, tuple[Blob, ...]] = {}  # below the application, by architecture
        self.ground_is_of: tuple[int, int, int] | None = None
        self.main: Push | None = None
        self.nightly: Push | None = None
        self.release: Push | None = None
        self.proposed: Push | None = None  # the newest image of a pull request that will be built again

    def jobs(self, day: date) -> Iterator[Job]:
        """What is done on this day."""
        chance, habits, busy = self.chance, self.habits, business(day)
        if chance.happens(0.12 * busy):
            self.lock += 1
        if habits.stack.model and day.weekday() == 0:
            self.model += 1
        if habits.nightly:
            yield 2 * HOUR + 1800, self._build_nightly
        if self.release is not None and chance.happens(0.4):
            yield chance.between(0, 23) * HOUR, self._restart
        for _ in range(chance.times(habits.builds * busy)):
            yield self._in_working_hours(), self._build_main
        for _ in range(chance.times(habits.pull_requests * busy)):
            self.number += 1
            self.open.append(PullRequest(self.number, chance.between(1, 4)))
        for request in list(self.open):
            if chance.happens(0.7 * busy):
                yield self._in_working_hours(), partial(self._build, request)
        yield from self._release_jobs(day, busy)

    def _release_jobs(self, day: date, busy: float) -> Iterator[Job]:
        if self.hotfix is not None:
            self.hotfix -= 1
            if self.hotfix <= 0:
                self.hotfix = None
                yield self.chance.between(9, 21) * HOUR, self._fix
        self.wait -= busy >= 0.5
        if self.release is None or (self.wait <= 0 and day.weekday() < 4):
            self.wait = self.habits.release_every
            yield self.chance.between(13 * HOUR, 15 * HOUR), self._release

    def _in_working_hours(self) -> int:
        return self.chance.between(8 * HOUR, 18 * HOUR - 1)

    def _build_main(self, diary: Diary) -> None:
        self.main = self._push(diary, (f"main-{self.chance.commit()}", "latest"))
        if self.habits.signs_all:
            self._sign(diary, self.main)
        diary.pull(self.main, 4)  # by the staging environment

    def _build_nightly(self, diary: Diary) -> None:
        self.nightly = self._push(diary, (f"nightly-{diary.date:%Y%m%d}",))
        if self.chance.happens(0.5):
            diary.pull(self.nightly, 150)  # by the load test

    def _build(self, request: PullRequest, diary: Diary) -> None:
        tag = f"pr-{request.number}"
        if not self.habits.moves_the_tag:
            tag += f"-{self.chance.commit()}"
        with_own_dependencies = self.chance.happens(0.08)
        built = self._push(diary, (tag,), of_its_own=with_own_dependencies, architectures=("amd64",))
        request.builds_left -= 1
        if request.builds_left == 0:
            self.open.remove(request)
        elif self.habits.moves_the_tag:
            self.proposed = built
        if self.chance.happens(0.75):
            diary.pull(built, 9)  # by the tests

    def _release(self, diary: Diary) -> None:
        if self.release is not None:
            self.minor, self.patch = self.minor + 1, 0
            if self.chance.happens(0.06):
                self.major, self.minor = self.major + 1, 0
        if self.habits.promotes and self.main is not None:
            promoted = replace(self.main, pushed_at=diary.now, image_tags=(self._version(),))
            self._deliver(diary, diary.push(promoted))
        else:
            self._deliver(diary, self._push(diary, (self._version(),)))
        self.hotfix = self.chance.between(1, 4) if self.chance.happens(0.3) else None

    def _fix(self, diary: Diary) -> None:
        self.patch += 1
        self._deliver(diary, self._push(diary, (self._version(),)))

    def _deliver(self, diary: Diary, release: Push) -> None:
        self.release = release
        self._sign(diary, release)
        size = self.chance.between(90_000, 700_000)
        sbom = manifests.blob(size, self.stream, release.image_digest, "software")
        diary.push(manifests.referrer(diary.now, release, manifests.SBOM, sbom))
        diary.deploy(self.habits.name, release, f":{self._version()}")

    def _restart(self, diary: Diary) -> None:
        assert self.release is not None
        diary.pull(self.release, 0)  # by a task that is started anew

    def _sign(self, diary: Diary, about: Push) -> None:
        bundle = manifests.blob(self.chance.between(4_700, 6_900), self.stream, about.image_digest, diary.now)
        diary.push(manifests.referrer(diary.now, about, manifests.SIGNATURE, bundle))

    def _version(self) -> str:
        return f"v{self.major}.{self.minor}.{self.patch}"

    def _push(
        self,
        diary: Diary,
        tags: tuple[str, ...],
        *,
        of_its_own: bool = False,
        architectures: tuple[str, ...] | None = None,
    ) -> Push:
        """Build and push an image, or one for each architecture and their index."""
        self.built += 1
        self._prepare()
        if self.base.image is not None:
            diary.pull(self.base.image, 0)
        architectures = architectures or self.habits.architectures
        several = len(architectures) > 1
        images = [
            (one, diary.push(self._image(diary, () if several else tags, one, of_its_own))) for one in architectures
        ]
        if several:
            return diary.push(manifests.index(diary.now, self.repository, tags, images))
        return images[0][1]

    def _image(self, diary: Diary, tags: tuple[str, ...], architecture: str, of_its_own: bool) -> Push:
        names = (self.stream, self.repository, architecture, self.built)
        ground = self._dependencies(*names) if of_its_own else self.ground[architecture]
        application = manifests.blob(self.chance.about(self.habits.stack.application), *names, "application")
        config = manifests.blob(self.chance.between(4_200, 9_800), *names, "config")
        family = OCI if self.habits.is_oci else DOCKER
        layers = (*self.base.layers[architecture], *ground, application)
        return manifests.image(diary.now, self.repository, tags, family, config, layers)

    def _prepare(self) -> None:
        """Rebuild the dependencies if the base, the lock file or the model has changed."""
        wanted = (self.base.generation, self.lock, self.model)
        if self.ground_is_of != wanted:
            self.ground_is_of = wanted
            self.ground = {
                one: self._dependencies(self.stream, self.repository, one, *wanted) for one in self.habits.architectures
            }

    def _dependencies(self, *names: object) -> tuple[Blob, ...]:
        sizes = {"dependencies": self.habits.stack.dependencies, "model": self.habits.stack.model}
        return tuple(
            manifests.blob(self.chance.about(size, 0.04), *names, what) for what, size in sizes.items() if size
        )
