"""A tar archive as a stream: one entry after another, each with its name, kind, link and, on demand, its bytes.

It reads what image builders write: ustar with prefixes, GNU long names and base-256 sizes, PAX records
(pax(1), "pax Interchange Format"; GNU tar manual, "Basic Tar Format"), and passes over sparse files' maps.
Python's `tarfile` reads the same at more than twice the cost, which is why this walks the headers itself.
"""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from ecrlab.scanning.errors import LayerError, TooLargeError

BLOCK = 512
_ZEROS = bytes(BLOCK)
_LONGEST_EXTENSION = 1 << 20  # bytes of a PAX or long-name record, the bound Go's archive/tar has
_LONGEST_NAME = 4096  # PATH_MAX: no system could unpack a longer one
_LARGEST_ENTRY = 1 << 50
_EMPTY_KINDS = frozenset(b"123456")  # links, devices, directories: whatever their size says, no data follows


@dataclass(slots=True)
class Entry:
    """One entry: `name` and `link` are raw bytes as written, `size` the bytes of data that follow it.

    `kind` is "file", "directory", "symlink", "hardlink" or "other" (device, pipe); `sparse` files hold their
    data in pieces, which are not put together here.
    """

    name: bytes
    kind: str
    size: int
    mode: int
    link: bytes
    sparse: bool


_KINDS = {
    b"0": "file",
    b"\0": "file",
    b"7": "file",
    b"1": "hardlink",
    b"2": "symlink",
    b"5": "directory",
    b"S": "file",
}
_KINDS |= dict.fromkeys((b"3", b"4", b"6"), "other")


class TarStream:
    """Walk a stream of tar: iterate for entries, and call `read` or `pieces` for the data of the current one."""

    def __init__(self, pieces: Iterator[bytes], entry_limit: int) -> None:
        self._pieces = pieces
        self._piece = b""
        self._at = 0
        self._data = 0  # bytes of the current entry still in the stream
        self._padding = 0
        self._entries_left = entry_limit
        self.ended = False  # whether the end-of-archive mark was seen

    def __iter__(self) -> Iterator[Entry]:
        records: dict[bytes, bytes] = {}
        while True:
            self._skip(self._data + self._padding)
            self._data = self._padding = 0
            header = self._take(BLOCK, at_end=b"")
            if not header:
                return
            if header == _ZEROS:
                if self._take(BLOCK, at_end=_ZEROS) != _ZEROS:
                    raise LayerError("entries follow a lone block of zeros, where runtimes refuse to go on")
                self.ended = True
                for _ in self._pieces:  # what follows the mark is padding; read on, for the digest's sake
                    pass
                return
            self._entries_left -= 1
            if self._entries_left < 0:
                raise TooLargeError("a layer has more entries than any image: refused")
            _check(header)
            kind = header[156:157]
            size = _number(header[124:136], "size")
            self._expect(size)
            if kind in b"xLK":
                _extend(records, kind, self.read(_LONGEST_EXTENSION))
            elif kind == b"g":
                continue  # Global records: image runtimes pass over them, so they rename nothing.
            else:
                yield self._entry(header, kind, size, records)
                records = {}

    def read(self, limit: int) -> bytes:
        """Read the whole data of the current entry; raises LayerError where it has more than `limit` bytes."""
        if self._data > limit:
            raise LayerError(f"an entry of {self._data:,} bytes stands where at most {limit:,} make sense")
        data = self._take(self._data)
        self._data = 0
        return data

    def pieces(self) -> Iterator[bytes]:
        """Stream the data of the current entry."""
        while self._data:
            if self._at == len(self._piece):
                self._fill()
            piece = self._piece[self._at : self._at + self._data]
            self._at += len(piece)
            self._data -= len(piece)
            yield piece

    def _entry(self, header: bytes, kind: bytes, size: int, records: dict[bytes, bytes]) -> Entry:
        name = header[:100].partition(b"\0")[0]
        if header[257:263] == b"ustar\0" and header[345] != 0:
            name = header[345:500].partition(b"\0")[0] + b"/" + name
        link = header[157:257].partition(b"\0")[0] if kind in b"12" else b""
        sparse = kind == b"S"
        if records:
            sparse = sparse or any(key.startswith(b"GNU.sparse.") for key in records)
            name = records.get(b"GNU.sparse.name", records.get(b"path", name))
            link = records.get(b"linkpath", link)
            if b"size" in records:
                size = _decimal(records[b"size"])
        if len(name) > _LONGEST_NAME or len(link) > _LONGEST_NAME or b"\0" in name or b"\0" in link:
            raise LayerError(f"an entry has a name of {max(len(name), len(link)):,} bytes, or one with a NUL in it")
        # Old archives mark directories by a slash alone.
        directory = kind == b"5" or (kind == b"\0" and name.endswith(b"/"))
        if kind[0] in _EMPTY_KINDS or directory:
            size = 0
        self._expect(size)
        if kind == b"S":
            more = header[482]
            while more:
                more = self._take(BLOCK)[504]
        mode = int(header[100:107].strip(b" \0") or b"0", 8) if header[100:107].strip(b" \0").isdigit() else 0
        return Entry(name, "directory" if directory else _KINDS.get(kind, "file"), size, mode, link, sparse)

    def _expect(self, size: int) -> None:
        if not 0 <= size <= _LARGEST_ENTRY:
            raise LayerError(f"a tar header claims an entry of {size:,} bytes")
        self._data = size
        self._padding = -size % BLOCK

    def _fill(self) -> None:
        piece = next(self._pieces, None)
        if piece is None:
            raise LayerError("a layer's tar ends in the middle of an entry: it is truncated")
        self._piece, self._at = piece, 0

    def _skip(self, size: int) -> None:
        while size > len(self._piece) - self._at:
            size -= len(self._piece) - self._at
            self._fill()
        self._at += size

    def _take(self, size: int, at_end: bytes | None = None) -> bytes:
        taken = self._piece[self._at : self._at + size]
        self._at += len(taken)
        if len(taken) == size:
            return taken
        parts, missing = [taken], size - len(taken)
        while missing:
            if at_end is not None and missing == size:
                piece = next(self._pieces, None)
                if piece is None:
                    return at_end
                self._piece, self._at = piece, 0
            else:
                self._fill()
            part = self._piece[self._at : self._at + missing]
            self._at += len(part)
            missing -= len(part)
            parts.append(part)
        return b"".join(parts)


