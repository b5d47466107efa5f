"""The images of this machine: blobs by digest, and one small file that says which names point where.

    ECRLAB_DOCKER_ROOT/blobs/sha256/…    manifests, configs and layers, byte for byte as they travel
    ECRLAB_DOCKER_ROOT/state.json        images (in order of arrival), references, and where blobs were seen

A reference is a full name with a tag or digest, and points to the digest of a manifest or index. An image's
ID is the digest of its config, as in Docker's classic store; that of an index is its own digest. Where a
blob was seen (pushed to or pulled from) lets a later push mount it from that repository.
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
    """What the names mean. Values of `references` and items of `images` are digests of manifests or indexes."""

    images: list[str] = field(default_factory=list)
    references: dict[str, str] = field(default_factory=dict)
    seen: dict[str, list[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Image:
    """An image or index of the store: its manifest, and the document that its config is."""

    manifest: Manifest
    config: dict[str, Any]
    """Empty for an index."""

    @property
    def digest(self) -> str:
        """The digest of its manifest."""
        return self.manifest.digest

    @property
    def is_index(self) -> bool:
        """Whether it lists the images of several platforms."""
        return self.manifest.is_index

    @property
    def id(self) -> str:
        """What `docker images` shows as IMAGE ID, in full."""
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
    """The local store, made when first written to."""

    def __init__(self, root: Path):
        self.root = root

    @classmethod
    def from_environment(cls) -> "Store":
        """The store of this lab."""
        root = os.environ.get("ECRLAB_DOCKER_ROOT")
        return cls(Path(root) if root else directory().absolute().parent / "docker-images")

    # --- names ---------------------------------------------------------------------------------------------------

    def state(self) -> State:
        """The state as it is now."""
        try:
            return State(**json.loads((self.root / "state.json").read_text(encoding="utf-8")))
        except FileNotFoundError:
            return State()
        except (ValueError, TypeError) as error:
            raise DockerError(f"{self.root / 'state.json'} is damaged: {error}") from error

    @contextmanager
    def changing(self) -> Iterator[State]:
        """The state, to be changed: alone, and written as a whole at the end, or not at all after an error."""
        with self._locked("state.lock", fcntl.LOCK_EX):
            state = self.state()
            yield state
            document = {"images": state.images, "references": state.references, "seen": state.seen}
            fresh = self.root / "state.json.new"
            fresh.write_text(json.dumps(document, indent=1), encoding="utf-8")
            fresh.replace(self.root / "state.json")

    @contextmanager
    def adding(self) -> Iterator[None]:
        """As long as someone adds blobs that no image names yet, none is swept away. Taken before `changing`."""
        with self._locked("blobs.lock", fcntl.LOCK_SH):
            yield

    @contextmanager
    def sweeping(self) -> Iterator[None]:
        """Nobody adds blobs meanwhile. Taken before `changing`."""
        with self._locked("blobs.lock", fcntl.LOCK_EX):
            yield

    @contextmanager
    def _locked(self, name: str, how: int) -> Iterator[None]:
        self.root.mkdir(parents=True, exist_ok=True)
        with (self.root / name).open("w") as lock:
            fcntl.flock(lock, how)
            yield

    def keep(self, digest: str, *references: Reference) -> None:
        """Let an image be one of this machine's, under these names."""
        with self.changing() as state:
            if digest not in state.images:
                state.images.append(digest)
            for reference in references:
                state.references[full_name(reference)] = digest

    def saw(self, digests: list[str], repository: str) -> None:
        """Remember that a repository (`host/path`) has these blobs."""
        with self.changing() as state:
            for digest in digests:
                where = state.seen.setdefault(digest, [])
                if repository not in where:
                    where.append(repository)

    def find(self, name: str) -> Image | None:
        """The image that a person means: by reference, by ID, or by the beginning of an ID."""
        state = self.state()
        try:
            digest = state.references.get(full_name(parse(name).with_tag()))
        except DockerError:
            digest = None
        if digest is None:
            digest = self._by_id(name, state)
        return self.image(digest) if digest else None

    def get(self, name: str) -> Image:
        """The same, or Docker's words for an image that is not there."""
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
        """Where a blob is, or would be."""
        algorithm, _, encoded = digest.partition(":")
        if algorithm != "sha256" or len(encoded) != 64 or set(encoded) - set("0123456789abcdef"):
            raise DockerError(f"invalid digest: {digest}")
        return self.root / "blobs" / algorithm / encoded

    def has(self, digest: str) -> bool:
        """Whether a blob is here."""
        return self.blob_path(digest).exists()

    def read(self, digest: str) -> bytes:
        """The bytes of a blob."""
        try:
            return self.blob_path(digest).read_bytes()
        except FileNotFoundError as error:
            raise DockerError(f"{digest} is missing from {self.root}: remove that folder to begin anew") from error

    def add(self, body: bytes) -> str:
        """Store bytes; their digest."""
        digest = "sha256:" + hashlib.sha256(body).hexdigest()
        if not self.has(digest):
            with self.writing() as (out, keep):
                out.write(body)
                keep(digest)
        return digest

    @contextmanager
    def writing(self) -> Iterator[tuple[BinaryIO, Callable[[str], None]]]:
        """A file to write a blob to, and what to call with its digest once it is whole; else it leaves no trace."""
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
        """An image or index whose manifest is here."""
        body = self.read(digest)
        try:
            # OCI lets a manifest leave out what it is.
            manifest = read(body, by_members=True)
        except InvalidManifest as error:
            raise DockerError(f"{digest} cannot be read: {error}") from error
        return Image(manifest, {} if manifest.config is None else config.read(self.read(manifest.config.digest)))

    def size_of_layer(self, descriptor: Descriptor) -> int:
        """The size of a layer unpacked, in bytes; 0 if it is not here (as for another platform's)."""
        path = self.blob_path(descriptor.digest)
        if not path.exists():
            return 0
        with path.open("rb") as opened:
            if opened.read(2) != b"\x1f\x8b":
                return path.stat().st_size
            opened.seek(-4, os.SEEK_END)
            return int.from_bytes(opened.read(4), "little")  # a gzip ends with the size of what went in

    def size(self, image: Image) -> int:
        """The size that `docker images` shows: layers unpacked; of an index, all its platforms together."""
        if image.is_index:
            children = [child.digest for child in image.manifest.children if self.has(child.digest)]
            return sum(self.size(self.image(child)) for child in children)
        return sum(self.size_of_layer(layer) for layer in image.manifest.layers)

    def size_on_disk(self) -> int:
        """Bytes of all blobs."""
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
        """The digests of all that an image is made of, as far as it is here."""
        needed = {image.digest} | {blob.digest for blob in image.manifest.blobs}
        for child in image.manifest.children:
            if self.has(child.digest):
                needed |= self.needed_by(self.image(child.digest))
        return needed


def full_name(reference: Reference) -> str:
    """The key of a reference: the host is always there, and a digest wins over a tag."""
    return (
        f"{reference.repository}@{reference.digest}" if reference.digest else f"{reference.repository}:{reference.tag}"
    )
