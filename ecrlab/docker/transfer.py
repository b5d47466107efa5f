"""Push and pull: a blob that the other side has is not sent again.

A push sends the layers, then the config, then the manifest. It skips a layer that the repository has, and mounts one
that another repository of the same registry is known to have. It pushes an index after its images. A pull resolves the
tag, chooses the platform, and fetches the missing blobs. The printed lines are Docker's, in the order of the manifest
(a real engine transfers several layers at once, in an order that differs from run to run).
"""

import hashlib
import zlib
from collections.abc import Callable
from pathlib import Path

from ecrlab.docker import config
from ecrlab.docker.errors import DockerError, RegistryError
from ecrlab.docker.platforms import choose, default_platform
from ecrlab.docker.references import Reference, parse, what_the_gallery_has
from ecrlab.docker.registry import Registry
from ecrlab.docker.store import Image, Store, full_name
from ecrlab.oci.manifest import InvalidManifest, Manifest, read
from ecrlab.oci.media_types import CONFIGS

Say = Callable[[str], None]


# --- push ------------------------------------------------------------------------------------------------------------


def push(store: Store, reference: Reference, say: Say) -> None:
    """Push the image of a tag; `reference` has a tag."""
    with Registry.of(reference) as registry:
        say(f"The push refers to repository [{reference.repository}]")
        digest = store.state().references.get(full_name(reference))
        if digest is None:
            repositories = {parse(name).repository for name in store.state().references if "@" not in name}
            if reference.repository in repositories:
                raise DockerError(f"tag does not exist: {reference}")
            raise DockerError(f"An image does not exist locally with the tag: {reference.name}")
        image = store.image(digest)
        registry.authenticate()
        _push_content(store, registry, reference, image, say)
        registry.put_manifest(reference.path, reference.tag, image.manifest.media_type, image.manifest.body)
    say(f"{reference.tag}: digest: {image.digest} size: {len(image.manifest.body)}")
    store.keep(digest, Reference(reference.domain, reference.path, digest=digest))


def _push_content(store: Store, registry: Registry, reference: Reference, image: Image, say: Say) -> None:
    """Push a manifest and everything it refers to, each blob once."""
    pushed: set[str] = set()
    for single in _singles(store, image):
        for layer in reversed(single.manifest.layers):
            if layer.digest not in pushed:
                pushed.add(layer.digest)
                say(f"{_short(layer.digest)}: {_push_blob(store, registry, reference, layer.digest)}")
        if single.id not in pushed:
            pushed.add(single.id)
            _push_blob(store, registry, reference, single.id)
        if single is not image:
            manifest = single.manifest
            registry.put_manifest(reference.path, manifest.digest, manifest.media_type, manifest.body)
    store.saw(sorted(pushed), reference.repository)


def _singles(store: Store, image: Image) -> list[Image]:
    if not image.is_index:
        return [image]
    missing = [child.digest for child in image.manifest.children if not store.has(child.digest)]
    if missing:
        raise DockerError(f"{image.digest} lists {missing[0]}, which is not on this machine")
    return [store.image(child.digest) for child in image.manifest.children]


def _push_blob(store: Store, registry: Registry, reference: Reference, digest: str) -> str:
    """Push or mount a blob, and return the result in Docker's words."""
    if registry.has_blob(reference.path, digest):
        return "Layer already exists"
    location = None
    for source in store.state().seen.get(digest, []):
        domain, _, path = source.partition("/")
        if domain == reference.domain and path != reference.path:
            location = registry.mount(reference.path, digest, path)
            if location is None:
                return f"Mounted from {path}"
            break
    registry.upload(reference.path, digest, store.blob_path(digest), location)
    return "Pushed"


# --- pull ------------------------------------------------------------------------------------------------------------


def pull(store: Store, reference: Reference, say: Say, platform: str | None = None) -> Image:
    """Pull the image of a tag or digest, for one platform."""
    shown = reference.digest and str(reference)
    with store.adding(), Registry.of(reference) as registry:
        try:
            media_type, digest, body = registry.resolve(reference.path, reference.digest or reference.tag)
            say(f"{shown or reference.tag}: Pulling from {reference.path}")
            image, fresh = fetch(store, registry, reference, (media_type, digest, body), say, platform)
        except DockerError as error:
            raise pull_failed(reference, error) from error
        known = store.state().references.get(full_name(reference)) == image.digest
        store.keep(image.digest, reference, Reference(reference.domain, reference.path, digest=digest))
    say(f"Digest: {digest}")
    news = "Image is up to date" if known and not fresh else "Downloaded newer image"
    say(f"Status: {news} for {reference}")
    return image


