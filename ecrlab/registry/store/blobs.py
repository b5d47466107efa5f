"""Where the bytes lie: a blob is a file named by its own digest.

A blob appears under its name only when it is whole, verified and on the disk (written aside, synced, then
renamed), so a reader never sees half of one, and a process that dies while writing leaves only a file in
`uploads/`, which the next one sweeps away.
"""

import contextlib
import hashlib
import os
import re
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

from ecrlab.registry.errors import LimitExceededException
from ecrlab.registry.store import disk

EMPTY = "sha256:" + hashlib.sha256().hexdigest()
"""The digest of no bytes at all."""

LARGEST = 52_000 * 1024 * 1024
"""Bytes of the largest layer (AWS user guide, service quotas: 52,000 MiB)."""

Mark = tuple[int, "hashlib._Hash"]
"""How many bytes a blob has, and the hash over them."""

BESIDE = 256 * 1024
"""Bytes of a piece that is worth a thread of its own to be hashed in."""

_NAME = re.compile(r"[0-9a-f]{64,128}")


class _Hash:
    """A sha256 that goes on beside the writing: a large piece is hashed while the next one comes in."""

    def __init__(self, begun: "hashlib._Hash | None" = None) -> None:
        self._hash = begun or hashlib.sha256()
        self._under_way: Future[None] | None = None

    def update(self, piece: bytes | memoryview) -> None:
        """Hash a piece, which must not change any more."""
        so_far = self.so_far()
        if len(piece) < BESIDE:
            so_far.update(piece)
        else:
            self._under_way = _hashers(os.getpid()).submit(so_far.update, piece)

    def so_far(self) -> "hashlib._Hash":
        """The hash of all pieces."""
        if self._under_way is not None:
            self._under_way.result()
            self._under_way = None
        return self._hash


@lru_cache(maxsize=1)
def _hashers(process_id: int) -> ThreadPoolExecutor:
    """Threads do not pass a fork."""
    return ThreadPoolExecutor(os.cpu_count(), f"ecrlab-hash-{process_id}")


