"""What a repository really stores: each layer once, however many images use it.

    image 1 ──┬── base ─────┐
              └── app 1     ├── stored, and billed: base, app 1, app 2
    image 2 ──┬── base ─────┤
              └── app 2 ────┘    freed with image 2: app 2 alone

`imageSizeInBytes` is the size of one image, all its layers counted; added up, it counts the base again for each image
that stands on it. ECR stores a layer once in a repository (AWS user guide, blob mounting: across repositories only
where it is mounted). Configs are blobs like layers.

UNSURE: whether manifests, a few thousand bytes each, are billed; they are not counted, as in `imageSizeInBytes`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import chain

from ecrlab.analysis.costs.bounds import Bounds
from ecrlab.analysis.inventory.snapshot import Snapshot, checked
from ecrlab.lifecycle import Image
from ecrlab.lifecycle.policy import ARCHIVE

Size = Bounds[int]

# What is stored


def stored(snapshot: Snapshot) -> Size:
    """The bytes of all layers, each once: what ECR stores of a repository, and bills."""
    return Bounds.exactly(checked(snapshot).usage.stored) + of_unread(snapshot, snapshot.unread)


def stored_together(snapshots: Sequence[Snapshot], *, mounting: bool) -> Size:
    """The bytes of several repositories; with blob `mounting` a layer that several of them hold is stored once.

    Mounting works within one account and Region and between repositories encrypted alike (AWS user guide, blob
    mounting); whether these are is for the caller to know. What was pushed without it stays a copy of its own.
    """
    if not mounting:
        return sum(map(stored, snapshots), Bounds.exactly(0))
    sizes = {layer: snapshot.sizes[layer] for snapshot in snapshots for layer in snapshot.uses}
    unread = sum((of_unread(snapshot, snapshot.unread) for snapshot in snapshots), Bounds.exactly(0))
    return Bounds.exactly(sum(sizes.values())) + unread


def sum_of_sizes(snapshot: Snapshot) -> int:
    """The sum of `imageSizeInBytes`: more than is stored as soon as images share a layer."""
    return sum(image.size_in_bytes for image in checked(snapshot).images)


def by_class(snapshot: Snapshot) -> dict[str, Size]:
    """The stored bytes in each storage class, "standard" and "archive".

    UNSURE: a layer that an image outside the archive uses is not archived; AWS does not say how a shared layer is
    billed. An image being restored is outside.
    """
    archived = {image.image_digest for image in snapshot.images if image.storage_class == ARCHIVE}
    kept = set(chain.from_iterable(blobs for digest, blobs in snapshot.layers.items() if digest not in archived))
    sizes = {True: 0, False: 0}
    for layer in snapshot.uses:
        sizes[layer in kept] += snapshot.sizes[layer]
    return {
        "standard": Bounds.exactly(sizes[True])
        + of_unread(snapshot, [digest for digest in snapshot.unread if digest not in archived]),
        "archive": Bounds.exactly(sizes[False])
        + of_unread(snapshot, [digest for digest in snapshot.unread if digest in archived]),
    }


# What one image holds


def own(snapshot: Snapshot) -> dict[str, int]:
    """For each image that could be read, the bytes of the layers that no other image uses: what would go with it.

    Where some images could not be read these are the most it can be.
    """
    return checked(snapshot).usage.own()


def shared(snapshot: Snapshot) -> dict[str, int]:
    """For each image that could be read, the bytes of the layers that others use too."""
    mine = own(snapshot)
    return {digest: whole - mine[digest] for digest, whole in snapshot.usage.whole().items()}


# What goes


@dataclass(frozen=True, slots=True)
class Departure:
    """What deleting some images does: which go, which others follow them, and which an index keeps."""

    going: frozenset[str]
    followers: frozenset[str]
    """The images of `going` that were not named: a referrer is deleted within 24 hours after its subject."""
    held: Mapping[str, str]
    """An image that stays although it was named, and the index that lists it."""
    unknown: frozenset[str]
    """Named, but not in the repository."""


def departure(snapshot: Snapshot, digests: Iterable[str]) -> Departure:
    """Which images go when these are to be deleted, and ECR has had its day.

    An image that an index lists stays until the index is gone; what is about an image (a signature, an SBOM) goes with
    it (AWS user guide, deleting an image and lifecycle policies).
    """
    named = set(digests)
    wanted = named & snapshot.by_digest.keys()
    going = wanted | _followers(snapshot, wanted)
    # An image that stays may keep others: repeat until no more of them have to stay.
    held: dict[str, str] = {}
    suspects = [digest for digest in snapshot.listed_by if digest in going]
    while suspects:
        digest = suspects.pop()
        if digest not in going or (why := _holder(snapshot, digest, going, wanted)) is None:
            continue
        going.discard(digest)
        if digest in wanted:
            held[digest] = why
        image = snapshot.by_digest[digest]
        suspects += [*image.children, *snapshot.referrers.get(digest, ())]
    return Departure(frozenset(going), frozenset(going - wanted), held, frozenset(named - wanted))


def freed(snapshot: Snapshot, digests: Iterable[str]) -> Size:
    """The bytes that deleting images frees: those of layers that no remaining image uses.

    That is less than the sum of the sizes if they share layers. `departure` says which images go.
    """
    going = departure(snapshot, digests).going
    known = snapshot.usage.freed(going)
    unread = [digest for digest in snapshot.unread if digest in going]
    # An image that stays and cannot be read may have any of these layers too.
    staying = of_unread(snapshot, [digest for digest in snapshot.unread if digest not in going]).most
    least = 0 if staying is None else max(0, known - staying)
    most = of_unread(snapshot, unread).most
    return Bounds(least, None if most is None else known + most)


def _followers(snapshot: Snapshot, digests: set[str]) -> set[str]:
    """The referrers of these images, and their referrers."""
    found: set[str] = set()
    waiting = [follower for subject, about in snapshot.referrers.items() if subject in digests for follower in about]
    while waiting:
        digest = waiting.pop()
        if digest not in found:
            found.add(digest)
            waiting += snapshot.referrers.get(digest, ())
    return found


def _holder(snapshot: Snapshot, digest: str, going: set[str], wanted: set[str]) -> str | None:
    """The image that keeps another one: an index that stays, or the subject of a referrer."""
    for index in snapshot.listed_by.get(digest, ()):
        if index not in going:
            return index
    subject = snapshot.by_digest[digest].subject_digest
    return subject if digest not in wanted and subject not in going else None


def of_unread(snapshot: Snapshot, digests: Iterable[str]) -> Size:
    """The bytes that images without known layers may add to what is stored."""
    total: Size = Bounds.exactly(0)
    for digest in digests:
        image = snapshot.by_digest[digest]
        # An index stores nothing besides the images it lists, whatever size ECR shows of it.
        if not image.is_index:
            total += Bounds(0, image.size_in_bytes or None)
    return total


# What came when


@dataclass(frozen=True, slots=True)
class Day:
    """How a repository stood at the end of a day (UTC)."""

    day: date
    images: int
    size: Size


def growth(snapshot: Snapshot) -> list[Day]:
    """How today's images accumulated: images and bytes at the end of each day, from the first push on.

    Images that were deleted since are not counted. A layer counts from its first image on.
    """
    images = sorted(snapshot.images, key=lambda image: image.pushed_at)
    if not images:
        return []
    day, last = _day(images[0].pushed_at), max(_day(snapshot.taken_at), _day(images[-1].pushed_at))
    seen: set[str] = set()
    size: Size = Bounds.exactly(0)
    days, position = [], 0
    while day <= last:
        while position < len(images) and _day(images[position].pushed_at) == day:
            size += _new(snapshot, images[position], seen)
            position += 1
        days.append(Day(day, position, size))
        day += timedelta(days=1)
    return days


def _new(snapshot: Snapshot, image: Image, seen: set[str]) -> Size:
    """The bytes that an image adds to those that were there."""
    if image.image_digest in snapshot.unread:
        return of_unread(snapshot, [image.image_digest])
    layers = [layer for layer in snapshot.layers.get(image.image_digest, ()) if layer not in seen]
    seen.update(layers)
    return Bounds.exactly(sum(snapshot.sizes[layer] for layer in layers))


def _day(instant: datetime) -> date:
    return instant.astimezone(UTC).date()
