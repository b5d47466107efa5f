"""Many connections, clients that are silent or slow, and a server that comes to its limits."""

import contextlib
import logging
import os
import socket
import subprocess
import sys
import threading
import time
from urllib.parse import urlsplit

import pytest

from ecrlab.errors import EcrLabError
from ecrlab.simulator.http import connection, listener
from ecrlab.simulator.http.listener import Listener, PortTaken

from .conftest import CHUNKED, GET, PUT, Port, echo, one_answer, rest_of

ANSWER = b"GET /? [HTTP_HOST=h] "


def ask(port):
    with port.connected() as client:
        client.sendall(GET)
        return one_answer(client)


def test_requests_are_answered_beside_each_other(serve):
    together = threading.Barrier(8, timeout=10)

    def application(environ, start_response):
        together.wait()
        return echo(environ, start_response)

    port = serve(application)
    heard = []
    threads = [threading.Thread(target=lambda: heard.append(ask(port))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert heard == [ANSWER] * 8


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"GET / HTT",
        PUT + b"Content-Length: 100\r\n\r\nso",
        CHUNKED,
    ],
    ids=["nothing", "half a head", "half a body", "no chunk"],
)
def test_clients_that_fall_silent_keep_nobody_out(serve, said):
    port = serve()
    silent = [socket.create_connection(port.address) for _ in range(50)]
    for client in silent:
        client.sendall(said)
    assert ask(port) == ANSWER
    for client in silent:
        client.close()


@pytest.mark.parametrize("in_pieces", [False, True])
def test_a_client_that_does_not_take_its_answer_keeps_nobody_out(serve, in_pieces):
    def application(environ, start_response):
        if environ["PATH_INFO"] != "/large":
            return echo(environ, start_response)
        start_response("200 OK", [("Content-Length", str(50_000_000))])
        return iter([b"x" * 50_000_000]) if in_pieces else [b"x" * 50_000_000]

    port = serve(application)
    with port.connected() as client:
        client.sendall(b"GET /large HTTP/1.1\r\nHost: h\r\n\r\n")
        client.recv(1)
        assert ask(port) == ANSWER
        assert len(rest_of_length(client, 50_000_000)) >= 50_000_000


def rest_of_length(client, length):
    heard = bytearray()
    while len(heard) < length:
        heard += client.recv(1_000_000)
    return heard


@pytest.mark.parametrize("said", [b"", b"GET / HTT", GET], ids=["nothing", "half a head", "a request"])
def test_a_client_that_is_silent_too_long_is_disconnected(serve, said):
    port = serve(silence=0.2)
    with port.connected() as client:
        client.sendall(said)
        heard = rest_of(client)
    assert heard.count(b"HTTP/1.1 200") == said.count(GET)


LIMITED = """
import resource, runpy, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (int(sys.argv[1]),) * 2)
sys.argv = ["ecrlab", "serve", "--port", "0", "--state", sys.argv[2]]
runpy.run_module("ecrlab", run_name="__main__")
"""


