"""Small applications behind a listener, and clients that say exactly what they are told to say."""

import contextlib
import socket
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from ecrlab.simulator.http.listener import Listener

GET = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"
PUT = b"PUT / HTTP/1.1\r\nHost: h\r\n"
CHUNKED = PUT + b"Transfer-Encoding: chunked\r\n\r\n"


def echo(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    """Tells of a request what was understood of it."""
    body = environ["wsgi.input"].read()
    headers = ", ".join(f"{name}={value}" for name, value in sorted(environ.items()) if name.startswith("HTTP_"))
    said = f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}?{environ['QUERY_STRING']} [{headers}] "
    answer = [said.encode("latin-1"), body]
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(sum(map(len, answer))))])
    return answer


def refuse(environ, start_response):
    start_response("403 Forbidden", [("Content-Length", "2")])
    return [b"no"]


class Port:
    """A listener, as a client sees it."""

    def __init__(self, listener: Listener) -> None:
        address = urlsplit(listener.endpoint)
        self.address = (address.hostname, address.port)

    @contextlib.contextmanager
    def connected(self) -> Iterator[socket.socket]:
        with socket.create_connection(self.address, timeout=10) as connection:
            yield connection

    def say(self, *parts: bytes) -> bytes:
        """Send these parts, say no more, and hear all that comes until the server hangs up."""
        with self.connected() as connection:
            for part in parts:
                connection.sendall(part)
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_WR)
            return rest_of(connection)


def rest_of(connection: socket.socket) -> bytes:
    heard = b""
    with contextlib.suppress(ConnectionResetError):
        while piece := connection.recv(65_536):
            heard += piece
    return heard


def one_answer(connection: socket.socket) -> bytes:
    """The body of the next answer, of which the length is told."""
    heard = b""
    while b"\r\n\r\n" not in heard:
        heard += connection.recv(1)
    head = heard.lower()
    length = int(head.partition(b"content-length: ")[2].split(b"\r", 1)[0])
    body = b""
    while len(body) < length:
        body += connection.recv(length - len(body))
    return body


@pytest.fixture
def serve() -> Iterator[Callable[..., Port]]:
    """Put an application on a port."""
    listeners = []

    def listen(application: Any = echo, *, silence: float = 60.0) -> Port:
        listeners.append(Listener(application, silence=silence))
        return Port(listeners[-1])

    yield listen
    for listener in listeners:
        listener.stop()


@pytest.fixture
def port(serve: Callable[..., Port]) -> Port:
    """`echo` on a port."""
    return serve()
