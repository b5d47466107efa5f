"""public.ecr.aws: everybody pulls, and owners push."""

import base64
import hashlib
import json

import pytest
from werkzeug.test import Client

from ecrlab import gallery
from ecrlab.registry import names, repositories, tokens
from ecrlab.simulator.access.judging import authorize
from ecrlab.simulator.v2 import PublicFace
from ecrlab.simulator.v2.pull_limit import PullLimit

ACCOUNT, OTHER = "123456789012", "111122223333"
ALIAS = names.default_alias(ACCOUNT)
NAME = f"{ALIAS}/team/web"
DEBIAN = "docker/library/debian"
CHALLENGE = 'Bearer realm="http://public.ecr.aws/token/",service="public.ecr.aws",scope="aws"'
INVALID = (400, "DENIED", "Your Authorization Token is invalid.")
EXPIRED = (403, "DENIED", "Your authorization token has expired. Reauthenticate and try again.")


@pytest.fixture
def registry(world):
    registry = world.registry(ACCOUNT, names.PUBLIC)
    repositories.create(registry, "team/web")
    return registry


@pytest.fixture
def limit():
    return PullLimit()


@pytest.fixture
def client(world, registry, limit):
    return Client(PublicFace(world, authorize=authorize, limit=limit))


@pytest.fixture
def say(client):
    """One request to public.ecr.aws."""

    def request(method, path, body=b"", *, authorization=None, host="public.ecr.aws", scheme="http", **headers):
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if authorization is not None:
            sent["Authorization"] = authorization
        return client.open(path, method=method, data=body, base_url=f"{scheme}://{host}", headers=sent)

    return request


def basic(text):
    return "Basic " + base64.b64encode(text.encode()).decode()


@pytest.fixture
def nobody(say):
    """The header of a client that did not log in."""
    return f"Bearer {say('GET', '/token/').json['token']}"


@pytest.fixture
def login(world):
    """The Basic credentials of somebody who logged in."""

    def credentials(account_id=ACCOUNT, region=names.PUBLIC, who="user/learner"):
        principal = f"arn:aws:iam::{account_id}:{who}"
        return basic("AWS:" + tokens.issue(world, account_id, region, principal, "AKIAEXAMPLE")[0])

    return credentials


@pytest.fixture
def owner(say, login):
    return bearer(say, login())


def bearer(say, credentials):
    return f"Bearer {say('GET', '/token/', authorization=credentials).json['token']}"


def error_of(response):
    [error] = response.get_json(force=True)["errors"]
    return response.status_code, error["code"], error["message"]


def push(say, authorization, name=NAME, tag="v1", content=b"layer"):
    """Push an image of one layer; its digest."""
    digests = []
    for body in (b"{}", content):
        digests.append("sha256:" + hashlib.sha256(body).hexdigest())
        path = f"/v2/{name}/blobs/uploads/?digest={digests[-1]}"
        answer = say("POST", path, body, authorization=authorization)
        assert answer.status_code == 201, answer.data
    config, layer = [{"mediaType": "x/y", "digest": digest, "size": 2} for digest in digests]
    kind = "application/vnd.oci.image.manifest.v1+json"
    body = json.dumps({"schemaVersion": 2, "mediaType": kind, "config": config, "layers": [layer]}).encode()
    answer = say("PUT", f"/v2/{name}/manifests/{tag}", body, authorization=authorization, Content_Type=kind)
    assert answer.status_code == 201, answer.data
    return answer.headers["Docker-Content-Digest"]


# Tokens


@pytest.mark.parametrize("path", ["/v2/", f"/v2/{NAME}/tags/list", "/v2/nothing/here/manifests/v1"])
def test_a_request_without_a_token_gets_the_challenge(say, path):
    for authorization in (None, basic("AWS:x"), "Bearer", "Bearer "):
        response = say("GET", path, authorization=authorization)
        if authorization in (None, basic("AWS:x")):
            assert (response.status_code, response.data) == (401, b"Not Authorized\n")
            assert response.headers["Www-Authenticate"] == CHALLENGE
        else:
            assert error_of(response) == INVALID


