"""What holds images together: an index keeps what it lists, a signature or SBOM goes with its subject.

ECR does not expire or archive an image that an index lists before that index is gone, and removes what refers
to an image within 24 hours after the image (AWS user guide, lifecycle policies).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from ecrlab.lifecycle.image import Image
from ecrlab.lifecycle.policy import ARCHIVE


@dataclass(frozen=True, slots=True)
class Ties:
    """The ties among some images; these go by their position."""

    indexes: dict[str, list[str]]
    """For the digest of each listed image, the indexes that list it."""
    active_indexes: frozenset[str]
    """The digests that an index outside the archive lists."""
    listed: tuple[int, ...]
    """The listed images."""
    subjects: dict[int, int]
    """For each referrer the image it is about; through a referrer of a referrer to
    the end.

    A referrer whose subject is not among the images is an image like any other.
    """


def ties_of(images: Sequence[Image]) -> Ties:
    """Find the ties among images."""
    indexes: dict[str, list[str]] = {}
    active: set[str] = set()
    referrers = {}
    for position, image in enumerate(images):
        if image.children:
            for child in image.children:
                indexes.setdefault(child, []).append(image.image_digest)
            if image.storage_class != ARCHIVE:
                active.update(image.children)
        if image.subject_digest:
            referrers[image.image_digest] = position
    listed = tuple(p for p, image in enumerate(images) if image.image_digest in indexes) if indexes else ()
    return Ties(indexes, frozenset(active), listed, _subjects(images, referrers))


def _subjects(images: Sequence[Image], referrers: dict[str, int]) -> dict[int, int]:
    wanted = {images[position].subject_digest for position in referrers.values()}
    present = (
        {image.image_digest: p for p, image in enumerate(images) if image.image_digest in wanted} if wanted else {}
    )
    subjects = {}
    for position in referrers.values():
        seen, end = {position}, position
        while (there := present.get(images[end].subject_digest or "")) is not None and there not in seen:
            seen.add(there)
            end = there
        # Digests cannot go round in a circle, but a list of images written by hand can.
        if end != position and (images[end].subject_digest or "") not in present:
            subjects[position] = end
    return subjects
