"""What is absent and wanted may be brought by a listener, on both faces; what nobody brings is refused as ever."""

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import Client as Browser
from werkzeug.test import TestResponse

from ecrlab.registry import creation_templates, images, repositories, settings, tokens
from ecrlab.registry.errors import AccessDeniedException
from ecrlab.registry.world import World
from ecrlab.simulator.access.callers import LEARNER_ARN
from ecrlab.simulator.server import application
from tests.registry.conftest import ACCOUNT, REGION, Client, digest_of
from tests.simulator.requests import headers

LAYER = b"layer"
DIGEST = digest_of(LAYER)

Ask = Callable[..., TestResponse]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path / "state", seed="wanted", durable=False)
    yield world
    world.close()


@pytest.fixture
def docker(world: World) -> Ask:
    """A request of the learner's under `/v2/`."""
    password, _ = tokens.issue(world, ACCOUNT, REGION, LEARNER_ARN, "ECRLABLEARNER0000000")
    login = {"Authorization": "Basic " + base64.b64encode(f"AWS:{password}".encode()).decode()}
    browser = Browser(application(world))
    return lambda method, path, body=b"": browser.open(f"/v2/{path}", method=method, data=body, headers=login)


@pytest.fixture
def aws(world: World) -> Callable[..., dict[str, Any]]:
    """A call of the learner's to the API."""
    browser = Browser(application(world))

    def call(operation: str, **members: Any) -> dict[str, Any]:
        signed = headers("ecr", operation)
        signed["Authorization"] = signed["Authorization"].replace("lab-junk-1", REGION)
        body = json.dumps({"repositoryName": "app", **members})
        return json.loads(browser.post("/", data=body, headers=signed).data)

    return call


@pytest.fixture
def wanted(world: World) -> list[Any]:
    """Lets a repository be made when one is wanted; what was wanted."""
    asked: list[Any] = []

    def make(wanted):
        asked.append((wanted.repository_name, wanted.action, wanted.by))
        return repositories.create(wanted.registry, wanted.repository_name)

    world.repository_wanted.add(make)
    return asked


PUT_BY_API = {"imageManifest": Client(None).manifest().body.decode(), "imageTag": "v1"}


@pytest.mark.parametrize(
    ("operation", "members"),
    [
        ("BatchCheckLayerAvailability", {"layerDigests": [DIGEST]}),
        ("InitiateLayerUpload", {}),
        ("PutImage", PUT_BY_API),
        ("BatchGetImage", {"imageIds": [{"imageTag": "v1"}]}),
        ("GetDownloadUrlForLayer", {"layerDigest": DIGEST}),
    ],
)
def test_a_repository_that_the_api_wants_is_made(aws, wanted, operation, members):
    answer = aws(operation, **members)

    assert answer.get("__type") != "RepositoryNotFoundException"
    assert wanted == [("app", f"ecr:{operation}", LEARNER_ARN)]


@pytest.mark.parametrize(
    ("method", "path", "action"),
    [
        ("HEAD", f"app/blobs/{DIGEST}", "BatchCheckLayerAvailability"),
        ("POST", "app/blobs/uploads/", "InitiateLayerUpload"),
        ("PUT", "app/manifests/v1", "PutImage"),
        ("GET", "app/manifests/v1", "BatchGetImage"),
        ("HEAD", "app/manifests/v1", "BatchGetImage"),
        ("GET", f"app/blobs/{DIGEST}", "GetDownloadUrlForLayer"),
    ],
)
def test_a_repository_that_docker_wants_is_made(docker, wanted, method, path, action):
    answer = docker(method, path)

    assert b"NAME_UNKNOWN" not in answer.data
    assert wanted == [("app", f"ecr:{action}", LEARNER_ARN)]


def test_a_repository_is_not_wanted_by_those_who_only_look_or_delete(aws, docker, wanted):
    refusals = [
        aws("DescribeImages"),
        aws("ListImages"),
        aws("BatchDeleteImage", imageIds=[{"imageTag": "v1"}]),
        aws("GetRepositoryPolicy"),
    ]

    assert {answer["__type"] for answer in refusals} == {"RepositoryNotFoundException"}
    assert {docker(*asked).status_code for asked in (("GET", "app/tags/list"), ("DELETE", "app/manifests/v1"))} == {404}
    assert wanted == []


