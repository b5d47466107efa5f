"""Families of images: those whose tags look alike, such as all releases or all builds of pull requests.

A family is named by how its tags begin: `v1.2.3` belongs to `v*`, `pr-118` to `pr-*`, `latest` to itself. An image
without a tag may be part of an index, about another image, or left behind: each is a family too.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence

from ecrlab.analysis.inventory.kinds import PART, REFERRER, UNTAGGED
from ecrlab.analysis.inventory.snapshot import Snapshot
from ecrlab.lifecycle import Image

COMMITS, NUMBERS, OTHERS = "commits", "numbers", "others"
MOST = 8
"""How many families are told apart; the smallest are `others`."""

LONGEST = 24
"""Characters of a family's name."""

_COMMIT = re.compile(r"(?<![0-9a-z])(?=[0-9a-f]{7,40}(?![0-9a-z]))[a-f]*\d[0-9a-f]*")
_CHANGING = re.compile(rf"{_COMMIT.pattern}|\d+")


def family(image: Image, snapshot: Snapshot) -> str:
    """The family of one image of a repository."""
    if image.image_tags:
        return of_tags(image.image_tags)
    if image.image_digest in snapshot.listed_by:
        return PART
    if image.subject_digest in snapshot.by_digest:
        return REFERRER
    return UNTAGGED


def of_tags(tags: Sequence[str]) -> str:
    """The family of an image with these tags; one that counts says more than one that moves.

    >>> of_tags(["latest", "v1.2.3"]), of_tags(["pr-118-3f2a9c1d"]), of_tags(["stable"]), of_tags(["3f2a9c1d"])
    ('v*', 'pr-*', 'stable', 'commits')
    """
    tag = next((tag for tag in tags if _CHANGING.search(tag)), tags[0])
    match = _CHANGING.search(tag)
    if match is None:
        return tag if len(tag) <= LONGEST else f"{tag[: LONGEST - 1]}…"
    before = tag[: match.start()]
    if not before:
        return COMMITS if _COMMIT.match(tag) else NUMBERS
    return f"{before}*" if len(before) < LONGEST else f"{before[: LONGEST - 2]}…*"


def families(snapshot: Snapshot) -> dict[str, str]:
    """The family of each image, by digest; beyond `MOST` families the smallest are one, `others`."""
    return _largest({image.image_digest: family(image, snapshot) for image in snapshot.images})


def belonging(snapshot: Snapshot) -> dict[str, str]:
    """The family that each image belongs to: of the index that lists it, or of the image that it is about."""
    return _largest({one.image_digest: family(root(one, snapshot), snapshot) for one in snapshot.images})


def root(image: Image, snapshot: Snapshot) -> Image:
    """The image that another one comes with: the index that lists it, or what it is about; by itself, itself."""
    seen = {image.image_digest}
    while (parent := snapshot.parent(image)) is not None and parent not in seen:
        seen.add(parent)
        image = snapshot.by_digest[parent]
    return image


def _largest(found: dict[str, str]) -> dict[str, str]:
    sizes = Counter(found.values())
    if len(sizes) <= MOST:
        return found
    kept = {name for name, _ in sorted(sizes.items(), key=lambda one: (-one[1], one[0]))[: MOST - 1]}
    return {digest: name if name in kept else OTHERS for digest, name in found.items()}


def in_order(names: Iterable[str]) -> list[str]:
    """Families as they are listed: by size, the largest first; what has no tags, and the others, at the end."""
    last = {PART: 1, REFERRER: 2, UNTAGGED: 3, OTHERS: 4}
    sizes = Counter(names)
    return sorted(sizes, key=lambda name: (last.get(name, 0), -sizes[name], name))
