"""Encrypted objects: a layer or a manifest of a repository with a KMS key, as it lies on the disk.

    line        a header as JSON: the ARN of the KMS key, the wrapped data key (base64), its encryption context
    32 bytes    the SHA-256 of that line
    segments    64 KiB of the object each: a nonce (12 bytes), the ciphertext of AES-256-GCM, its tag (16 bytes)

Each object has a data key of its own. The associated data of a segment is its index (8 bytes) and whether it is the
last one (1 byte), so a file that was cut, or whose segments changed places, does not decrypt. The last segment is
shorter, and may be empty. Nonces count upwards from a random one; none is used twice, also when an upload goes back
and writes a segment again.
"""

import base64
import hashlib
import io
import itertools
import json
import os
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from ecrlab.registry.errors import DamagedObject
from ecrlab.registry.store import disk
from ecrlab.registry.store.keys import KeyService, Owner

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

SEGMENT = 64 * 1024
"""Bytes of the object in each segment but the last."""

NONCE, TAG, CHECKSUM = 12, 16, 32
_STORED = NONCE + SEGMENT + TAG

_BATCH = 32
"""Pieces that are written at once: a nonce and a ciphertext for each segment."""

_LONGEST_HEADER = 8192


@dataclass(frozen=True, slots=True)
class Header:
    """What an encrypted object tells in clear. `size` is the header's own, in bytes."""

    kms_key: str
    wrapped: bytes
    context: Mapping[str, str]
    size: int


def encrypt(keys: KeyService, owner: Owner, plaintext: bytes, context: Mapping[str, str]) -> bytes:
    """Return an object encrypted as a whole. Raises `KmsException`."""
    return b"".join(Encryptor(keys, owner, context).take(plaintext, ends=True))


def decrypt(keys: KeyService, owner: Owner, stored: bytes, name: str) -> bytes:
    """Return the bytes of an encrypted object; errors tell its name. Raises `KmsException`, `DamagedObject`."""
    return EncryptedFile(io.BytesIO(stored), keys, owner, name).read()


def read_header(file: BinaryIO, name: str) -> Header:
    """Read the header at the beginning of an encrypted object. Raises `DamagedObject`."""
    line = file.readline(_LONGEST_HEADER)
    if hashlib.sha256(line).digest() != file.read(CHECKSUM):
        raise DamagedObject(name, "its header is not the one that was written")
    told = json.loads(line)
    return Header(told["key"], base64.b64decode(told["wrapped"]), told["context"], len(line) + CHECKSUM)


def plaintext_size(stored: int) -> int:
    """Return the bytes of an object whose segments take `stored` bytes.

    >>> plaintext_size(65_564), plaintext_size(65_564 + 28 + 1)
    (65536, 65537)
    """
    return stored - _segments(stored) * (NONCE + TAG)


