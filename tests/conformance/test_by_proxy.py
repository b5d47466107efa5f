"""The authentic names, through the server as a forward proxy."""

import ssl

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
    assert (answer.status, answer.code) == (400, "DENIED")


@pytest.mark.parametrize("host", ["registry-1.docker.io", "example.com:80", f"{REGISTRY}.example.com"])
def test_nothing_is_forwarded(client: Client, host: str) -> None:
    status, body = say(client, "GET", f"http://{host}/v2/", host)
    assert status == 403
    assert b"forwards nothing" in body


@pytest.mark.parametrize("host", [REGISTRY, "public.ecr.aws"])
def test_tls_to_ecr_is_answered_in_clear(client: Client, host: str) -> None:
    with client.raw() as connection:
        connection.sendall(f"CONNECT {host}:443 HTTP/1.1\r\nHost: {host}:443\r\n\r\n".encode())
        answer = b""
        while not answer.endswith(b"\r\n\r\n"):
            answer += connection.recv(1)
        assert answer.startswith(b"HTTP/1.1 200 Connection established\r\n")
        with pytest.raises(ssl.SSLError):
            ssl.create_default_context().wrap_socket(connection, server_hostname=host)


def test_what_a_tls_client_in_a_tunnel_hears_sends_it_on_to_plain_http(client: Client) -> None:
    # containerd and BuildKit do so after an answer that begins with "HTTP/".
    with client.raw() as connection:
        connection.sendall(f"CONNECT {REGISTRY}:443 HTTP/1.1\r\nHost: {REGISTRY}:443\r\n\r\n".encode())
        hello = ssl.MemoryBIO()
        tls = ssl.create_default_context().wrap_bio(ssl.MemoryBIO(), hello, server_hostname=REGISTRY)
        with pytest.raises(ssl.SSLWantReadError):
            tls.do_handshake()
        connection.sendall(hello.read())
        answer = b""
        while piece := connection.recv(65_536):
            answer += piece
    assert answer.partition(b"\r\n\r\n")[2] == b"HTTP/1.0 400 Bad Request\r\n\r\n"


@pytest.mark.parametrize("host", ["example.com", "localhost", f"{REGISTRY}.example.com"])
def test_no_tunnels_to_elsewhere(client: Client, host: str) -> None:
    status, body = say(client, "CONNECT", f"{host}:443", f"{host}:443")
    assert status == 405
    assert b"opens tunnels to Amazon ECR's registries only" in body


def test_a_good_host_opens_no_tunnel_to_elsewhere(client: Client) -> None:
    assert say(client, "CONNECT", "example.com:443", f"{REGISTRY}:443")[0] == 405


def test_everybody_pulls_from_ecr_public(client: Client) -> None:
    host = {"Host": "public.ecr.aws"}
    path = "/v2/docker/library/debian/tags/list"
    challenge = client.ask("GET", path, headers=host, anonymous=True).headers["Www-Authenticate"]
    assert challenge.startswith('Bearer realm="http://public.ecr.aws/token/"')
    token = client.ask("GET", "/token/", headers=host, anonymous=True).json["token"]
    answer = client.ask("GET", path, headers={**host, "Authorization": f"Bearer {token}"})
    assert answer.status == 200
    assert answer.json["tags"]
    # By its own address the lab has no token endpoint.
    assert client.ask("GET", "/token/", anonymous=True).status == 404