def test_a_listener_that_fails_leaves_the_refusal_as_it_was(world, aws, docker, caplog):
    def broken(wanted):
        raise ZeroDivisionError("this listener is broken")

    before = aws("PutImage", **PUT_BY_API), docker("GET", "app/manifests/v1").json
    world.repository_wanted.add(broken)
    world.repository_wanted.add(lambda wanted: None)

    assert (aws("PutImage", **PUT_BY_API), docker("GET", "app/manifests/v1").json) == before
    assert before[0]["__type"] == "RepositoryNotFoundException"
    assert caplog.text.count("this listener is broken") == 4


def test_a_listener_may_refuse_in_its_own_words(world, aws, docker):
    def refuse(wanted):
        raise AccessDeniedException(wanted.by, "ecr:CreateRepository", wanted.repository_name)

    world.repository_wanted.add(refuse)

    assert aws("InitiateLayerUpload")["__type"] == "AccessDeniedException"
    answer = docker("POST", "app/blobs/uploads/")
    assert answer.status_code == 403 and b"ecr:CreateRepository" in answer.data


@pytest.mark.parametrize("may", [True, False])
def test_a_listener_can_ask_what_else_the_client_may_do(world, aws, docker, may):
    policy = (
        '{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Principal": "*", "Resource": "*", '
        f'"Action": "{"ecr:TagResource" if may else "ecr:CreateRepository"}"}}]}}'
    )
    settings.put_policy(world.registry(ACCOUNT, REGION), policy)
    outcomes = []

    def check(wanted):
        try:
            wanted.check("ecr:CreateRepository")
            outcomes.append("may")
        except AccessDeniedException:
            outcomes.append("may not")

    world.repository_wanted.add(check)
    aws("InitiateLayerUpload")
    docker("POST", "app/blobs/uploads/")

    assert outcomes == ["may" if may else "may not"] * 2


@pytest.fixture
def upstream(world: World) -> Client:
    """A repository from which listeners bring what `app` lacks; `app` is there and empty."""
    registry = world.registry(ACCOUNT, REGION)
    repositories.create(registry, "app")
    return Client(registry, repositories.create(registry, "upstream").name)


def test_an_image_that_is_pulled_is_brought_on_both_faces(world, aws, docker, upstream):
    asked = []

    def bring(wanted, repository, image_id):
        asked.append((wanted.action, repository.name, image_id.tag))
        is_there = image_id.tag in images.tags(wanted.registry, repository.name)
        if image_id.tag == "v9" or is_there:
            return None
        return Client(wanted.registry, repository.name).push(LAYER, tag=image_id.tag)

    world.image_wanted.add(bring)

    assert docker("HEAD", "app/manifests/v1").status_code == 200
    assert docker("GET", "app/manifests/v2").status_code == 200
    answer = aws("BatchGetImage", imageIds=[{"imageTag": "v1"}, {"imageTag": "v3"}, {"imageTag": "v9"}])
    assert [image["imageId"]["imageTag"] for image in answer["images"]] == ["v1", "v3"]
    assert [failure["failureCode"] for failure in answer["failures"]] == ["ImageNotFound"]
    assert docker("GET", "app/manifests/v9").status_code == 404
    assert asked == [("ecr:BatchGetImage", "app", tag) for tag in ("v1", "v2", "v1", "v3", "v9", "v9")]


def test_a_docker_push_makes_the_repository_that_a_template_is_for(world, docker):
    registry = world.registry(ACCOUNT, REGION)
    creation_templates.create(registry, {"prefix": "team", "appliedFor": ["CREATE_ON_PUSH"]})

    assert docker("POST", "app/blobs/uploads/").json["errors"][0]["code"] == "NAME_UNKNOWN"
    assert docker("GET", "team/app/manifests/v1").json["errors"][0]["code"] == "NAME_UNKNOWN"
    assert docker("HEAD", f"team/app/blobs/{DIGEST}").status_code == 404
    assert docker("POST", "team/app/blobs/uploads/").status_code == 202
    assert [one.name for one in repositories.describe(registry)] == ["team/app"]


def test_a_docker_push_that_may_not_create_is_told_so(world, docker):
    registry = world.registry(ACCOUNT, REGION)
    creation_templates.create(registry, {"prefix": "team", "appliedFor": ["CREATE_ON_PUSH"]})
    denial = {"Effect": "Deny", "Principal": "*", "Action": "ecr:CreateRepository", "Resource": "*"}
    settings.put_policy(registry, json.dumps({"Version": "2012-10-17", "Statement": [denial]}))

    answer = docker("POST", "team/app/blobs/uploads/")

    assert answer.status_code == 403 and b"ecr:CreateRepository" in answer.data
    assert repositories.describe(registry) == []
