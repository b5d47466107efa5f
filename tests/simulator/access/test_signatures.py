"""A private lab checks the signature of each request, and answers in the words of the service that was asked."""

import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials

from ecrlab.machine.environment import ACCESS_KEY_ID
from ecrlab.registry.world import World
from ecrlab.simulator.access import signatures
from ecrlab.simulator.access.signatures import MISMATCH, Wall
from ecrlab.simulator.server import Server
from tests.simulator.client import refusal

SECRET = "the/secret+of this lab"
UNKNOWN = "The security token included in the request is invalid."
V4 = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential"
S3 = Config(signature_version="s3v4")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    world = World(tmp_path_factory.mktemp("private") / "state", durable=False)
    server = Server(world, secret=SECRET)
    yield server
    server.stop()
    world.close()


@pytest.fixture(scope="module")
def client(server):
    def make(service="ecr", key=ACCESS_KEY_ID, secret=SECRET, token=None, config=None):
        return boto3.client(
            service,
            endpoint_url=server.endpoint,
            region_name="us-east-1",
            aws_access_key_id=key,
            aws_secret_access_key=secret,
            aws_session_token=token,
            config=config,
        )

    return make


CALLS = {
    "ecr": "describe_repositories",
    "ecr-public": "describe_repositories",
    "cloudtrail": "lookup_events",
    "kms": "list_keys",
    "sts": "get_caller_identity",
    "s3": "list_buckets",
    "lambda": "list_functions",
}
WORDS = {
    "sts": ("SignatureDoesNotMatch", "InvalidClientTokenId", 403),
    "s3": ("SignatureDoesNotMatch", "InvalidAccessKeyId", 403),
    "lambda": ("InvalidSignatureException", "UnrecognizedClientException", 403),
}


@pytest.mark.parametrize("service", CALLS)
def test_each_service_answers_the_right_secret_and_names_the_error_of_a_wrong_one(client, service):
    mismatch, unknown, status = WORDS.get(service, ("InvalidSignatureException", "UnrecognizedClientException", 400))

    getattr(client(service), CALLS[service])()
    wrong = getattr(client(service, secret=f"{SECRET}x"), CALLS[service])
    stranger = getattr(client(service, key="AKIAIOSFODNN7EXAMPLE"), CALLS[service])

    assert refusal(wrong)[0] == mismatch and refusal(stranger)[0] == unknown
    with pytest.raises(wrong.__self__.exceptions.ClientError) as refused:
        wrong()
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == status


def test_the_words_of_ecr(client, server):
    assert refusal(client(secret="x").describe_repositories) == ("InvalidSignatureException", MISMATCH)
    assert server.aws.last_refusal[1].endswith(f"DescribeRepositories operation: {MISMATCH}")
    assert refusal(client(key="x").describe_repositories) == ("UnrecognizedClientException", UNKNOWN)


def test_a_user_signs_with_the_secret_of_its_own_key_while_the_key_is_active(client):
    iam = client("iam")
    iam.create_user(UserName="ann")
    made = iam.create_access_key(UserName="ann")["AccessKey"]
    keys = {"key": made["AccessKeyId"], "secret": made["SecretAccessKey"]}

    assert client("sts", **keys).get_caller_identity()["Arn"].endswith(":user/ann")
    assert refusal(client("sts", key=keys["key"]).get_caller_identity)[0] == "SignatureDoesNotMatch"
    assert refusal(client(**keys, token="of no session").describe_repositories) == (
        "UnrecognizedClientException",
        UNKNOWN,
    )
    iam.update_access_key(UserName="ann", AccessKeyId=keys["key"], Status="Inactive")
    assert refusal(client("sts", **keys).get_caller_identity) == ("InvalidClientTokenId", UNKNOWN)
    iam.delete_access_key(UserName="ann", AccessKeyId=keys["key"])
    assert refusal(client("sts", **keys).get_caller_identity) == ("InvalidClientTokenId", UNKNOWN)


def test_a_session_signs_with_its_secret_and_its_token(client):
    role = "arn:aws:iam::222233334444:role/OrganizationAccountAccessRole"
    made = client("sts").assume_role(RoleArn=role, RoleSessionName="me")["Credentials"]
    keys = {"key": made["AccessKeyId"], "secret": made["SecretAccessKey"]}

    session = client("sts", **keys, token=made["SessionToken"])
    assert session.get_caller_identity()["Account"] == "222233334444"
    for token in (None, made["SessionToken"][:-1]):
        assert refusal(client(**keys, token=token).describe_repositories) == ("UnrecognizedClientException", UNKNOWN)
    assert refusal(client("sts", key=keys["key"], token=made["SessionToken"]).get_caller_identity)[0] == (
        "SignatureDoesNotMatch"
    )


def test_constants_that_moto_returns_as_keys_open_nothing(client):
    made = client("sts").get_session_token()["Credentials"]

    keys = {"key": made["AccessKeyId"], "secret": made["SecretAccessKey"], "token": made["SessionToken"]}
    assert refusal(client(**keys).describe_repositories) == ("UnrecognizedClientException", UNKNOWN)


