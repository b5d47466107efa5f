import base64
import json

import pytest

from ecrlab.registry import repositories, tokens
from ecrlab.registry.errors import AccessDeniedException


def error_of(response):
    [error] = response.json["errors"]
    return response.status_code, error["code"], error["message"]


EXPIRED = (403, "DENIED", "Your authorization token has expired. Reauthenticate and try again.")


def test_a_token_lives_twelve_hours_of_lab_time(ask, login, clock):
    headers = login()
    clock.advance(hours=11, minutes=59)
    assert ask("GET", "/v2/", headers=headers).status_code == 200
    clock.advance(minutes=1)
    assert error_of(ask("GET", "/v2/", headers=headers)) == EXPIRED


def test_the_challenge_names_the_host(ask):
    response = ask("GET", "/v2/", headers={"X-Nothing": ""})
    assert response.status_code == 401
    assert response.headers["Www-Authenticate"] == (
        'Basic realm="https://123456789012.dkr.ecr.us-east-1.amazonaws.com/",service="ecr.amazonaws.com"'
    )


@pytest.mark.parametrize(
    "host",
    [
        "123456789012.dkr.ecr.us-east-1.amazonaws.com",
        "123456789012.DKR.ecr.us-east-1.amazonaws.com:80",
        "123456789012.dkr-ecr.us-east-1.on.aws",
        "123456789012.dkr.ecr-fips.us-east-1.amazonaws.com",
        "123456789012.dkr-ecr-fips.us-east-1.on.aws",
        "127.0.0.1:5000",
        "localhost",
    ],
)
def test_names_of_one_registry(ask, host):
    assert ask("GET", "/v2/team/app/tags/list", host=host).status_code == 200


def test_the_machine_s_own_address_means_the_token_s_registry(ask, login, world):
    repositories.create(world.registry("999988887777", "eu-west-1"), "elsewhere")
    headers = login("999988887777", "eu-west-1")
    assert ask("GET", "/v2/_catalog", host="127.0.0.1:5000", headers=headers).json == {"repositories": ["elsewhere"]}


def test_a_token_of_another_region(ask, login):
    said = error_of(ask("GET", "/v2/", headers=login(region="eu-west-1")))
    assert said == (400, "DENIED", "Your authorization token is invalid.")


@pytest.mark.parametrize(
    "host", ["example.com", "12345.dkr.ecr.us-east-1.amazonaws.com", "dkr.ecr.us-east-1.amazonaws.com"]
)
def test_a_host_that_names_no_registry(ask, host):
    assert error_of(ask("GET", "/v2/", host=host)) == (
        400,
        "UNSUPPORTED",
        f"Could not resolve registry id from host {host}",
    )


def test_another_account_may_log_in_and_do_nothing(ask, login):
    headers = login("111122223333")
    assert ask("GET", "/v2/", headers=headers).status_code == 200
    assert error_of(ask("POST", "/v2/team/app/blobs/uploads/", headers=headers)) == (
        403,
        "DENIED",
        "User: arn:aws:iam::111122223333:user/somebody is not authorized to perform: ecr:InitiateLayerUpload on "
        "resource: arn:aws:ecr:us-east-1:123456789012:repository/team/app because no resource-based policy allows the "
        "ecr:InitiateLayerUpload action",
    )
    assert ask("GET", "/v2/_catalog", headers=headers).status_code == 403


DIGEST = "sha256:" + "a" * 64