@pytest.mark.parametrize(("descriptors", "connections"), [(64, 100), (256, 292)])
def test_a_server_that_had_no_descriptor_left_answers_again(tmp_path, descriptors, connections):
    command = [sys.executable, "-c", LIMITED, str(descriptors), str(tmp_path / "state")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            address = urlsplit(process.stdout.readline().strip())
            ask_for = b"GET /v2/ HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
            for said in (b"", ask_for, ask_for[:20]):
                clients = [socket.create_connection((address.hostname, address.port), 30) for _ in range(connections)]
                for client in clients:
                    with contextlib.suppress(OSError):
                        client.sendall(said)
                # While they are open, and when they are closed.
                for _ in range(2):
                    with socket.create_connection((address.hostname, address.port), 30) as client:
                        client.sendall(ask_for)
                        assert client.recv(12) == b"HTTP/1.1 401"
                    for client in clients:
                        client.close()
        finally:
            process.terminate()


def test_a_port_from_which_nothing_can_be_accepted_for_a_while_is_asked_again(serve, monkeypatch):
    refused = []
    accept = socket.socket.accept

    def without_descriptors(self):
        if len(refused) < 3:
            refused.append(self)
            raise OSError(24, "Too many open files")
        return accept(self)

    monkeypatch.setattr(socket.socket, "accept", without_descriptors)
    assert ask(serve()) == ANSWER
    assert len(refused) == 3


def test_a_thread_that_cannot_start_costs_one_connection(serve, monkeypatch):
    port = serve()
    start = threading.Thread.start
    monkeypatch.setattr(threading.Thread, "start", fail)
    assert port.say(GET) == b""
    monkeypatch.setattr(threading.Thread, "start", start)
    assert ask(port) == ANSWER


def fail(*args, **kwargs):
    raise RuntimeError("can't start new thread")


@pytest.mark.parametrize("error", [RuntimeError, OSError, SystemExit])
def test_whatever_goes_wrong_with_a_connection_others_are_served(serve, monkeypatch, error):
    class Broken(connection.Connection):
        def __init__(self, *args):
            raise error

    port = serve()
    monkeypatch.setattr(listener, "Connection", Broken)
    assert port.say(GET) == b""
    monkeypatch.setattr(listener, "Connection", connection.Connection)
    assert ask(port) == ANSWER


@pytest.mark.parametrize("error", [RuntimeError, MemoryError, SystemExit, ConnectionError])
def test_whatever_an_application_raises_others_are_served(serve, error):
    def application(environ, start_response):
        if environ["PATH_INFO"] == "/bad":
            raise error
        return echo(environ, start_response)

    port = serve(application)
    assert b" 200 " not in port.say(b"GET /bad HTTP/1.1\r\nHost: h\r\n\r\n")
    assert ask(port) == ANSWER


def test_a_log_that_cannot_be_written_ends_no_thread_and_no_answer(serve, monkeypatch):
    class Full(logging.Handler):
        def emit(self, record):
            raise OSError(28, "No space left on device")

    full = Full()
    connection.log.addHandler(full)
    try:
        test_whatever_an_application_raises_others_are_served(serve, RuntimeError)
        test_whatever_goes_wrong_with_a_connection_others_are_served(serve, monkeypatch, OSError)
    finally:
        connection.log.removeHandler(full)


def test_with_too_many_connections_the_one_that_waited_longest_is_closed(serve, monkeypatch):
    monkeypatch.setattr(listener, "MOST_CONNECTIONS", 3)
    port = serve()
    clients = [socket.create_connection(port.address, timeout=10) for _ in range(3)]
    for client in clients:
        client.sendall(GET)
        one_answer(client)
    clients[0].sendall(GET)
    one_answer(clients[0])
    assert ask(port) == ANSWER
    assert clients[1].recv(1) == b""
    for client in clients:
        client.close()


def test_connections_that_come_go_and_are_closed_leave_nothing(serve, monkeypatch):
    monkeypatch.setattr(listener, "MOST_CONNECTIONS", 2)
    listening = Listener(echo, silence=0.004)
    port = Port(listening)

    def come_and_go():
        for _ in range(20):
            with contextlib.suppress(OSError), port.connected() as client:
                client.sendall(GET * 2)
                client.recv(1)

    clients = [threading.Thread(target=come_and_go) for _ in range(8)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    with port.connected() as client:
        client.sendall(GET)
        client.recv(1)
        assert len(listening._connections) <= 2
    listening.stop()


def test_stopping_ends_connections_that_wait(serve):
    listening = Listener(echo)
    with Port(listening).connected() as client:
        client.sendall(GET)
        one_answer(client)
        listening.stop()
        assert client.recv(1) == b""
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(Port(listening).address)
    assert not any(thread.is_alive() for thread in (listening._thread, *listening._connections))


def test_what_is_under_way_is_answered_before_the_port_is_closed(serve):
    begun, go_on = threading.Event(), threading.Event()

    def application(environ, start_response):
        begun.set()
        assert go_on.wait(10)
        return echo(environ, start_response)

    listening = Listener(application)
    with Port(listening).connected() as client:
        client.sendall(GET)
        assert begun.wait(10)
        stopping = threading.Thread(target=listening.stop)
        stopping.start()
        go_on.set()
        assert one_answer(client) == ANSWER
        stopping.join()


def test_a_forked_child_keeps_neither_port_nor_connections_open(serve):
    listening = Listener(echo)
    with Port(listening).connected() as client:
        client.sendall(GET)
        one_answer(client)
        # A child has descriptors of its own for the same.
        held = [os.dup(n) for n in (listening._port.fileno(), *(c._socket.fileno() for c in listening._connections))]
        listening.stop()
        assert client.recv(1) == b""
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(Port(listening).address)
    for descriptor in held:
        os.close(descriptor)


def test_stopping_does_not_wait_for_a_client_that_is_silent(serve, monkeypatch):
    monkeypatch.setattr(listener, "GRACE_SECONDS", 0.1)
    listening = Listener(echo)
    with Port(listening).connected() as client:
        client.sendall(PUT + b"Content-Length: 100\r\n\r\nhalf")
        time.sleep(0.05)
        start = time.monotonic()
        listening.stop()
        assert time.monotonic() - start < 30
    assert not any(thread.is_alive() for thread in (listening._thread, *listening._connections))


def test_a_port_that_is_taken_is_said(serve):
    port = serve().address[1]
    with pytest.raises(PortTaken, match=f"^port {port} of 127.0.0.1 is taken; choose another, or none for a free one$"):
        Listener(echo, port=port)


def test_a_port_that_cannot_be_is_refused():
    with pytest.raises(EcrLabError, match="a port is a number from 1 to 65535"):
        Listener(echo, port=70_000)


def test_only_this_machine_is_listened_to(serve):
    assert serve().address[0] == "127.0.0.1"
