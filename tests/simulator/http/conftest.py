"""Small applications behind a listener, and clients that say exactly what they are told to say."""

import contextlib
import socket
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from ecrlab.simulator.http import Listener


def echo(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    """Tells of a request what was understood of it."""
    body = environ["wsgi.input"].read()
    headers = ", ".join(f"{name}={value}" for name, value in sorted(environ.items()) if name.startswith("HTTP_"))
    said = f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}?{environ['QUERY_STRING']} [{headers}] "
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [said.encode("latin-1"), body]


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


def connected() -> tuple[socket.socket, socket.socket]:
    """The server's end of a connection, and the client's."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        there = socket.create_connection(server.getsockname())
        return server.accept()[0], there


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
    """Put an application on a port; by default every request is quick to answer."""
    listeners = []

    def listen(application: Any = echo, *, quick: bool = True, silence: float = 60.0) -> Port:
        listeners.append(Listener(application, is_quick=lambda environ: quick, silence=silence))
        return Port(listeners[-1])

    yield listen
    for listener in listeners:
        listener.stop()


@pytest.fixture(params=["led", "aside"])
def port(request: pytest.FixtureRequest, serve: Callable[..., Port]) -> Port:
    """`echo`, answered by the thread that leads, and by one that stepped aside."""
    return serve(quick=request.param == "led")
