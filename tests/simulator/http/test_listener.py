"""Who is attended to while somebody else takes his time."""

import contextlib
import os
import socket
import subprocess
import sys
import threading
import time
from urllib.parse import urlsplit

import pytest

from ecrlab.errors import EcrLabError
from ecrlab.simulator.http import Listener, PortTaken, connection, listener
from ecrlab.simulator.http.connection import HEAD_SECONDS, Connection

from .conftest import Port, connected, echo, one_answer, rest_of

GET = b"GET / HTTP/1.1\r\n\r\n"


def ask(port):
    with port.connected() as client:
        client.sendall(GET)
        return one_answer(client)


def test_requests_that_are_not_quick_are_answered_beside_each_other(serve):
    together = threading.Barrier(8, timeout=10)

    def application(environ, start_response):
        together.wait()
        return echo(environ, start_response)

    port = serve(application, quick=False)
    heard = []
    threads = [threading.Thread(target=lambda: heard.append(ask(port))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert heard == [b"GET /? [] "] * 8


def test_a_connection_serves_many_requests_of_both_kinds(serve):
    quick = iter([True, False] * 50)
    listening = Listener(echo, is_quick=lambda environ: next(quick))
    with Port(listening).connected() as client:
        for _ in range(100):
            client.sendall(GET)
            assert one_answer(client) == b"GET /? [] "
    listening.stop()


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"GET / HTT",
        b"PUT / HTTP/1.1\r\nContent-Length: 100\r\n\r\nso",
        b"PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
    ],
    ids=["nothing", "half a head", "half a body", "no chunk"],
)
def test_clients_that_fall_silent_keep_nobody_out(serve, said):
    port = serve()
    silent = [socket.create_connection(port.address) for _ in range(200)]
    for client in silent:
        client.sendall(said)
    assert ask(port) == b"GET /? [] "
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
        client.sendall(b"GET /large HTTP/1.1\r\n\r\n")
        client.recv(1)
        assert ask(port) == b"GET /? [] "
        assert len(rest_of_length(client, 50_000_000)) >= 50_000_000


def rest_of_length(client, length):
    heard = bytearray()
    while len(heard) < length:
        heard += client.recv(1_000_000)
    return heard


@pytest.mark.parametrize("said", [b"", b"GET / HTT", GET], ids=["nothing", "half a head", "a request"])
def test_who_is_silent_too_long_is_let_go(serve, monkeypatch, said):
    monkeypatch.setattr(connection, "HEAD_SECONDS", 0.1)
    port = serve(silence=0.2)
    with port.connected() as client:
        client.sendall(said)
        heard = rest_of(client)
    assert heard.count(b"HTTP/1.1 200") == said.count(GET)


def test_who_has_asked_is_not_let_go_because_the_leader_was_busy(serve):
    def application(environ, start_response):
        if environ["PATH_INFO"] == "/slow":
            time.sleep(0.5)
        return echo(environ, start_response)

    port = serve(application, silence=0.3)
    with port.connected() as first, port.connected() as second:
        second.sendall(GET)
        one_answer(second)
        first.sendall(b"GET /slow HTTP/1.1\r\n\r\n")
        time.sleep(0.1)
        second.sendall(GET)
        assert one_answer(second) == b"GET /? [] "


