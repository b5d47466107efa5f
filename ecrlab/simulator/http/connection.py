"""One connection: HTTP/1.1 (RFC 9112) outside, WSGI (PEP 3333) inside."""

import contextlib
import logging
import math
import re
import socket
import sys
import threading
import time
from email.utils import formatdate
from http import HTTPStatus
from io import BufferedReader
from types import SimpleNamespace
from typing import Any
from urllib.parse import unquote_to_bytes

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser

BUFFER = 256 * 1024  # bytes received at once
PIECE, PIECES = 1024 * 1024, 256  # bytes of a body read at once, and the number of reads to skip an unread body
HEAD_BYTES, HEAD_SECONDS = 64 * 1024, 30.0  # limits of a head: bytes, and seconds from its first byte to its last
TURN, TURN_SECONDS = threading.Lock(), 0.003  # answers in turn are faster than threads that contend for Python
FAREWELL_SECONDS = 5.0  # to wait for the client after the last response
CHUNK = re.compile(rb"([0-9a-fA-F]{1,15})[ \t]*(?:;[^\r\n]*)?\r\n")
WSGI = {"SCRIPT_NAME": "", "wsgi.version": (1, 0), "wsgi.url_scheme": "http", "wsgi.input_terminated": True}
WSGI |= {"wsgi.errors": sys.stderr, "wsgi.multithread": True, "wsgi.multiprocess": False, "wsgi.run_once": False}
log = logging.getLogger("ecrlab.server")


