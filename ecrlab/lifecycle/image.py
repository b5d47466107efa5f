"""An image as a lifecycle policy sees it: its digest, tags, dates and references, and its place in the order of age.

A rule counts images and days from the same instant: the push, the last restore, or the archiving.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise

from ecrlab.lifecycle.policy import ARCHIVE
from ecrlab.oci.media_types import INDEXES

INDEX_MEDIA_TYPES = frozenset(INDEXES)
_NEVER = datetime.max.replace(tzinfo=UTC)
ACTIVATING = "activating"
"""The storage class of an image that ECR restores from the archive."""


@dataclass(frozen=True, slots=True)
class Image:
    """One image of a repository: all tags of one digest.

    Dates are aware datetimes. `storage_class` is "standard", "archive", or "activating" while ECR restores
    the image. `children` are the digests that an index lists; `subject_digest` is the subject of a
    signature or SBOM.
    """

    image_digest: str
    image_tags: tuple[str, ...]
    pushed_at: datetime
    last_pulled_at: datetime | None = None
    storage_class: str = "standard"
    last_archived_at: datetime | None = None
    last_activated_at: datetime | None = None
    subject_digest: str | None = None
    children: tuple[str, ...] = ()
    media_type: str = ""
    size_in_bytes: int = 0

    @property
    def is_index(self) -> bool:
        """Whether it lists other images (a multi-architecture image)."""
        return bool(self.children) or self.media_type in INDEX_MEDIA_TYPES


def aged_since(image: Image) -> datetime:
    """Return the instant that orders images: the push, the last restore, or for an archived image the archiving.

    A later tag does not make an image younger (aws/containers-roadmap#2746).
    """
    if image.storage_class == ARCHIVE:
        return image.last_archived_at or _NEVER
    # UNSURE: a restore counts as a new push for ages too, not only for the order; otherwise the next run would
    # archive a restored image again.
    return image.last_activated_at or image.pushed_at


def unused_since(image: Image) -> datetime:
    """Return the last pull, or the push if nobody pulled the image; a later restore replaces either."""
    used = image.last_pulled_at or image.pushed_at
    return max(used, image.last_activated_at) if image.last_activated_at else used


def oldest_first(images: Sequence[Image], since: Sequence[float]) -> list[int]:
    """Return the positions of images, oldest first; `since` holds their instants in seconds."""
    order = sorted(range(len(images)), key=since.__getitem__)
    instants = [since[position] for position in order]
    equal = [place for place, (one, other) in enumerate(pairwise(instants)) if one == other]
    for first in equal:
        if not first or instants[first - 1] != instants[first]:
            last = bisect_right(instants, instants[first], lo=first)
            # UNSURE: AWS documents no order for images of one instant; the order by digest makes the answer repeatable.
            order[first:last] = sorted(
                order[first:last], key=lambda position: (aged_since(images[position]), images[position].image_digest)
            )
    return order
