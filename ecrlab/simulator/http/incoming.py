"""What comes in by a connection: requests, pieces of their bodies, and their ends, in the order of their coming.

The grammar is left to httptools, which wraps the parser of Node.js; what it takes for broken, such as a body with two
lengths, is refused.
"""

from collections import deque
from dataclasses import dataclass, field
from functools import lru_cache
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser

Environ = dict[str, Any]
"""A request as WSGI has it (PEP 3333)."""

END = b""
"""The end of a body, among its pieces."""

MOST_FOR_NOTHING = 64 * 1024
"""Bytes that may come without anything of use in them being whole: the headers of a request, say."""


class Malformed(OSError):
    """What came is no HTTP that is taken here; nothing can be made of what follows."""

    def __init__(self, status: HTTPStatus) -> None:
        super().__init__(status.phrase)
        self.status = status


@dataclass(slots=True)
class Request:
    """One request without its body."""

    method: str = ""
    target: bytes = b""
    version: str = ""
    variables: dict[str, str] = field(default_factory=dict)
    """Its headers under the names that WSGI gives them; those that come several times are joined."""
    keeps_alive: bool = False

    @property
    def length(self) -> int | None:
        """How many bytes its body has; None if only its end will tell."""
        if "HTTP_TRANSFER_ENCODING" in self.variables:
            return None
        return int(self.variables.get("CONTENT_LENGTH", 0))

    @property
    def expects_leave(self) -> bool:
        """Whether the client holds the body back until it is told to go on."""
        return self.variables.get("HTTP_EXPECT", "").lower() == "100-continue" and self.version == "1.1"

    def environ(self) -> Environ:
        """The request for a WSGI application. Raises `Malformed` for what cannot be one."""
        if self.version not in ("1.0", "1.1"):
            raise Malformed(HTTPStatus.HTTP_VERSION_NOT_SUPPORTED)
        if self.variables.get("HTTP_TRANSFER_ENCODING", "chunked").lower() != "chunked":
            raise Malformed(HTTPStatus.NOT_IMPLEMENTED)
        target = self.target
        if not target.startswith(b"/") and b"://" in target:
            # To a proxy; then the target's host is the one that counts (RFC 9112, 3.2.2).
            host, target = _to_proxy(target)
            self.variables["HTTP_HOST"] = host
        path, _, query = target.partition(b"?")
        return {
            **self.variables,
            "REQUEST_METHOD": self.method,
            "PATH_INFO": (unquote_to_bytes(path) if b"%" in path else path).decode("latin-1"),
            "QUERY_STRING": query.decode("latin-1"),
            "RAW_URI": self.target.decode("latin-1"),
            "SERVER_PROTOCOL": f"HTTP/{self.version}",
        }


class Incoming:
    """Finds requests in bytes. httptools calls its `on_` methods."""

    def __init__(self) -> None:
        self.requests: deque[Request] = deque()
        self.pieces: deque[bytes] = deque()
        """Of the bodies of all these requests."""
        self.is_within = False
        """Whether the last request has begun and not ended."""
        self._for_nothing = 0
        self._stays = False
        """Whether the client has offered to go on in another protocol."""
        self._request: Request | None = None
        self._parser = HttpRequestParser(self)

    def feed(self, received: bytes) -> None:
        """Take the next bytes. Raises `Malformed`."""
        before = len(self.requests), len(self.pieces)
        try:
            self._parser.feed_data(received)
        except HttpParserUpgrade as upgrade:
            # Requests behind such a one are not answered any more.
            if not self._stays:
                self._stays = True
                self._stay(received[upgrade.args[0] :])
            return
        except HttpParserError as error:
            raise Malformed(HTTPStatus.BAD_REQUEST) from error
        is_fruitless = before == (len(self.requests), len(self.pieces))
        self._for_nothing = self._for_nothing + len(received) if is_fruitless else 0
        if self._for_nothing > MOST_FOR_NOTHING:
            raise Malformed(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)

    def pass_by(self, piece: bytes, *, is_last: bool) -> None:
        """Keep the next bytes as a piece of a body of known length, in which there is nothing to be found."""
        self.pieces.append(piece)
        if is_last:
            self.pieces.append(END)
            # The next byte that is fed begins a request.
            self._parser = HttpRequestParser(self)
            self.is_within = False

    def _stay(self, rest: bytes) -> None:
        """The client offers to go on in another protocol; it is answered in this one.

        Java's `HttpClient` does so with the first request to each host. httptools believes then that the request has
        ended, although the offer comes before its body: that is looked for behind a head of our own.
        """
        request = self.requests[-1]
        if request.method != "CONNECT" and request.length != 0:
            self.pieces.pop()
            framing = "Transfer-Encoding: chunked" if request.length is None else f"Content-Length: {request.length}"
            self._parser = HttpRequestParser(self)
            self.feed(f"PUT / HTTP/1.1\r\n{framing}\r\n\r\n".encode())
            self.requests.pop()
            self.feed(rest)

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        self.is_within = True
        self._request = Request()

    def on_url(self, part: bytes) -> None:
        """Its target, or the next part of it."""
        if self._request is not None:
            self._request.target += part

    def on_header(self, name: bytes, value: bytes) -> None:
        """One of its headers."""
        # What comes behind a body is none of its headers; and "a_b" would pass for "a-b".
        if self._request is None or b"_" in name:
            return
        variables, variable, text = self._request.variables, _variable(name), value.decode("latin-1")
        variables[variable] = f"{variables[variable]},{text}" if variable in variables else text

    def on_headers_complete(self) -> None:
        """All but its body is there."""
        request, parser = self._request, self._parser
        if request is not None:
            request.method = parser.get_method().decode()
            request.version = parser.get_http_version()
            request.keeps_alive = (
                parser.should_keep_alive() and not parser.should_upgrade() and request.version == "1.1"
            )
            self.requests.append(request)
            self._request = None

    def on_body(self, piece: bytes) -> None:
        """Some bytes of its body."""
        self.pieces.append(piece)

    def on_message_complete(self) -> None:
        """All of it is there."""
        self.pieces.append(END)
        self.is_within = False


@lru_cache(maxsize=256)
def _variable(header: bytes) -> str:
    name = header.decode("latin-1").upper().replace("-", "_")
    return name if name in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{name}"


def _to_proxy(target: bytes) -> tuple[str, bytes]:
    """The host of an absolute target, and the rest of it."""
    try:
        parts = urlsplit(target)
    except ValueError as error:
        raise Malformed(HTTPStatus.BAD_REQUEST) from error
    rest = parts.path or b"/"
    return parts.netloc.decode("latin-1"), rest + (b"?" + parts.query if parts.query else b"")
