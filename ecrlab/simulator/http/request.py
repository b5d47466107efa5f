"""A request as it comes in: its head, as httptools reads it, and its body (RFC 9112)."""

import re
import sys
import time
from collections.abc import Callable
from io import BufferedReader
from types import SimpleNamespace
from typing import Any
from urllib.parse import unquote_to_bytes

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser

HEAD_BYTES = 64 * 1024  # of a head, or of what stands behind the last chunk, at the most
HEAD_SECONDS = 30.0  # from the first byte of a head to its last
PIECE, PIECES = 1024 * 1024, 256  # bytes that are received at once, and how often for a body that nobody wants

_CHUNK = re.compile(rb"([0-9a-fA-F]{1,15})[ \t]*(?:;[^\r\n]*)?\r\n")


class Refused(OSError):
    """The connection ends with this status, a number."""


def read_head(reader: BufferedReader) -> dict[str, Any]:
    """The next request in the terms of WSGI, without its body.

    Raises `Refused` for what is no request, and `OSError` when the client hangs up or falls silent.
    """
    urls, ends, environ = list[bytes](), list[bool](), dict[str, Any]()

    def on_header(name: bytes, value: bytes) -> None:
        variable, text = name.decode().upper().replace("-", "_"), value.decode("latin-1").strip(" \t")
        variable = variable if variable in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{variable}"
        if b"_" not in name:  # "a_b" would pass for "a-b"
            environ[variable] = f"{environ[variable]},{text}" if variable in environ else text

    finder = SimpleNamespace(on_url=urls.append, on_header=on_header, on_headers_complete=lambda: ends.append(True))
    parser, size, deadline = HttpRequestParser(finder), 0, 0.0
    while not ends:
        waiting = reader.peek()
        # Line by line, because the parser does not stop at the end of a head.
        line = reader.read(waiting.find(b"\n") + 1 or len(waiting))
        try:
            parser.feed_data(line)
        except HttpParserUpgrade:
            pass  # a tunnel, or an offer to go on in another protocol, which is not accepted
        except HttpParserError as error:
            raise Refused(400) from error
        if not line:
            raise ConnectionError("the client hung up")
        size, deadline = size + len(line), deadline or time.monotonic() + HEAD_SECONDS
        if size > HEAD_BYTES:
            raise Refused(431 if parser.get_http_version() != "0.0" else 414)
        if time.monotonic() > deadline:
            raise Refused(408)
    if parser.get_http_version() not in ("1.0", "1.1"):
        raise Refused(505)
    if environ.get("HTTP_TRANSFER_ENCODING", "chunked").lower() != "chunked":
        raise Refused(501)
    if "," in environ.setdefault("HTTP_HOST", "" if parser.get_http_version() == "1.0" else ","):
        raise Refused(400)  # there must be one host
    path, _, query = b"".join(urls).partition(b"?")
    environ |= {"REQUEST_METHOD": parser.get_method().decode(), "RAW_URI": b"".join(urls).decode("latin-1")}
    environ |= {"PATH_INFO": unquote_to_bytes(path).decode("latin-1"), "QUERY_STRING": query.decode("latin-1")}
    return environ | {"SERVER_PROTOCOL": f"HTTP/{parser.get_http_version()}"}


class Body:
    """The body of a request, as `wsgi.input`. `send` tells a client to send it that waits to be told."""

    def __init__(self, reader: BufferedReader, environ: dict[str, Any], send: Callable[[bytes], None]) -> None:
        self._reader, self._send, self._is_lost = reader, send, False
        self._is_chunked = "HTTP_TRANSFER_ENCODING" in environ
        self._left = 0 if self._is_chunked else int(environ.get("CONTENT_LENGTH", 0))  # of it, or of a chunk
        waits = environ["SERVER_PROTOCOL"] == "HTTP/1.1" and environ.get("HTTP_EXPECT", "").lower() == "100-continue"
        self.is_held_back = waits and (self._is_chunked or self._left > 0)

    def read(self, size: int = -1) -> bytes:
        """The next `size` bytes, fewer only at the end; all of them without a size. Raises `OSError` for a bad end."""
        pieces, wanted = [], size if size >= 0 else sys.maxsize
        while wanted and (piece := self._next(min(wanted, PIECE))):
            pieces.append(piece)
            wanted -= len(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def finish(self) -> bool:
        """Read and forget the rest, unless it is too large, and say whether its end came."""
        return not self._is_lost and not all(self.read(PIECE) for _ in range(PIECES))

    def _next(self, most: int) -> bytes:
        if self._is_lost:
            raise ConnectionError("the body was cut short")
        self._is_lost = True  # unless all goes well
        if self.is_held_back:
            self._send(b"HTTP/1.1 100 Continue\r\n\r\n")
            self.is_held_back = False
        if self._is_chunked and not self._left:
            self._begin_chunk()
        piece = self._reader.read(min(most, self._left))
        if self._left and not piece:
            raise ConnectionError("the client hung up")
        self._left -= len(piece)
        if self._is_chunked and not self._left and self._reader.read(2) != b"\r\n":
            raise Refused(400)
        self._is_lost = False
        return piece

    def _begin_chunk(self) -> None:
        found = _CHUNK.fullmatch(self._reader.readline(HEAD_BYTES))
        if found is None:
            raise Refused(400)
        self._left = int(found[1], 16)
        self._is_chunked = self._left > 0
        # Headers behind the last chunk mean nothing here.
        if not self._left and all(self._reader.readline(HEAD_BYTES) != b"\r\n" for _ in range(PIECES)):
            raise Refused(431)
