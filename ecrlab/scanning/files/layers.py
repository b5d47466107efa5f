"""A layer as it is stored, and the plain tar stream inside it.

A layer is a tar archive, stored as it is or compressed with gzip (in one member or, as eStargz writes it, one
for each file) or zstd; its media type says which (OCI image specification, "Image Layer Filesystem
Changeset"). It is read once, from front to back, in pieces of bounded size, while its digest is computed.
Nothing is unpacked to disk, and a layer that does not hash to its name is refused.
"""

import contextlib
import hashlib
import importlib
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from ecrlab.oci.media_types import COMPRESSIONS
from ecrlab.scanning.errors import LayerError, TooLargeError, UnsupportedImageError

_gzip_engine: Any = zlib
with contextlib.suppress(ImportError):
    # The same interface over Intel's ISA-L: about half the processor time. zlib reads the same bytes without it.
    _gzip_engine = importlib.import_module("isal.isal_zlib")

_PIECE = 256 * 1024
_END_OF_TAR = 1024
_MAGIC = {b"\x1f\x8b": "gzip", b"\x28\xb5": "zstd", b"\x50\x2a": "zstd"}


@dataclass(frozen=True)
class LayerSource:
    """One layer: its digest, its media type, and how to open it, as often as needed.

    `media_type` is None where the source does not name it (an archive of `docker save`); `open` returns a binary
    stream from the first byte, which the reader closes, or raises OSError.
    """

    digest: str
    media_type: str | None
    open: Callable[[], BinaryIO]


@dataclass(frozen=True)
class Limits:
    """How much of an image is read at most; an image beyond is IMAGE_SIZE_EXCEEDED. Sizes in bytes.

    A layer may always expand to `expanded_floor`, and to `expansion` times its stored size after that. `kept_names`
    and `kept_bytes` bound what is kept in memory of links and manifests. `packages` counts those of all layers, also
    those that an upper layer replaced; `seconds` is the time that reading may take.
    """

    expanded_floor: int = 2 << 30
    expansion: int = 200
    expanded_total: int = 64 << 30
    entries: int = 1_000_000
    kept_names: int = 250_000
    kept_bytes: int = 128 << 20
    packages: int = 50_000
    seconds: float = 600


def tar_pieces(layer: LayerSource, limits: Limits) -> Iterator[bytes]:
    """Stream the uncompressed tar of a layer, in pieces; the last one comes after the digest was found right.

    Raises UnsupportedImageError for a media type that holds no file system, LayerError for truncated or
    corrupt bytes, a compression other than announced, or a digest that does not match, and TooLargeError for an
    expansion beyond the limits.
    """
    if layer.media_type is not None and layer.media_type not in COMPRESSIONS:
        raise UnsupportedImageError(f"layer {layer.digest} is {layer.media_type}, which is no file system layer")
    stored = _Stored(layer)
    try:
        head = stored.read()
        found = _MAGIC.get(head[:2], "tar")
        told = found if layer.media_type is None else COMPRESSIONS[layer.media_type]
        if found != told:
            raise LayerError(f"layer {layer.digest} is announced as {told}, but its bytes are {found}")
        expand = {"tar": _plain, "gzip": _gunzip, "zstd": _unzstd}[found]
        expanded = 0
        for piece in expand(head, stored):
            expanded += len(piece)
            if expanded > max(limits.expanded_floor, limits.expansion * stored.size):
                raise TooLargeError(
                    f"layer {layer.digest} expands from {stored.size:,} to over {expanded:,} bytes: refused as a bomb"
                )
            yield piece
        stored.verify()
    finally:
        stored.close()


class _Stored:
    """The stored bytes of a layer, hashed as they pass."""

    def __init__(self, layer: LayerSource) -> None:
        self.digest = layer.digest
        self.size = 0
        algorithm, _, self._expected = layer.digest.partition(":")
        if algorithm not in ("sha256", "sha512"):
            raise LayerError(f"layer digest {layer.digest!r} is neither sha256 nor sha512")
        self._hash = hashlib.new(algorithm)
        try:
            self._stream = layer.open()
        except OSError as cause:
            raise LayerError(f"layer {layer.digest} cannot be opened: {cause}") from cause

    def read(self) -> bytes:
        """Read the next piece; empty at the end."""
        try:
            piece = self._stream.read(_PIECE)
        except OSError as cause:
            raise LayerError(f"layer {self.digest} cannot be read: {cause}") from cause
        self._hash.update(piece)
        self.size += len(piece)
        return piece

    def verify(self) -> None:
        while self.read():
            pass
        if self._hash.hexdigest() != self._expected:
            raise LayerError(f"layer {self.digest} has bytes of another digest: it is corrupt or truncated")

    def close(self) -> None:
        self._stream.close()


def _plain(head: bytes, stored: _Stored) -> Iterator[bytes]:
    while head:
        yield head
        head = stored.read()


def _gunzip(head: bytes, stored: _Stored) -> Iterator[bytes]:
    """Expand gzip members one after the other; zero padding may follow the last, nothing else."""
    data = head
    while data:
        member = _gzip_engine.decompressobj(31)
        while not member.eof:
            try:
                piece = member.decompress(data, _PIECE)
            except (zlib.error, _gzip_engine.error) as cause:
                raise LayerError(f"layer {stored.digest} is corrupt gzip: {cause}") from cause
            if piece:
                yield piece
            data = member.unconsumed_tail
            if not data and not member.eof and len(piece) < _PIECE:
                data = stored.read()
                if not data:
                    raise LayerError(f"layer {stored.digest} is truncated: its gzip stream has no end")
        data = member.unused_data or stored.read()
        while data and not data.strip(b"\0"):
            data = stored.read()


def _unzstd(head: bytes, stored: _Stored) -> Iterator[bytes]:
    try:
        import zstandard
    except ImportError as cause:
        raise LayerError(
            f"layer {stored.digest} is compressed with zstd; to read it, install zstandard: pip install 'ecrlab[zstd]'"
        ) from cause
    source: Any = _Rewound(head, stored)
    window = 1 << 27  # 128 MiB, what the zstd command accepts without being asked to.
    reader = zstandard.ZstdDecompressor(max_window_size=window).stream_reader(source, read_across_frames=True)
    tail = b""
    while True:
        try:
            piece = reader.read(_PIECE)
        except zstandard.ZstdError as cause:
            raise LayerError(f"layer {stored.digest} is corrupt zstd: {cause}") from cause
        if not piece:
            break
        yield piece
        tail = (tail + piece)[-_END_OF_TAR:]
    # The library does not tell a cut-off frame from a whole one; but a whole tar ends in zeros.
    if tail != bytes(_END_OF_TAR):
        raise LayerError(f"layer {stored.digest} is truncated: its zstd stream ends before its tar does")


class _Rewound:
    """A stored layer with its first piece put back, as a stream for a library that reads for itself."""

    def __init__(self, head: bytes, stored: _Stored) -> None:
        self._head = head
        self._stored = stored

    def read(self, _size: int = -1) -> bytes:
        head, self._head = self._head, b""
        return head or self._stored.read()
