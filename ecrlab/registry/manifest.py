"""What a client puts on top of its blobs: a manifest names config and layers, an index names manifests.

ECR takes four kinds (AWS user guide, container image manifest formats): Docker's image manifest v2 schema 2 and
manifest list, and OCI's image manifest and index. A manifest is kept byte for byte as it came, because its digest is
the sha256 of just these bytes; reading it here only finds out what it refers to.
"""

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any, NamedTuple, NoReturn

from ecrlab.registry.errors import InvalidParameterException
from ecrlab.registry.names import DIGEST

DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
MEDIA_TYPES = (DOCKER_MANIFEST, DOCKER_LIST, OCI_MANIFEST, OCI_INDEX)
INDEXES = (DOCKER_LIST, OCI_INDEX)

LARGEST = 4 * 1024 * 1024
"""Bytes of the largest manifest (botocore model, ImageManifest)."""


class Descriptor(NamedTuple):
    """A reference by content: what kind of thing, which digest, how many bytes."""

    media_type: str
    digest: str
    size: int

    @property
    def is_foreign(self) -> bool:
        """Whether the blob may live elsewhere (`nondistributable` in OCI, `foreign` in Docker)."""
        return ".nondistributable." in self.media_type or ".foreign." in self.media_type


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest or index as it was pushed, and what it refers to."""

    body: bytes
    digest: str
    media_type: str
    blobs: tuple[Descriptor, ...] = ()
    """Config first, then the layers from the lowest up; none for an index."""
    children: tuple[Descriptor, ...] = ()
    """The manifests of an index."""
    artifact_type: str | None = None
    """`artifactType`, or else the media type of the config."""
    subject: str | None = None
    """The digest of the image that this one is about (a signature, an SBOM), if it is."""
    annotations: dict[str, str] = field(default_factory=dict)

    @property
    def is_index(self) -> bool:
        """Whether it lists other manifests."""
        return self.media_type in INDEXES


def parse(body: bytes, media_type: str | None = None, *, algorithm: str = "sha256") -> Manifest:
    """Read a manifest of at most 4 MiB; `media_type` is what the client said it is, if it said.

    Raises `InvalidParameterException` at `ImageManifest` for anything else.
    """
    if not 1 <= len(body) <= LARGEST:
        _refuse(f"Member must have length between 1 and {LARGEST}")
    document = _json_object(body)
    kind = document.get("mediaType", media_type)
    # UNSURE: ECR still takes Docker's schema 1, which no client of today pushes; here it is refused.
    if kind not in MEDIA_TYPES or media_type not in (None, kind):
        # What ECR says of a manifest without a media type, such as a Helm chart's, and of a foreign one
        # (aws/aws-sdk#193, aws/aws-cli#8620).
        _refuse("Invalid JSON syntax")
    if document.get("schemaVersion") != 2 or isinstance(document.get("schemaVersion"), bool):
        _refuse("schemaVersion must be 2")
    artifact_type = _text(document, "artifactType")
    subject = document.get("subject")
    digest = f"{algorithm}:{hashlib.new(algorithm, body).hexdigest()}"
    blobs: tuple[Descriptor, ...] = ()
    children: tuple[Descriptor, ...] = ()
    if kind in INDEXES:
        children = tuple(_descriptor(child, "manifests") for child in _array(document, "manifests", required=True))
    else:
        config = _descriptor(document.get("config"), "config")
        layers = _array(document, "layers", required=kind == DOCKER_MANIFEST)
        blobs = (config, *[_descriptor(layer, "layers") for layer in layers])
        artifact_type = artifact_type or config.media_type
    about = _descriptor(subject, "subject").digest if subject is not None else None
    annotations = _annotations(document.get("annotations"))
    return Manifest(body, digest, kind, blobs, children, artifact_type, about, annotations)


def _json_object(body: bytes) -> dict[str, Any]:
    try:
        text = body.decode("utf-8")
        document = _JSON.decode(text)
        if "\\u" in text:
            # An escaped lone surrogate is no character; nothing that is kept may hold one.
            json.dumps(document, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        _refuse("Invalid JSON syntax")
    if not isinstance(document, dict):
        _refuse("Invalid JSON syntax")
    return document


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        # Two readers could take different values, and the digest would vouch for both.
        raise ValueError("a key twice in one object")
    return document


def _no_constant(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


_JSON = json.JSONDecoder(object_pairs_hook=_without_duplicates, parse_constant=_no_constant)


def _descriptor(value: object, where: str) -> Descriptor:
    if not isinstance(value, dict):
        _refuse(f"{where} must be a descriptor")
    digest, size, media_type = value.get("digest"), value.get("size"), value.get("mediaType")
    if type(digest) is not str or not DIGEST.fullmatch(digest):
        _refuse(f"{where} has an invalid digest")
    if type(size) is not int or not 0 <= size < 2**63:
        _refuse(f"{where} has an invalid size")
    if type(media_type) is not str or not media_type:
        _refuse(f"{where} has no mediaType")
    return Descriptor(media_type, digest, size)


def _array(document: dict[str, Any], name: str, *, required: bool) -> list[Any]:
    value = document.get(name, None if required else [])
    if not isinstance(value, list):
        _refuse(f"{name} must be a list")
    return value


def _text(document: dict[str, Any], name: str) -> str | None:
    value = document.get(name)
    if value is not None and not isinstance(value, str):
        _refuse(f"{name} must be a string")
    return value or None


def _annotations(value: object) -> dict[str, str]:
    if value is None:
        return {}
    if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
        _refuse("annotations must map strings to strings")
    return value


def _refuse(constraint: str) -> NoReturn:
    # 'Invalid JSON syntax' is AWS's text. UNSURE: the other constraints' wording.
    raise InvalidParameterException("ImageManifest", constraint)
