"""The gate, on the server that carries the lab: what a proxy's client sends, and what it must never get."""

import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from werkzeug.test import Client

from ecrlab.simulator.http.listener import Listener
from ecrlab.simulator.proxy import ProxyGate, is_ours


def echo(environ, start_response):
    body = f"{environ.get('HTTP_HOST')} {environ['PATH_INFO']}?{environ['QUERY_STRING']}".encode()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]


@pytest.fixture
def address() -> Iterator[tuple[str, int]]:
    listener = Listener(ProxyGate(echo))
    at = urlsplit(listener.endpoint)
    yield at.hostname, at.port
    listener.stop()


def say(address: tuple[str, int], text: str) -> tuple[int, str]:
    with socket.create_connection(address, timeout=10) as connection:
        connection.sendall(text.replace("\n", "\r\n").encode())
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while piece := connection.recv(65_536):
            answer += piece
    head, _, body = answer.decode().partition("\r\n\r\n")
    return int(head.split()[1]), body


REGISTRY = "123456789012.dkr.ecr.us-east-1.amazonaws.com"


def test_an_absolute_target_is_served(address):
    status, body = say(address, f"GET http://{REGISTRY}/v2/a%2Fb?n=1 HTTP/1.1\nHost: {REGISTRY}\n\n")
    assert (status, body) == (200, f"{REGISTRY} /v2/a/b?n=1")


def test_a_target_without_a_path(address):
    assert say(address, f"GET http://{REGISTRY} HTTP/1.1\nHost: {REGISTRY}\n\n") == (200, f"{REGISTRY} /?")


def test_a_foreign_host_is_refused_at_once(address):
    status, body = say(address, "GET http://registry-1.docker.io/v2/ HTTP/1.1\nHost: registry-1.docker.io\n\n")
    assert status == 403
    assert "forwards nothing to 'registry-1.docker.io'" in body


def test_a_foreign_target_behind_a_good_host_is_refused(address):
    assert say(address, "GET http://example.com/v2/ HTTP/1.1\nHost: 127.0.0.1\n\n")[0] == 403


@pytest.mark.parametrize(
    "name",
    [
        "",
        "localhost",
        "127.0.0.1",
        "[::1]",
        "x.localhost",
        "public.ecr.aws",
        "ecr-public.aws.com",
        "123456789012.dkr-ecr.eu-west-1.on.aws",
    ],
)
def test_ours(name):
    assert is_ours(name)


@pytest.mark.parametrize(
    "name",
    [
        "example.com",
        "localhost.evil.com",
        f"{REGISTRY}.evil.com",
        "127.0.0.1.nip.io",
        "api.ecr.us-east-1.amazonaws.com",
    ],
)
def test_not_ours(name):
    assert not is_ours(name)


def test_the_names_can_be_chosen():
    gate = ProxyGate(echo, lambda name: name == "example.com")
    assert Client(gate).get("/", base_url="http://example.com").status_code == 200
    assert Client(gate).get("/", base_url="http://localhost").status_code == 403
