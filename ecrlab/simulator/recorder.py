"""Recordings of the requests and responses between clients and the lab.

The recorder is WSGI middleware around everything, and costs nothing unless a recording is on. It counts bytes as they
pass, and does not hold them in memory.
"""

import contextlib
import itertools
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(slots=True)
class Exchange:
    """One request and its response. Sizes are bytes of the bodies; `asked` names an AWS operation."""

    number: int
    client: str
    method: str
    target: str
    asked: str
    status: int = 0
    sent: int = 0
    received: int = 0
    told: int = 0
    """The response's Content-Length, which a response to HEAD also has."""


class Recorder:
    """The middleware, and the recordings that are on."""

    def __init__(self, application: Any) -> None:
        self._application = application
        self._recordings: list[list[Exchange]] = []
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)

    @contextlib.contextmanager
    def recording(self) -> Iterator[list[Exchange]]:
        """Record the exchanges that begin while the block runs, in order."""
        exchanges: list[Exchange] = []
        with self._lock:
            self._recordings.append(exchanges)
        try:
            yield exchanges
        finally:
            with self._lock:
                # By identity: two empty recordings are equal.
                self._recordings = [other for other in self._recordings if other is not exchanges]

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer one request, and record it if a recording is on."""
        if not self._recordings:
            answer: Iterable[bytes] = self._application(environ, start_response)
            return answer
        exchange = self._note(environ)
        environ["wsgi.input"] = _CountedInput(environ["wsgi.input"], exchange)

        def started(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            exchange.status = int(status.split(" ", 1)[0])
            exchange.told = next((int(v) for k, v in headers if k.lower() == "content-length"), 0)
            return start_response(status, headers, exc_info) if exc_info else start_response(status, headers)

        return _CountedOutput(self._application(environ, started), exchange)

    def _note(self, environ: dict[str, Any]) -> Exchange:
        query = environ.get("QUERY_STRING", "")
        exchange = Exchange(
            number=next(self._numbers),
            client=environ.get("HTTP_USER_AGENT", "").split("/", 1)[0].split(" ", 1)[0],
            method=environ["REQUEST_METHOD"],
            target=environ.get("PATH_INFO", "/") + (f"?{query}" if query else ""),
            asked=environ.get("HTTP_X_AMZ_TARGET", "").rpartition(".")[2],
        )
        with self._lock:
            for recording in self._recordings:
                recording.append(exchange)
        return exchange


class _CountedInput:
    """A request body that counts its bytes while it is read."""

    def __init__(self, stream: Any, exchange: Exchange) -> None:
        self._stream = stream
        self._exchange = exchange

    def read(self, size: int = -1) -> bytes:
        """Read, and count."""
        piece: bytes = self._stream.read(size)
        self._exchange.sent += len(piece)
        return piece


class _CountedOutput:
    """A response body that counts its bytes while it is sent."""

    def __init__(self, pieces: Iterable[bytes], exchange: Exchange) -> None:
        self._pieces = pieces
        self._exchange = exchange

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._pieces:
            self._exchange.received += len(piece)
            yield piece

    def close(self) -> None:
        """Close the wrapped body."""
        close = getattr(self._pieces, "close", None)
        if close is not None:
            close()
