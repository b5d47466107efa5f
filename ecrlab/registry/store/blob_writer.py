"""A blob that is being written: its bytes in memory or in a file of `uploads/`, and the hash over them."""

import contextlib
import hashlib
import os
from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path

from ecrlab.registry.errors import LimitExceededException
from ecrlab.registry.store import disk
from ecrlab.registry.store.encryption import Encryptor
from ecrlab.registry.store.keys import Owner

LARGEST = 52_000 * 1024 * 1024
"""Bytes of the largest layer (AWS user guide, service quotas: 52,000 MiB)."""

Mark = tuple[int, "hashlib._Hash"]
"""How many bytes a blob has, and the hash over them."""

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
                disk.sync(self.path)

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
