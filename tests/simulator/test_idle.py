import socket
from collections.abc import Iterator

import pytest

from ecrlab.simulator.idle import IdleWatch

pytestmark = pytest.mark.skipif(not hasattr(socket, "TCP_INFO"), reason="only Linux tells when data last moved")


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening


def connected(listening: socket.socket) -> tuple[socket.socket, socket.socket]:
    client = socket.create_connection(listening.getsockname(), timeout=10)
    server, _ = listening.accept()
    server.settimeout(10)
    return client, server


def test_a_silent_connection_is_ended_for_both_sides(listening: socket.socket) -> None:
    client, server = connected(listening)
    with client, server:
        IdleWatch(listening.getsockname(), seconds=0).look()
        assert client.recv(1) == b""
        assert server.recv(1) == b""


def test_a_connection_on_which_bytes_moved_lately_goes_on(listening: socket.socket) -> None:
    client, server = connected(listening)
    with client, server:
        client.sendall(b"bytes")
        IdleWatch(listening.getsockname(), seconds=60).look()
        assert server.recv(5) == b"bytes"
        server.sendall(b"answer")
        assert client.recv(6) == b"answer"


def test_new_connections_are_still_taken(listening: socket.socket) -> None:
    IdleWatch(listening.getsockname(), seconds=0).look()
    client, server = connected(listening)
    with client, server:
        client.sendall(b"x")
        assert server.recv(1) == b"x"


def test_the_connections_of_other_ports_are_left_alone(listening: socket.socket) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        client, server = connected(other)
        with client, server:
            IdleWatch(listening.getsockname(), seconds=0).look()
            client.sendall(b"x")
            assert server.recv(1) == b"x"
