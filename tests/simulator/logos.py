"""Logos for catalog data, and files that look like some."""

import struct
import zlib


def png(width: int = 60, height: int = 60, *, body: bytes = b"", end: bool = True) -> bytes:
    """A grey image; `body` are more bytes in it."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = zlib.compress(b"\0" * (width + 1) * height)
    chunks = [chunk(b"IHDR", header), chunk(b"tEXt", body), chunk(b"IDAT", rows)] + [chunk(b"IEND", b"")] * end
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)
