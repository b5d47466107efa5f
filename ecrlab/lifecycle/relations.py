"""Relations between images: an index lists its children, and a referrer (a signature, an SBOM) names its subject.

ECR does not expire or archive an image while an index lists it. It removes the referrers of an image within 24 hours
after the image (AWS user guide, lifecycle policies).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from ecrlab.lifecycle.image import Image
from ecrlab.lifecycle.policy import ARCHIVE


@dataclass(frozen=True, slots=True)
class Relations:
    """The relations among some images, each given by its position."""

    indexes: dict[str, list[str]]
    """For the digest of each listed image, the digests of the indexes that list it."""
    active_indexes: frozenset[str]
    """The digests that an index of the standard storage class lists."""
    listed: tuple[int, ...]
    """The listed images."""
    subjects: dict[int, int]
    """For each referrer, its subject; for a referrer of a referrer, the subject at the end of the chain.

    A referrer whose subject is not among the images counts as an ordinary image.
    """


def relations_of(images: Sequence[Image]) -> Relations:
    """Return the relations among images."""
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
    return Relations(indexes, frozenset(active), listed, _subjects(images, referrers))


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
        # Digests cannot form a cycle, but a list of images written by hand can.
        if end != position and (images[end].subject_digest or "") not in present:
            subjects[position] = end
    return subjects
