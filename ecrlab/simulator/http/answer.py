"""The answer to a request, as a WSGI application gives it, on its way to the client."""

import time
from collections.abc import Iterable
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus
from typing import Any

from ecrlab.simulator.http.client import Client
from ecrlab.simulator.http.incoming import Request

WITHOUT_BODY = ("204", "304")
"""The statuses that never have one."""


class Answer:
    """One answer. A body that is a list is sent at once, any other piece by piece."""

    def __init__(self, client: Client, request: Request) -> None:
        self.is_last = not request.keeps_alive
        """Whether the connection ends with it."""
        self._client = client
        self._has_body = request.method != "HEAD"
        self._length: int | None = None
        self._lines: list[str] = []

    def start(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> None:
        """WSGI's `start_response`; nothing is sent yet."""
        del exc_info
        self._has_body &= not status.startswith(WITHOUT_BODY)
        self._lines = [f"HTTP/1.1 {status}", f"Date: {_date(int(time.time()))}"]
        for name, value in headers:
            field = name.lower()
            if field == "connection":
                self.is_last |= value.lower() == "close"
                continue
            if field == "content-length":
                self._length = int(value)
            self._lines.append(f"{name}: {value}")

    def send(self, body: Iterable[bytes]) -> None:
        """Send head and body. Raises `OSError` when the client does not take them."""
        if not self._has_body:
            self._client.send(self._head())
        elif isinstance(body, list):
            whole = b"".join(body)
            if self._length is None:
                self._length = len(whole)
                self._lines.append(f"Content-Length: {len(whole)}")
            self._client.send(self._head() + whole)
            self.is_last |= len(whole) != self._length
        else:
            # A body of unknown length ends with the connection.
            self.is_last |= self._length is None
            self._client.step_aside()
            self._client.send(self._head())
            sent = 0
            for piece in body:
                self._client.send(piece)
                sent += len(piece)
            self.is_last |= sent != self._length

    def _head(self) -> bytes:
        lines = [*self._lines, "Connection: close"] if self.is_last else self._lines
        head = "\r\n".join([*lines, "", ""]).encode("latin-1")
        if head.count(b"\n") != len(lines) + 1:
            raise ValueError(f"a header of more than one line: {lines}")
        return head


def last_word(status: HTTPStatus) -> bytes:
    """An answer without an application, after which the connection ends."""
    body = f"{status.phrase}\n"
    head = (f"HTTP/1.1 {status} {status.phrase}", f"Date: {_date(int(time.time()))}", "Content-Type: text/plain")
    return "\r\n".join([*head, f"Content-Length: {len(body)}", "Connection: close", "", body]).encode()


@lru_cache(maxsize=2)
def _date(second: int) -> str:
    return formatdate(second, usegmt=True)
