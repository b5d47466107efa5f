"""A repository a year ahead: images are pushed and pulled each day, and a policy runs each night.

    Snapshot ─┐
    policies ─┼─► project ──► a trajectory for each policy and each future: images and bytes at the end of each day,
    futures ──┘               what each rule took, and which pulls failed

A *future* is a list of days, each with its pushes and pulls (`ecrlab.scenarios.Day`). A made-up shop has any number
of futures (`Shop.future`); for a real account they are drawn from its past (`ecrlab.analysis.costs.rates`). All
policies are simulated in the same futures, so that chance makes no difference between them.

A policy runs at midnight (UTC), at the end of each day; ECR says only that it acts within 24 hours (AWS user guide,
lifecycle policies).
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from statistics import median

from ecrlab.analysis.costs.stored_bytes import BytesByClass, StoredBytes
from ecrlab.analysis.inventory.snapshot import Snapshot
from ecrlab.errors import EcrLabError
from ecrlab.lifecycle import Image, Policy
from ecrlab.lifecycle.daily import Daily
from ecrlab.scenarios import Day, Pull, Push

NO_POLICY = "no policy"
DAYS_OF_A_YEAR = 365

Future = Sequence[Day]
"""Consecutive days."""
Futures = Callable[[int], Iterable[Day]]
"""Returns an endless future for each number; `Shop.future` is one."""


@dataclass(frozen=True, slots=True)
class EndOfDay:
    """How a repository stands at the end of a day, after the policy has run."""

    day: date
    images: int
    stored: BytesByClass


@dataclass(frozen=True, slots=True)
class Trajectory:
    """What becomes of a repository under one policy in one future."""

    daily: tuple[EndOfDay, ...]
    taken: Mapping[int, int]
    """How many images each rule took, by its priority."""
    failed_pulls: tuple[Pull, ...]
    """The pulls of images that were deleted or archived by then."""

    @property
    def end(self) -> EndOfDay:
        """The last state."""
        return self.daily[-1]


@dataclass(frozen=True)
class Projection:
    """The trajectories of a repository under some policies, by their names; a trajectory for each future."""

    name: str
    trajectories: Mapping[str, tuple[Trajectory, ...]]

    @property
    def days(self) -> list[date]:
        """The days of the projection."""
        return [state.day for state in next(iter(self.trajectories.values()))[0].daily]

    def spread(self, policy: str, of: Callable[[EndOfDay], float]) -> list[tuple[float, float, float]]:
        """For each day the lowest, the middle and the highest of a quantity, over all futures."""
        trajectories = self.trajectories[policy]
        of_days = zip(*([of(state) for state in trajectory.daily] for trajectory in trajectories), strict=True)
        return [(min(values), median(values), max(values)) for values in of_days]


def futures(source: Futures, *, days: int = DAYS_OF_A_YEAR, number: int = 5) -> list[Future]:
    """The first days of several futures, drawn once, so that policies can be compared."""
    return [tuple(islice(source(one), days)) for one in range(number)]


def project(snapshot: Snapshot, policies: Mapping[str, Policy | None], to_come: Sequence[Future]) -> Projection:
    """Simulate each policy (None: no policy) in each future of a repository.

    Raises `EcrLabError` without a policy, a future, or a day, and for a future that begins before the snapshot.
    """
    if not policies:
        raise EcrLabError("a projection needs a policy (None for none)")
    ready = prepare_all(snapshot, to_come)
    return Projection(
        snapshot.name,
        {name: tuple(simulate(snapshot, policy, days) for days in ready) for name, policy in policies.items()},
    )


@dataclass(frozen=True, slots=True)
class Arrival:
    """A push: the image as a policy sees it, and its blobs with their bytes."""

    image: Image
    blobs: tuple[tuple[str, int], ...]


Happenings = Sequence[tuple[date, Sequence[Arrival | Pull]]]
"""The pushes and pulls of one repository on each day, in the order of their instants."""


def prepare_all(snapshot: Snapshot, to_come: Sequence[Future]) -> list[Happenings]:
    """Futures of a repository, prepared for the simulation of many policies.

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
    """The pushes and pulls of one repository, prepared for the simulation of many policies."""
    return [(day.date, list(_happenings(day, name))) for day in future]


def simulate(snapshot: Snapshot, policy: Policy | None, days: Happenings, *, start: int = 0) -> Trajectory:
    """Simulate one policy in one future, as `prepare` returns it. The policy begins after `start` days."""
    life, stored_bytes = Daily(None if start else policy, snapshot.images), StoredBytes(snapshot)
    taken: Counter[int] = Counter()
    daily, failed_pulls = [], []
    for number, (day, happenings) in enumerate(days):
        if start and number == start:
            life = Daily(policy, life)
        for happening in happenings:
            if isinstance(happening, Arrival):
                _arrive(happening, life, stored_bytes)
            elif not life.pull(happening.image_digest, happening.pulled_at):
                failed_pulls.append(happening)
        for image, rule in life.run(_midnight(day)):
            taken[rule.rule_priority] += 1
            _follow(image, life, stored_bytes)
        daily.append(EndOfDay(day, len(life), stored_bytes.stored))
    return Trajectory(tuple(daily), dict(taken), tuple(failed_pulls))


def replay(name: str, past: Iterable[Day], *, at: datetime) -> Snapshot:
    """The repository that some days without a policy leave, such as those of a made-up shop's past."""
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


def _arrive(arrival: Arrival, life: Daily, stored_bytes: StoredBytes) -> None:
    digest = arrival.image.image_digest
    there = life.get(digest)
    life.push(arrival.image)
    if there is None:
        stored_bytes.learn(digest, arrival.blobs)
        stored_bytes.add(arrival.image)
    else:
        # It may have come back from the archive.
        _follow(there, life, stored_bytes)


def _follow(image: Image, life: Daily, stored_bytes: StoredBytes) -> None:
    """Count an image in its present storage class, or no more if it is gone."""
    stored_bytes.remove(image)
    now = life.get(image.image_digest)
    if now is not None:
        stored_bytes.add(now)


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
