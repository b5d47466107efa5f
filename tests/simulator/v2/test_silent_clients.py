"""What a client leaves behind that stops in the middle."""

import socket
from urllib.parse import urlsplit

import pytest

from ecrlab.registry import repositories
from ecrlab.simulator.http.listener import Listener
from ecrlab.simulator.server import application


@pytest.fixture
def server(world):
    server = Listener(application(world), silence=0.2)
    yield server
    server.stop()


def say(server, text: str) -> bytes:
    """Send a request or a part of one, keep the connection open, and hear what comes of it."""
    address = urlsplit(server.endpoint)
    with socket.create_connection((address.hostname, address.port), timeout=10) as connection:
        connection.sendall(text.replace("\n", "\r\n").encode())
        answer = b""
        while piece := connection.recv(65_536):
            answer += piece
        return answer


@pytest.mark.parametrize(
    "body", ["Content-Length: 100\n\nsome", "Transfer-Encoding: chunked\n\n64\nsome"], ids=["length", "chunked"]
)
def test_a_piece_that_never_ends_is_given_up_and_undone(server, world, login, body):
    repository = repositories.find(world.registry("123456789012", "us-east-1"), "team/app")
    upload = world.uploads.begin("upload", repository.id)
    token = login(who="user/learner")["Authorization"]
    path = "/v2/team/app/blobs/uploads/upload"
    answer = say(server, f"PATCH {path} HTTP/1.1\nHost: 127.0.0.1\nAuthorization: {token}\n{body}")
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b'"code": "SIZE_INVALID"' in answer
    assert (upload.blob.size, upload.is_growing) == (0, False)


def test_a_chunk_that_breaks_off_on_its_way_to_moto_is_an_error_like_any_other(server):
    head = "POST /?Action=GetCallerIdentity HTTP/1.1\nHost: 127.0.0.1\nTransfer-Encoding: chunked\n"
    assert say(
        server, f"{head}Authorization: AWS4-HMAC-SHA256 Credential=x/20260901/us-east-1/sts/aws4_request\n\n64\nab"
    )
    assert say(server, "GET / HTTP/1.1\nHost: 127.0.0.1\n\n").startswith(b"HTTP/1.1 200 ")
