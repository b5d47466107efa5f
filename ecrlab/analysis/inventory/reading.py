"""A snapshot of a repository, read through any boto3 ECR client: the lab's, or one of a real account; nothing is
changed but what AWS itself notes.

BatchGetImage counts as a pull: AWS then shows today as `lastRecordedPullTime`. So the images are described first, and
the snapshot has the pull times from before. A later snapshot has those of this one, unless
`RegisterPullTimeUpdateExclusion` exempts the role that reads (AWS user guide, pull time update exclusions).
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from sys import intern
from typing import Any

from ecrlab.analysis.inventory.snapshot import Snapshot
from ecrlab.lifecycle import Image
from ecrlab.lifecycle.aws import Manifests
from ecrlab.lifecycle.image import INDEX_MEDIA_TYPES
from ecrlab.lifecycle.policy import STANDARD
from ecrlab.lifecycle.reading import images

ACTIONS = ("ecr:DescribeImages", "ecr:BatchGetImage")
"""The IAM actions that reading needs."""

MEDIA_TYPES = (
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    *sorted(INDEX_MEDIA_TYPES),
)
"""What BatchGetImage is told to accept: it may convert a manifest of another type."""

MOST_IDS = 100
"""How many manifests BatchGetImage returns at once (botocore model, ImageIdentifierList)."""

LARGEST = 2**40
"""Bytes of the largest plausible layer: far above ECR's largest, 52,000 MiB (AWS user guide, service quotas)."""

ARCHIVED = "they are in the archive, which returns no manifest"
FOREIGN = "they have layers that may be stored elsewhere"
MALFORMED = "their manifests list no layers with sizes"
CONTRADICTORY = "their manifests give a layer another size than others do"
_MISSING = "ECR returns no manifest of them"

Parts = tuple[tuple[str, int], ...]
"""The blobs of an image with their bytes."""


def read(ecr: Any, repository: str, *, at: datetime, manifests: Manifests | None = None) -> Snapshot:
    """A repository as it is now; `at` is the present instant (aware), for a lab that of its clock.

    Without `manifests` they are read with BatchGetImage. Raises what the client raises, such as
    `RepositoryNotFoundException`, and `UnreadableInput` for an answer that ECR cannot return.
    """
    wanted = {"filter": {"imageStatus": "ANY"}} if _knows_status(ecr) else {}
    pages = ecr.get_paginator("describe_images").paginate(repositoryName=repository, **wanted)
    details = [detail for page in pages for detail in page["imageDetails"]]
    described = images({"imageDetails": details})
    active = [image.image_digest for image in described if image.storage_class == STANDARD]
    failures: dict[str, str] = {}
    texts = manifests(repository, active) if manifests else _given(ecr, repository, active, failures)
    return snapshot(repository, at, described, texts, failures)


def read_all(
    ecr: Any, repository: str | None = None, *, at: datetime, manifests: Manifests | None = None
) -> list[Snapshot]:
    """The repositories of a registry by their names, or the one of that name, each with its tag mutability."""
    only = {} if repository is None else {"repositoryNames": [repository]}
    pages = ecr.get_paginator("describe_repositories").paginate(**only)
    mutability = {one["repositoryName"]: one["imageTagMutability"] for page in pages for one in page["repositories"]}
    return [
        replace(read(ecr, name, at=at, manifests=manifests), image_tag_mutability=mutability[name])
        for name in sorted(mutability)
    ]


