"""A pull by a service: what it gets, which error it meets, and what ECR records of it."""

import json
from typing import Any

import pytest

from ecrlab.registry import trail
from ecrlab.registry.world import World
from ecrlab.simulator.access.callers import Caller
from ecrlab.simulator.consumers import roles
from ecrlab.simulator.consumers.pulling import CannotPull, Kind, Pulled, pull, resolve, role_session
from tests.simulator.accounts import ABROAD, HOME, Account, document
from tests.simulator.client import CONFIG, OCI_INDEX, OCI_MANIFEST, Repository, client_of, digest_of

ARM = b'{"os": "linux", "architecture": "arm64"}'
NOBODY = role_session(f"arn:aws:iam::{HOME}:role/nobody", "task-1")


@pytest.fixture
def task(server: Any, world: World) -> Caller:
    """A task of Fargate with the default execution role."""
    return role_session(roles.arn(world, HOME, roles.EXECUTION), "task-1")


@pytest.fixture
def host(region: str) -> str:
    return f"{HOME}.dkr.ecr.{region}.amazonaws.com"


def failure(world: World, reference: str, caller: Caller, **more: Any) -> CannotPull:
    with pytest.raises(CannotPull) as caught:
        pull(world, reference, caller, **more)
    return caught.value


def of_platforms(app: Repository, **children: str) -> str:
    """Put an index of images, by architecture; return its digest."""
    listed = [
        {"mediaType": OCI_MANIFEST, "digest": digest, "size": 1, "platform": {"os": "linux", "architecture": name}}
        for name, digest in children.items()
    ]
    return app.put(json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": listed}), "many")


def test_a_pull_returns_the_image_of_a_tag(world: World, app: Repository, host: str, task: Caller) -> None:
    digest = app.push(b"layer", tag="v1", config=ARM)
    found = pull(world, f"{host}/app:v1", task)
    assert (found.digest, found.manifest.digest, found.platform) == (digest, digest, "linux/arm64")
    assert found.manifest.config is not None
    assert found.manifest.config.media_type == CONFIG
    assert found.size_in_bytes == len(b"layer") + len(ARM)


def test_of_an_index_it_takes_the_image_of_the_platform(world: World, app: Repository, host: str, task: Caller) -> None:
    amd, arm = app.push(b"amd"), app.push(b"arm", config=ARM)
    index = of_platforms(app, amd64=amd, arm64=arm)

    def of(platform: str | None) -> Pulled:
        return pull(world, f"{host}/app:many", task, platform=platform)

    assert [(of(one).digest, of(one).manifest.digest) for one in ("linux/amd64", "linux/arm64", None)] == [
        (index, amd),
        (index, arm),
        (index, index),
    ]
    error = failure(world, f"{host}/app:many", task, platform="linux/s390x")
    assert (error.kind, error.status) == (Kind.NO_PLATFORM, 0)


def test_a_pinned_digest_is_pulled_though_the_tag_moved(world: World, app: Repository, host: str, task: Caller) -> None:
    old = app.push(b"old", tag="v1")
    new = app.push(b"new", tag="v1")
    assert resolve(world, f"{host}/app:v1", task) == new
    assert pull(world, f"{host}/app:v1", task, digest=old).digest == old
    assert pull(world, f"{host}/app@{old}", task).digest == old


def test_the_gallery_is_open_to_everybody(world: World) -> None:
    found = pull(world, "public.ecr.aws/docker/library/alpine:3.22.6", NOBODY, platform="linux/arm64")
    assert found.platform == "linux/arm64"
    assert failure(world, "public.ecr.aws/docker/library/alpine:nope", NOBODY).kind is Kind.TAG_MISSING
    assert failure(world, "public.ecr.aws/nobody/app:v1", NOBODY).kind is Kind.REPOSITORY_MISSING


def test_a_public_repository_of_an_account_is_open_to_everybody(server: Any, world: World) -> None:
    registry = client_of(server.endpoint, "ecr-public")
    uri = registry.create_repository(repositoryName="open")["repository"]["repositoryUri"]
    digest = Repository(registry, "open").push(b"layer", tag="v1")
    assert pull(world, f"{uri}:v1", NOBODY).digest == digest
    assert failure(world, f"{uri}:v2", NOBODY).kind is Kind.TAG_MISSING
    assert failure(world, f"{uri}-nope:v1", NOBODY).kind is Kind.REPOSITORY_MISSING


NONE = "sha256:" + "0" * 64


@pytest.mark.parametrize(
    ("rest", "kind", "told"),
    [
        ("app:v2", Kind.TAG_MISSING, "manifest unknown: Requested image not found"),
        ("app", Kind.TAG_MISSING, "manifest unknown: Requested image not found"),
        (f"app@{NONE}", Kind.DIGEST_MISSING, "manifest unknown: Requested image not found"),
        (
            "nope:v1",
            Kind.REPOSITORY_MISSING,
            f"name unknown: The repository with name 'nope' does not exist in the registry with id '{HOME}'",
        ),
        ("App:v1", Kind.WRONG_NAME, "invalid reference format: repository name (App) must be lowercase"),
    ],
)
def test_what_is_missing(
    world: World, app: Repository, host: str, task: Caller, rest: str, kind: Kind, told: str
) -> None:
    error = failure(world, f"{host}/{rest}", task)
    assert (error.kind, error.in_docker) == (kind, told)


def test_another_registry_is_out_of_reach(world: World, task: Caller) -> None:
    error = failure(world, "nginx", task)
    assert (error.kind, str(error.reference.domain if error.reference else "")) == (Kind.NOT_ECR, "docker.io")


def test_a_token_and_each_action_need_a_permission(world: World, home: Account, host: str) -> None:
    Repository(home.ecr, "app").push(b"layer", tag="v1")

    def told(*actions: str) -> tuple[Kind, int, str]:
        role = home.role(*([document(*actions, Resource="*")] if actions else []))
        error = failure(world, f"{host}/app:v1", role_session(role, "task-1"))
        assert f"User: arn:aws:sts::{HOME}:assumed-role/{role.rpartition('/')[2]}/task-1 is not" in error.message
        return error.kind, error.status, error.in_docker.partition(" to perform: ")[2].partition(" ")[0]

    token = "ecr:GetAuthorizationToken"
    assert told() == (Kind.NO_TOKEN, 400, token)
    assert told(token) == (Kind.DENIED, 403, "ecr:BatchGetImage")
    assert told(token, "ecr:BatchGetImage") == (Kind.DENIED, 403, "ecr:GetDownloadUrlForLayer")


def test_a_service_needs_the_repository_policy_and_no_token(world: World, home: Account, host: str) -> None:
    Repository(home.ecr, "app").push(b"layer", tag="v1")
    function = f"arn:aws:lambda:{home.region}:{ABROAD}:function:f"
    service = Caller("", "lambda.amazonaws.com", "", source_arn=function)
    assert failure(world, f"{host}/app:v1", service).kind is Kind.DENIED
    allowed = document(
        *("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"),
        Principal={"Service": "lambda.amazonaws.com"},
        Condition={"StringLike": {"aws:sourceArn": f"arn:aws:lambda:*:{ABROAD}:function:*"}},
    )
    home.ecr.set_repository_policy(repositoryName="app", policyText=allowed)
    pull(world, f"{host}/app:v1", service)


def test_an_archived_image_and_a_lost_layer(world: World, app: Repository, host: str, task: Caller) -> None:
    digest = app.push(b"archived", tag="old")
    app.update_image_storage_class(imageId={"imageDigest": digest}, targetStorageClass="ARCHIVE")
    assert failure(world, f"{host}/app:old", task).kind is Kind.ARCHIVED

    app.push(b"lost", tag="lost")
    world.blobs.remove(digest_of(b"lost"))
    assert failure(world, f"{host}/app:lost", task).kind is Kind.LAYER_MISSING


def test_a_kms_key_that_is_disabled(server: Any, world: World, task: Caller) -> None:
    # moto has a KMS only in AWS's own Regions.
    ecr, kms = client_of(server.endpoint), client_of(server.endpoint, "kms")
    key = kms.create_key()["KeyMetadata"]["Arn"]
    ecr.create_repository(repositoryName="locked", encryptionConfiguration={"encryptionType": "KMS", "kmsKey": key})
    Repository(ecr, "locked").push(b"layer", tag="v1")
    reference = f"{HOME}.dkr.ecr.us-east-1.amazonaws.com/locked:v1"
    pull(world, reference, task)
    kms.disable_key(KeyId=key)
    error = failure(world, reference, task)
    assert (error.kind, error.in_docker) == (Kind.KEY_UNAVAILABLE, f"denied: {key} is disabled.")


def test_a_pull_is_recorded_as_dockers_is(world: World, app: Repository, host: str, region: str, task: Caller) -> None:
    digest = app.push(b"layer", tag="v1")
    detail = {"imageIds": [{"imageDigest": digest}]}
    resolve(world, f"{host}/app:v1", task)
    assert "lastRecordedPullTime" not in app.describe_images(**detail)["imageDetails"][0]
    pull(world, f"{host}/app:v1", task, agent="ecs")
    assert "lastRecordedPullTime" in app.describe_images(**detail)["imageDetails"][0]

    records = [one for one in trail.of(world.registry(HOME, region)) if one["userAgent"] == "ecs"]
    assert [one["eventName"] for one in records] == [
        *("GetAuthorizationToken", "BatchGetImage", "GetDownloadUrlForLayer", "GetDownloadUrlForLayer"),
    ]
    assert {one["userIdentity"]["arn"] for one in records} == {task.arn}
    assert records[0]["requestParameters"] == {"registryIds": [HOME]}