def all_tags(reference: Reference) -> list[Reference]:
    """Return a reference for each tag of a repository."""
    with Registry.of(reference) as registry:
        try:
            tags = registry.tags(reference.path)
        except DockerError as error:
            raise pull_failed(reference, error) from error
    return [Reference(reference.domain, reference.path, tag) for tag in tags]


def fetch(
    store: Store,
    registry: Registry,
    reference: Reference,
    found: tuple[str, str, bytes],
    say: Say,
    platform: str | None = None,
) -> tuple[Image, bool]:
    """Store the image of a resolved manifest with its blobs; also return whether any blob was missing."""
    media_type, digest, body = found
    manifest = read_manifest(body, media_type)
    if manifest.is_index:
        store.add(body)
        digest = choose(manifest, platform or default_platform(), str(reference))
        media_type, _, body = registry.resolve(reference.path, digest)
        manifest = read_manifest(body, media_type)
    if manifest.config is None:
        raise DockerError(f"{reference} is not an image manifest")
    if manifest.config.media_type not in CONFIGS:
        raise DockerError(f"unsupported media type {manifest.config.media_type}")
    fresh = _fetch_blob(store, registry, reference, manifest.config.digest)
    diff_ids = _diff_ids(store.read(manifest.config.digest), len(manifest.layers), str(reference))
    for layer, diff_id in zip(manifest.layers, diff_ids, strict=True):
        came = _fetch_blob(store, registry, reference, layer.digest, diff_id)
        say(f"{_short(layer.digest)}: {'Pull complete' if came else 'Already exists'}")
        fresh |= came
    store.add(body)
    store.saw([blob.digest for blob in manifest.blobs], reference.repository)
    return store.image(digest), fresh


def _diff_ids(body: bytes, count: int, name: str) -> list[str]:
    try:
        diff_ids = [str(diff_id) for diff_id in config.read(body)["rootfs"]["diff_ids"]]
    except (KeyError, TypeError) as error:
        raise DockerError(f"{name}: the config does not say which layers there are") from error
    if len(diff_ids) != count:
        raise DockerError(f"{name}: the config names {len(diff_ids)} layers, the manifest {count}")
    return diff_ids


def _fetch_blob(
    store: Store, registry: Registry, reference: Reference, digest: str, diff_id: str | None = None
) -> bool:
    if store.has(digest):
        return False
    with store.writing() as (out, keep):
        registry.download(reference.path, digest, out)
        out.flush()
        if diff_id and _unpacked_digest(Path(out.name)) not in (None, diff_id):
            raise DockerError(f"layers from manifest don't match image configuration: {digest}")
        keep(digest)
    return True


def _unpacked_digest(path: Path) -> str | None:
    """Return the digest of a gzip's content, read in pieces; None for another media type."""
    sha256 = hashlib.sha256()
    with path.open("rb") as opened:
        if opened.read(2) != b"\x1f\x8b":
            return None
        opened.seek(0)
        unpacking = zlib.decompressobj(wbits=31)
        try:
            while chunk := opened.read(1 << 16):
                while chunk:
                    sha256.update(unpacking.decompress(chunk, 1 << 20))
                    chunk = unpacking.unconsumed_tail
                    if unpacking.eof:
                        chunk = unpacking.unused_data
                        unpacking = zlib.decompressobj(wbits=31)
        except zlib.error as error:
            raise DockerError(f"a layer is not the gzip that it says it is: {error}") from error
    return "sha256:" + sha256.hexdigest()


def pull_failed(reference: Reference, error: DockerError) -> DockerError:
    """Return Docker's error for a pull that failed at the registry, or for lack of a login."""
    if isinstance(error, RegistryError):
        match error.code:
            case "MANIFEST_UNKNOWN":
                text = f"manifest for {reference} not found: {error}{what_the_gallery_has(reference)}"
            case "NAME_UNKNOWN":
                text = f"repository {reference.name} not found: {error}{what_the_gallery_has(reference)}"
            case "DENIED" | "UNAUTHORIZED":
                why = "repository does not exist or may require 'docker login'"
                text = f"pull access denied for {reference.name}, {why}: {error}"
            case _:
                text = str(error)
        return DockerError(f"Error response from daemon: {text}")
    if str(error) == "no basic auth credentials":
        target = f"https://{reference.domain}/v2/{reference.path}/manifests/{reference.digest or reference.tag}"
        return DockerError(f'Error response from daemon: Head "{target}": {error}')
    return error


def read_manifest(body: bytes, media_type: str = "") -> Manifest:
    """Read the manifest that a registry returned under this Content-Type. Raises `DockerError`."""
    try:
        return read(body, media_type or None, by_members=True)
    except InvalidManifest as error:
        raise DockerError(f"the registry's manifest cannot be read: {error}") from error


def _short(digest: str) -> str:
    return digest.removeprefix("sha256:")[:12]
