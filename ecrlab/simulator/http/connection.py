"""One connection: HTTP/1.1 outside, WSGI inside."""

import contextlib
import logging
import math
import socket
import sys
import threading
import time
from collections.abc import Iterable
from email.utils import formatdate
from http import HTTPStatus
from io import BufferedReader
from typing import Any

from ecrlab.simulator.http.request import Body, Refused, Request

BUFFER = 256 * 1024  # bytes that are received at once
DISCARD_SECONDS = 5.0  # for which a body that nobody wants may come in
FAREWELL_SECONDS = 2.0  # for which a client that has heard the last may still send

PLAIN_HTTP = b"HTTP/1.0 400 Bad Request\r\n\r\n"
"""What a client hears that begins TLS in a tunnel. To an answer that begins with `HTTP/` containerd and BuildKit go on
in plain HTTP (moby/moby#48758, moby/buildkit#4975).
"""

ENVIRON: dict[str, Any] = {"SCRIPT_NAME": "", "wsgi.version": (1, 0), "wsgi.url_scheme": "http"}
ENVIRON |= {"wsgi.errors": sys.stderr, "wsgi.input_terminated": True}
ENVIRON |= {"wsgi.multithread": True, "wsgi.multiprocess": False, "wsgi.run_once": False}

log = logging.getLogger("ecrlab.server")


class Connection(threading.Thread):
    """A thread that answers the requests on a connection, one after the other, until `is_over` is set."""

    def __init__(self, accepted: socket.socket, application: Any, silence: float, is_over: threading.Event) -> None:
        super().__init__(daemon=True)
        self.idle_since = time.monotonic()
        """Since when the client has asked for nothing; infinite while a request is answered."""
        self._socket, self._application, self._is_over = accepted, application, is_over
        accepted.settimeout(silence)
        accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        host, port = accepted.getsockname()
        self._environ = ENVIRON | {"SERVER_NAME": host, "SERVER_PORT": str(port)}

    def run(self) -> None:
        """Answer requests until the connection ends."""
        is_tunnel = False
        try:
            reader: BufferedReader = BufferedReader(self._socket.makefile("rb", 0), BUFFER)
            with reader:
                while not self._is_over.is_set():
                    answer = self._exchange(reader)
                    if answer.is_last:
                        break
                    is_tunnel |= answer.is_tunnel
            self._part()
        except Refused as bad:
            self._part(PLAIN_HTTP if is_tunnel else _last_word(bad.status))
        except (ConnectionError, TimeoutError):
            pass
        except BaseException:
            note("a connection failed")
        finally:
            self.hang_up()
            self._socket.close()

    def hang_up(self) -> None:
        """End the connection, also when its thread waits for the client."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def _exchange(self, reader: BufferedReader) -> "Answer":
        """Answer one request."""
        self.idle_since = time.monotonic()
        request = Request(reader)
        self.idle_since = math.inf
        body, answer = Body(reader, request, self._socket.sendall), Answer(request, self._socket)
        try:
            pieces = self._application({**self._environ, **request.environ, "wsgi.input": body}, answer.start)
            try:
                answer.is_last |= body.is_held_back
                answer.send(pieces)
            finally:
                if hasattr(pieces, "close"):
                    pieces.close()
        except (Refused, ConnectionError, TimeoutError):
            raise
        except BaseException as error:
            note("%s %s failed", request.method, request.target)
            if not answer.is_begun:
                raise Refused(500) from error
            answer.is_last = True
        answer.is_last = answer.is_last or not body.finish(DISCARD_SECONDS)
        return answer

    def _part(self, last_word: bytes = b"") -> None:
        """Say a last word, and wait for a client that is still sending.

        Bytes that nobody reads would make the kernel reset the connection, and take the last word away with it.
        """
        with contextlib.suppress(OSError):
            self._socket.settimeout(FAREWELL_SECONDS)
            self._socket.sendall(last_word)
            self._socket.shutdown(socket.SHUT_WR)
            until = time.monotonic() + FAREWELL_SECONDS
            while time.monotonic() < until and self._socket.recv(64 * 1024):
                pass


class Answer:
    """The answer to a request."""

    def __init__(self, request: Request, connected: socket.socket) -> None:
        self.is_last, self.is_begun, self.is_tunnel = request.is_last, False, False
        self._request, self._socket = request, connected

    def start(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> None:
        """WSGI's `start_response`; nothing is sent yet."""
        del exc_info
        self.is_tunnel = self._request.method == "CONNECT" and status.startswith("2")
        self._status, self._headers = status, headers

    def send(self, body: Iterable[bytes]) -> None:
        """Send head and body."""
        named = {name.lower(): value for name, value in self._headers}
        headers = [(name, value) for name, value in self._headers if name.lower() != "connection"]
        has_body = not (self.is_tunnel or self._request.method == "HEAD" or self._status.startswith(("204", "304")))
        is_measured = "content-length" in named or not has_body
        is_chunked = not is_measured and self._request.version == "1.1"
        self.is_last |= named.get("connection", "").lower() == "close" or not (is_measured or is_chunked)
        if is_chunked:
            headers.append(("Transfer-Encoding", "chunked"))
        if self.is_last:
            headers.append(("Connection", "close"))
        unsent, sent = _head(self._status, headers), 0
        for piece in filter(None, body) if has_body else ():
            self.is_begun = True
            self._socket.sendall(unsent + (b"%x\r\n%b\r\n" % (len(piece), piece) if is_chunked else piece))
            unsent = b""
            sent += len(piece)
        unsent += b"0\r\n\r\n" if is_chunked else b""
        if unsent:
            self._socket.sendall(unsent)
        # The next answer could not be told from a body of another length.
        self.is_last |= has_body and is_measured and sent != int(named["content-length"])


def note(message: str, *values: object) -> None:
    """Log the exception that is being handled. A log that cannot be written ends nothing."""
    with contextlib.suppress(Exception):
        log.exception(message, *values)


def _last_word(status: HTTPStatus) -> bytes:
    text = f"{status.phrase}\n"
    headers = [("Content-Type", "text/plain"), ("Content-Length", str(len(text))), ("Connection", "close")]
    return _head(f"{status} {status.phrase}", headers) + text.encode()


def _head(status: str, headers: list[tuple[str, str]]) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Date: {formatdate(usegmt=True)}", *(f"{name}: {text}" for name, text in headers)]
    head = "\r\n".join([*lines, "", ""]).encode("latin-1")
    if head.count(b"\n") != len(lines) + 1:
        raise ValueError(f"a header of more than one line: {lines}")
    return head