class Connection(threading.Thread):
    """A thread that answers the requests of a connection in order, until `is_over` is set."""

    def __init__(self, accepted: socket.socket, application: Any, silence: float, is_over: threading.Event) -> None:
        super().__init__(daemon=True)
        self.idle_since = time.monotonic()  # infinite while a request is answered
        self._socket, self._application, self._is_over, self._is_begun = accepted, application, is_over, False
        accepted.settimeout(silence)
        accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._environ = WSGI | {"SERVER_NAME": accepted.getsockname()[0], "SERVER_PORT": str(accepted.getsockname()[1])}

    def run(self) -> None:
        """Answer requests until the connection ends."""
        reader: BufferedReader = BufferedReader(self._socket.makefile("rb", 0), BUFFER)
        status = 0
        try:
            while not self._is_over.is_set() and self._exchange(reader):
                pass
        except (Refused, ConnectionError, TimeoutError) as error:
            status = error.args[0] if isinstance(error, Refused) else 0
        except BaseException:
            note("a request failed: %s", self.name)
            status = 0 if self._is_begun else 500
        self.idle_since = time.monotonic()
        with contextlib.suppress(OSError):
            self._socket.settimeout(FAREWELL_SECONDS)
            if status:
                # Also for TLS in a tunnel; then containerd and BuildKit continue in plain HTTP (moby/moby#48758).
                self._socket.sendall(f"HTTP/1.0 {status} {HTTPStatus(status).phrase}\r\n\r\n".encode())
            self._socket.shutdown(socket.SHUT_WR)
            # With unread bytes, the kernel would reset the connection and discard the last response.
            end = self.idle_since + FAREWELL_SECONDS
            while time.monotonic() < end and self._socket.recv(PIECE):
                pass
        self.hang_up()
        reader.close()
        self._socket.close()

    def hang_up(self) -> None:
        """End the connection, even while its thread waits for the client."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def _exchange(self, reader: BufferedReader) -> bool:
        """Answer one request, and tell whether another may follow."""
        with contextlib.ExitStack() as turn:
            if reader.peek(1) and TURN.acquire(timeout=TURN_SECONDS):
                turn.callback(TURN.release)
            environ = self._environ | read_head(reader)
            self.idle_since, self._is_begun = math.inf, False
            self.name = f"{environ['REQUEST_METHOD']} {environ['RAW_URI']}"
            body = environ["wsgi.input"] = Body(reader, environ, self._socket, turn)
            started: list[Any] = []
            pieces = self._application(environ.copy(), lambda *start: started.append(start))
            with contextlib.closing(pieces) if hasattr(pieces, "close") else contextlib.nullcontext():
                goes_on = self._answer(turn, environ, pieces, *started[-1])
            self.idle_since = time.monotonic()
            return goes_on and body.finish()

    def _answer(self, turn: Any, environ: Any, pieces: Any, status: str, headers: list[Any], _: Any = None) -> bool:
        method, is_old = environ["REQUEST_METHOD"], environ["SERVER_PROTOCOL"] == "HTTP/1.0"
        told = {name.lower(): value for name, value in headers}
        has_body = not status.startswith({"HEAD": "", "CONNECT": "2"}.get(method, ("204", "304")))  # HEAD: never
        length = int(told["content-length"]) if has_body and "content-length" in told else None
        is_chunked = has_body and length is None and not is_old
        wishes = told.get("connection", "") + environ.get("HTTP_CONNECTION", "")
        is_last = is_old or "close" in wishes.lower() or environ["wsgi.input"].is_held_back
        lines = [f"HTTP/1.1 {status}", f"Date: {formatdate(usegmt=True)}"] + [f"{name}: {it}" for name, it in headers]
        lines += ["Transfer-Encoding: chunked"] * is_chunked
        lines += ["Connection: close"] * (is_last and "connection" not in told)
        if length is None or length > HEAD_BYTES:
            turn.close()
        if any("\r" in line or "\n" in line for line in lines):
            raise ValueError(f"a header of more than one line: {lines}")
        unsent, sent = "\r\n".join([*lines, "", ""]).encode("latin-1"), 0
        for piece in filter(None, pieces) if has_body else ():
            self._is_begun = True
            self._socket.sendall(unsent + (b"%x\r\n%b\r\n" % (len(piece), piece) if is_chunked else piece))
            unsent, sent = b"", sent + len(piece)
        self._socket.sendall(unsent + b"0\r\n\r\n" * is_chunked)
        # A body of another length would run into the next response.
        return not is_last and length in (None, sent)


class Body:
    """The body of a request, as `wsgi.input`."""

    def __init__(self, reader: BufferedReader, environ: dict[str, Any], connected: socket.socket, turn: Any) -> None:
        self._reader, self._socket, self._is_lost = reader, connected, False
        self._is_chunked = "HTTP_TRANSFER_ENCODING" in environ
        self._left = 0 if self._is_chunked else int(environ.get("CONTENT_LENGTH", 0))  # of it, or of a chunk
        waits = environ["SERVER_PROTOCOL"] == "HTTP/1.1" and environ.get("HTTP_EXPECT", "").lower() == "100-continue"
        self.is_held_back = waits and (self._is_chunked or self._left > 0)
        if environ["REQUEST_METHOD"] in ("PUT", "DELETE") or self._is_chunked or self._left > HEAD_BYTES:
            turn.close()  # it may wait for the disk or the client

    def read(self, size: int = -1) -> bytes:
        """Return `size` bytes (default: all), fewer only at the end. Raises `OSError` for an incomplete body."""
        pieces, wanted = [], size if size >= 0 else sys.maxsize
        while wanted and (piece := self._next(min(wanted, PIECE))):
            pieces.append(piece)
            wanted -= len(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def finish(self) -> bool:
        """Skip the rest unless it is too large, and tell whether the end was reached."""
        return not self._is_lost and not all(self.read(PIECE) for _ in range(PIECES))

    def _next(self, most: int) -> bytes:
        if self._is_lost:
            raise ConnectionError("the body was cut short")
        self._is_lost = True  # unless all goes well
        if self.is_held_back:
            self._socket.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
            self.is_held_back = False
        if self._is_chunked and not self._left:
            if not (found := CHUNK.fullmatch(self._reader.readline(HEAD_BYTES))):
                raise Refused(400)
            self._left = int(found[1], 16)
            self._is_chunked = self._left > 0
            # Headers after the last chunk are ignored.
            if not self._left and all(self._reader.readline(HEAD_BYTES) != b"\r\n" for _ in range(PIECES)):
                raise Refused(431)
        piece = self._reader.read(min(most, self._left))
        if self._left and not piece:
            raise ConnectionError("the client hung up")
        self._left -= len(piece)
        if self._is_chunked and not self._left and self._reader.read(2) != b"\r\n":
            raise Refused(400)
        self._is_lost = False
        return piece


class Refused(OSError):
    """The connection ends with this status number."""


def read_head(reader: BufferedReader) -> dict[str, Any]:
    """Return the next request for WSGI, without its body. Raises `Refused`, and `OSError` if the client hangs up."""
    urls, ends, environ = list[bytes](), list[bool](), dict[str, Any]()

    def on_header(name: bytes, value: bytes) -> None:
        variable, text = name.decode().upper().replace("-", "_"), value.decode("latin-1").strip(" \t")
        variable = variable if variable in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{variable}"
        if b"_" not in name:  # WSGI cannot tell "a_b" from "a-b"
            environ[variable] = f"{environ[variable]},{text}" if variable in environ else text

    finder = SimpleNamespace(on_url=urls.append, on_header=on_header, on_headers_complete=lambda: ends.append(True))
    parser, size, deadline = HttpRequestParser(finder), 0, 0.0
    while not ends:
        if not (waiting := reader.peek()):
            raise ConnectionError("the client hung up")
        # Line by line, because the parser does not stop at the end of a head.
        line = reader.read(waiting.find(b"\n") + 1 or len(waiting))
        try:
            parser.feed_data(line)
        except HttpParserUpgrade:
            pass  # a tunnel, or an offer of another protocol, which is ignored
        except HttpParserError as error:
            raise Refused(400) from error
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
        raise Refused(400)  # exactly one Host is required
    path, _, query = b"".join(urls).partition(b"?")
    environ |= {"REQUEST_METHOD": parser.get_method().decode(), "RAW_URI": b"".join(urls).decode("latin-1")}
    environ |= {"PATH_INFO": unquote_to_bytes(path).decode("latin-1"), "QUERY_STRING": query.decode("latin-1")}
    return environ | {"SERVER_PROTOCOL": f"HTTP/{parser.get_http_version()}"}


def note(message: str, *values: object) -> None:
    """Log the exception that is being handled. Ignore a log that cannot be written."""
    with contextlib.suppress(Exception):
        log.exception(message, *values)
