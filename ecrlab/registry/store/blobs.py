"""The bytes of blobs: each blob is a file named by its digest.

Blobs are written, looked for and opened for a repository. All repositories with the same KMS key, or without one, share
one file for the same bytes.

A blob gets its name only when it is whole, verified and on the disk (written aside, synced, then renamed). So a reader
never sees half of one, and a process that dies while it writes leaves only a file in `uploads/`, which the next start
removes.
"""

import contextlib
import hashlib
import os
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, cast

from ecrlab.registry.errors import DamagedObject
from ecrlab.registry.store import disk
from ecrlab.registry.store.blob_names import NAME, blob_name
from ecrlab.registry.store.blob_writer import BlobWriter
from ecrlab.registry.store.encryption import EncryptedFile, Encryptor, read_header
from ecrlab.registry.store.keys import KeyService, NoKeys, Owner, layer_context

EMPTY = "sha256:" + hashlib.sha256().hexdigest()
"""The digest of no bytes at all."""

COPIED = 1024 * 1024
"""Bytes that are copied at once."""


class BlobStore:
    """The blobs of one state directory, shared by every repository in it.

    `durable` says whether a blob is synced to the disk before it is visible; a temporary lab does not need that.
    """

    def __init__(self, directory: Path, *, durable: bool, run: str = "") -> None:
        self._run = run
        self._blobs = directory / "blobs"
        self._uploads = directory / "uploads"
        self._durable = durable
        self._in_snapshots: set[str] = set()
        self.keys: KeyService = NoKeys()
        self._blobs.mkdir(parents=True, exist_ok=True)
        self._uploads.mkdir(exist_ok=True)

    def path(self, name: str) -> Path:
        """Return the path of the file of a `blob_name`, whether it exists or not."""
        return Path(self._path(name))

    def writer(self, owner: Owner, upload_id: str, *, hold: int = 0) -> BlobWriter:
        """Begin a blob of a repository; the id is unique among those being written. `hold` bytes of it may lie in
        memory meanwhile. Raises `KmsException` if the repository's KMS key cannot be used.
        """
        encryptor = None if owner.kms_key is None else Encryptor(self.keys, owner, layer_context(owner, upload_id))
        return BlobWriter(self._uploads / f"{upload_id}.{self._run}", owner, encryptor, hold=hold)

    def remove_uploads_of(self, run: str) -> None:
        """Delete what an earlier run, which was killed, had begun to write."""
        for path in self._uploads.glob(f"*.{run}"):
            if path.is_file() and not path.is_symlink():
                path.unlink(missing_ok=True)

    def remove_if_whole(self, name: str) -> None:
        """Delete a blob that nobody knows, if it is what its name says: another's file is not ours to delete.

        Of an encrypted one that is what its header says, because its key may be out of reach.
        """
        digest, _, is_encrypted = name.partition(".")
        with contextlib.suppress(OSError, DamagedObject):
            with self.path(name).open("rb") as file:
                if is_encrypted:
                    actual = blob_name(digest, read_header(file, name).kms_key)
                else:
                    algorithm = digest.partition(":")[0]
                    actual = f"{algorithm}:{hashlib.file_digest(file, algorithm).hexdigest()}"
            if name == actual:
                self.remove(name)

    def open(self, owner: Owner, digest: str) -> BinaryIO:
        """Open the bytes of a repository's blob.

        Raises `FileNotFoundError` if there are none, `KmsException` if its key cannot be used, and `DamagedObject`,
        then or while it is read, if the bytes of an encrypted blob are not those that were written.
        """
        path = self._path(blob_name(digest, owner.kms_key))
        if owner.kms_key is None:
            return open(path, "rb")  # noqa: PTH123 - to make a `Path` takes longer than to open a file
        return cast(BinaryIO, EncryptedFile(Path(path).open("rb"), self.keys, owner, digest))

    def copy(self, source: Owner, target: Owner, digest: str) -> None:
        """Store a repository's blob for another repository too; between different keys it is encrypted again.

        Await it in the collector (`Collector.awaiting`) until the database knows it. Raises what `open` and `writer`
        raise, and `ServerException` when the disk accepts no more.
        """
        if source.kms_key == target.kms_key or self.has(target, digest):
            return
        with self.open(source, digest) as file:
            self.store(target, digest, file)

    def store(self, target: Owner, digest: str, file: BinaryIO) -> None:
        """Store the bytes of a file for a repository; await them as those of `copy`.

        Raises what `writer` raises, `ServerException` when the disk accepts no more, and `DamagedObject` for bytes of
        another digest.
        """
        stored = self.writer(target, f"{uuid.uuid4()}")
        try:
            while piece := file.read(COPIED):
                stored.write(piece)
            if stored.digest(digest.partition(":")[0]) != digest:
                raise DamagedObject(digest, "it has another digest")
            self.sync(stored)
            self.adopt(stored, digest)
        finally:
            stored.discard()

    def has(self, owner: Owner, digest: str) -> bool:
        """Tell whether the bytes of a repository's blob are there."""
        return os.path.isfile(self._path(blob_name(digest, owner.kms_key)))  # noqa: PTH113 - as above

    def __contains__(self, name: str) -> bool:
        return self.path(name).is_file()

    def __iter__(self) -> Iterator[str]:
        for path in self._blobs.glob("*/*/*"):
            if NAME.fullmatch(name := f"{path.parts[-3]}:{path.name}"):
                yield name

    def keep(self, names: Iterable[str]) -> None:
        """Never remove these blobs from now on, because a snapshot needs them."""
        self._in_snapshots.update(names)

    def remove(self, name: str) -> None:
        """Delete a blob, if it exists and no snapshot needs it."""
        if name in self._in_snapshots:
            return
        with disk.writing():
            self.path(name).unlink(missing_ok=True)

    def sync(self, written: BlobWriter) -> None:
        """Sync a finished blob to the disk, so that its name never stands for fewer bytes."""
        written.put_down(ends=True, durable=self._durable)

    def adopt(self, written: BlobWriter, digest: str) -> None:
        """Make a synced blob visible under its verified digest, for its repository, and sync that name."""
        target = self.path(blob_name(digest, written.owner.kms_key))
        with disk.writing():
            try:
                written.move(target)
            except FileNotFoundError:
                target.parent.mkdir(parents=True, exist_ok=True)
                written.move(target)
                if self._durable:
                    disk.sync(target.parent.parent)
            if self._durable:
                disk.sync(target.parent)

    def _path(self, name: str) -> str:
        algorithm, rest = name.split(":", 1)
        return f"{self._blobs}/{algorithm}/{rest[:2]}/{rest}"
