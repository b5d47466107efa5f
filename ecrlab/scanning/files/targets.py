"""Images on disk: an OCI image layout (a folder or a tar of it), or an archive of `docker save`.

An OCI layout is `index.json` and blobs by digest (OCI image layout specification); an archive of `docker
save` has `manifest.json`, the names of its layer files, and the digests of their plain content in the image's
configuration. Digests are checked, names in archives never become paths, and of several images one must be
chosen.
"""

import hashlib
import io
import json
import posixpath
import re
import tarfile
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from ecrlab.scanning.errors import LayerError, TargetError, UnsupportedImageError
from ecrlab.scanning.files.layers import LayerSource

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}")
_LARGEST_DOCUMENT = 4 << 20  # the bound of the OCI distribution specification for manifests
_DEEPEST_INDEX = 3
_MOST_MANIFESTS = 1000
_INDEXES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
_MANIFESTS = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
_CONFIGS = ("application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json")
_NAMES = ("org.opencontainers.image.ref.name", "io.containerd.image.name")

OpenBlob = Callable[[str], BinaryIO]


def layers_of(manifest: Mapping[str, Any], open_blob: OpenBlob) -> tuple[LayerSource, ...]:
    """Give the layers of an image manifest, lowest first; `open_blob` opens a blob by its digest.

    Raises UnsupportedImageError for an artifact that is no container image (a chart, a signature, an SBOM).
    """
    config, layers = manifest.get("config"), manifest.get("layers")
    if not isinstance(config, dict) or not isinstance(layers, list):
        raise UnsupportedImageError("its manifest has no config and layers: an image index, or a manifest of schema 1")
    kind = manifest.get("artifactType") or config.get("mediaType")
    if config.get("mediaType") not in _CONFIGS or manifest.get("artifactType"):
        raise UnsupportedImageError(f"it is {kind}, an artifact and no container image")
    sources = []
    for layer in layers:
        digest, media_type = (layer.get("digest"), layer.get("mediaType")) if isinstance(layer, dict) else (None, None)
        if not isinstance(digest, str) or not _DIGEST.fullmatch(digest) or not isinstance(media_type, str):
            raise UnsupportedImageError(f"its manifest has a layer without a digest and a media type: {layer!r:.80}")
        sources.append(LayerSource(digest, media_type, partial(open_blob, digest)))
    return tuple(sources)


def open_target(path: Path, *, reference: str | None = None, platform: str = "linux/amd64") -> tuple[LayerSource, ...]:
    """Open an image on disk and give its layers, lowest first.

    `reference` chooses among several images by name, `platform` ("os/architecture[/variant]") among the
    platforms of one. Raises TargetError for what is no image, UnsupportedImageError and LayerError as reading
    its parts does.
    """
    try:
        files: _Files = _Folder(path) if path.is_dir() else _Archive(path)
        if files.has("index.json"):
            return _from_layout(files, reference, platform)
        if files.has("manifest.json"):
            return _from_docker_save(files, reference)
    except (OSError, tarfile.TarError, ValueError, OverflowError, RecursionError) as cause:
        raise TargetError(f"{path} cannot be read: {cause}") from cause
    raise TargetError(f"{path} is neither an OCI image layout nor an archive of docker save")


class _Files(ABC):
    """Files by name, in a folder or in a tar."""

    @abstractmethod
    def has(self, name: str) -> bool: ...

    @abstractmethod
    def open(self, name: str) -> BinaryIO: ...

    def document(self, name: str) -> Any:
        with self.open(name) as stream:
            data = stream.read(_LARGEST_DOCUMENT + 1)
        if len(data) > _LARGEST_DOCUMENT:
            raise ValueError(f"{name} is larger than {_LARGEST_DOCUMENT:,} bytes")
        return json.loads(data)


class _Folder(_Files):
    def __init__(self, path: Path) -> None:
        self._path = path

    def has(self, name: str) -> bool:
        return (self._path / name).is_file()

    def open(self, name: str) -> BinaryIO:
        return (self._path / name).open("rb")


class _Archive(_Files):
    def __init__(self, path: Path) -> None:
        self._path = path
        with path.open("rb") as stream:
            if stream.read(2) == b"\x1f\x8b":
                raise TargetError(f"{path} is compressed as a whole: gunzip it first")
        with tarfile.open(path, "r:") as archive:
            self._members = {posixpath.normpath(member.name): member for member in archive}

    def has(self, name: str) -> bool:
        return name in self._members

    def open(self, name: str) -> BinaryIO:
        name = posixpath.normpath(name)
        for _ in range(8):
            member = self._members.get(name)
            if member is None:
                raise FileNotFoundError(f"there is no {name} in it")
            if member.isreg() and not member.issparse():
                return io.BufferedReader(_Slice(self._path, member.offset_data, member.size))
            # Older docker save writes a layer that two images share once, and links to it.
            folder = posixpath.dirname(name) if member.issym() else ""
            name = posixpath.normpath(posixpath.join(folder, member.linkname))
        raise FileNotFoundError(f"{name} is no file in it")