def _segments(stored: int) -> int:
    return max(-(-stored // _STORED), 1)


class _Position(NamedTuple):
    """How far an object is encrypted."""

    stored: int
    """Bytes of the file."""
    segments: int
    """Segments in it, all of them full."""
    rest: bytes
    """The bytes after those: at most a segment, kept back because the last segment is encrypted as such."""


class Encryptor:
    """Encrypts one object on its way to a file. Raises `KmsException` if there is no data key for it."""

    def __init__(self, keys: KeyService, owner: Owner, context: Mapping[str, str]) -> None:
        data_key = keys.data_key(owner, context)
        told = {"key": owner.kms_key, "wrapped": base64.b64encode(data_key.wrapped).decode(), "context": dict(context)}
        line = json.dumps(told).encode() + b"\n"
        self._header = line + hashlib.sha256(line).digest()
        self._cipher = _cipher(data_key.plaintext)
        self._nonces = itertools.count(int.from_bytes(os.urandom(NONCE)))
        self._position = _Position(0, 0, b"")

    def append(self, file: int, piece: bytes | bytearray | memoryview, *, ends: bool = False) -> None:
        """Append a piece to an open file; `ends` says that it is the last. A failure leaves the file as it was."""
        before = self._position
        place, encrypted = before.stored, self.take(piece, ends=ends)
        try:
            while batch := b"".join(itertools.islice(encrypted, _BATCH)):
                disk.write_at(file, memoryview(batch), place)
                place += len(batch)
        except BaseException:
            self._position = before
            os.ftruncate(file, before.stored)
            raise

    def take(self, piece: bytes | bytearray | memoryview, *, ends: bool = False) -> Iterator[bytes]:
        """Yield what is stored of another piece: at first the header, then the segments that are full by now."""
        stored, first, rest = self._position
        if not stored:
            yield self._header
        segments = list(_split(rest, memoryview(piece)))
        kept = b"" if ends else bytes(segments.pop())
        for index, segment in enumerate(segments, first):
            nonce = (next(self._nonces) % 2 ** (8 * NONCE)).to_bytes(NONCE)
            yield nonce
            is_last = ends and index + 1 == first + len(segments)
            yield self._cipher.encrypt(nonce, segment, _place(index, is_last=is_last))
        count = first + len(segments)
        self._position = _Position(len(self._header) + count * _STORED, count, kept)

    def rewind(self, file: int, size: int) -> None:
        """Go back to the first `size` bytes of the object, also in the file, which is open for reading, too."""
        _, segments, rest = self._position
        index, within = divmod(size, SEGMENT)
        if index < segments:
            segments, rest = index, self._segment(file, index)
        else:
            within = size - segments * SEGMENT
        stored = self._position.stored and len(self._header) + segments * _STORED
        os.ftruncate(file, stored)
        self._position = _Position(stored, segments, rest[:within])

    def plaintext(self, file: int) -> Iterator[bytes]:
        """Yield the bytes so far, from a file that is open for reading."""
        for index in range(self._position.segments):
            yield self._segment(file, index)
        yield self._position.rest

    def _segment(self, file: int, index: int) -> bytes:
        stored = os.pread(file, _STORED, len(self._header) + index * _STORED)
        return _decrypt(self._cipher, stored, index, "of an upload", is_last=False)


class EncryptedFile(io.BufferedIOBase):
    """The bytes of an encrypted object, to be read from any position. Closing it closes the file.

    Raises `KmsException` if its data key cannot be unwrapped, `DamagedObject` where the stored bytes are not those that
    were written.
    """

    def __init__(self, file: BinaryIO, keys: KeyService, owner: Owner, name: str) -> None:
        self._file, self._name = file, name
        self._at = 0
        self._last_read = (-1, b"")
        try:
            header = read_header(file, name)
            if header.kms_key != owner.kms_key:
                raise DamagedObject(name, f"it is encrypted with {header.kms_key}, not with {owner.kms_key}")
            self._cipher = _cipher(keys.unwrap(owner, header.wrapped, header.context))
            self._begin = header.size
            stored = file.seek(0, io.SEEK_END) - self._begin
            self._count = _segments(stored)
            self._size = plaintext_size(stored)
            self._segment(self._count - 1)  # it tells whether the object was cut
        except BaseException:
            file.close()
            raise

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def tell(self) -> int:
        """Return the position, in bytes of the object."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to another position, and return it."""
        self._at = max(0, offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence])
        return self._at

    def read(self, size: int | None = -1) -> bytes:
        """Return the next `size` bytes, fewer only at the end; all of them without a size."""
        end = self._size if size is None or size < 0 else min(self._at + size, self._size)
        if self._at >= end:
            return b""
        first = self._at // SEGMENT
        read = b"".join([self._segment(index) for index in range(first, (end - 1) // SEGMENT + 1)])
        start, self._at = self._at - first * SEGMENT, end
        return read[start : end - first * SEGMENT]

    def read1(self, size: int = -1) -> bytes:
        """Return the next bytes, at most `size` and at most a segment."""
        return self.read(SEGMENT if size < 0 else min(size, SEGMENT))

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()

    def _segment(self, index: int) -> bytes:
        if self._last_read[0] == index:
            return self._last_read[1]
        self._file.seek(self._begin + index * _STORED)
        is_last = index == self._count - 1
        read = _decrypt(self._cipher, self._file.read(_STORED), index, self._name, is_last=is_last)
        self._last_read = (index, read)
        return read


def _split(rest: bytes, piece: memoryview) -> Iterator[bytes | memoryview]:
    """Cut the rest and a piece into segments. The last one may be shorter, and is the only one that may be empty."""
    room = SEGMENT - len(rest)
    yield rest + piece[:room]
    for start in range(room, len(piece), SEGMENT):
        yield piece[start : start + SEGMENT]


def _cipher(key: bytes) -> "AESGCM":
    # Loaded with the first encrypted object: it takes 9 MiB, and most labs have none.
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM(key)


def _decrypt(cipher: "AESGCM", stored: bytes, index: int, name: str, *, is_last: bool) -> bytes:
    from cryptography.exceptions import InvalidTag

    try:
        return cipher.decrypt(stored[:NONCE], stored[NONCE:], _place(index, is_last=is_last))
    except (InvalidTag, ValueError) as error:
        raise DamagedObject(name, f"segment {index} is not the one that was written") from error


def _place(index: int, *, is_last: bool) -> bytes:
    """Return the associated data of a segment."""
    return struct.pack(">Q?", index, is_last)