def test_the_realm_has_the_scheme_and_the_name_that_the_client_used(say):
    realm = 'Bearer realm="https://public.ecr.aws/token/"'
    assert say("GET", "/v2/", scheme="https").headers["Www-Authenticate"].startswith(realm)
    realm = 'Bearer realm="http://ecr-public.aws.com/token/"'
    assert say("GET", "/v2/", host="ecr-public.aws.com").headers["Www-Authenticate"].startswith(realm)


@pytest.mark.parametrize("path", ["/token", "/token/?service=public.ecr.aws&scope=repository:a/b:pull,push"])
def test_everybody_gets_a_token_and_pulls(say, owner, path):
    digest = push(say, owner)
    for credentials in (None, basic(":")):
        token = f"Bearer {say('GET', path, authorization=credentials).json['token']}"
        assert say("GET", "/v2/", authorization=token).json == {}
        pulled = say("GET", f"/v2/{NAME}/manifests/v1", authorization=token)
        assert pulled.headers["Docker-Content-Digest"] == digest
        layer = json.loads(pulled.data)["layers"][0]["digest"]
        assert say("GET", f"/v2/{NAME}/blobs/{layer}", authorization=token).data == b"layer"
        assert say("GET", f"/v2/{NAME}/tags/list", authorization=token).json == {"name": NAME, "tags": ["v1"]}


def test_the_token_of_a_login_is_the_authorization_token(say, login):
    assert "Basic " + bearer(say, login()).removeprefix("Bearer ") == login()


def test_an_anonymous_token_lives_for_an_hour(say, nobody, clock):
    clock.advance(minutes=59)
    assert say("GET", "/v2/", authorization=nobody).status_code == 200
    clock.advance(minutes=1)
    assert error_of(say("GET", "/v2/", authorization=nobody)) == INVALID


def test_a_stale_login_stops_even_pulls(say, login, owner, clock):
    clock.advance(hours=11, minutes=59)
    assert say("GET", "/v2/", authorization=owner).status_code == 200
    clock.advance(minutes=1)
    for _ in range(2):
        assert error_of(say("GET", f"/v2/{DEBIAN}/tags/list", authorization=owner)) == EXPIRED
    # The endpoint still returns it, as AWS's does.
    stale = basic(base64.b64decode(owner.removeprefix("Bearer ")).decode())
    assert error_of(say("GET", "/v2/", authorization=bearer(say, stale))) == EXPIRED


def test_a_login_of_a_private_registry_is_no_login_here(say, login):
    for credentials in (login(region="us-east-1"), basic("AWS:nonsense"), basic("AWS:" + "e30=")):
        assert error_of(say("GET", "/v2/", authorization=bearer(say, credentials))) == INVALID


@pytest.mark.parametrize("credentials", [basic("ann:secret"), basic("AWS:"), basic("AWS"), "Basic ?", "Basic"])
def test_a_user_other_than_aws_gets_no_token(say, credentials):
    assert error_of(say("GET", "/token/", authorization=credentials)) == (403, "DENIED", "Not Authorized")


def test_a_forged_token_is_rejected(say, nobody, owner, world):
    def forged(header, **members):
        password = header.removeprefix("Bearer ")
        if header is owner:
            password = base64.b64decode(password).decode().removeprefix("AWS:")
        token = json.loads(base64.b64decode(password)) | members
        text = base64.b64encode(json.dumps(token).encode()).decode()
        return "Bearer " + (base64.b64encode(f"AWS:{text}".encode()).decode() if header is owner else text)

    assert say("GET", "/v2/", authorization=forged(owner)).status_code == 200
    payload = base64.b64encode(
        json.dumps({"account": OTHER, "region": "PUBLIC", "principal": "x", "key": ""}).encode()
    ).decode()
    for header in (nobody, owner):
        for members in ({"expiration": 2**31}, {"payload": payload}, {"datakey": "x"}, {"expiration": "x"}):
            assert error_of(say("GET", "/v2/", authorization=forged(header, **members))) == INVALID
    # Without a login nobody becomes somebody, nor does a login without its user.
    password = base64.b64decode(owner.removeprefix("Bearer ")).decode().partition(":")[2]
    as_login = bearer(say, basic("AWS:" + nobody.removeprefix("Bearer ")))
    for header in (as_login, f"Bearer {password}"):
        assert error_of(say("GET", "/v2/", authorization=header)) == INVALID