def test_paths_queries_and_headers_are_read_as_they_were_signed(client, server):
    s3, key = client("s3"), "a b/../é?x=1&y//z#~"
    s3.create_bucket(Bucket="names")
    s3.put_object(Bucket="names", Key=key, Body=b"here", Metadata={"note": "two  spaces"})
    assert s3.get_object(Bucket="names", Key=key)["Body"].read() == b"here"
    assert s3.list_objects_v2(Bucket="names", Prefix="a b/", Delimiter="//")["KeyCount"] == 1
    function = "arn:aws:lambda:us-east-1:123456789012:function:x y"
    assert refusal(client("lambda").list_tags, Resource=function)[0] == "ResourceNotFoundException"
    by_proxy = Config(proxies={"http": server.endpoint})
    assert client("sts", config=by_proxy).get_caller_identity()["Account"] == "123456789012"


def test_a_presigned_url_works_until_its_seconds_are_over(client, monkeypatch):
    s3 = client("s3", config=S3)
    s3.create_bucket(Bucket="signed")
    s3.put_object(Bucket="signed", Key="a b", Body=b"here")

    def url(by, **more):
        return by.generate_presigned_url("get_object", Params={"Bucket": "signed", "Key": "a b"}, **more)

    with urllib.request.urlopen(url(s3)) as answer:
        assert answer.read() == b"here"
    for bad, code in (
        (url(client("s3", secret="x", config=S3)), "SignatureDoesNotMatch"),
        (url(s3).replace("a%20b", "another"), "SignatureDoesNotMatch"),
        (url(s3).replace("X-Amz-Expires=3600", "X-Amz-Expires=36000"), "SignatureDoesNotMatch"),
        (url(s3, ExpiresIn=0), "AccessDenied</Code><Message>Request has expired"),
        (url(s3).partition("?")[0], "MissingAuthenticationToken"),
    ):
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(bad)
        assert refused.value.code == 403 and code in refused.value.read().decode()
        refused.value.close()
    monkeypatch.setattr(signatures, "datetime", _TwoHoursLater)
    with pytest.raises(urllib.error.HTTPError):
        urllib.request.urlopen(url(s3)).close()


class _TwoHoursLater(datetime):
    @classmethod
    def now(cls, tz=None):
        return datetime.now(tz) + timedelta(hours=2)


def signed():
    """A request as the server has it."""
    headers = {"Host": "127.0.0.1:5000", "X-Amz-Target": "TrentService.ListKeys"}
    request = AWSRequest("POST", "http://127.0.0.1:5000/a?b=c", data=b"{}", headers=headers)
    SigV4Auth(Credentials(ACCESS_KEY_ID, SECRET), "kms", "us-east-1").add_auth(request)
    given = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in request.headers.items()}
    return {"REQUEST_METHOD": "POST", "RAW_URI": "/a?b=c", "QUERY_STRING": "b=c"} | given


@pytest.mark.parametrize(
    "changed",
    [
        {"REQUEST_METHOD": "GET"},
        {"RAW_URI": "/b?b=c"},
        {"RAW_URI": "/a?b=d"},
        {"RAW_URI": "[/?"},
        {"HTTP_HOST": "localhost"},
        {"HTTP_X_AMZ_DATE": "20260101T000000Z"},
        {"HTTP_X_AMZ_DATE": "\xff"},
        {"HTTP_X_AMZ_TARGET": "TrentService.DeleteAlias"},
        {"body": b"{} "},
        {"signature": ""},
        {"signature": "0" * 64},
        {"signature": "é"},
    ],
)
def test_a_signature_fits_one_request(changed):
    environ, wall, changed = signed(), Wall(None, SECRET), dict(changed)
    assert wall.refusal(environ, b"{}") is None

    body = changed.pop("body", b"{}")
    if "signature" in changed:
        environ["HTTP_AUTHORIZATION"] = environ["HTTP_AUTHORIZATION"][:-64] + changed.pop("signature")

    assert wall.refusal(environ | changed, body).code == "InvalidSignatureException"


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("X-Amz-Credential=x", "MissingAuthenticationTokenException"),
        (f"{V4}=x/20260101/us-east-1/s3/aws4_request", "UnrecognizedClientException"),
        (f"{V4}={ACCESS_KEY_ID}/20260101/us-east-1/s3/aws4_request", "InvalidSignatureException"),
    ],
)
def test_a_query_that_is_no_signature_is_refused(query, code):
    environ = {"REQUEST_METHOD": "GET", "RAW_URI": f"/?{query}", "QUERY_STRING": query}

    assert Wall(None, SECRET).refusal(environ, b"").code == code


def test_a_lab_without_a_secret_answers_every_request():
    assert Wall(None, None).refusal({}, b"") is None


def test_the_date_of_a_presigned_url_must_be_one():
    today = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    assert not signatures._is_over(today, "60")
    assert all(signatures._is_over(*bad) for bad in ((today, ""), (today, "x"), ("today", "60"), (today, "9" * 40)))