def _check(header: bytes) -> None:
    """Check a header's checksum: the sum of its bytes, those of the sum itself taken as spaces."""
    told = _number(header[148:156], "checksum")
    # Adler-32 carries 1 + the sum of all bytes modulo 65521 in its lower half, and is computed in C.
    found = (zlib.adler32(header) & 0xFFFF) - 1 - sum(header[148:156]) + 8 * 0x20
    if (told - found) % 65521:
        raise LayerError("a tar header has a wrong checksum: this is no tar, or a corrupt one")


def _number(field: bytes, what: str) -> int:
    if field[0] & 0x80:
        return int.from_bytes(field, "big", signed=True) & ((1 << (8 * len(field) - 1)) - 1) if field[0] == 0x80 else -1
    digits = field.strip(b" \0")
    try:
        return int(digits, 8) if digits else 0
    except ValueError as cause:
        raise LayerError(f"a tar header has a {what} of {digits!r}") from cause


def _extend(records: dict[bytes, bytes], kind: bytes, data: bytes) -> None:
    if kind in b"LK":
        records[b"path" if kind == b"L" else b"linkpath"] = data.partition(b"\0")[0]
        return
    at = 0
    while at < len(data):
        length, space, _ = data[at : at + 8].partition(b" ")
        end = at + (int(length) if length.isdigit() else 0)
        key, equals, value = data[at + len(length) + 1 : end - 1].partition(b"=")
        if not (space and equals and at < end <= len(data)) or data[end - 1 : end] != b"\n":
            raise LayerError("a tar entry has malformed PAX records")
        records[key] = value
        at = end


def _decimal(digits: bytes) -> int:
    if not digits.isdigit() or len(digits) > 20:
        raise LayerError(f"a PAX record has a size of {digits[:40]!r}")
    return int(digits)
