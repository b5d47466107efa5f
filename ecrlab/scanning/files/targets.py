"""Images on disk: an OCI image layout (a folder or a tar of it), or an archive of `docker save`.

An OCI layout is `index.json` and blobs by digest (OCI image layout specification). An archive of `docker save` has
`manifest.json`, the names of its layer files, and the digests of their plain content in the image's configuration.
The reader checks digests, and asks for a choice among several images. An image may be malformed at any place: the
reader checks the type of each member, and the error names it.
"""

import hashlib
import tarfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from ecrlab.oci import manifest, strict_json
from ecrlab.oci.manifest import InvalidManifest, Manifest, UnknownMediaType
from ecrlab.scanning.errors import LayerError, TargetError, UnsupportedImageError
from ecrlab.scanning.files.bundle import Bundle, open_bundle
from ecrlab.scanning.files.layers import LayerSource

DEFAULT_PLATFORM = "linux/amd64"
"""The platform of choice where an image has several and none is named."""

_DEEPEST_INDEX = 3
_MOST_MANIFESTS = 1000
_NAMES = ("org.opencontainers.image.ref.name", "io.containerd.image.name")

OpenBlob = Callable[[str], BinaryIO]


def layers_of(image: Manifest, open_blob: OpenBlob) -> tuple[LayerSource, ...]:
    """Return the layers of an image, lowest first; `open_blob` opens a blob by its digest.

    Raises UnsupportedImageError for an index, and for an artifact (a chart, a signature, an SBOM).
    """
    if image.is_index:
        raise UnsupportedImageError("it is an image index: it has no layers of its own")
    if not image.is_container_image:
        raise UnsupportedImageError(f"it is {image.artifact_type!r:.80}, an artifact and no container image")
    return tuple(
        LayerSource(layer.digest, layer.media_type, partial(open_blob, layer.digest)) for layer in image.layers
    )


def open_target(path: Path, *, reference: str | None = None, platform: str | None = None) -> tuple[LayerSource, ...]:
    """Open an image on disk and return its layers, lowest first.

    `reference` chooses among several images by name, `platform` ("os/architecture[/variant]") among the platforms of
    one; an image of another platform is refused. Raises TargetError if it is not an image, UnsupportedImageError
    and LayerError for its parts.
    """
    try:
        bundle = open_bundle(path)
        if bundle.has("index.json"):
            return _from_layout(bundle, reference, platform)
        if bundle.has("manifest.json"):
            return _from_docker_save(bundle, reference, platform)
    except (InvalidManifest, OSError, tarfile.TarError, ValueError, OverflowError, RecursionError) as cause:
        raise TargetError(f"{path} cannot be read: {cause}") from cause
    raise TargetError(f"{path} is neither an OCI image layout nor an archive of docker save")


def check_platform(offered: str, wanted: str | None) -> None:
    """Raise TargetError if an image is for another platform than the wanted one."""
    if wanted is not None and not _suits(offered, wanted):
        raise TargetError(f"the image is for {offered or 'no platform that it names'}, not for {wanted}")


def platform_of(described: object) -> str:
    """Return the platform that a configuration or a descriptor's `platform` names; empty where it names none."""
    parts = [described.get(key) for key in ("os", "architecture", "variant")] if isinstance(described, Mapping) else []
    return "/".join(part for part in parts if isinstance(part, str) and part)


def _suits(offered: str, wanted: str) -> bool:
    parts = wanted.split("/")
    return offered.split("/")[: len(parts)] == parts


@dataclass(frozen=True)
class _Candidate:
    """An image that an index lists, with the names and the platform that the index states."""

    image: Manifest
    names: frozenset[str]
    platform: str


def _from_layout(bundle: Bundle, reference: str | None, platform: str | None) -> tuple[LayerSource, ...]:
    def open_blob(digest: str) -> BinaryIO:
        return bundle.open(_place(digest))

    index = manifest.read(bundle.read("index.json"), by_members=True)
    found = {one.image.digest: one for one in _candidates(bundle, index, frozenset(), "", 0)}
    candidates = list(found.values())
    if reference is not None:
        candidates = [one for one in candidates if reference in one.names or reference == one.image.digest]
    if len(candidates) > 1:
        wanted = platform or DEFAULT_PLATFORM
        candidates = [one for one in candidates if _suits(one.platform, wanted)] or candidates
    chosen = _only(candidates, [f"{', '.join(one.names) or one.image.digest} {one.platform}" for one in found.values()])
    layers = layers_of(chosen.image, open_blob)
    described = chosen.image.config
    config = strict_json.read_object(_verified(bundle, described.digest)) if described else {}
    check_platform(chosen.platform or platform_of(config), platform)
    return layers


