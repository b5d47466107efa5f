"""A request as it comes in: its head, as httptools reads it, and its body (RFC 9112)."""

import re
import sys
import time
from collections.abc import Callable
from http import HTTPStatus
from io import BufferedReader
from typing import Any
from urllib.parse import unquote_to_bytes

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser

HEAD_BYTES = 64 * 1024  # of a head, or of what stands behind the last chunk, at the most
HEAD_SECONDS = 30.0  # from the first byte of a head to its last
PIECE = 1024 * 1024  # bytes of a body that are received at once

_ABSOLUTE = re.compile(rb"(?i)https?://([^/?#\[\]]+|\[[0-9a-f:.]+\](?::[0-9]*)?)([/?][^#]*|)(?:#.*)?")
_CHUNK = re.compile(rb"([0-9a-fA-F]{1,15})[ \t]*(?:;[^\r\n]*)?\r\n")


class Refused(OSError):
    """The connection ends with this status."""

    def __init__(self, status: int = 400) -> None:
        self.status = HTTPStatus(status)
        super().__init__(self.status.phrase)


class Request:
    """The head of a request, and what WSGI makes of it (PEP 3333)."""

    def __init__(self, reader: BufferedReader) -> None:
        """Read it. Raises `Refused` for what is no request, and `OSError` when the client hangs up or is silent."""
        self.environ: dict[str, Any] = {}
        self.target = b""
        self._hosts = 0
        self._is_whole = False
        parser, size, deadline = HttpRequestParser(self), 0, 0.0
        while not self._is_whole:
            waiting = reader.peek()
            if not waiting:
                raise ConnectionError("the client hung up")
            # Line by line, because the parser does not stop at the end of a head.
            line = reader.read(waiting.find(b"\n") + 1 or len(waiting))
            try:
                parser.feed_data(line)
            except HttpParserUpgrade:
                pass  # a tunnel, or an offer to go on in another protocol, which is not accepted
            except HttpParserError as error:
                raise Refused from error
            size += len(line)
            if size > HEAD_BYTES:
                raise Refused(431 if parser.get_http_version() != "0.0" else 414)
            deadline = deadline or time.monotonic() + HEAD_SECONDS
            if time.monotonic() > deadline:
                raise Refused(408)
        self.method, self.version = parser.get_method().decode(), parser.get_http_version()
        path, _, query = self._checked_path().partition(b"?")
        self.is_last = self.version == "1.0" or "close" in self.environ.get("HTTP_CONNECTION", "").lower()
        expects = self.version == "1.1" and self.environ.get("HTTP_EXPECT", "").lower() == "100-continue"
        self.is_held_back = expects and line == waiting
        """Whether the client waits for `100 Continue` before it sends the body."""
        self.environ |= {
            "REQUEST_METHOD": self.method,
            "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
            "QUERY_STRING": query.decode("latin-1"),
            "RAW_URI": self.target.decode("latin-1"),
            "SERVER_PROTOCOL": f"HTTP/{self.version}",
        }

    def on_url(self, part: bytes) -> None:
        """httptools: the target, or a part of it."""
        self.target += part

    def on_header(self, name: bytes, value: bytes) -> None:
        """httptools: a header. Those that come several times are joined."""
        if b"_" in name:
            return  # "a_b" would pass for "a-b"
        variable, text = name.decode().upper().replace("-", "_"), value.decode("latin-1").strip(" \t")
        self._hosts += variable == "HOST"
        variable = variable if variable in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{variable}"
        self.environ[variable] = f"{self.environ[variable]},{text}" if variable in self.environ else text

    def on_headers_complete(self) -> None:
        """httptools: the end of the head."""
        self._is_whole = True

    def _checked_path(self) -> bytes:
        """The path and query. Raises `Refused` for what httptools leaves to the server."""
        if self.version not in ("1.0", "1.1"):
            raise Refused(505)
        if self.environ.get("HTTP_TRANSFER_ENCODING", "chunked").lower() != "chunked":
            raise Refused(501)
        if self._hosts > 1 or (self._hosts == 0 and self.version == "1.1"):
            raise Refused
        if self.target.startswith(b"/") or b"://" not in self.target:
            return self.target
        # To a proxy: the host in the target counts (section 3.2.2).
        found = _ABSOLUTE.fullmatch(self.target)
        if found is None:
            raise Refused
        self.environ["HTTP_HOST"] = found[1].decode("latin-1")
        return b"/" + found[2].removeprefix(b"/")


class Body:
    """The body of a request, as `wsgi.input`."""

    def __init__(self, reader: BufferedReader, request: Request, send: Callable[[bytes], None]) -> None:
        self._reader, self._send = reader, send
        self.is_held_back = request.is_held_back
        self._is_chunked = "HTTP_TRANSFER_ENCODING" in request.environ
        self._left = 0 if self._is_chunked else int(request.environ.get("CONTENT_LENGTH", 0))
        """How many bytes are left of it, or of a chunk."""
        self._is_lost = False

    def read(self, size: int = -1) -> bytes:
        """The next `size` bytes, fewer only at the end; all of them without a size. Raises `OSError` for a bad end."""
        pieces, wanted = [], size if size >= 0 else sys.maxsize
        while wanted and (piece := self._next(min(wanted, PIECE))):
            pieces.append(piece)
            wanted -= len(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def finish(self, seconds: float) -> bool:
        """Read and forget the rest for so long, and say whether its end came."""
        until = time.monotonic() + seconds
        while not self._is_lost and time.monotonic() < until:
            if not self._next(PIECE):
                return True
        return False

    def _next(self, most: int) -> bytes:
        if self._is_lost:
            raise ConnectionError("the body was cut short")
        self._is_lost = True  # unless all goes well
        if self.is_held_back:
            self.is_held_back = False
            self._send(b"HTTP/1.1 100 Continue\r\n\r\n")
        if self._is_chunked and not self._left:
            self._begin_chunk()
        piece = self._reader.read(min(most, self._left))
        if self._left and not piece:
            raise ConnectionError("the client hung up")
        self._left -= len(piece)
        if self._is_chunked and not self._left and self._reader.read(2) != b"\r\n":
            raise Refused
        self._is_lost = False
        return piece

    def _begin_chunk(self) -> None:
        found = _CHUNK.fullmatch(self._reader.readline(HEAD_BYTES))
        if found is None:
            raise Refused
        self._left = int(found[1], 16)
        self._is_chunked = self._left > 0
        size = 0
        # Headers behind the last chunk mean nothing here.
        while not self._is_chunked and (line := self._reader.readline(HEAD_BYTES)) != b"\r\n":
            size += len(line)
            if size >= HEAD_BYTES or not line.endswith(b"\r\n"):
                raise Refused(431 if size >= HEAD_BYTES else 400)
