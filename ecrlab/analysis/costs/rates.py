"""The future of a real repository, drawn from its own past: a Monday from its Mondays, and so on.

    its own days ── drawn with replacement ──► a future: as many pushes, of the same kinds, with as many new bytes

This is a bootstrap. The images of a drawn day come again with new digests, at the same time of day. A tag without a
digit (`latest`, `main`) moves to the new image. In other tags a number goes up (`v1.2.3` may become `v1.2.47`), so that
the same patterns match. Layers that came with the drawn day come as new layers; older ones are shared.

ECR does not show deleted images, so the true rate may be higher, above all where a policy has run.
"""

import random
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from hashlib import blake2b
from itertools import count

from ecrlab.analysis.inventory import families
from ecrlab.analysis.inventory.snapshot import Snapshot, looked_at
from ecrlab.lifecycle import Image
from ecrlab.scenarios import Blob, Day, Pull, Push

WINDOW = 90
"""How many past days to draw from: about a quarter of a year, because habits change."""

IN_USE = timedelta(days=7)
"""An image whose last pull is not longer ago is in use."""

MOST_IN_USE = 1000
"""At most so many images are pulled each day, besides those that run; more take long and change nothing."""

FEW_DAYS = 14

_RUN = re.compile(r"(?=[0-9a-f]{7,40}(?![0-9a-z]))(?<![0-9a-z])[a-f]*\d[0-9a-f]*|\d+")
"""Part of a tag that changes from one image to the next: an abbreviated commit, or a number."""


@dataclass(frozen=True)
class Rate:
    """The rate of pushes to a repository, from its own past."""

    snapshot: Snapshot
    running: frozenset[str] = frozenset()
    """Digests that run somewhere; they are pulled each day."""
    window: int = WINDOW

    def future(self, number: int = 0) -> Iterator[Day]:
        """Days after the snapshot, without end; each number is another future."""
        yield from _Drawing(self, number).days()

    @cached_property
    def days(self) -> dict[date, list[Image]]:
        """The past days to draw from, also those without a push, with their images and what belongs to these.

        The day of the snapshot is not over; it is left out if there is another day.
        """
        grouped: defaultdict[date, list[Image]] = defaultdict(list)
        for image in self.snapshot.images:
            root = families.root(image, self.snapshot)
            if root.pushed_at <= self.snapshot.taken_at:
                grouped[_day(root.pushed_at)].append(image)
        if not grouped:
            return {}
        today = _day(self.snapshot.taken_at)
        last = today - timedelta(days=1) if min(grouped) < today else today
        first = max(min(grouped), last - timedelta(days=self.window - 1))
        number = (last - first).days + 1
        return {day: grouped.get(day, []) for day in (first + timedelta(days=n) for n in range(number))}

    def doubts(self) -> list[str]:
        """The doubts about this rate, one sentence each."""
        number = len(self.days)
        if not number:
            return [f"{self.snapshot.name}: nothing was ever pushed, so that nothing is expected to come"]
        told = [
            f"{self.snapshot.name}: what comes is drawn from the pushes of {number} day{'s' * (number > 1)}, as far as"
            " their images are still there; what was deleted since is not seen, so that more may come than is shown"
        ]
        if number < FEW_DAYS:
            told.append(
                f"{self.snapshot.name}: {number} day{'s' * (number > 1)} are few to tell a rate from, and what images"
                " will share from what each brings anew"
            )
        return told

    @cached_property
    def came(self) -> dict[str, date]:
        """On which day each layer came."""
        found: dict[str, date] = {}
        for image in sorted(self.snapshot.images, key=lambda image: image.pushed_at):
            day = _day(families.root(image, self.snapshot).pushed_at)
            for layer in self.snapshot.layers.get(image.image_digest, ()):
                found.setdefault(layer, day)
        return found

    @cached_property
    def first(self) -> date | None:
        """The day on which the first layer came."""
        return min(self.came.values(), default=None)

    @cached_property
    def counted_on(self) -> Mapping[str, Callable[[int], str]]:
        """For each tag with a digit or a commit in it, a function that makes the tag of a later image of its kind."""
        return _continued([tag for image in self.snapshot.images for tag in image.image_tags])