def _candidates(
    bundle: Bundle, index: Manifest, names: frozenset[str], platform: str, depth: int
) -> Sequence[_Candidate]:
    if depth > _DEEPEST_INDEX or len(index.children) > _MOST_MANIFESTS:
        raise ValueError("its index lists absurdly many manifests, or indexes too deep")
    candidates: list[_Candidate] = []
    for child in index.children:
        if child.annotations.get("vnd.docker.reference.type") or child.platform.get("os") == "unknown":
            continue  # BuildKit's attestations
        if depth and not bundle.has(_place(child.digest)):
            continue  # docker save and skopeo leave out the other platforms of an index
        algorithm = child.digest.partition(":")[0]
        data = _verified(bundle, child.digest)
        try:
            image = manifest.read(data, child.media_type, algorithm=algorithm, by_members=True)
        except UnknownMediaType:
            continue  # an artifact of another kind may lie beside the image
        own_names = names | {child.annotations[key] for key in _NAMES if key in child.annotations}
        own_platform = platform_of(child.platform) or platform
        if image.is_index:
            candidates += _candidates(bundle, image, own_names, own_platform, depth + 1)
        else:
            candidates.append(_Candidate(image, own_names, own_platform))
    return candidates


def _place(digest: str) -> str:
    return "blobs/" + digest.replace(":", "/")


def _verified(bundle: Bundle, digest: str) -> bytes:
    data = bundle.read(_place(digest))
    algorithm, _, expected = digest.partition(":")
    if hashlib.new(algorithm, data).hexdigest() != expected:
        raise LayerError(f"{digest} has bytes of another digest")
    return data


def _from_docker_save(bundle: Bundle, reference: str | None, platform: str | None) -> tuple[LayerSource, ...]:
    listed = bundle.document("manifest.json")
    if not isinstance(listed, list) or not all(isinstance(image, dict) for image in listed):
        raise ValueError("its manifest.json is no list of images")
    names = [[tag for tag in _optional_list(image, "RepoTags") if isinstance(tag, str)] for image in listed]
    images = [image for image, tags in zip(listed, names, strict=True) if reference is None or reference in tags]
    image = _only(images, [", ".join(tags) or "an image without a name" for tags in names])
    config = bundle.document(_text(image, "Config", "its manifest.json"))
    check_platform(platform_of(config), platform)
    plain = _list(_optional(config, "rootfs"), "diff_ids", "its configuration's rootfs")
    paths = _optional_list(image, "Layers")
    if len(plain) != len(paths) or not all(isinstance(one, str) for one in [*plain, *paths]):
        raise ValueError(f"its configuration lists {len(plain)} layers by digest, its manifest {len(paths)} by name")
    return tuple(_saved_layer(bundle, path, digest) for path, digest in zip(paths, plain, strict=True))


def _saved_layer(bundle: Bundle, path: str, plain_digest: str) -> LayerSource:
    """Return a saved layer under the digest of its bytes; if they are not compressed, the configuration states it."""
    with bundle.open(path) as stream:
        compressed = stream.read(2) in (b"\x1f\x8b", b"\x28\xb5")
    if compressed:
        stored: Any = bundle.open(path)  # of a kind that file_digest takes
        with stored:
            digest = "sha256:" + hashlib.file_digest(stored, "sha256").hexdigest()
    else:
        digest = plain_digest
    return LayerSource(digest, None, partial(bundle.open, path))


def _list(document: object, key: str, what: str) -> list[Any]:
    value = document.get(key) if isinstance(document, dict) else None
    if not isinstance(value, list):
        raise ValueError(f"{what} has no list of {key}")
    return value


def _text(document: object, key: str, what: str) -> str:
    value = document.get(key) if isinstance(document, dict) else None
    if not isinstance(value, str):
        raise ValueError(f"{what} has no {key}")
    return value


def _optional(document: object, key: str) -> Mapping[str, Any]:
    """Return an optional member that must be an object."""
    value = document.get(key) if isinstance(document, dict) else None
    if not isinstance(value, dict | None):
        raise ValueError(f"{key} is {value!r:.80}, not an object")
    return value or {}


def _optional_list(document: Mapping[str, Any], key: str) -> list[Any]:
    value = document.get(key)
    if not isinstance(value, list | None):
        raise ValueError(f"{key} is {value!r:.80}, not a list")
    return value or []


def _only(candidates: Sequence[Any], names: Sequence[str]) -> Any:
    if len(candidates) == 1:
        return candidates[0]
    listing = "; ".join(names) or "none"
    raise TargetError(
        f"{len(candidates)} images there answer to that; choose one with --reference or --platform: {listing}"
    )
