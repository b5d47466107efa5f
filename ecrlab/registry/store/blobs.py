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
from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO, cast

from ecrlab.registry.errors import DamagedObject, LimitExceededException
from ecrlab.registry.store import disk
from ecrlab.registry.store.blob_names import NAME, blob_name
from ecrlab.registry.store.encryption import EncryptedFile, Encryptor, read_header
from ecrlab.registry.store.keys import KeyService, NoKeys, Owner, layer_context

EMPTY = "sha256:" + hashlib.sha256().hexdigest()
"""The digest of no bytes at all."""

LARGEST = 52_000 * 1024 * 1024
"""Bytes of the largest layer (AWS user guide, service quotas: 52,000 MiB)."""

Mark = tuple[int, "hashlib._Hash"]
"""How many bytes a blob has, and the hash over them."""

COPIED = 1024 * 1024
"""Bytes that are copied at once."""

BESIDE = 256 * 1024
"""Bytes of a piece that is worth a thread of its own to be hashed in."""


class _Hash:
    """A sha256 beside the writing: a large piece is hashed in a thread while the next one arrives."""

    def __init__(self, begun: "hashlib._Hash | None" = None) -> None:
        self._hash = begun or hashlib.sha256()
        self._under_way: Future[None] | None = None

    def update(self, piece: bytes | memoryview) -> None:
        """Hash a piece, which must not change afterwards."""
        so_far = self.so_far()
        if len(piece) < BESIDE:
            so_far.update(piece)
        else:
            self._under_way = _hashers().submit(so_far.update, piece)

    def so_far(self) -> "hashlib._Hash":
        """The hash of all pieces."""
        if self._under_way is not None:
            self._under_way.result()
            self._under_way = None
        return self._hash


@lru_cache(maxsize=1)
def _hashers() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(os.cpu_count(), "ecrlab-hash")


class BlobWriter:
    """A blob that is being written: bytes are appended, then the store adopts the whole, or it is discarded.

    Up to `hold` bytes stay in memory until the blob is finished, because most blobs are small and files are expensive;
    then they are in the file `path`. No file stays open between two pieces, so a thousand idle uploads cost a thousand
    small files and nothing else. One thread at a time may write; any thread may discard.
    """

    def __init__(self, path: Path, owner: Owner, encryptor: Encryptor | None, *, hold: int = 0) -> None:
        self.path = path
        self.owner = owner
        self._encryptor = encryptor
        self._hold = hold
        self._held: bytearray | None = bytearray()
        self._is_over = False
        self._hash = _Hash()
        self.size = 0
        if not hold:
            self.put_down()

    def write(self, piece: bytes | memoryview) -> None:
        """Append a piece, which must not change afterwards. A failure leaves the upload as it was.

        Raises `ServerException` when the disk accepts no more, `LimitExceededException` beyond `LARGEST` bytes,
        `FileNotFoundError` when the upload was discarded.
        """
        if self.size + len(piece) > LARGEST:
            # UNSURE: what ECR answers to an oversized layer is not public.
            raise LimitExceededException(f"A layer can have at most {LARGEST} bytes")
        if self._held is not None and self.size + len(piece) > self._hold:
            self.put_down()
        if self._held is None:
            self._write(piece, self.size, durable=False)
        elif self._is_over:
            raise FileNotFoundError(self.path)
        else:
            self._held += piece
        self._hash.update(piece)
        self.size += len(piece)

    def put_down(self, *, ends: bool = False, durable: bool = False) -> None:
        """Write all bytes to the file, and with `durable` sync the file; `ends` says that no more will come."""
        if self._held is not None:
            try:
                self._write(self._held, 0, os.O_CREAT | os.O_EXCL, ends=ends, durable=durable)
                if self._is_over:
                    # It was discarded, perhaps before there was a file to remove.
                    raise FileNotFoundError(self.path)
            except BaseException:
                self.path.unlink(missing_ok=True)
                raise
            self._held = None
        elif ends and self._encryptor is not None:
            self._write(b"", self.size, ends=True, durable=durable)
        elif durable:
            with disk.writing():
                _sync(self.path)

    def mark(self) -> Mark:
        """Return the present state, for a later `rewind`."""
        return self.size, self._hash.so_far().copy()

    def rewind(self, mark: Mark) -> None:
        """Remove what was appended since `mark`; does nothing when the blob was discarded."""
        self._hash.so_far()  # waits until the pieces so far are hashed
        self.size, self._hash = mark[0], _Hash(mark[1])
        if self._held is not None:
            del self._held[self.size :]
        else:
            with contextlib.suppress(FileNotFoundError), disk.writing(), self.path.open("r+b") as file:
                if self._encryptor is None:
                    file.truncate(self.size)
                else:
                    self._encryptor.rewind(file.fileno(), self.size)

    def digest(self, algorithm: str = "sha256") -> str:
        """Return the digest of the bytes so far, as `algorithm:hex`."""
        if algorithm == "sha256":
            return "sha256:" + self._hash.so_far().hexdigest()
        if self._held is not None:
            return f"{algorithm}:{hashlib.new(algorithm, self._held).hexdigest()}"
        with self.path.open("rb") as stream:
            if self._encryptor is None:
                return f"{algorithm}:{hashlib.file_digest(stream, algorithm).hexdigest()}"
            so_far = hashlib.new(algorithm)
            for piece in self._encryptor.plaintext(stream.fileno()):
                so_far.update(piece)
            return f"{algorithm}:{so_far.hexdigest()}"

    def discard(self) -> None:
        """Remove the bytes, unless the store has adopted them."""
        if not self._is_over:
            self._is_over = True
            self.path.unlink(missing_ok=True)

    def move(self, target: Path) -> None:
        """Rename the file, which has all bytes, for good."""
        self.path.replace(target)
        self._is_over = True

    def _write(
        self,
        piece: bytes | bytearray | memoryview,
        start: int,
        flags: int = 0,
        *,
        ends: bool = False,
        durable: bool,
    ) -> None:
        with disk.writing():
            # The file is not created here again: a blob that was discarded must not return as a stray file.
            file = os.open(self.path, os.O_WRONLY | flags, 0o600)
            try:
                if self._encryptor is None:
                    disk.write_at(file, memoryview(piece), start)
                else:
                    self._encryptor.append(file, piece, ends=ends)
                if durable:
                    os.fsync(file)
            finally:
                os.close(file)


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
            copied = self.writer(target, f"{uuid.uuid4()}")
            try:
                while piece := file.read(COPIED):
                    copied.write(piece)
                if copied.digest(digest.partition(":")[0]) != digest:
                    raise DamagedObject(digest, "it has another digest")
                self.sync(copied)
                self.adopt(copied, digest)
            finally:
                copied.discard()

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
                    _sync(target.parent.parent)
            if self._durable:
                _sync(target.parent)

    def _path(self, name: str) -> str:
        algorithm, rest = name.split(":", 1)
        return f"{self._blobs}/{algorithm}/{rest[:2]}/{rest}"


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
