"""A repository at one moment, as values: its images, the layers each is made of, and how big these are.

    Snapshot ── images   as a lifecycle policy sees them: digest, tags, dates, what hangs on what
             ├─ layers   of each image: the digests of its blobs, its config too
             ├─ sizes    of each layer, in bytes as stored (compressed)
             ├─ unread   the images of which the layers are not known, and why
             └─ platforms, artifact types, tag mutability, where they were read

`ecrlab.analysis.inventory.reading` reads one through any boto3 ECR client; a made-up history can make one too. Every
figure about a repository is computed from a snapshot, without asking again.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property
from itertools import chain

from ecrlab.analysis.inventory.layer_use import Usage
from ecrlab.errors import EcrLabError
from ecrlab.lifecycle import Image
from ecrlab.lifecycle.policy import ARCHIVE

DAYS_SINCE_PUSH, DAYS_SINCE_PULL = "pushed (days ago)", "pulled (days ago)"
"""Columns of tables."""

AT_ONCE = timedelta(hours=1)
MANY = 10
"""With fewer images, pulls at once are taken for use."""


@dataclass(frozen=True)
class Snapshot:
    """What a repository holds at an instant.

    `layers` has an entry for each image that could be read, each of its blobs once; an index has none of its own.
    Images of which nothing is known but their size, as ECR shows it, stand in `unread` with the reason.
    """

    name: str
    taken_at: datetime
    images: tuple[Image, ...]
    layers: Mapping[str, tuple[str, ...]]
    sizes: Mapping[str, int]
    unread: Mapping[str, str] = field(default_factory=dict)
    platforms: Mapping[str, str] = field(default_factory=dict)
    """For each image that an index lists, the platform that the index names (`linux/arm64`), or `attestation`."""
    artifact_types: Mapping[str, str] = field(default_factory=dict)
    """For each image that is about another one, what it is."""
    image_tag_mutability: str = ""
    """The repository's setting; empty where it was not read."""

    @cached_property
    def uses(self) -> Counter[str]:
        """By how many images each layer is used."""
        return Counter(chain.from_iterable(self.layers.values()))

    @cached_property
    def usage(self) -> Usage:
        """The uses as an array, for fast sums."""
        return Usage(self.layers, self.sizes)

    @cached_property
    def by_digest(self) -> dict[str, Image]:
        """The images by their digests."""
        return {image.image_digest: image for image in self.images}

    @cached_property
    def listed_by(self) -> dict[str, tuple[str, ...]]:
        """For the digest of each image that indexes of this repository list, the digests of these."""
        found: dict[str, tuple[str, ...]] = {}
        for image in self.images:
            for child in image.children:
                found[child] = (*found.get(child, ()), image.image_digest)
        return found

    @cached_property
    def referrers(self) -> dict[str, tuple[str, ...]]:
        """For a digest, the images that are about it: signatures, SBOMs."""
        found: dict[str, tuple[str, ...]] = {}
        for image in self.images:
            if image.subject_digest:
                found[image.subject_digest] = (*found.get(image.subject_digest, ()), image.image_digest)
        return found

    def parent(self, image: Image) -> str | None:
        """The digest of the index that lists an image (the first), or of the image it is about; None without one."""
        if indexes := self.listed_by.get(image.image_digest):
            return indexes[0]
        return image.subject_digest if image.subject_digest in self.by_digest else None

    def without(self, digests: "frozenset[str] | set[str]") -> "Snapshot":
        """The same repository after these images, and the layers that no other image uses, are gone."""
        layers = {digest: blobs for digest, blobs in self.layers.items() if digest not in digests}
        left = set(chain.from_iterable(layers.values()))
        return replace(
            self,
            images=tuple(image for image in self.images if image.image_digest not in digests),
            layers=layers,
            sizes={digest: size for digest, size in self.sizes.items() if digest in left},
            unread={digest: why for digest, why in self.unread.items() if digest not in digests},
        )

    def __len__(self) -> int:
        return len(self.images)


def checked(snapshot: object) -> Snapshot:
    """Return a snapshot as it is. Raises `EcrLabError` for anything else, most often the name of a repository."""
    if isinstance(snapshot, Snapshot):
        return snapshot
    name = snapshot if isinstance(snapshot, str) else "my-app"
    raise EcrLabError(f'expected a snapshot, got {snapshot!r:.60}; pass lab.storage("{name:.60}"), not a name')


def doubts(snapshot: Snapshot) -> list[str]:
    """What is unknown about a repository, or cannot be right, one sentence each; show them beside every number."""
    return list(_doubts(snapshot))


def _doubts(snapshot: Snapshot) -> Iterator[str]:
    for why, number in sorted(Counter(snapshot.unread.values()).items()):
        yield (
            f"{snapshot.name}: what {_images(number)} made of is not known: {why}. "
            "Bytes are given as bounds: from none of their own up to their size as ECR shows it"
        )
    missing = [child for child in snapshot.listed_by if child not in snapshot.by_digest]
    if missing:
        yield (
            f"{snapshot.name}: indexes list {_number(len(missing), 'image')} that the repository does not hold;"
            " nothing is counted for them"
        )
    archived = [image for image in snapshot.images if image.is_index and not image.children]
    if archived:
        yield (
            f"{snapshot.name}: what {_number(len(archived), 'index', 'indexes')} list is not known, or is nothing;"
            " their parts may seem free to go"
        )
    ahead = [image for image in snapshot.images if image.pushed_at > snapshot.taken_at]
    if ahead:
        yield (
            f"{snapshot.name}: {_number(len(ahead), 'image')} pushed after the moment of this look"
            f" ({snapshot.taken_at:%Y-%m-%d %H:%M} UTC): a clock is wrong; their ages are not given"
        )
    looked = looked_at(snapshot)
    if looked:
        yield (
            f"{snapshot.name}: {len(looked):,} of {_number(len(snapshot), 'image')} were last pulled within one hour,"
            " as happens when somebody reads all manifests, for a report such as this; when they were last used is not"
            " known"
        )
    undated = [i for i in snapshot.images if i.storage_class == ARCHIVE and i.last_archived_at is None]
    if undated:
        yield (
            f"{snapshot.name}: {_number(len(undated), 'archived image')} without the time of archiving; how much of"
            " the 90 days is left to pay is not known"
        )


def days_since(snapshot: Snapshot, instants: Sequence[datetime | None]) -> list[float | None]:
    """Days from these instants to the snapshot; None for no instant, and for one that lies after it."""
    return [
        None if then is None or then > snapshot.taken_at else (snapshot.taken_at - then).total_seconds() / 86_400
        for then in instants
    ]


def looked_at(snapshot: Snapshot) -> frozenset[str]:
    """The images whose last pull was most likely a look at all manifests, and no use: more than half of a repository
    within one hour. A report does that (see `ecrlab.analysis.inventory.reading`).
    """
    pulls = sorted((image.last_pulled_at, image.image_digest) for image in snapshot.images if image.last_pulled_at)
    first, best = 0, (0, 0)
    for last, (instant, _) in enumerate(pulls):
        while instant - pulls[first][0] > AT_ONCE:
            first += 1
        best = max(best, (last + 1 - first, first))
    number, first = best
    if number < MANY or number * 2 <= len(snapshot):
        return frozenset()
    return frozenset(digest for _, digest in pulls[first : first + number])


def _images(number: int) -> str:
    return f"{number} image is" if number == 1 else f"{number} images are"


def _number(number: int, noun: str, nouns: str = "") -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {nouns or noun + 's'}"