def test_the_private_face_takes_no_public_token(ask, login, nobody):
    for header in (login(), basic("AWS:" + nobody.removeprefix("Bearer "))):
        for host in ("127.0.0.1:5000", f"{ACCOUNT}.dkr.ecr.us-east-1.amazonaws.com"):
            said = error_of(ask("GET", "/v2/", host=host, headers={"Authorization": header}))
            assert said == (400, "DENIED", "Your authorization token is invalid.")


def test_the_token_endpoint_is_only_read(say):
    response = say("POST", "/token/", b"grant_type=password")
    assert (response.status_code, response.headers["Allow"]) == (405, "GET, HEAD")


# Pushes


@pytest.mark.parametrize("name", [NAME, DEBIAN])
@pytest.mark.parametrize(
    ("method", "rest"),
    [
        ("HEAD", "blobs/sha256:" + "a" * 64),
        ("POST", "blobs/uploads/"),
        ("PATCH", "blobs/uploads/x"),
        ("PUT", "manifests/v1"),
        ("DELETE", "manifests/v1"),
        ("DELETE", "blobs/sha256:" + "a" * 64),
    ],
)
def test_a_push_needs_a_login(say, nobody, name, method, rest):
    response = say(method, f"/v2/{name}/{rest}", b"{}", authorization=nobody)
    assert (response.status_code, response.headers["Www-Authenticate"]) == (401, CHALLENGE)


def test_a_login_of_another_account_pulls_and_does_not_push(say, login, owner):
    push(say, owner)
    stranger = bearer(say, login(OTHER, who="user/ann"))
    assert say("GET", f"/v2/{NAME}/manifests/v1", authorization=stranger).status_code == 200
    status, code, message = error_of(say("POST", f"/v2/{NAME}/blobs/uploads/", authorization=stranger))
    resource = f"arn:aws:ecr-public::{ACCOUNT}:repository/team/web"
    assert (status, code) == (403, "DENIED")
    assert f"is not authorized to perform: ecr-public:InitiateLayerUpload on resource: {resource} " in message


def test_nobody_pushes_to_the_images_of_the_kit(say, owner):
    for method, rest, action in [
        ("POST", "blobs/uploads/", "InitiateLayerUpload"),
        ("PUT", "manifests/v1", "PutImage"),
        ("DELETE", "manifests/v1", "BatchDeleteImage"),
    ]:
        status, code, message = error_of(say(method, f"/v2/{DEBIAN}/{rest}", b"{}", authorization=owner))
        assert (status, code) == (403, "DENIED")
        assert f"ecr-public:{action} on resource: arn:aws:ecr-public::" in message


def test_an_upload_stays_below_the_alias(say, owner):
    response = say("POST", f"/v2/{NAME}/blobs/uploads/", authorization=owner)
    assert response.headers["Location"].startswith(f"/v2/{NAME}/blobs/uploads/")
    location = response.headers["Location"]
    assert say("PATCH", location, b"x", authorization=owner).headers["Location"] == location


def test_cloudtrail_records_pushes_and_no_pull(say, owner, nobody, world):
    from ecrlab.registry import trail

    push(say, owner)
    say("GET", f"/v2/{NAME}/manifests/v1", authorization=nobody)
    say("GET", f"/v2/{NAME}/manifests/v1", authorization=owner)
    found = trail.of(world.registry(ACCOUNT, "us-east-1"), None, None)
    assert {(one["eventSource"], one["awsRegion"]) for one in found} == {("ecr-public.amazonaws.com", "us-east-1")}
    assert [one["eventName"] for one in found].count("PutImage") == 1
    assert "BatchGetImage" not in {one["eventName"] for one in found}


# What is not there