@pytest.mark.parametrize(
    ("method", "path", "action"),
    [
        ("GET", "/v2/_catalog", "ecr:DescribeRepositories"),
        ("GET", "/v2/team/app/tags/list", "ecr:ListImages"),
        ("GET", f"/v2/team/app/referrers/{DIGEST}", "ecr:BatchGetImage"),
        ("GET", "/v2/team/app/manifests/v1", "ecr:BatchGetImage"),
        ("HEAD", "/v2/team/app/manifests/v1", "ecr:BatchGetImage"),
        ("PUT", "/v2/team/app/manifests/v1", "ecr:PutImage"),
        ("DELETE", "/v2/team/app/manifests/v1", "ecr:BatchDeleteImage"),
        ("HEAD", f"/v2/team/app/blobs/{DIGEST}", "ecr:BatchCheckLayerAvailability"),
        ("GET", f"/v2/team/app/blobs/{DIGEST}", "ecr:GetDownloadUrlForLayer"),
        ("DELETE", f"/v2/team/app/blobs/{DIGEST}", "ecr:BatchDeleteImage"),
        ("POST", "/v2/team/app/blobs/uploads/", "ecr:InitiateLayerUpload"),
        ("PATCH", "/v2/team/app/blobs/uploads/x", "ecr:UploadLayerPart"),
        ("GET", "/v2/team/app/blobs/uploads/x", "ecr:UploadLayerPart"),
        ("DELETE", "/v2/team/app/blobs/uploads/x", "ecr:UploadLayerPart"),
        ("PUT", f"/v2/team/app/blobs/uploads/x?digest={DIGEST}", "ecr:CompleteLayerUpload"),
    ],
)
def test_each_request_is_judged_as_the_action_of_the_api(ask, method, path, action):
    def nobody(token, asked, registry, name):
        assert (token.account_id, registry.region) == ("123456789012", "us-east-1")
        raise AccessDeniedException(token.principal, asked, name)

    response = ask(method, path, authorize=nobody)
    assert response.status_code == 403
    if method == "HEAD":
        assert response.data == b""
    else:
        _, code, message = error_of(response)
        assert code == "DENIED"
        assert f"is not authorized to perform: {action} on resource: " in message


def test_a_mount_needs_leave_to_read_the_source(ask, world):
    registry = world.registry("123456789012", "us-east-1")
    repositories.create(registry, "secret")
    digest = ask("POST", f"/v2/secret/blobs/uploads/?digest={DIGEST}").status_code
    assert digest == 400
    import hashlib

    digest = "sha256:" + hashlib.sha256(b"layer").hexdigest()
    assert ask("POST", f"/v2/secret/blobs/uploads/?digest={digest}", b"layer").status_code == 201

    def not_the_secret(token, action, registry, name):
        if name == "secret":
            raise AccessDeniedException(token.principal, action, name)

    path = f"/v2/team/app/blobs/uploads/?mount={digest}"
    for source in ("", "&from=secret"):
        assert ask("POST", path + source, authorize=not_the_secret).status_code == 202
        assert ask("POST", path + source).status_code == 201


def test_only_the_user_aws(ask):
    headers = {"Authorization": "Basic " + base64.b64encode(b"me:secret").decode()}
    assert error_of(ask("GET", "/v2/", headers=headers))[:2] == (400, "DENIED")


def test_a_token_whose_expiry_is_no_number_is_refused(ask, world):
    password, _ = tokens.issue(world, "123456789012", "us-east-1", "arn:aws:iam::123456789012:user/ann", "AKIA")
    token = json.loads(base64.b64decode(password))
    for expiration in (str(token["expiration"]), [token["expiration"]], True, None, 10**400):
        forged = base64.b64encode(json.dumps(token | {"expiration": expiration}).encode()).decode()
        headers = {"Authorization": "Basic " + base64.b64encode(f"AWS:{forged}".encode()).decode()}
        assert 400 <= ask("GET", "/v2/", headers=headers).status_code < 500


@pytest.mark.parametrize(
    "body",
    [
        b'{"a": "\\ud800"}',
        b'{"a": 1e999}',
        b'{"a": ' + b"9" * 4_000 + b"}",
        b'{"a": ' + b"[" * 90_000 + b"]" * 90_000 + b"}",
        '{"schemaVersion": 2}'.encode("utf-16"),
        b"\xef\xbb\xbf{}",
    ],
)
def test_a_manifest_that_is_not_strict_json_is_refused(ask, body):
    status, code, message = error_of(ask("PUT", "/v2/team/app/manifests/v1", body))
    assert (status, code) == (405, "UNSUPPORTED")
    assert "Invalid JSON syntax" in message
