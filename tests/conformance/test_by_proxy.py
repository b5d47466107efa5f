"""The authentic names, through the server as a forward proxy."""

import pytest

from .conftest import Client

REGISTRY = "123456789012.dkr.ecr.us-east-1.amazonaws.com"


def say(client: Client, method: str, target: str, host: str, *headers: str) -> tuple[int, bytes]:
    """One request as a proxy's client sends it; status and body, when the server has hung up."""
    lines = [f"{method} {target} HTTP/1.1", f"Host: {host}", *headers, "", ""]
    with client.raw() as connection:
        connection.sendall("\r\n".join(lines).encode())
        answer = b""
        while piece := connection.recv(65_536):
            answer += piece
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), body


def test_an_absolute_target(client: Client) -> None:
    login = f"Authorization: {client.authorization['Authorization']}"
    target = f"http://{REGISTRY}/v2/_catalog?n=1"
    assert say(client, "GET", target, REGISTRY, login, "Connection: close")[0] == 200


def test_the_challenge_names_the_registry(client: Client) -> None:
    answer = client.ask("GET", "/v2/", headers={"Host": REGISTRY}, anonymous=True)
    assert answer.status == 401
    assert f'realm="https://{REGISTRY}/"' in answer.headers["Www-Authenticate"]


def test_another_account_of_the_same_server(client: Client) -> None:
    answer = client.ask("GET", "/v2/x1/tags/list", headers={"Host": f"111122223333{REGISTRY[12:]}"})
    assert (answer.status, answer.code) == (404, "NAME_UNKNOWN")
    assert "registry with id '111122223333'" in answer.message


def test_a_token_of_another_region(client: Client) -> None:
    answer = client.ask("GET", "/v2/", headers={"Host": REGISTRY.replace("us-east-1", "eu-west-1")})
    assert (answer.status, answer.code) == (403, "DENIED")


@pytest.mark.parametrize("host", ["registry-1.docker.io", "example.com:80", f"{REGISTRY}.example.com"])
def test_nothing_is_forwarded(client: Client, host: str) -> None:
    status, body = say(client, "GET", f"http://{host}/v2/", host)
    assert status == 403
    assert b"forwards nothing" in body


@pytest.mark.parametrize("host", [REGISTRY, "example.com"])
def test_no_tunnels(client: Client, host: str) -> None:
    status, body = say(client, "CONNECT", f"{host}:443", f"{host}:443")
    assert status == 405
    assert b"opens no tunnels" in body


def test_the_public_gallery(client: Client) -> None:
    path = "/v2/docker/library/debian/tags/list"
    answer = client.ask("GET", path, headers={"Host": "public.ecr.aws"}, anonymous=True)
    assert answer.status == 200
    assert answer.json["tags"]
