"""Requests and responses on the wire: a thin reading of WSGI, made for large bodies.

Bodies come and go in pieces, so that a layer of any size passes in a few MiB of memory. A body that ends
before its promised length, or that stands still for longer than the server waits, was cut short; what it began is
undone.
"""

import io
import json
import re
from collections.abc import Iterable, Iterator
from http import HTTPStatus
from typing import Any, BinaryIO
from urllib.parse import parse_qsl

from werkzeug.serving import DechunkedInput

from ecrlab.simulator.v2.errors import Refusal

PIECE = 1024 * 1024
"""Bytes read from a client at a time."""

OUT_PIECE = 128 * 1024
"""Bytes sent to a client at a time; more would not stay in the processor's cache on their way."""

DRAIN = 64 * 1024 * 1024
"""How much of an unwanted body is read, so that a client that sends all before it listens hears the answer."""

Headers = list[tuple[str, str]]


class _Unresized(io.RawIOBase):
    """werkzeug's reader of chunked bodies, which it is not safe to read from.

    When a chunk breaks off, that reader shortens the buffer it is given, and CPython crashes. A view of the
    buffer cannot be shortened: then it is an error like any other.
    """

    def __init__(self, stream: DechunkedInput) -> None:
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            return self._stream.readinto(memoryview(buffer))  # type: ignore[arg-type]
        except ValueError as error:
            raise OSError("a chunk broke off") from error


def safe_input(stream: Any) -> Any:
    """A request's `wsgi.input`, safe to read whatever the client sends."""
    return _Unresized(stream) if isinstance(stream, DechunkedInput) else stream


class Body:
    """The bytes that come with a request."""

    def __init__(self, environ: dict[str, Any]) -> None:
        self._stream = safe_input(environ["wsgi.input"])
        self._read = 0
        self._is_over = False
        if "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower():
            self.length: int | None = None
        else:
            length = environ.get("CONTENT_LENGTH") or "0"
            if not re.fullmatch(r"[0-9]{1,18}", length):
                raise Refusal(400, "SIZE_INVALID", f"Content-Length is no length: {length[:40]!r}")
            self.length = int(length)

    @property
    def is_empty(self) -> bool:
        """Whether the request promised no byte at all."""
        return self.length == 0

    @property
    def is_begun(self) -> bool:
        """Whether some of it was read."""
        return self._read > 0

    def read(self, most: int = PIECE) -> bytes:
        """The next bytes, at most so many; none at the end. Raises `Refusal` when the body was cut short."""
        if self.length is not None:
            most = min(most, self.length - self._read)
        if self._is_over or not most:
            return b""
        try:
            piece: bytes = self._stream.read(most)
        except OSError as error:
            self._is_over = True
            raise _cut_short() from error
        self._read += len(piece)
        if not piece:
            self._is_over = True
            if self.length is not None:
                raise _cut_short()
        return piece

    def pieces(self) -> Iterator[bytes]:
        """All that is left, piece by piece."""
        while piece := self.read():
            yield piece

    def whole(self, most: int) -> bytes:
        """All of it, or its first `most` bytes."""
        pieces = []
        while most > 0 and (piece := self.read(min(PIECE, most))):
            pieces.append(piece)
            most -= len(piece)
        return b"".join(pieces)

    def drain(self) -> bool:
        """Read on and forget; True if the end was reached."""
        try:
            for _ in range(DRAIN // PIECE):
                if not self.read():
                    return True
        except Refusal:
            pass
        return False


class Request:
    """One request: where it goes, what it asks, and its body."""

    def __init__(self, environ: dict[str, Any]) -> None:
        self._environ = environ
        self.method: str = environ["REQUEST_METHOD"]
        self.path: str = environ.get("PATH_INFO", "")
        self.host: str = environ.get("HTTP_HOST", "")
        self.query = dict(parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True))
        self.body = Body(environ)

    def header(self, name: str) -> str | None:
        """A header's value."""
        key = name.upper().replace("-", "_")
        return self._environ.get(key if key == "CONTENT_TYPE" else f"HTTP_{key}")

    def is_over(self) -> bool:
        """Read what is left of the body, and say whether that was its end, so that the connection can go on.

        A client that holds its body back until it is told to send it is not told so any more.
        """
        waits = "HTTP_EXPECT" in self._environ and not self.body.is_begun
        return self.body.is_empty or (not waits and self.body.drain())


class Slice:
    """A range of a file's bytes as a response body: piece by piece; the file is closed with it."""

    def __init__(self, file: BinaryIO, wanted: range) -> None:
        self._file = file
        self._left = len(wanted)
        file.seek(wanted.start)

    def __len__(self) -> int:
        return self._left

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        piece = self._file.read(min(OUT_PIECE, self._left))
        if not piece:
            self.close()
            raise StopIteration
        self._left -= len(piece)
        return piece

    def close(self) -> None:
        """Close the file; WSGI servers call it when they are done."""
        self._file.close()
        self._left = 0


class Response:
    """One answer: status, headers and body; `length` is given where it is not that of the body, for HEAD."""

    def __init__(
        self,
        status: int,
        headers: Headers | None = None,
        body: bytes | Slice = b"",
        *,
        length: int | None = None,
    ) -> None:
        self.status = status
        self.headers = headers or []
        self.body = body
        self.length = len(body) if length is None else length

    @classmethod
    def of_json(cls, document: dict[str, object], headers: Headers | None = None) -> "Response":
        """An answer that is a document."""
        return cls(200, [("Content-Type", "application/json"), *(headers or [])], json.dumps(document).encode())

    @classmethod
    def of_refusal(cls, bad: Refusal) -> "Response":
        """An answer that is an error."""
        return cls(bad.status, [("Content-Type", "application/json"), *bad.headers], bad.to_json())

    def send(self, environ: dict[str, Any], start_response: Any, *, keep_alive: bool) -> Iterable[bytes]:
        """Give the answer to a WSGI server; without `keep_alive` the connection ends with it."""
        headers = [("Docker-Distribution-Api-Version", "registry/2.0"), *self.headers]
        if self.status != 204:
            headers.append(("Content-Length", str(self.length)))
        if not keep_alive:
            headers.append(("Connection", "close"))
        start_response(f"{self.status} {HTTPStatus(self.status).phrase}", headers)
        if environ["REQUEST_METHOD"] == "HEAD":
            return [b""]
        # Servers send a list at once.
        return [self.body] if isinstance(self.body, bytes) else self.body


def _cut_short() -> Refusal:
    return Refusal(400, "SIZE_INVALID", "The body ended before it was complete")
