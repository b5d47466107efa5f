"""The one reader of manifests: the parts of an image, and the children of an index.

    image    config ── layers, from the lowest up          further: subject, artifactType, annotations
    index    children, one for each platform

It reads four kinds: Docker's image manifest V2 schema 2 and manifest list, and OCI's image manifest and index (OCI
image specification 1.1). The digest of a manifest is that of its exact bytes, so they are kept unchanged.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, NoReturn

from ecrlab.errors import EcrLabError
from ecrlab.oci import media_types, strict_json
from ecrlab.oci.media_types import DOCKER, INDEXES, MANIFESTS, OCI
from ecrlab.oci.strict_json import InvalidJson

LARGEST = 4 * 1024 * 1024
"""Bytes of the largest manifest (OCI distribution specification; botocore model of `ecr`, ImageManifest)."""
LARGEST_SIZE = 2**63 - 1
"""Bytes of a blob, and of all blobs of an image together."""
DIGEST = re.compile(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}")

_NOTHING: Mapping[str, str] = {}


class InvalidManifest(EcrLabError):
    """The bytes are not a manifest; the text says why."""


class NotJson(InvalidManifest):
    """The bytes are not even a JSON object."""


class UnknownMediaType(InvalidManifest):
    """The JSON has an unknown media type; `media_type` is None if neither manifest nor caller states one."""

    def __init__(self, media_type: object) -> None:
        said = "it has no mediaType" if media_type is None else f"{media_type!r:.100} is no manifest's media type"
        super().__init__(said)
        self.media_type = media_type


class Descriptor(NamedTuple):
    """A reference by content: media type, digest and size; in an index also the platform."""

    media_type: str
    digest: str
    size: int
    platform: Mapping[str, Any] = _NOTHING
    annotations: Mapping[str, str] = _NOTHING

    @property
    def is_foreign(self) -> bool:
        """Whether the blob may live elsewhere."""
        return media_types.is_foreign(self.media_type)

    @property
    def platform_name(self) -> str:
        """`os/architecture[/variant]`, without the parts that the descriptor lacks."""
        parts = (self.platform.get(name) for name in ("os", "architecture", "variant"))
        return "/".join(str(part) for part in parts if part)


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest or index with its original bytes, and its references."""

    body: bytes
    digest: str
    media_type: str
    config: Descriptor | None = None
    """None for an index."""
    layers: tuple[Descriptor, ...] = ()
    """From the lowest up; none for an index."""
    children: tuple[Descriptor, ...] = ()
    """The manifests that an index lists."""
    artifact_type: str | None = None
    """`artifactType`, or else the media type of the config."""
    subject: str | None = None
    """The digest of the subject, if this is a referrer (a signature, an SBOM)."""
    annotations: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_index(self) -> bool:
        """Whether it lists other manifests."""
        return self.media_type in INDEXES

    @property
    def blobs(self) -> tuple[Descriptor, ...]:
        """The config, then the layers from the lowest up; none for an index."""
        return () if self.config is None else (self.config, *self.layers)

    @property
    def is_container_image(self) -> bool:
        """Whether it is a runnable image, and neither an index nor an artifact."""
        return self.artifact_type in media_types.CONFIGS


def read(
    body: bytes, media_type: str | None = None, *, algorithm: str = "sha256", by_members: bool = False
) -> Manifest:
    """Read a manifest of at most 4 MiB; `media_type` applies if the manifest has none itself.

    With `by_members`, a manifest without any media type is an OCI index if it has `manifests`, else an OCI manifest.

    Raises `InvalidManifest`.
    """
    try:
        document = strict_json.read_object(body, largest=LARGEST)
    except InvalidJson as error:
        raise NotJson(str(error)) from error
    kind = document.get("mediaType", media_type)
    if kind is None and by_members:
        kind = OCI.index if "manifests" in document else OCI.manifest
    if kind not in MANIFESTS:
        raise UnknownMediaType(kind)
    if document.get("schemaVersion") != 2 or isinstance(document.get("schemaVersion"), bool):
        _reject("schemaVersion must be 2")
    digest = f"{algorithm}:{hashlib.new(algorithm, body).hexdigest()}"
    artifact_type = _text(document, "artifactType")
    config = None
    layers: tuple[Descriptor, ...] = ()
    children: tuple[Descriptor, ...] = ()
    if kind in INDEXES:
        children = _descriptors(document, "manifests", required=True)
    else:
        config = _descriptor(document.get("config"), "config")
        layers = _descriptors(document, "layers", required=kind == DOCKER.manifest)
        artifact_type = artifact_type or config.media_type
        if config.size + sum([layer.size for layer in layers]) > LARGEST_SIZE:
            _reject(f"layers must have at most {LARGEST_SIZE} bytes together")
    subject = document.get("subject")
    about = None if subject is None else _descriptor(subject, "subject").digest
    annotations = _annotations(document, "annotations")
    return Manifest(body, digest, kind, config, layers, children, artifact_type, about, annotations)


def _descriptors(document: dict[str, Any], name: str, *, required: bool) -> tuple[Descriptor, ...]:
    value = document.get(name, None if required else [])
    if not isinstance(value, list):
        _reject(f"{name} must be a list")
    return tuple([_descriptor(one, name) for one in value])


def _descriptor(value: object, where: str) -> Descriptor:
    if not isinstance(value, dict):
        _reject(f"{where} must be a descriptor")
    digest, size, media_type = value.get("digest"), value.get("size"), value.get("mediaType")
    if type(digest) is not str or not DIGEST.fullmatch(digest):
        _reject(f"{where} has an invalid digest")
    if type(size) is not int or not 0 <= size <= LARGEST_SIZE:
        _reject(f"{where} has an invalid size")
    if type(media_type) is not str or not media_type:
        _reject(f"{where} has no mediaType")
    if len(value) == 3:
        return Descriptor(media_type, digest, size)
    platform = value.get("platform") or _NOTHING
    if not isinstance(platform, Mapping):
        _reject(f"{where} has a platform that is no object")
    return Descriptor(media_type, digest, size, platform, _annotations(value, f"annotations of {where}"))


def _text(document: dict[str, Any], name: str) -> str | None:
    value = document.get(name)
    if value is not None and not isinstance(value, str):
        _reject(f"{name} must be a string")
    return value or None


def _annotations(holder: dict[str, Any], where: str) -> Mapping[str, str]:
    value = holder.get("annotations")
    if value is None:
        return _NOTHING
    if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
        _reject(f"{where} must map strings to strings")
    return value


def _reject(why: str) -> NoReturn:
    raise InvalidManifest(why)