def snapshot(
    name: str,
    at: datetime,
    described: Sequence[Image],
    texts: Mapping[str, str],
    failures: Mapping[str, str] | None = None,
) -> Snapshot:
    """A snapshot of images as they are described, with the texts of their manifests; `failures` say why one is missing.

    What a manifest says of children and subject is added to the images.
    """
    unread: dict[str, str] = {}
    layers: dict[str, tuple[str, ...]] = {}
    sizes: dict[str, int] = {}
    platforms: dict[str, str] = {}
    artifact_types: dict[str, str] = {}
    whole = []
    for image in described:
        digest = image.image_digest
        document = _document(texts.get(digest))
        parts = _parts(document)
        if isinstance(parts, str):
            why = ARCHIVED if image.storage_class != STANDARD else (failures or {}).get(digest, _MISSING)
            unread[digest] = parts if digest in texts else why
        elif any(sizes.get(layer, dict(parts)[layer]) != size for layer, size in parts):
            unread[digest] = CONTRADICTORY
        else:
            sizes.update(parts)
            layers[digest] = tuple(dict.fromkeys(layer for layer, _ in parts))
        whole.append(_with_references(image, document))
        for child in _listed(document, "manifests"):
            if _digest(child):
                platforms.setdefault(_digest(child), _platform(child))
        if whole[-1].subject_digest:
            artifact_types[digest] = _artifact_type(document)
    return Snapshot(name, at, tuple(whole), layers, sizes, unread, platforms, artifact_types)


def _knows_status(ecr: Any) -> bool:
    """Whether this botocore knows archived images; an older one rejects the filter."""
    members = ecr.meta.service_model.operation_model("DescribeImages").input_shape.members
    return "imageStatus" in members["filter"].members


def _given(ecr: Any, repository: str, digests: Sequence[str], failures: dict[str, str]) -> dict[str, str]:
    given: dict[str, str] = {}
    for start in range(0, len(digests), MOST_IDS):
        answer = ecr.batch_get_image(
            repositoryName=repository,
            imageIds=[{"imageDigest": digest} for digest in digests[start : start + MOST_IDS]],
            acceptedMediaTypes=list(MEDIA_TYPES),
        )
        for image in answer["images"]:
            given[image["imageId"]["imageDigest"]] = image["imageManifest"]
        for failure in answer.get("failures", ()):
            failures[failure["imageId"]["imageDigest"]] = f"ECR returns no manifest of them ({failure['failureCode']})"
    return given


def _document(text: str | None) -> dict[str, Any]:
    try:
        document = json.loads(text or "")
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _parts(document: dict[str, Any]) -> Parts | str:
    """The blobs that a manifest names, or why they are not known."""
    if isinstance(document.get("manifests"), list):
        return ()
    blobs = [document.get("config"), *_listed(document, "layers")]
    if not all(_is_descriptor(blob) for blob in blobs):
        return MALFORMED
    kinds = [str(blob.get("mediaType")) for blob in blobs]
    if any(".foreign." in kind or ".nondistributable." in kind for kind in kinds):
        return FOREIGN
    return tuple((intern(blob["digest"]), blob["size"]) for blob in blobs)


def _is_descriptor(blob: Any) -> bool:
    return (
        isinstance(blob, dict)
        and isinstance(blob.get("digest"), str)
        and type(blob.get("size")) is int
        and 0 <= blob["size"] <= LARGEST
    )


def _with_references(image: Image, document: dict[str, Any]) -> Image:
    children = tuple(digest for digest in map(_digest, _listed(document, "manifests")) if digest)
    subject = image.subject_digest or _digest(document.get("subject")) or None
    if (children, subject) == (image.children, image.subject_digest):
        return image
    return replace(image, children=children, subject_digest=subject)


def _digest(descriptor: Any) -> str:
    return _text(descriptor, "digest")


def _platform(descriptor: Any) -> str:
    annotations = descriptor.get("annotations") if isinstance(descriptor, dict) else None
    if _text(annotations, "vnd.docker.reference.type") == "attestation-manifest":
        return "attestation"
    platform = descriptor.get("platform") if isinstance(descriptor, dict) else None
    return "/".join(filter(None, (_text(platform, key) for key in ("os", "architecture", "variant"))))


def _artifact_type(document: dict[str, Any]) -> str:
    return _text(document, "artifactType") or _text(document.get("config"), "mediaType")


def _text(container: Any, key: str) -> str:
    value = container.get(key) if isinstance(container, dict) else None
    return value if isinstance(value, str) else ""


def _listed(document: dict[str, Any], key: str) -> Iterable[Any]:
    entries = document.get(key, [])
    return entries if isinstance(entries, list) else [None]