class BlobWriter:
    """A blob on its way in: bytes are appended, then the whole is kept under its digest or thrown away.

    Up to `hold` bytes stay in memory until the blob is finished, because most blobs are small and files are dear; then
    they are in the file `path`. No file stays open between two pieces, so a thousand idle uploads cost a thousand small
    files and nothing else. One thread at a time may write; any may discard.
    """

    def __init__(self, path: Path, *, hold: int = 0) -> None:
        self.path = path
        self._hold = hold
        self._held: bytearray | None = bytearray()
        self._is_over = False
        self._hash = _Hash()
        self.size = 0
        if not hold:
            self.put_down()

    def write(self, piece: bytes | memoryview) -> None:
        """Append what will not change any more; on failure (a full disk, say) the upload stands where it stood.

        Raises `ServerException` when the disk takes no more, `LimitExceededException` beyond `LARGEST` bytes,
        `FileNotFoundError` when it was discarded.
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

    def put_down(self, *, durable: bool = False) -> None:
        """Bring all bytes into the file, and with `durable` the file to the disk."""
        if self._held is not None:
            try:
                self._write(self._held, 0, os.O_CREAT | os.O_EXCL, durable=durable)
                if self._is_over:
                    # Perhaps before there was a file to be thrown away.
                    raise FileNotFoundError(self.path)
            except BaseException:
                self.path.unlink(missing_ok=True)
                raise
            self._held = None
        elif durable:
            with disk.writing():
                _sync(self.path)

    def mark(self) -> Mark:
        """Where the blob stands now, to `rewind` to when what follows turns out to be bad."""
        return self.size, self._hash.so_far().copy()

    def rewind(self, mark: Mark) -> None:
        """Take back what was appended since `mark`; nothing to do when the blob was discarded."""
        self._hash.so_far()
        self.size, self._hash = mark[0], _Hash(mark[1])
        if self._held is not None:
            del self._held[self.size :]
        else:
            with contextlib.suppress(FileNotFoundError), disk.writing():
                os.truncate(self.path, self.size)

    def digest(self, algorithm: str = "sha256") -> str:
        """What the bytes so far hash to, as `algorithm:hex`."""
        if algorithm == "sha256":
            return "sha256:" + self._hash.so_far().hexdigest()
        if self._held is not None:
            return f"{algorithm}:{hashlib.new(algorithm, self._held).hexdigest()}"
        with self.path.open("rb") as stream:
            return f"{algorithm}:{hashlib.file_digest(stream, algorithm).hexdigest()}"

    def discard(self) -> None:
        """Throw the bytes away, if nobody has adopted them."""
        if not self._is_over:
            self._is_over = True
            self.path.unlink(missing_ok=True)

    def move(self, target: Path) -> None:
        """Give the file, with all bytes in it, another name for good."""
        self.path.replace(target)
        self._is_over = True

    def _write(self, piece: bytes | bytearray | memoryview, start: int, flags: int = 0, *, durable: bool) -> None:
        with disk.writing():
            # Not created later: a blob that was discarded meanwhile must not come back as a stray file.
            file = os.open(self.path, os.O_WRONLY | flags, 0o600)
            try:
                _write_at(file, memoryview(piece), start)
                if durable:
                    os.fsync(file)
            finally:
                os.close(file)


class BlobStore:
    """The blobs of one state directory, shared by every repository in it.

    `durable` says whether a blob is synced to the disk before it is visible; a temporary lab has no use for
    that.
    """

    def __init__(self, directory: Path, *, durable: bool) -> None:
        self._blobs = directory / "blobs"
        self._uploads = directory / "uploads"
        self._durable = durable
        self._kept: set[str] = set()
        self._blobs.mkdir(parents=True, exist_ok=True)
        self._uploads.mkdir(exist_ok=True)
        for leftover in self._uploads.iterdir():
            leftover.unlink()

    def path(self, digest: str) -> Path:
        """Where a blob lies, or would."""
        return Path(self._name(digest))

    def writer(self, name: str, *, hold: int = 0) -> BlobWriter:
        """Begin a blob; `name` is unique among those being written. `hold` bytes of it may lie in memory meanwhile."""
        return BlobWriter(self._uploads / name, hold=hold)

    def open(self, digest: str) -> BinaryIO:
        """The bytes of a blob as a file; `FileNotFoundError` if there is none."""
        return open(self._name(digest), "rb")  # noqa: PTH123 - to make a `Path` takes longer than to open a file

    def __contains__(self, digest: str) -> bool:
        return self.path(digest).is_file()

    def __iter__(self) -> Iterator[str]:
        for path in self._blobs.glob("*/*/*"):
            if _NAME.fullmatch(path.name):
                yield f"{path.parts[-3]}:{path.name}"

    def keep(self, digests: Iterable[str]) -> None:
        """From now on these blobs are not removed: a snapshot may want them back."""
        self._kept.update(digests)

    def remove(self, digest: str) -> None:
        """Delete a blob, if it is there and not to be kept."""
        if digest in self._kept:
            return
        with disk.writing():
            self.path(digest).unlink(missing_ok=True)

    def sync(self, written: BlobWriter) -> None:
        """Bring a finished blob's bytes to the disk, so that the name it gets never stands for less."""
        written.put_down(durable=self._durable)

    def adopt(self, written: BlobWriter, digest: str) -> None:
        """Make a synced blob visible under the digest it was compared with, and bring that name to the
        disk.
        """
        target = self.path(digest)
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

    def _name(self, digest: str) -> str:
        algorithm, hexadecimal = digest.split(":", 1)
        return f"{self._blobs}/{algorithm}/{hexadecimal[:2]}/{hexadecimal}"


def _write_at(file: int, view: memoryview, start: int) -> None:
    done = 0
    try:
        while done < len(view):
            done += os.pwrite(file, view[done:], start + done)
    except BaseException:
        os.ftruncate(file, start)
        raise


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
