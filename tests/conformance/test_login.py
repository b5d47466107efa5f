"""GET /v2/ and who may say it."""

import base64

import pytest

from .conftest import Client


def basic(text: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(text.encode()).decode()}


def test_ping(client: Client) -> None:
    answer = client.ask("GET", "/v2/")
    assert answer.status == 200
    assert answer.headers["Docker-Distribution-Api-Version"] == "registry/2.0"


def test_without_credentials_ecr_asks_for_them_in_its_own_words(client: Client) -> None:
    answer = client.ask("GET", "/v2/", anonymous=True)
    host = client.endpoint.removeprefix("http://")
    assert answer.status == 401
    assert answer.headers["Www-Authenticate"] == f'Basic realm="https://{host}/",service="ecr.amazonaws.com"'
    assert answer.headers["Docker-Distribution-Api-Version"] == "registry/2.0"
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.body == b"Not Authorized\n"


def test_a_bearer_token_is_no_credential_of_a_private_registry(client: Client) -> None:
    answer = client.ask("GET", "/v2/", headers={"Authorization": "Bearer abc"})
    assert (answer.status, answer.body) == (401, b"Not Authorized\n")


def test_empty_credentials_are_none(client: Client) -> None:
    # skopeo sends them when nobody has logged in.
    assert client.ask("GET", "/v2/", headers=basic(":")).status == 401


def test_every_place_asks_for_credentials(client: Client) -> None:
    for method, path in [
        ("GET", "x/manifests/y"),
        ("PUT", "x/manifests/y"),
        ("POST", "x/blobs/uploads/"),
        ("GET", "_catalog"),
    ]:
        assert client.ask(method, f"/v2/{path}", anonymous=True).status == 401


@pytest.mark.parametrize(
    "authorization",
    [
        {"Authorization": "Basic !!!"},
        {"Authorization": "Basic"},
        basic("AWS"),
        basic("AWS:"),
        basic("AWS:not-a-token"),
        basic("AWS:" + base64.b64encode(b'{"payload":"x","datakey":"y","expiration":1}').decode()),
        basic("somebody:secret"),
    ],
)
def test_a_malformed_credential_is_a_bad_request(client: Client, authorization: dict[str, str]) -> None:
    answer = client.ask("GET", "/v2/", headers=authorization)
    assert answer.status == 400
    assert answer.code == "DENIED"


def test_user_and_password_are_as_good_as_the_authorization_token(client: Client) -> None:
    assert client.ask("GET", "/v2/", headers=basic(f"AWS:{client.password}")).status == 200


def test_a_client_that_sends_all_before_it_listens_hears_that_it_must_log_in(client: Client) -> None:
    # As the oras client for Python does, with its blobs' bodies.
    answer = client.ask("PUT", "/v2/x/blobs/uploads/y?digest=z", b"x" * 3_000_000, anonymous=True)
    assert answer.status == 401


def test_what_is_not_there_is_told_in_json(client: Client) -> None:
    answer = client.ask("GET", "/v2/nothing/like/this")
    assert answer.status == 404
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.code == "UNSUPPORTED"


def test_a_wrong_method_names_the_right_ones(client: Client) -> None:
    answer = client.ask("POST", "/v2/x/tags/list")
    assert (answer.status, answer.code) == (405, "UNSUPPORTED")
    assert answer.headers["Allow"] == "GET, HEAD"


def test_a_client_that_names_no_host_means_the_registry_of_its_token(client: Client) -> None:
    with client.raw() as connection:
        credentials = client.authorization["Authorization"]
        connection.sendall(f"GET /v2/ HTTP/1.0\r\nAuthorization: {credentials}\r\n\r\n".encode())
        assert connection.recv(100).split()[1] == b"200"
