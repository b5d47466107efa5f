"""Where the bytes lie: a blob is a file named by its own digest.

A blob appears under its name only when it is whole, verified and on the disk (written aside, synced, then renamed), so
a reader never sees half of one, and a process that dies while writing leaves only a file in `uploads/`, which the next
one sweeps away.
"""

import hashlib
import os
from collections.abc import Iterator
from io import FileIO
from pathlib import Path
from typing import BinaryIO

EMPTY = "sha256:" + hashlib.sha256().hexdigest()
"""The digest of no bytes at all."""


class BlobWriter:
    """A blob on its way in: bytes are appended, then the whole is kept under its digest or thrown away.

    No file stays open between two pieces, so a thousand idle uploads cost a thousand small files and nothing else.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._hash = hashlib.sha256()
        self.size = 0
        path.touch(exist_ok=False)

    def write(self, piece: bytes | memoryview) -> None:
        """Append; on failure (a full disk, say) the upload stands where it stood before."""
        view = memoryview(piece)
        done = 0
        try:
            with FileIO(self.path, "a") as file:
                while done < len(view):
                    done += file.write(view[done:])
        except OSError:
            os.truncate(self.path, self.size)
            raise
        self._hash.update(view)
        self.size += len(view)

    def digest(self, algorithm: str = "sha256") -> str:
        """What the bytes so far hash to, as `algorithm:hex`."""
        if algorithm == "sha256":
            return "sha256:" + self._hash.hexdigest()
        with open(self.path, "rb") as stream:
            return f"{algorithm}:{hashlib.file_digest(stream, algorithm).hexdigest()}"

    def discard(self) -> None:
        """Throw the bytes away."""
        self.path.unlink(missing_ok=True)


class BlobStore:
    """The blobs of one state directory, shared by every repository in it.

    `durable` says whether a blob is synced to the disk before it is visible; a temporary lab has no use for that.
    """

    def __init__(self, directory: Path, *, durable: bool) -> None:
        self._blobs = directory / "blobs"
        self._uploads = directory / "uploads"
        self._durable = durable
        self._blobs.mkdir(parents=True, exist_ok=True)
        self._uploads.mkdir(exist_ok=True)
        for leftover in self._uploads.iterdir():
            leftover.unlink()

    def path(self, digest: str) -> Path:
        """Where a blob lies, or would."""
        algorithm, hexadecimal = digest.split(":", 1)
        return self._blobs / algorithm / hexadecimal[:2] / hexadecimal

    def writer(self, name: str) -> BlobWriter:
        """Begin a blob; `name` is unique among those being written."""
        return BlobWriter(self._uploads / name)

    def open(self, digest: str) -> BinaryIO:
        """The bytes of a blob as a file; `FileNotFoundError` if there is none."""
        return open(self.path(digest), "rb")

    def __contains__(self, digest: str) -> bool:
        return self.path(digest).is_file()

    def __iter__(self) -> Iterator[str]:
        for path in self._blobs.glob("*/*/*"):
            yield f"{path.parts[-3]}:{path.name}"

    def remove(self, digest: str) -> None:
        """Delete a blob, if it is there."""
        self.path(digest).unlink(missing_ok=True)

    def sync(self, written: BlobWriter) -> None:
        """Bring a finished blob's bytes to the disk; the first of the three steps that keep it."""
        if self._durable:
            with open(written.path, "rb") as file:
                os.fsync(file.fileno())

    def adopt(self, written: BlobWriter, digest: str) -> None:
        """Make a synced blob visible under the digest it was compared with; the second step, quick."""
        target = self.path(digest)
        target.parent.mkdir(parents=True, exist_ok=True)
        os.replace(written.path, target)

    def sync_name(self, digest: str) -> None:
        """Bring a blob's name to the disk; the third step, before anybody is told."""
        if self._durable:
            directory = os.open(self.path(digest).parent, os.O_RDONLY)
            try:
                os.fsync(directory)
            finally:
                os.close(directory)