def test_with_too_few_descriptors_there_is_still_a_server():
    few = "import resource as r; r.setrlimit(r.RLIMIT_NOFILE, (40, 40))"
    code = "import time; from ecrlab.simulator.http import Listener; from tests.simulator.http.conftest import echo"
    serve = "print(Listener(echo).endpoint, flush=True); time.sleep(60)"
    with subprocess.Popen(
        [sys.executable, "-c", "; ".join([few, code, serve])],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        address = urlsplit(process.stdout.readline().strip())
        for _ in range(3):
            clients = [socket.create_connection((address.hostname, address.port), timeout=10) for _ in range(80)]
            for client in clients:
                with contextlib.suppress(OSError):
                    client.sendall(GET)
            for client in clients:
                client.close()
        with socket.create_connection((address.hostname, address.port), timeout=10) as client:
            client.sendall(GET)
            assert one_answer(client) == b"GET /? [] "
        process.terminate()


def test_who_asks_again_has_all_the_time_again():
    here, there = connected()
    with here, there:
        waits = Connection(here, echo, step_aside=lambda _: None, is_quick=lambda _: True, silence=60.0)
        waits.waits_since -= 50
        for said, seconds in [(GET, 60), (b"GET / HTT", HEAD_SECONDS)]:
            there.sendall(said)
            assert waits.attend()
            now = time.monotonic()
            assert not waits.is_overdue(now + seconds - 1)
            assert waits.is_overdue(now + seconds + 1)
            waits.waits_since -= 50


def test_with_too_many_connections_the_one_that_waited_longest_is_let_go(serve, monkeypatch):
    monkeypatch.setattr(listener, "MOST_CONNECTIONS", 3)
    port = serve()
    clients = [socket.create_connection(port.address, timeout=10) for _ in range(3)]
    for client in clients:
        client.sendall(GET)
        one_answer(client)
    clients[0].sendall(GET)
    one_answer(clients[0])
    assert ask(port) == b"GET /? [] "
    assert clients[1].recv(1) == b""
    for client in clients:
        client.close()


@pytest.mark.parametrize("quick", [True, False])
def test_threads_outlive_connections_that_come_and_go_and_are_let_go(serve, monkeypatch, quick):
    monkeypatch.setattr(listener, "MOST_CONNECTIONS", 2)
    listening = Listener(echo, is_quick=lambda environ: quick, silence=0.004)
    port = Port(listening)

    def come_and_go():
        for _ in range(100):
            with contextlib.suppress(OSError), port.connected() as client:
                client.sendall(GET * 2)
                client.recv(1)

    clients = [threading.Thread(target=come_and_go) for _ in range(8)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    assert all(thread.is_alive() for thread in listening._threads)
    assert ask(port) == b"GET /? [] "
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
    assert not any(thread.is_alive() for thread in listening._threads)


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
        assert one_answer(client) == b"GET /? [] "
        stopping.join()


def test_stopping_while_the_leader_is_busy_leaves_no_thread_behind(serve, monkeypatch):
    monkeypatch.setattr(listener, "GRACE_SECONDS", 0.05)
    begun, go_on = threading.Event(), threading.Event()

    def application(environ, start_response):
        begun.set()
        assert go_on.wait(10)
        start_response("200 OK", [])
        return iter([b"for this it steps aside"])

    listening = Listener(application, is_quick=lambda environ: True)
    with Port(listening).connected() as client:
        client.sendall(GET)
        assert begun.wait(10)
        listening.stop()
        go_on.set()
        listening._join(10)
    assert not any(thread.is_alive() for thread in listening._threads)


def test_a_forked_child_keeps_neither_port_nor_connections_open(serve):
    listening = Listener(echo)
    with Port(listening).connected() as client:
        client.sendall(GET)
        one_answer(client)
        # A child has descriptors of its own for the same.
        held = [
            os.dup(n) for n in (listening._port.fileno(), *(c.client.socket.fileno() for c in listening._connections))
        ]
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
        client.sendall(b"PUT / HTTP/1.1\r\nContent-Length: 100\r\n\r\nhalf")
        time.sleep(0.05)
        start = time.monotonic()
        listening.stop()
        assert time.monotonic() - start < 30
    assert not any(thread.is_alive() for thread in listening._threads)


def test_a_port_that_is_taken_is_said(serve):
    port = serve().address[1]
    with pytest.raises(PortTaken, match=f"^port {port} of 127.0.0.1 is taken; choose another, or none for a free one$"):
        Listener(echo, port=port)


def test_a_port_that_cannot_be_is_refused():
    with pytest.raises(EcrLabError, match="a port is a number from 1 to 65535"):
        Listener(echo, port=70_000)


def test_only_this_machine_is_listened_to(serve):
    assert serve().address[0] == "127.0.0.1"
