"""What a registry holds, repository by repository: who has a name, who belongs to whom, and what they share.

An image without a tag is not always left behind. It may be one of the images that an index lists, or it may be about
another image (its signature, its list of software). Only what is neither is a **ghost**: no tag leads to it any more.
Layers are shared within a repository, so an image's own bytes are those that would go with it.

Any boto3 ECR client will do; what the images are made of is read from their manifests.
"""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ecrlab.analysis.inventory.frames import short

if TYPE_CHECKING:
    import pandas as pd

MOST_IDS = 100
"""How many manifests BatchGetImage gives at once (botocore model, ImageIdentifierList)."""

Manifests = Callable[[str, Sequence[str]], dict[str, str]]
"""Given a repository and digests, the text of their manifests; a digest that is gone is left out."""

TAGGED, GHOST, INDEX, PART, REFERRER = "image", "untagged", "index", "part of an index", "about another image"
KINDS = (TAGGED, INDEX, PART, REFERRER, GHOST)


@dataclass(frozen=True, slots=True)
class Held:
    """One image of a repository: `size` in bytes as ECR shows it, `layers` its blobs with their bytes (config too)."""

    digest: str
    tags: tuple[str, ...]
    pushed_at: datetime
    size: int
    kind: str
    parent: str | None
    """The index that lists it, or the image it is about, where that is in the repository."""
    remark: str
    """For a part its platform, for what is about another image what it is."""
    layers: dict[str, int]
    depth: int = 0
    """How many steps below an image that stands on its own."""


@dataclass(frozen=True)
class Shelf:
    """One repository: its images in the order of their pushes, each followed by what belongs to it."""

    name: str
    mutability: str
    held: tuple[Held, ...]
    uses: Counter[str] = field(default_factory=Counter)
    """By how many images each layer is used."""

    @property
    def shared(self) -> dict[str, int]:
        """The layers that more than one image uses, with their bytes, in the order in which they came."""
        return {digest: size for digest, size in self.layers.items() if self.uses[digest] > 1}

    @property
    def layers(self) -> dict[str, int]:
        """All blobs, each once, with their bytes: what is stored."""
        return {digest: size for held in self.held for digest, size in held.layers.items()}

    def own(self, held: Held) -> dict[str, int]:
        """The blobs that no other image uses, with their bytes."""
        return {digest: size for digest, size in held.layers.items() if self.uses[digest] == 1}

    def count(self, kind: str) -> int:
        """How many images are of a kind."""
        return sum(held.kind == kind for held in self.held)


def look(ecr: Any, name: str | None = None, *, manifests: Manifests | None = None) -> list[Shelf]:
    """The repositories of a registry, or the one of that name, with all they hold.

    Without `manifests` they are read with BatchGetImage, which on AWS counts as a pull: `lastRecordedPullTime` is then
    today. Raises what the client raises, such as `RepositoryNotFoundException`.
    """
    only = {} if name is None else {"repositoryNames": [name]}
    pages = ecr.get_paginator("describe_repositories").paginate(**only)
    found = sorted(
        (repository for page in pages for repository in page["repositories"]), key=lambda one: one["repositoryName"]
    )
    read = manifests or _pulled(ecr)
    return [_shelf(ecr, repository["repositoryName"], repository["imageTagMutability"], read) for repository in found]


def table(shelves: Sequence[Shelf], now: datetime) -> "pd.DataFrame":
    """One row for each image, numbered from 1.

    Columns: `repository`, `tags` (joined by spaces), `digest` (its first 12 hexadecimal digits), `kind` (image,
    untagged, index, part of an index, about another image), `of` (the digest of that index or image), `remark` (a
    platform or an artifact type), `age` (at `now`), `bytes` (as ECR shows it), `shared` (bytes of them that other
    images use too).
    """
    import pandas as pd

    rows = [
        {
            "repository": shelf.name,
            "tags": " ".join(held.tags),
            "digest": short(held.digest),
            "kind": held.kind,
            "of": short(held.parent or ""),
            "remark": held.remark,
            "age": age(held.pushed_at, now),
            "bytes": held.size,
            "shared": sum(held.layers.values()) - sum(shelf.own(held).values()),
        }
        for shelf in shelves
        for held in shelf.held
    ]
    columns = ["repository", "tags", "digest", "kind", "of", "remark", "age", "bytes", "shared"]
    return pd.DataFrame(rows, columns=columns, index=range(1, len(rows) + 1))


