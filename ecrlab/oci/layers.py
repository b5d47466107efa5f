"""A layer is a tar of files, compressed by gzip; its digest is the sha256 of the compressed bytes.

The same files have the same digest only if every byte is fixed. Two parts usually vary: the tar (owner, time, order,
and header details that differ between Python versions) and the compressor (zlib, zlib-ng and ISA-L, and their
versions, write valid but different bytes). This module therefore writes both itself: ustar headers, and a small deflate
(RFC 1951) with the fixed Huffman code, greedy matches, and stored blocks where compression does not help. Any gzip
reads it. `diff_id` is the digest of the uncompressed tar, as an image config lists it.

    entries ──tar──> diff_id ──gzip──> digest, size
"""

import hashlib
import struct
import zlib
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

GZIP_HEADER = b"\x1f\x8b\x08\x00" + bytes(4) + b"\x00\xff"
"""Deflate, no name, time 0, no hint of the level, operating system unknown (RFC 1952)."""

WINDOW = 32768
BLOCK = 32768
LONGEST_MATCH = 258
_TABLE_LIMIT = 1 << 18


@dataclass(frozen=True, slots=True)
class Entry:
    """One path of a layer: a directory, a file with its bytes (or the file that holds them), or a symbolic link.

    `path` is relative, without a leading slash; whiteouts are files named `.wh.NAME` (OCI image layout, layers).
    """

    path: str
    kind: str
    """`directory`, `file` or `link`"""
    mode: int = 0o644
    content: bytes | Path = b""
    target: str = ""
    """Where a link points."""
    uid: int = 0
    gid: int = 0


@dataclass(frozen=True, slots=True)
class Layer:
    """The identity of a written layer. Its size is in bytes."""

    digest: str
    diff_id: str
    size: int


def directory(path: str, mode: int = 0o755) -> Entry:
    """Return a directory that root owns."""
    return Entry(path, "directory", mode)


def file(path: str, content: bytes | str, mode: int = 0o644) -> Entry:
    """Return a file that root owns; text becomes UTF-8."""
    return Entry(path, "file", mode, content.encode() if isinstance(content, str) else content)


def write_layer(entries: Iterable[Entry], out: BinaryIO, *, modified_at: int = 0) -> Layer:
    """Write a layer, sorted by path (a directory precedes its content), and return its identity.

    `modified_at`: the time of every entry, in seconds since 1970. An entry later in `entries` replaces an earlier
    one with the same path.
    """
    compressed = _Tee(out)
    gzip = Gzip(compressed)
    tar = _Tee(gzip)
    by_path = {entry.path: entry for entry in entries}
    for path in sorted(by_path, key=lambda path: path.encode("utf-8", "surrogateescape")):
        _write_entry(by_path[path], tar, modified_at)
    tar.write(bytes(1024))
    gzip.close()
    return Layer(compressed.digest, tar.digest, compressed.size)


class _Sink(Protocol):
    def write(self, data: bytes, /) -> object: ...


class _Tee:
    """Passes bytes on, and records their digest and number."""

    def __init__(self, out: _Sink):
        self._out = out
        self.size = 0
        self._sha256 = hashlib.sha256()

    def write(self, data: bytes) -> None:
        self.size += len(data)
        self._sha256.update(data)
        self._out.write(data)

    @property
    def digest(self) -> str:
        return "sha256:" + self._sha256.hexdigest()


# --- tar -------------------------------------------------------------------------------------------------------------

_TYPE_FLAGS = {"file": b"0", "link": b"2", "directory": b"5"}


def _write_entry(entry: Entry, tar: _Tee, modified_at: int) -> None:
    name = entry.path + "/" if entry.kind == "directory" else entry.path
    size = 0
    if entry.kind == "file":
        size = len(entry.content) if isinstance(entry.content, bytes) else entry.content.stat().st_size
    records = b"".join(
        _pax_record(key, value)
        for key, value, fits in (
            ("path", name, _fits(name)),
            ("linkpath", entry.target, _fits(entry.target)),
            ("size", str(size), size < 8**11),
            ("uid", str(entry.uid), entry.uid < 8**7),
            ("gid", str(entry.gid), entry.gid < 8**7),
        )
        if not fits
    )
    if records:
        tar.write(_header("././@PaxHeader", b"x", 0o644, len(records), modified_at))
        tar.write(records + bytes(-len(records) % 512))
    header = _header(name, _TYPE_FLAGS[entry.kind], entry.mode, size, modified_at, entry.target, entry.uid, entry.gid)
    tar.write(header)
    if isinstance(entry.content, bytes):
        tar.write(entry.content)
    else:
        _copy(entry.content, size, tar)
    tar.write(bytes(-size % 512))


def _copy(source: Path, size: int, tar: _Tee) -> None:
    with source.open("rb") as opened:
        left = size
        while left and (chunk := opened.read(min(left, 1 << 20))):
            tar.write(chunk)
            left -= len(chunk)
    if left:
        raise OSError(f"{source} became shorter while it was read")


def _fits(text: str) -> bool:
    return len(text) <= 100 and text.isascii()


def _pax_record(key: str, value: str) -> bytes:
    body = b" " + key.encode() + b"=" + value.encode("utf-8", "surrogateescape") + b"\n"
    length = len(body) + len(str(len(body)))
    length = len(body) + len(str(length))
    return str(length).encode() + body


