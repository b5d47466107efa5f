"""One connection: HTTP/1.1 outside, WSGI (PEP 3333) inside."""

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

from ecrlab.simulator.http.request import PIECE, PIECES, Body, Refused, read_head

BUFFER = 256 * 1024  # bytes that are received at once
FAREWELL_SECONDS = 2.0  # for which a client that has heard the last may be silent
# To TLS in a tunnel: after an answer that begins with `HTTP/` containerd and BuildKit go on in plain HTTP
# (moby/moby#48758, moby/buildkit#4975).
PLAIN_HTTP = b"HTTP/1.0 400 Bad Request\r\n\r\n"
WSGI = {"SCRIPT_NAME": "", "wsgi.version": (1, 0), "wsgi.url_scheme": "http", "wsgi.input_terminated": True}
WSGI |= {"wsgi.errors": sys.stderr, "wsgi.multithread": True, "wsgi.multiprocess": False, "wsgi.run_once": False}

log = logging.getLogger("ecrlab.server")


class Connection(threading.Thread):
    """A thread that answers the requests on a connection, one after the other, until `is_over` is set."""

    def __init__(self, accepted: socket.socket, application: Any, silence: float, is_over: threading.Event) -> None:
        super().__init__(daemon=True)
        self.idle_since = time.monotonic()  # infinite while a request is answered
        self._socket, self._application, self._is_over = accepted, application, is_over
        self._asked, self._is_begun, self._is_tunnel = "", False, False
        accepted.settimeout(silence)
        accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        host, port = accepted.getsockname()
        self._environ = WSGI | {"SERVER_NAME": host, "SERVER_PORT": str(port)}

    def run(self) -> None:
        """Answer requests until the connection ends."""
        reader: BufferedReader = BufferedReader(self._socket.makefile("rb", 0), BUFFER)
        last_word = 0
        try:
            while not self._is_over.is_set() and self._exchange(reader):
                pass
        except Refused as bad:
            last_word = bad.args[0]
        except (ConnectionError, TimeoutError):
            pass
        except BaseException:
            note("a request failed: %s", self._asked)
            last_word = 0 if self._is_begun else 500
        finally:
            self._part(last_word)
            reader.close()

    def hang_up(self) -> None:
        """End the connection, also when its thread waits for the client."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def _exchange(self, reader: BufferedReader) -> bool:
        """Answer one request, and say whether another may follow."""
        environ = self._environ | read_head(reader)
        self.idle_since, self._is_begun = math.inf, False
        self._asked = f"{environ['REQUEST_METHOD']} {environ['RAW_URI']}"
        environ["wsgi.input"] = body = Body(reader, environ, self._socket.sendall)
        started: list[Any] = []
        pieces = self._application(environ.copy(), lambda *start: started.append(start))
        with contextlib.closing(pieces) if hasattr(pieces, "close") else contextlib.nullcontext():
            goes_on = self._answer(environ, started[-1], pieces)
        self.idle_since = time.monotonic()
        return goes_on and body.finish()

    def _answer(self, environ: dict[str, Any], start: Any, pieces: Iterable[bytes]) -> bool:
        """Send an answer, and say whether another may follow it."""
        status, headers = start[:2]
        method, is_old = environ["REQUEST_METHOD"], environ["SERVER_PROTOCOL"] == "HTTP/1.0"
        told = {name.lower(): value for name, value in headers}
        is_tunnel = method == "CONNECT" and status.startswith("2")
        has_body = not (is_tunnel or method == "HEAD" or status.startswith(("204", "304")))
        length = int(told["content-length"]) if has_body and "content-length" in told else None
        is_chunked = has_body and length is None and not is_old
        wishes = told.get("connection", "") + environ.get("HTTP_CONNECTION", "")
        is_last = is_old or "close" in wishes.lower() or environ["wsgi.input"].is_held_back
        headers = [header for header in headers if header[0].lower() != "connection"]
        headers += [("Transfer-Encoding", "chunked")] * is_chunked + [("Connection", "close")] * is_last
        unsent, sent = _head(status, headers), 0
        for piece in filter(None, pieces) if has_body else ():
            self._is_begun = True
            self._socket.sendall(unsent + (b"%x\r\n%b\r\n" % (len(piece), piece) if is_chunked else piece))
            unsent, sent = b"", sent + len(piece)
        if rest := unsent + b"0\r\n\r\n" * is_chunked:
            self._socket.sendall(rest)
        self._is_tunnel |= is_tunnel
        # The next answer could not be told from a body of another length.
        return not is_last and length in (None, sent)

    def _part(self, status: int) -> None:
        """Say a last word, if there is a status, and receive what still comes: else the kernel would take it back."""
        self.idle_since = time.monotonic()
        with contextlib.suppress(OSError):
            self._socket.settimeout(FAREWELL_SECONDS)
            if status:
                head = _head(
                    f"{status} {HTTPStatus(status).phrase}", [("Content-Length", "0"), ("Connection", "close")]
                )
                self._socket.sendall(PLAIN_HTTP if self._is_tunnel else head)
            self._socket.shutdown(socket.SHUT_WR)
            all(self._socket.recv(PIECE) for _ in range(PIECES))
        self.hang_up()
        self._socket.close()


def note(message: str, *values: object) -> None:
    """Log the exception that is being handled. A log that cannot be written ends nothing."""
    with contextlib.suppress(Exception):
        log.exception(message, *values)


def _head(status: str, headers: list[tuple[str, str]]) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Date: {formatdate(usegmt=True)}", *(f"{name}: {text}" for name, text in headers)]
    if any("\r" in line or "\n" in line for line in lines):
        raise ValueError(f"a header of more than one line: {lines}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1")
