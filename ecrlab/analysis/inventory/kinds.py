"""What kind of image each one of a repository is, and which other image it belongs to.

An image without a tag is not always left behind. It may be one of the images that an index lists, or it may be about
another image (its signature, its SBOM). The kind `UNTAGGED` is for the others: no tag leads to them any more.
"""

from dataclasses import dataclass

from ecrlab.analysis.inventory.snapshot import Snapshot
from ecrlab.lifecycle import Image

TAGGED, UNTAGGED, INDEX, PART, REFERRER = "image", "untagged", "index", "part of an index", "about another image"
KINDS = (TAGGED, INDEX, PART, REFERRER, UNTAGGED)


@dataclass(frozen=True, slots=True)
class Entry:
    """One image in the listing of a repository."""

    image: Image
    kind: str
    remark: str
    """The platform of a part of an index, the artifact type of a referrer."""
    parent: str | None
    """The digest of the index that lists the image, or of the image that it is about, if the repository holds that."""
    depth: int
    """How many parents are above it."""


def listing(snapshot: Snapshot) -> list[Entry]:
    """The images in the order of their pushes, each followed by the images that belong to it."""
    children: dict[str | None, list[Image]] = {}
    for image in sorted(snapshot.images, key=lambda one: one.pushed_at):
        children.setdefault(snapshot.parent(image), []).append(image)
    entries = []
    # From the end, because a stack returns first what came last.
    stack = [(image, 0) for image in reversed(children.get(None, []))]
    while stack:
        image, depth = stack.pop()
        kind = kind_of(image, snapshot)
        entries.append(Entry(image, kind, _remark(image, kind, snapshot), snapshot.parent(image), depth))
        stack += [(child, depth + 1) for child in reversed(children.get(image.image_digest, []))]
    return entries


def kind_of(image: Image, snapshot: Snapshot) -> str:
    """One of `KINDS`."""
    if image.image_digest in snapshot.listed_by:
        return PART
    if image.subject_digest is not None:
        return REFERRER
    if image.is_index:
        return INDEX
    return TAGGED if image.image_tags else UNTAGGED


def _remark(image: Image, kind: str, snapshot: Snapshot) -> str:
    known = {PART: snapshot.platforms, REFERRER: snapshot.artifact_types}.get(kind, {})
    return known.get(image.image_digest, "")