def _header(
    name: str, flag: bytes, mode: int, size: int, modified_at: int, target: str = "", uid: int = 0, gid: int = 0
) -> bytes:
    def octal(number: int, digits: int) -> bytes:
        return f"{number % 8**digits:0{digits}o}".encode() + b"\0"

    def text(value: str) -> bytes:
        return value.encode("utf-8", "surrogateescape")[:100]

    fields = (
        text(name),
        octal(mode, 7),
        octal(uid, 7),
        octal(gid, 7),
        octal(size, 11),
        octal(modified_at, 11),
    )
    header = struct.pack("100s8s8s8s12s12s8s1s100s6s2s247x", *fields, b" " * 8, flag, text(target), b"ustar", b"00")
    checksum = f"{sum(header):06o}".encode() + b"\0 "
    return header[:148] + checksum + header[156:]


# --- gzip ------------------------------------------------------------------------------------------------------------


def _fixed_code(symbol: int) -> str:
    """Return the bits of a literal or length symbol in deflate's fixed code, first bit first (RFC 1951, 3.2.6)."""
    if symbol < 144:
        return f"{0x30 + symbol:08b}"
    if symbol < 256:
        return f"{0x190 + symbol - 144:09b}"
    if symbol < 280:
        return f"{symbol - 256:07b}"
    return f"{0xC0 + symbol - 280:08b}"


def _bits(value: int, count: int) -> str:
    """Return a number as `count` bits, lowest first, as deflate writes everything but Huffman codes."""
    return f"{value:0{count}b}"[::-1] if count else ""


def _lengths() -> list[str]:
    """Return the bits for each length of a match, with its extra bits (RFC 1951, 3.2.5)."""
    codes = [""] * (LONGEST_MATCH + 1)
    length, symbol = 3, 257
    while symbol < 285:
        extra = max(0, (symbol - 261) // 4)
        for offset in range(1 << extra):
            codes[length] = _fixed_code(symbol) + _bits(offset, extra)
            length += 1
        symbol += 1
    codes[LONGEST_MATCH] = _fixed_code(285)
    return codes


_LITERALS = [_fixed_code(byte) for byte in range(256)]
_LENGTHS = _lengths()
_DISTANCES = [1, 2] + [1 + ((2 + code % 2) << (code // 2 - 1)) for code in range(2, 30)]
_END_OF_BLOCK = _fixed_code(256)


def _distance_code(distance: int) -> str:
    symbol = bisect_right(_DISTANCES, distance) - 1
    return f"{symbol:05b}" + _bits(distance - _DISTANCES[symbol], max(0, symbol // 2 - 1))


class Gzip:
    """A gzip stream that writes to `out`; `close` ends it and leaves `out` open."""

    def __init__(self, out: _Sink):
        self._out = out
        self._crc = 0
        self._size = 0
        self._pending = bytearray()
        self._window = b""
        self._where = 0
        """Bytes before the window."""
        self._seen: dict[bytes, int] = {}
        self._bits = ""
        out.write(GZIP_HEADER)

    def write(self, data: bytes) -> None:
        """Compress further bytes."""
        self._crc = zlib.crc32(data, self._crc)
        self._size += len(data)
        self._pending += data
        while len(self._pending) > BLOCK:
            self._write_block(BLOCK, last=False)

    def close(self) -> None:
        """Write the remaining bytes and the end of the stream."""
        self._write_block(len(self._pending), last=True)
        self._send("0" * (-len(self._bits) % 8))
        self._out.write(struct.pack("<II", self._crc, self._size % 2**32))

    def _write_block(self, length: int, *, last: bool) -> None:
        block = bytes(self._pending[:length])
        del self._pending[:length]
        data = self._window + block
        compressed = "".join(self._compress(data, len(self._window)))
        if len(compressed) < 8 * length:
            self._send(f"{last:b}10" + compressed + _END_OF_BLOCK)
        else:
            self._send(f"{last:b}00")
            self._send("0" * (-len(self._bits) % 8))
            self._out.write(struct.pack("<HH", length, length ^ 0xFFFF) + block)
        self._window = data[-WINDOW:]
        self._where += len(data) - len(self._window)

    def _compress(self, data: bytes, start: int) -> list[str]:
        """Return deflate's codes for `data[start:]`, with matches that may begin before `start`."""
        seen, where, end = self._seen, self._where, len(data)
        if len(seen) > _TABLE_LIMIT:
            seen.clear()
        codes: list[str] = []
        literal = at = start
        misses = 0
        while at <= end - 4:
            key = data[at : at + 4]
            before = seen.get(key, -1) - where
            seen[key] = where + at
            if before < 0 or at - before > WINDOW:
                misses += 1
                at += 1 + (misses >> 6)  # the search skips data without repetitions ever faster
                continue
            length = _common_length(data, before, at)
            codes += map(_LITERALS.__getitem__, data[literal:at])
            codes += _LENGTHS[length], _distance_code(at - before)
            for inner in range(at + 1, min(at + length, at + 16, end - 3)):
                seen[data[inner : inner + 4]] = where + inner
            at += length
            literal = at
            misses = 0
        codes += map(_LITERALS.__getitem__, data[literal:])
        return codes

    def _send(self, bits: str) -> None:
        bits = self._bits + bits
        whole = len(bits) // 8 * 8
        if whole:
            self._out.write(int(bits[:whole][::-1], 2).to_bytes(whole // 8, "little"))
        self._bits = bits[whole:]


def _common_length(data: bytes, before: int, at: int) -> int:
    """Return the number of equal bytes from `before` and from `at` on, at most 258."""
    here = data[at : at + LONGEST_MATCH]
    there = data[before : before + len(here)]
    if here == there:
        return len(here)
    differing = int.from_bytes(here, "little") ^ int.from_bytes(there, "little")
    return ((differing & -differing).bit_length() - 1) // 8