@pytest.mark.parametrize(
    ("path", "code"),
    [
        (f"/v2/{ACCOUNT}/team/web/tags/list", "NAME_UNKNOWN"),
        ("/v2/docker/library/nope/tags/list", "NAME_UNKNOWN"),
        ("/v2/alone/tags/list", "NAME_UNKNOWN"),
        (f"/v2/{ALIAS}/a__b/tags/list", "NAME_INVALID"),
        (f"/v2/{NAME}/manifests/nope", "MANIFEST_UNKNOWN"),
        (f"/v2/{DEBIAN}/manifests/nope", "MANIFEST_UNKNOWN"),
        (f"/v2/{DEBIAN}/blobs/sha256:{'a' * 64}", "BLOB_UNKNOWN"),
        ("/v2/_catalog", "UNSUPPORTED"),
        (f"/v2/{NAME}/tags/other", "UNSUPPORTED"),
    ],
)
def test_what_is_not_there(say, nobody, path, code):
    response = say("GET", path, authorization=nobody)
    assert error_of(response)[:2] == (400 if code == "NAME_INVALID" else 404, code)


@pytest.mark.parametrize(("alias", "name"), [(ALIAS, "nope"), ("p8v8e7e5", "myartifacts")])
def test_a_missing_repository_is_named_with_its_alias(say, nobody, alias, name):
    message = f"The repository with name '{name}' does not exist in the registry with id '{alias}'"
    response = say("GET", f"/v2/{alias}/{name}/manifests/v1", authorization=nobody)
    assert error_of(response) == (404, "NAME_UNKNOWN", message)


# The kit's images


def test_the_images_of_the_kit(say, nobody):
    tags = say("GET", f"/v2/{DEBIAN}/tags/list", authorization=nobody).json["tags"]
    assert tags == gallery.tags(DEBIAN)
    index = say("GET", f"/v2/{DEBIAN}/manifests/{tags[0]}", authorization=nobody)
    assert index.headers["Docker-Content-Digest"] == gallery.manifest(DEBIAN, tags[0]).digest
    child = index.get_json(force=True)["manifests"][0]["digest"]
    layer = json.loads(say("GET", f"/v2/{DEBIAN}/manifests/{child}", authorization=nobody).data)["layers"][0]
    path = f"/v2/{DEBIAN}/blobs/{layer['digest']}"
    body = say("GET", path, authorization=nobody).data
    assert len(body) == layer["size"]
    part = say("GET", path, authorization=nobody, Range="bytes=5-9")
    assert (part.status_code, part.data) == (206, body[5:10])


# Limits


def pulls(say, authorization, name, *references):
    """The statuses of GETs of manifests."""
    return [say("GET", f"/v2/{name}/manifests/{one}", authorization=authorization).status_code for one in references]


def test_pulls_without_a_login_are_limited_if_the_lab_says_so(say, nobody, owner, limit, clock):
    push(say, owner)
    assert pulls(say, nobody, NAME, *["v1"] * 5) == [200] * 5
    limit.per_second = 1
    assert pulls(say, nobody, NAME, "v1", "v1", "v1") == [200, 200, 429]
    response = say("GET", f"/v2/{NAME}/manifests/v1", authorization=nobody)
    assert error_of(response) == (429, "TOOMANYREQUESTS", "Rate exceeded")
    assert say("GET", f"/v2/{NAME}/tags/list", authorization=nobody).status_code == 429
    # Logged in there is no limit, nor on layers and on asking whether an image is there.
    assert pulls(say, owner, NAME, *["v1"] * 5) == [200] * 5
    assert say("HEAD", f"/v2/{NAME}/manifests/v1", authorization=nobody).status_code == 200
    clock.advance(seconds=1)
    assert pulls(say, nobody, NAME, "v1", "v1") == [200, 429]
    limit.per_second = None
    assert pulls(say, nobody, NAME, *["v1"] * 5) == [200] * 5


def test_an_index_costs_an_extra_request(say, nobody, limit, clock):
    index = gallery.manifest(DEBIAN, gallery.tags(DEBIAN)[0])
    limit.per_second = 1
    assert pulls(say, nobody, DEBIAN, index.digest, index.children[0].digest) == [200, 200]
    clock.advance(seconds=1)
    assert pulls(say, nobody, DEBIAN, index.digest, index.children[0].digest) == [200, 429]
    clock.advance(seconds=2)
    assert pulls(say, nobody, DEBIAN, index.digest, index.children[0].digest) == [200, 200]
