"""The images of this machine: blobs by digest, and one small file with the names.

    ECRLAB_DOCKER_ROOT/blobs/sha256/…    manifests, configs and layers, byte for byte as in a registry
    ECRLAB_DOCKER_ROOT/state.json        images (in order of arrival), references, and where blobs were seen

A reference is a full name with a tag or digest, and points to the digest of a manifest or index. The ID of an image is
the digest of its config, as in Docker's classic store; the ID of an index is its own digest. The store remembers where
a blob was pushed to or pulled from, so a later push can mount it from that repository.
"""

import fcntl
import hashlib
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from ecrlab.docker import config
from ecrlab.docker.credentials import directory
from ecrlab.docker.errors import DockerError
from ecrlab.docker.references import Reference, parse
from ecrlab.oci.manifest import Descriptor, InvalidManifest, Manifest, read


@dataclass(slots=True)
class State:
    """The names and images. Values of `references` and items of `images` are digests of manifests or indexes."""

    images: list[str] = field(default_factory=list)
    references: dict[str, str] = field(default_factory=dict)
    seen: dict[str, list[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Image:
    """An image or index of the store: its manifest, and the document of its config."""

    manifest: Manifest
    config: dict[str, Any]
    """Empty for an index."""

    @property
    def digest(self) -> str:
        """The digest of its manifest."""
        return self.manifest.digest

    @property
    def is_index(self) -> bool:
        """Tell whether it lists the images of several platforms."""
        return self.manifest.is_index

    @property
    def id(self) -> str:
        """The full form of what `docker images` shows as IMAGE ID."""
        return self.digest if self.manifest.config is None else self.manifest.config.digest

    @property
    def platform(self) -> str:
        """`os/architecture[/variant]` of a single image."""
        parts = (
            self.config.get("os") or "linux",
            self.config.get("architecture"),
            self.config.get("variant"),
        )
        return "/".join(part for part in parts if part)


class Store:
    """The local store; the first write creates it."""

    def __init__(self, root: Path):
        self.root = root

    @classmethod
    def from_environment(cls) -> "Store":
        """Return the store of this lab."""
        root = os.environ.get("ECRLAB_DOCKER_ROOT")
        return cls(Path(root) if root else directory().absolute().parent / "docker-images")

    # --- names ---------------------------------------------------------------------------------------------------

    def state(self) -> State:
        """Return the present state."""
        try:
            return State(**json.loads((self.root / "state.json").read_text(encoding="utf-8")))
        except FileNotFoundError:
            return State()
        except (ValueError, TypeError) as error:
            raise DockerError(f"{self.root / 'state.json'} is damaged: {error}") from error

    @contextmanager
    def changing(self) -> Iterator[State]:
        """Change the state under a lock; the end writes it as a whole, an error writes nothing."""
        with self._locked("state.lock", fcntl.LOCK_EX):
            state = self.state()
            yield state
            document = {"images": state.images, "references": state.references, "seen": state.seen}
            fresh = self.root / "state.json.new"
            fresh.write_text(json.dumps(document, indent=1), encoding="utf-8")
            fresh.replace(self.root / "state.json")

    @contextmanager
    def adding(self) -> Iterator[None]:
        """Hold off `sweep` while blobs are added that no image names yet. Taken before `changing`."""
        with self._locked("blobs.lock", fcntl.LOCK_SH):
            yield

    @contextmanager
    def sweeping(self) -> Iterator[None]:
        """Hold off those who add blobs. Taken before `changing`."""
        with self._locked("blobs.lock", fcntl.LOCK_EX):
            yield

    @contextmanager
    def _locked(self, name: str, how: int) -> Iterator[None]:
        self.root.mkdir(parents=True, exist_ok=True)
        with (self.root / name).open("w") as lock:
            fcntl.flock(lock, how)
            yield

    def keep(self, digest: str, *references: Reference) -> None:
        """Add an image to this machine, under these names."""
        with self.changing() as state:
            if digest not in state.images:
                state.images.append(digest)
            for reference in references:
                state.references[full_name(reference)] = digest

    def saw(self, digests: list[str], repository: str) -> None:
        """Record that a repository (`host/path`) has these blobs."""
        with self.changing() as state:
            for digest in digests:
                where = state.seen.setdefault(digest, [])
                if repository not in where:
                    where.append(repository)

    def find(self, name: str) -> Image | None:
        """Return the image of a reference, an ID, or the prefix of an ID."""
        state = self.state()
        try:
            digest = state.references.get(full_name(parse(name).with_tag()))
        except DockerError:
            digest = None
        if digest is None:
            digest = self._by_id(name, state)
        return self.image(digest) if digest else None

    def get(self, name: str) -> Image:
        """Return the image of a name. Raises `DockerError` with Docker's words if there is none."""
        image = self.find(name)
        if image is None:
            shown = name if name.startswith("sha256:") else str(parse(name).with_tag())
            raise DockerError(f"Error response from daemon: No such image: {shown}")
        return image

    def _by_id(self, name: str, state: State) -> str | None:
        prefix = name.removeprefix("sha256:")
        if not prefix or set(prefix) - set("0123456789abcdef"):
            return None
        found = [d for d in state.images if self.image(d).id.startswith(f"sha256:{prefix}") or d == name]
        if len({self.image(digest).id for digest in found}) > 1:
            raise DockerError(f"Error response from daemon: ambiguous image ID: {name}")
        return found[0] if found else None

    # --- contents ------------------------------------------------------------------------------------------------

    def blob_path(self, digest: str) -> Path:
        """Return the path of a blob."""
        algorithm, _, encoded = digest.partition(":")
        if algorithm != "sha256" or len(encoded) != 64 or set(encoded) - set("0123456789abcdef"):
            raise DockerError(f"invalid digest: {digest}")
        return self.root / "blobs" / algorithm / encoded

    def has(self, digest: str) -> bool:
        """Tell whether the store has a blob."""
        return self.blob_path(digest).exists()

    def read(self, digest: str) -> bytes:
        """Return the bytes of a blob."""
        try:
            return self.blob_path(digest).read_bytes()
        except FileNotFoundError as error:
            raise DockerError(f"{digest} is missing from {self.root}: remove that folder to begin anew") from error

    def add(self, body: bytes) -> str:
        """Store bytes and return their digest."""
        digest = "sha256:" + hashlib.sha256(body).hexdigest()
        if not self.has(digest):
            with self.writing() as (out, keep):
                out.write(body)
                keep(digest)
        return digest

    @contextmanager
    def writing(self) -> Iterator[tuple[BinaryIO, Callable[[str], None]]]:
        """Return a file for a new blob, and a function that stores it by digest; without that call nothing stays."""
        folder = self.root / "blobs" / "sha256"
        folder.mkdir(parents=True, exist_ok=True)
        fresh = self.root / f"blob.{os.getpid()}"

        def keep(digest: str) -> None:
            out.flush()
            fresh.replace(self.blob_path(digest))

        try:
            with fresh.open("wb") as out:
                yield out, keep
        finally:
            fresh.unlink(missing_ok=True)

    def image(self, digest: str) -> Image:
        """Return an image or index by the digest of its manifest."""
        body = self.read(digest)
        try:
            # In OCI a manifest may omit its media type.
            manifest = read(body, by_members=True)
        except InvalidManifest as error:
            raise DockerError(f"{digest} cannot be read: {error}") from error
        return Image(manifest, {} if manifest.config is None else config.read(self.read(manifest.config.digest)))

    def size_of_layer(self, descriptor: Descriptor) -> int:
        """Return the unpacked size of a layer in bytes; 0 if the store lacks it (one of another platform)."""
        path = self.blob_path(descriptor.digest)
        if not path.exists():
            return 0
        with path.open("rb") as opened:
            if opened.read(2) != b"\x1f\x8b":
                return path.stat().st_size
            opened.seek(-4, os.SEEK_END)
            return int.from_bytes(opened.read(4), "little")  # a gzip ends with the size of what went in

    def size(self, image: Image) -> int:
        """Return the size that `docker images` shows: of the unpacked layers, for an index of all its platforms."""
        if image.is_index:
            children = [child.digest for child in image.manifest.children if self.has(child.digest)]
            return sum(self.size(self.image(child)) for child in children)
        return sum(self.size_of_layer(layer) for layer in image.manifest.layers)

    def size_on_disk(self) -> int:
        """Return the bytes of all blobs."""
        folder = self.root / "blobs" / "sha256"
        return sum(path.stat().st_size for path in folder.iterdir()) if folder.exists() else 0

    def sweep(self, state: State) -> None:
        """Delete every blob that no image needs."""
        needed: set[str] = set()
        for digest in state.images:
            needed |= self.needed_by(self.image(digest))
        folder = self.root / "blobs" / "sha256"
        for path in folder.iterdir() if folder.exists() else ():
            if f"sha256:{path.name}" not in needed:
                path.unlink()

    def needed_by(self, image: Image) -> set[str]:
        """Return the digests of an image's blobs and manifests, as far as the store has them."""
        needed = {image.digest} | {blob.digest for blob in image.manifest.blobs}
        for child in image.manifest.children:
            if self.has(child.digest):
                needed |= self.needed_by(self.image(child.digest))
        return needed


def full_name(reference: Reference) -> str:
    """Return the key of a reference: always with a host, and with the digest if it has both digest and tag."""
    return (
        f"{reference.repository}@{reference.digest}" if reference.digest else f"{reference.repository}:{reference.tag}"
    )