def age(then: datetime, now: datetime) -> str:
    """How long ago something was, in the largest unit that fits.

    >>> pushed = datetime(2026, 10, 1)
    >>> age(pushed, datetime(2026, 10, 3, 23)), age(pushed, datetime(2026, 10, 1, 0, 0, 7))
    ('2 days', '7 s')
    """
    seconds = max(0, int((now - then).total_seconds()))
    for length, unit in ((86400, "day"), (3600, "h"), (60, "min")):
        if seconds >= length:
            number = seconds // length
            return f"{number} {unit}s" if unit == "day" and number > 1 else f"{number} {unit}"
    return f"{seconds} s"


def readable(size: float) -> str:
    """Bytes as people read them, in units of a thousand.

    >>> readable(441), readable(5711), readable(57_000_000)
    ('441 B', '5.7 kB', '57 MB')
    """
    units = ["B", "kB", "MB", "GB", "TB"]
    while size >= 1000 and len(units) > 1:
        size /= 1000
        del units[0]
    return f"{size:.1f} {units[0]}" if size < 10 and units[0] != "B" else f"{size:.0f} {units[0]}"


def _pulled(ecr: Any) -> Manifests:
    def read(repository: str, digests: Sequence[str]) -> dict[str, str]:
        given: dict[str, str] = {}
        for start in range(0, len(digests), MOST_IDS):
            ids = [{"imageDigest": digest} for digest in digests[start : start + MOST_IDS]]
            for image in ecr.batch_get_image(repositoryName=repository, imageIds=ids)["images"]:
                given[image["imageId"]["imageDigest"]] = image["imageManifest"]
        return given

    return read


def _shelf(ecr: Any, name: str, mutability: str, read: Manifests) -> Shelf:
    pages = ecr.get_paginator("describe_images").paginate(repositoryName=name)
    details = {detail["imageDigest"]: detail for page in pages for detail in page["imageDetails"]}
    texts = read(name, list(details))
    documents = {digest: json.loads(texts.get(digest, "{}")) for digest in details}
    # The first index that lists an image is shown with it.
    parts = {
        child["digest"]: (index, child)
        for index in reversed(documents)
        for child in documents[index].get("manifests", [])
    }
    unsorted = {digest: _held(details[digest], documents[digest], parts.get(digest), details) for digest in details}
    held = _with_what_belongs(sorted(unsorted.values(), key=lambda one: one.pushed_at))
    return Shelf(name, mutability, tuple(held), Counter(layer for one in held for layer in one.layers))


def _held(
    detail: dict[str, Any], document: dict[str, Any], part: tuple[str, dict[str, Any]] | None, there: dict[str, Any]
) -> Held:
    tags = tuple(detail.get("imageTags", ()))
    subject = (document.get("subject") or {}).get("digest")
    parent, remark = None, ""
    if part is not None:
        kind, parent, remark = PART, part[0], _platform(part[1])
    elif subject is not None:
        kind, parent = REFERRER, subject if subject in there else None
        remark = document.get("artifactType") or document.get("config", {}).get("mediaType", "")
    elif "manifests" in document:
        kind = INDEX
    else:
        kind = TAGGED if tags else GHOST
    blobs = [document["config"], *document.get("layers", [])] if "config" in document else []
    return Held(
        digest=detail["imageDigest"],
        tags=tags,
        pushed_at=detail["imagePushedAt"],
        size=detail.get("imageSizeInBytes", 0),
        kind=kind,
        parent=parent,
        remark=remark,
        layers={blob["digest"]: blob["size"] for blob in blobs},
    )


def _platform(descriptor: dict[str, Any]) -> str:
    annotations = descriptor.get("annotations") or {}
    if annotations.get("vnd.docker.reference.type") == "attestation-manifest":
        return "attestation"
    platform = descriptor.get("platform") or {}
    named = (platform.get(part) for part in ("os", "architecture", "variant"))
    return "/".join(part for part in named if part)


def _with_what_belongs(everything: Sequence[Held]) -> list[Held]:
    """Each image, then what belongs to it, one step deeper."""
    from dataclasses import replace

    belonging: dict[str | None, list[Held]] = {}
    for held in everything:
        belonging.setdefault(held.parent, []).append(held)
    ordered: list[Held] = []
    # From the end, because a stack gives back what came last.
    stack = [(held, 0) for held in reversed(belonging.get(None, []))]
    while stack:
        held, depth = stack.pop()
        ordered.append(replace(held, depth=depth))
        stack += [(below, depth + 1) for below in reversed(belonging.get(held.digest, []))]
    return ordered