class _Drawing:
    """Draws one future."""

    def __init__(self, rate: Rate, number: int) -> None:
        self.rate, self.snapshot = rate, rate.snapshot
        # Only `random()` is the same in every Python (Python documentation, random, notes on reproducibility).
        self._chance = random.Random(f"{rate.snapshot.name} {number}")  # noqa: S311 - no secrets
        self._name = f"future {number}"
        self._serial = count(1)
        self._in_use: dict[str, date] = {}
        """Until when images are pulled each day."""
        self._looked_at = looked_at(rate.snapshot)

    def days(self) -> Iterator[Day]:
        today = _day(self.snapshot.taken_at)
        for image in self.snapshot.images:
            self._use(image, image, today)
        alike = defaultdict(list)
        for day in self.rate.days:
            alike[day.weekday()].append(day)
        everything = list(self.rate.days)
        for ahead in count(1):
            day = today + timedelta(days=ahead)
            # In fewer than two weeks each weekday occurs only once.
            choice = alike[day.weekday()] if len(everything) >= FEW_DAYS else everything
            pushes = tuple(self._again(self._pick(choice), day)) if choice else ()
            yield Day(day, pushes, tuple(self._pulls(day)), ())

    def _pick(self, days: list[date]) -> date:
        return days[int(self._chance.random() * len(days))]

    def _again(self, drawn: date, day: date) -> Iterator[Push]:
        """The pushes of a past day, again on a future one."""
        images = sorted(self.rate.days[drawn], key=lambda image: (image.pushed_at, image.image_digest))
        serial = next(self._serial)
        new = {image.image_digest: self._name_of(image.image_digest, serial) for image in images}
        for image in images:
            yield self._push(image, new, day, drawn, serial)
            self._use(replace(image, image_digest=new[image.image_digest]), image, day)

    def _push(self, image: Image, new: dict[str, str], day: date, drawn: date, serial: int) -> Push:
        unread = self.snapshot.unread
        blobs = tuple(
            Blob(self._name_of(layer, serial) if self._is_new(layer, drawn) else layer, self.snapshot.sizes[layer])
            for layer in self.snapshot.layers.get(image.image_digest, ())
        )
        if image.image_digest in unread and not image.is_index:
            # The most bytes that it can have, so that the future is not underestimated.
            blobs = (Blob(self._name_of(image.image_digest, serial), image.size_in_bytes),)
        return Push(
            pushed_at=datetime.combine(day, image.pushed_at.astimezone(UTC).time(), UTC),
            repository_name=self.snapshot.name,
            image_digest=new[image.image_digest],
            image_tags=tuple(self._tag(tag) for tag in image.image_tags),
            size_in_bytes=image.size_in_bytes,
            media_type=image.media_type,
            manifest=b"",
            blobs=blobs,
            children=tuple(new.get(child, child) for child in image.children),
            subject_digest=new.get(image.subject_digest, image.subject_digest) if image.subject_digest else None,
        )

    def _is_new(self, layer: str, drawn: date) -> bool:
        """Whether a layer came with a day. A shared layer of the very first day is a base, and does not come again."""
        if self.rate.came[layer] != drawn:
            return False
        return drawn != self.rate.first or self.snapshot.uses[layer] == 1

    def _tag(self, tag: str) -> str:
        continued = self.rate.counted_on.get(tag)
        return tag if continued is None else continued(next(self._serial))

    def _name_of(self, digest: str, serial: int) -> str:
        return f"sha256:{blake2b(f'{self._name} {serial} {digest}'.encode(), digest_size=32).hexdigest()}"

    def _use(self, image: Image, origin: Image, day: date) -> None:
        """Note until when an image is pulled: as long after its push as its original was, or for ever if it runs."""
        if image.image_digest in self.rate.running:
            self._in_use[image.image_digest] = date.max
            return
        if image.last_pulled_at is None or origin.image_digest in self._looked_at or len(self._in_use) >= MOST_IN_USE:
            return
        used = image.last_pulled_at - image.pushed_at
        is_new = image.image_digest not in self.snapshot.by_digest
        if is_new or self.snapshot.taken_at - image.last_pulled_at <= IN_USE:
            # UNSURE: how long an image stays in use; here as long again as it was.
            self._in_use[image.image_digest] = day + min(used, timedelta(days=3650))

    def _pulls(self, day: date) -> Iterator[Pull]:
        over = [digest for digest, until in self._in_use.items() if until < day]
        for digest in over:
            del self._in_use[digest]
        late = datetime.combine(day, time(23, 59, 59), UTC)
        for digest in self._in_use:
            yield Pull(late, self.snapshot.name, digest)


def _continued(tags: Iterable[str]) -> dict[str, Callable[[int], str]]:
    """For each tag with a number, how it continues: the part that differs most among similar tags changes."""
    shapes: defaultdict[str, list[str]] = defaultdict(list)
    for tag in tags:
        if _RUN.search(tag):
            shapes[_RUN.sub("\0", tag)].append(tag)
    found: dict[str, Callable[[int], str]] = {}
    for alike in shapes.values():
        runs = [_RUN.findall(tag) for tag in alike]
        columns = list(zip(*runs, strict=True))
        # The last of those that differ most: the patch of v1.2.3, not its major version.
        place = max(range(len(columns)), key=lambda column: (len(set(columns[column])), column))
        for tag in alike:
            found[tag] = _Continuation(tag, place, columns[place])
    return found


class _Continuation:
    """A tag, and which part of it changes."""

    def __init__(self, tag: str, place: int, seen: Iterable[str]) -> None:
        match = list(_RUN.finditer(tag))[place]
        self._before, self._run, self._after = tag[: match.start()], match[0], tag[match.end() :]
        numbers = [int(run) for run in seen if run.isdigit()]
        self._highest = max(numbers, default=0)

    def __call__(self, serial: int) -> str:
        if self._run.isdigit():
            return f"{self._before}{self._highest + serial}{self._after}"
        commit = blake2b(f"{self._run} {serial}".encode(), digest_size=20).hexdigest()[: len(self._run)]
        return f"{self._before}{commit}{self._after}"


def _day(instant: datetime) -> date:
    return instant.astimezone(UTC).date()
