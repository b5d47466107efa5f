"""Clients that break off, fall silent, or talk across each other: what was begun is as it was, and nobody
else waits.
"""

import os
import socket
import threading
import time

import pytest

from .conftest import Client, Repository, digest_of, with_digest


def request(repository: Repository, method: str, path: str, *headers: str) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", *headers]
    lines += [f"{name}: {value}" for name, value in repository.client.authorization.items()]
    return "\r\n".join([*lines, "", ""]).encode()


def send(repository: Repository, data: bytes) -> bytes:
    """Send, say no more, and hear the answer."""
    with repository.client.raw() as connection:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        while piece := connection.recv(65_536):
            answer += piece
        return answer


def eventually_stands_at(repository: Repository, location: str, expected: str) -> None:
    deadline = time.monotonic() + 5
    while (stands := repository.client.ask("GET", location).headers["Range"]) != expected:
        assert time.monotonic() < deadline, stands
        time.sleep(0.02)


@pytest.mark.parametrize("sent", [b"", b"half", b"x" * 1_500_000], ids=["nothing", "a little", "more than a piece"])
def test_a_piece_that_breaks_off_leaves_the_upload_as_it_was(repository: Repository, sent: bytes) -> None:
    location = repository.begin()
    repository.client.ask("PATCH", location, b"first")
    send(repository, request(repository, "PATCH", location, "Content-Length: 2000000") + sent)
    eventually_stands_at(repository, location, "0-4")
    answer = repository.client.ask("PUT", with_digest(location, digest_of(b"first+last")), b"+last")
    assert answer.status == 201


def test_a_last_piece_that_breaks_off_completes_nothing(repository: Repository) -> None:
    location = repository.begin()
    target = with_digest(location, digest_of(b"whole"))
    send(repository, request(repository, "PUT", target, "Content-Length: 6") + b"whole")
    eventually_stands_at(repository, location, "0-0")
    assert repository.ask("HEAD", f"blobs/{digest_of(b'whole')}").status == 404


def test_a_post_that_breaks_off_leaves_nothing(repository: Repository) -> None:
    digest = digest_of(b"whole")
    path = f"/v2/{repository.name}/blobs/uploads/?digest={digest}"
    send(repository, request(repository, "POST", path, "Content-Length: 6") + b"whole")
    assert repository.ask("HEAD", f"blobs/{digest}").status == 404


def test_a_manifest_that_breaks_off_is_none(repository: Repository) -> None:
    path = f"/v2/{repository.name}/manifests/v1"
    send(repository, request(repository, "PUT", path, "Content-Length: 100") + b'{"schemaVersion": 2')
    assert repository.ask("GET", "tags/list").json["tags"] == []


@pytest.mark.parametrize("chunks", [b"zz\r\n", b"5\r\nhel", b"5\r\nhelloXX", b"-5\r\n", b"ffffffffffffffffff\r\n"])
def test_broken_chunks_are_no_trouble(repository: Repository, chunks: bytes) -> None:
    location = repository.begin()
    answer = send(repository, request(repository, "PATCH", location, "Transfer-Encoding: chunked") + chunks)
    assert b" 5" not in answer[:12]
    assert b"Traceback" not in answer
    assert repository.client.ask("GET", location).status == 204


@pytest.mark.parametrize("length", ["-1", "1e3", "0x10", "9" * 40, "١"])
def test_a_length_that_is_none(repository: Repository, length: str) -> None:
    location = repository.begin()
    answer = send(repository, request(repository, "PATCH", location, f"Content-Length: {length}"))
    assert b" 5" not in answer[:12]
    assert b"Traceback" not in answer
    assert repository.client.ask("GET", location).headers["Range"] == "0-0"


def test_silent_clients_keep_nobody_out(client: Client, repository: Repository) -> None:
    silent = []
    try:
        for _ in range(30):
            connection = client.raw()
            silent.append(connection)
            connection.sendall(request(repository, "PATCH", repository.begin(), "Content-Length: 9999999"))
            connection.sendall(b"x" * 1000)
        assert repository.push_blob(b"business as usual")
        # Not even who deletes what they are at.
        client.aws.delete_repository(repositoryName=repository.name, force=True)
        assert client.ask("GET", "/v2/").status == 200
    finally:
        for connection in silent:
            connection.close()


def test_a_body_that_comes_drop_by_drop(repository: Repository) -> None:
    location = repository.begin()
    with repository.client.raw() as connection:
        connection.sendall(request(repository, "PATCH", location, "Content-Length: 10", "Connection: close"))
        for drop in b"0123456789":
            connection.sendall(bytes([drop]))
            time.sleep(0.01)
        assert connection.recv(100).startswith(b"HTTP/1.1 202")
    assert repository.client.ask("GET", location).headers["Range"] == "0-9"


def test_two_streams_into_one_upload_never_mix(repository: Repository) -> None:
    location = repository.begin()
    bodies = [bytes([letter]) * 3_000_000 for letter in b"ab"]
    answers = {}

    def stream(body: bytes) -> None:
        client = Client(repository.client.endpoint)
        answers[body] = client.ask("PATCH", location, body).status

    threads = [threading.Thread(target=stream, args=[body]) for body in bodies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # One of them won, or one came after the other.
    assert sorted(answers.values()) in ([202, 202], [202, 416])
    won = [body for body in bodies if answers[body] == 202]
    wholes = [b"".join(won), b"".join(reversed(won))]
    assert 201 in [repository.client.ask("PUT", with_digest(location, digest_of(whole))).status for whole in wholes]


def test_a_client_that_waits_for_leave_to_send_is_refused_before_it_does(repository: Repository) -> None:
    with repository.client.raw() as connection:
        path = f"/v2/{repository.name}/blobs/uploads/none"
        connection.sendall(request(repository, "PATCH", path, "Content-Length: 5000000000", "Expect: 100-continue"))
        answer = b""
        while piece := connection.recv(65_536):
            answer += piece
    assert b" 404 " in answer


def test_a_download_that_breaks_off(repository: Repository) -> None:
    body = os.urandom(4_000_000)
    digest = repository.push_blob(body)
    with repository.client.raw() as connection:
        connection.sendall(request(repository, "GET", f"/v2/{repository.name}/blobs/{digest}"))
        assert connection.recv(1000)
    assert repository.ask("GET", f"blobs/{digest}").body == body


AWS_CALLS = {
    "ecr": "X-Amz-Target: AmazonEC2ContainerRegistry_V20150921.DescribeRepositories",
    "sts": "Content-Type: application/x-www-form-urlencoded; charset=utf-8",
}


@pytest.mark.parametrize("service", AWS_CALLS)
def test_an_aws_call_whose_body_breaks_off_is_not_made(repository: Repository, service: str) -> None:
    scope = f"AKIAIOSFODNN7EXAMPLE/20261001/us-east-1/{service}/aws4_request"
    head = [
        "POST / HTTP/1.1",
        "Host: 127.0.0.1",
        AWS_CALLS[service],
        f"Authorization: AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=00",
        "Content-Length: 100",
    ]
    # What arrives would do for a call by itself.
    arrived = b"{}" if service == "ecr" else b"Action=GetCallerIdentity&Version=2011-06-15"
    answer = send(repository, "\r\n".join([*head, "", ""]).encode() + arrived)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"IncompleteBody" in answer
    assert b"<html" not in answer.lower()
