"""Requests and responses on the wire: a thin layer over WSGI for large bodies.

Bodies are read and sent in pieces, so a layer of any size takes a few MiB of memory. A body is cut short if it ends
before its Content-Length, or pauses longer than the server waits; its request then changes nothing.
"""

import json
import re
from collections.abc import Iterable, Iterator
from http import HTTPStatus
from typing import Any, BinaryIO
from urllib.parse import parse_qsl

from ecrlab.simulator.v2.errors import Refusal

PIECE = 1024 * 1024
"""Bytes read from a client at a time."""

OUT_PIECE = 160 * 1024
"""Bytes sent to a client at a time. Larger pieces do not stay in the processor's cache: with 128 KiB a download over
loopback takes a fifth longer (measured on Linux).
"""

Headers = list[tuple[str, str]]


class Body:
    """The body of a request."""

    def __init__(self, environ: dict[str, Any]) -> None:
        self._stream = environ["wsgi.input"]
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
        """Tell whether the request has no body."""
        return self.length == 0

    def read(self, most: int = PIECE) -> bytes:
        """Return up to `most` bytes; none at the end. Raises `Refusal` if the body is cut short."""
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
        """Yield the rest of the body in pieces."""
        while piece := self.read():
            yield piece

    def whole(self, most: int) -> bytes:
        """Return the whole body, or its first `most` bytes."""
        pieces = []
        while most > 0 and (piece := self.read(min(PIECE, most))):
            pieces.append(piece)
            most -= len(piece)
        return b"".join(pieces)


class Request:
    """One request: its method, path, query, headers and body."""

    def __init__(self, environ: dict[str, Any]) -> None:
        self._environ = environ
        self.method: str = environ["REQUEST_METHOD"]
        self.path: str = environ.get("PATH_INFO", "")
        self.host: str = environ.get("HTTP_HOST", "")
        self.scheme: str = environ.get("wsgi.url_scheme", "http")
        self.query = dict(parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True))
        self.body = Body(environ)

    def header(self, name: str) -> str | None:
        """A header's value."""
        key = name.upper().replace("-", "_")
        return self._environ.get(key if key == "CONTENT_TYPE" else f"HTTP_{key}")


class Slice:
    """A range of a file as a response body, piece by piece. Closing it closes the file."""

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
    """One response: status, headers and body. For HEAD, `length` is the length of the omitted body."""

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
        """A response whose body is a JSON document."""
        return cls(200, [("Content-Type", "application/json"), *(headers or [])], json.dumps(document).encode())

    @classmethod
    def of_refusal(cls, bad: Refusal) -> "Response":
        """A response that reports an error."""
        return cls(bad.status, [("Content-Type", "application/json"), *bad.headers], bad.to_json())

    def send(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Return the response to a WSGI server."""
        headers = [("Docker-Distribution-Api-Version", "registry/2.0"), *self.headers]
        if self.status != 204:
            headers.append(("Content-Length", str(self.length)))
        start_response(f"{self.status} {HTTPStatus(self.status).phrase}", headers)
        if environ["REQUEST_METHOD"] == "HEAD":
            return [b""]
        return [self.body] if isinstance(self.body, bytes) else self.body


def _cut_short() -> Refusal:
    return Refusal(400, "SIZE_INVALID", "The body ended before it was complete")