class _Slice(io.RawIOBase):
    """A stretch of a file, as a file."""

    def __init__(self, path: Path, start: int, size: int) -> None:
        self._stream = path.open("rb")
        self._stream.seek(start)
        self._left = size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        piece = self._stream.read(min(len(buffer), self._left))
        self._left -= len(piece)
        buffer[: len(piece)] = piece
        return len(piece)

    def close(self) -> None:
        self._stream.close()
        super().close()


@dataclass(frozen=True)
class _Candidate:
    """An image manifest that could be the one that is meant."""

    digest: str
    manifest: Mapping[str, Any]
    names: frozenset[str]
    platform: str


def _from_layout(files: _Files, reference: str | None, platform: str) -> tuple[LayerSource, ...]:
    def open_blob(digest: str) -> BinaryIO:
        return files.open("blobs/" + digest.replace(":", "/"))

    found = {one.digest: one for one in _candidates(files, files.document("index.json"), frozenset(), "", 0)}
    candidates = list(found.values())
    if reference is not None:
        candidates = [one for one in candidates if reference in one.names or reference == one.digest]
    if len(candidates) > 1:
        candidates = [one for one in candidates if one.platform.startswith(platform)] or candidates
    chosen = _only(candidates, [f"{', '.join(one.names) or one.digest} {one.platform}" for one in found.values()])
    return layers_of(chosen.manifest, open_blob)


def _candidates(files: _Files, index: Any, names: frozenset[str], platform: str, depth: int) -> Sequence[_Candidate]:
    listed = index.get("manifests") if isinstance(index, dict) else None
    if not isinstance(listed, list) or depth > _DEEPEST_INDEX or len(listed) > _MOST_MANIFESTS:
        raise ValueError("its index lists no manifests, or absurdly many")
    candidates: list[_Candidate] = []
    for descriptor in listed:
        digest = descriptor.get("digest") if isinstance(descriptor, dict) else None
        if not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
            raise ValueError(f"its index has a descriptor without a digest: {descriptor!r:.80}")
        annotations, where = descriptor.get("annotations") or {}, descriptor.get("platform") or {}
        if annotations.get("vnd.docker.reference.type") or where.get("os") == "unknown":
            continue  # BuildKit's attestations
        path = "blobs/" + digest.replace(":", "/")
        if depth and not files.has(path):
            continue  # docker save and skopeo leave out the other platforms of an index
        document = _verified(files, path, digest)
        parts = [str(where[key]) for key in ("os", "architecture", "variant") if where.get(key)]
        own_names = names | {annotations[key] for key in _NAMES if isinstance(annotations.get(key), str)}
        own_platform = "/".join(parts) or platform
        if descriptor.get("mediaType") in _INDEXES or (isinstance(document, dict) and "manifests" in document):
            candidates += _candidates(files, document, own_names, own_platform, depth + 1)
        else:
            candidates.append(
                _Candidate(digest, document if isinstance(document, dict) else {}, own_names, own_platform)
            )
    return candidates


def _verified(files: _Files, path: str, digest: str) -> Any:
    with files.open(path) as stream:
        data = stream.read(_LARGEST_DOCUMENT + 1)
    algorithm, _, expected = digest.partition(":")
    if hashlib.new(algorithm, data).hexdigest() != expected:
        raise LayerError(f"manifest {digest} has bytes of another digest")
    return json.loads(data)


def _from_docker_save(files: _Files, reference: str | None) -> tuple[LayerSource, ...]:
    listed = files.document("manifest.json")
    images = [image for image in listed if isinstance(image, dict)] if isinstance(listed, list) else []
    names = [", ".join(image.get("RepoTags") or ()) or str(image.get("Config")) for image in images]
    if reference is not None:
        images = [image for image in images if reference in (image.get("RepoTags") or ())]
    image = _only(images, names)
    config = files.document(image["Config"])
    plain = config.get("rootfs", {}).get("diff_ids", []) if isinstance(config, dict) else []
    paths = image.get("Layers") or []
    if len(plain) != len(paths):
        raise ValueError(f"its configuration lists {len(plain)} layers, its manifest {len(paths)}")
    return tuple(_saved_layer(files, path, digest) for path, digest in zip(paths, plain, strict=True))


def _saved_layer(files: _Files, path: str, plain_digest: str) -> LayerSource:
    """Name a saved layer by the digest of its bytes: usually they are plain, and the configuration has it."""
    with files.open(path) as stream:
        compressed = stream.read(2) in (b"\x1f\x8b", b"\x28\xb5")
    if compressed:
        with files.open(path) as stream:
            digest = "sha256:" + _sha256(stream)
    else:
        digest = plain_digest
    return LayerSource(digest, None, lambda: files.open(path))


def _sha256(stream: BinaryIO) -> str:
    total = hashlib.sha256()
    while piece := stream.read(1 << 20):
        total.update(piece)
    return total.hexdigest()


def _only(candidates: Sequence[Any], names: Sequence[str]) -> Any:
    if len(candidates) == 1:
        return candidates[0]
    listing = "; ".join(names) or "none"
    raise TargetError(
        f"{len(candidates)} images there answer to that; choose one with --reference or --platform: {listing}"
    )
