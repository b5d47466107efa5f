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
from pathlib import Path
from typing import BinaryIO

from ecrlab.registry import disk
from ecrlab.registry.errors import LimitExceededException

EMPTY = "sha256:" + hashlib.sha256().hexdigest()
"""The digest of no bytes at all."""

LARGEST = 52_000 * 1024 * 1024
"""Bytes of the largest layer (AWS user guide, service quotas: 52,000 MiB)."""

Mark = tuple[int, "hashlib._Hash"]
"""How many bytes a blob has, and the hash over them."""

_NAME = re.compile(r"[0-9a-f]{64,128}")


class BlobWriter:
    """A blob on its way in: bytes are appended, then the whole is kept under its digest or thrown away.

    No file stays open between two pieces, so a thousand idle uploads cost a thousand small files and nothing
    else. One thread at a time may write; any may discard.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._hash = hashlib.sha256()
        self.size = 0
        with disk.writing():
            path.touch(exist_ok=False)

    def write(self, piece: bytes | memoryview) -> None:
        """Append; on failure (a full disk, say) the upload stands where it stood before.

        Raises `ServerException` when the disk takes no more, `LimitExceededException` beyond `LARGEST` bytes,
        `FileNotFoundError` when it was discarded.
        """
        view = memoryview(piece)
        if self.size + len(view) > LARGEST:
            # UNSURE: what ECR answers to an oversized layer is not public.
            raise LimitExceededException(f"A layer can have at most {LARGEST} bytes")
        with disk.writing():
            # Not created here: a blob that was discarded meanwhile must not come back as a stray file.
            file = os.open(self.path, os.O_WRONLY)
            try:
                _write_at(file, view, self.size)
            finally:
                os.close(file)
        self._hash.update(view)
        self.size += len(view)

    def mark(self) -> Mark:
        """Where the blob stands now, to `rewind` to when what follows turns out to be bad."""
        return self.size, self._hash.copy()

    def rewind(self, mark: Mark) -> None:
        """Take back what was appended since `mark`; nothing to do when the blob was discarded."""
        self.size, self._hash = mark
        with contextlib.suppress(FileNotFoundError), disk.writing():
            os.truncate(self.path, self.size)

    def digest(self, algorithm: str = "sha256") -> str:
        """What the bytes so far hash to, as `algorithm:hex`."""
        if algorithm == "sha256":
            return "sha256:" + self._hash.hexdigest()
        with self.path.open("rb") as stream:
            return f"{algorithm}:{hashlib.file_digest(stream, algorithm).hexdigest()}"

    def discard(self) -> None:
        """Throw the bytes away, if nobody has adopted them."""
        self.path.unlink(missing_ok=True)


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
        algorithm, hexadecimal = digest.split(":", 1)
        return Path(f"{self._blobs}/{algorithm}/{hexadecimal[:2]}/{hexadecimal}")

    def writer(self, name: str) -> BlobWriter:
        """Begin a blob; `name` is unique among those being written."""
        return BlobWriter(self._uploads / name)

    def open(self, digest: str) -> BinaryIO:
        """The bytes of a blob as a file; `FileNotFoundError` if there is none."""
        return self.path(digest).open("rb")

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
        if self._durable:
            with disk.writing():
                _sync(written.path)

    def adopt(self, written: BlobWriter, digest: str) -> None:
        """Make a synced blob visible under the digest it was compared with, and bring that name to the
        disk.
        """
        target = self.path(digest)
        with disk.writing():
            is_new = not target.parent.is_dir()
            if is_new:
                target.parent.mkdir(parents=True, exist_ok=True)
            written.path.replace(target)
            if self._durable:
                _sync(target.parent)
                if is_new:
                    _sync(target.parent.parent)


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
