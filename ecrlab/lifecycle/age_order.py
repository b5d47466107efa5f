"""The one line that all images stand in, oldest first, and the instants that ages are counted from."""

from bisect import bisect_right
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise

from ecrlab.lifecycle.image import Image
from ecrlab.lifecycle.policy import ARCHIVE

_NEVER = datetime.max.replace(tzinfo=UTC)


def standing_since(image: Image) -> datetime:
    """The instant that orders images: of the push, of the last restore if there was one, of archiving if archived."""
    if image.storage_class == ARCHIVE:
        return image.last_archived_at or _NEVER
    # UNSURE: a restore counts as a new push for ages too, not only for the order; otherwise the next run
    # would archive again what somebody just restored.
    return image.last_activated_at or image.pushed_at


def unused_since(image: Image) -> datetime:
    """The last pull; for an image never pulled its push; in either case not before its last restore."""
    used = image.last_pulled_at or image.pushed_at
    return max(used, image.last_activated_at) if image.last_activated_at else used


def oldest_first(images: Sequence[Image], since: Sequence[float]) -> list[int]:
    """The positions of images in the order that rules count them in; `since` are their instants in seconds."""
    line = sorted(range(len(images)), key=since.__getitem__)
    instants = [since[position] for position in line]
    equal = [place for place, (one, other) in enumerate(pairwise(instants)) if one == other]
    for first in equal:
        if not first or instants[first - 1] != instants[first]:
            last = bisect_right(instants, instants[first], lo=first)
            # UNSURE: AWS documents no order for images of one instant; by digest the same images give the same
            # answer.
            line[first:last] = sorted(
                line[first:last], key=lambda position: (standing_since(images[position]), images[position].image_digest)
            )
    return line
