"""What ECS says when a task cannot pull its image: for each failure the words of EC2 and those of Fargate.

The texts are those of amazon-ecs-agent (EC2), the ECS developer guide and public reports (Fargate). Those that are a
guess are marked so in `ecrlab/simulator/consumers/ecs_words.py`.
"""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from ecrlab.docker.references import parse
from ecrlab.registry import repositories
from ecrlab.simulator.consumers import ecs_words
from ecrlab.simulator.consumers.ecs_words import Words
from ecrlab.simulator.consumers.pulling import CannotPull, Kind
from tests.simulator.accounts import ABROAD, HOME, document
from tests.simulator.client import OCI_INDEX, OCI_MANIFEST, digest_of
from tests.simulator.consumers.shop import CLUSTER, EXECUTION, HOST, REGION, Shop

PULL = ("ecr:GetAuthorizationToken", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
NONE = "sha256:" + "0" * 64
RESOLVE = "CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref "
LAUNCHES = ("EC2", "FARGATE")

pytestmark = pytest.mark.usefixtures("instance")


@pytest.fixture(scope="module")
def instance(shop: Shop) -> str:
    return shop.add_instance()


def said(shop: Shop, image: str, launch: str, **more: Any) -> str:
    """Run a task that fails; return the text that is told for its launch type, checked to stand in its place."""
    if launch == "EC2":
        more = {"role": None, **more}
    task = shop.run(shop.define(image, launch=launch, **more), launch)
    [container] = task["containers"]
    assert (task["lastStatus"], task["desiredStatus"], task["stopCode"]) == ("STOPPED", "STOPPED", "TaskFailedToStart")
    assert "startedAt" not in task
    assert "exitCode" not in container
    assert container["lastStatus"] == "STOPPED"
    assert task["pullStartedAt"] <= task["pullStoppedAt"] <= task["stoppedAt"]
    if launch == "EC2":
        assert task["stoppedReason"] == "Task failed to start"
        return str(container["reason"])
    assert container.get("reason", task["stoppedReason"]) == task["stoppedReason"]
    return str(task["stoppedReason"])


@pytest.mark.parametrize("launch", LAUNCHES)
def test_a_tag_that_was_never_pushed(shop: Shop, launch: str) -> None:
    name = shop.new()
    shop.push(f"{name}:v1")
    image = f"{HOST}/{name}:v2"
    expected = {
        "EC2": "CannotPullImageManifestError: Error response from daemon: manifest unknown: Requested image not found",
        "FARGATE": f"{RESOLVE}{image}: {image}: not found",
    }
    assert said(shop, image, launch) == expected[launch]


@pytest.mark.parametrize("launch", LAUNCHES)
def test_a_digest_that_is_gone(shop: Shop, launch: str) -> None:
    name = shop.new()
    shop.push(f"{name}:v1")
    image = f"{HOST}/{name}@{NONE}"
    expected = {
        "EC2": f"CannotPullContainerError: Error response from daemon: manifest for {image} not found: manifest "
        "unknown: Requested image not found",
        "FARGATE": f"{RESOLVE}{image}: {image}: not found",
    }
    assert said(shop, image, launch) == expected[launch]


@pytest.mark.parametrize("launch", LAUNCHES)
def test_a_repository_that_does_not_exist(shop: Shop, launch: str) -> None:
    name = shop.new("nope")
    image = f"{HOST}/{name}:v1"
    expected = {
        "EC2": "CannotPullImageManifestError: Error response from daemon: name unknown: The repository with name "
        f"'{name}' does not exist in the registry with id '{HOME}'",
        "FARGATE": f"{RESOLVE}{image}: {image}: not found",
    }
    assert said(shop, image, launch) == expected[launch]


def trust(service: str, effect: str = "Allow", **more: Any) -> dict[str, Any]:
    """A statement of a trust policy."""
    return {"Effect": effect, "Principal": {"Service": service}, "Action": "sts:AssumeRole", **more}


TASKS = "ecs-tasks.amazonaws.com"
FOR_THIS_ACCOUNT = {
    "Condition": {
        "ArnLike": {"aws:SourceArn": f"arn:aws:ecs:{REGION}:{HOME}:*"},
        "StringEquals": {"aws:SourceAccount": HOME},
    }
}
"""ECS developer guide, task execution role: against the confused deputy."""


@pytest.mark.parametrize(
    ("statements", "is_assumed"),
    [
        ([trust(TASKS)], True),
        ([trust(TASKS, **FOR_THIS_ACCOUNT)], True),
        ([trust("lambda.amazonaws.com")], False),
        ([trust("ec2.amazonaws.com"), trust(TASKS, Action="sts:TagSession")], False),
        ([trust(TASKS), trust(TASKS, "Deny")], False),
        ([trust(TASKS, Condition={"StringEquals": {"aws:SourceAccount": ABROAD}})], False),
    ],
)
@pytest.mark.parametrize("launch", LAUNCHES)
def test_ecs_assumes_an_execution_role_that_trusts_its_tasks(
    shop: Shop, launch: str, statements: list[Any], is_assumed: bool
) -> None:
    name = shop.new()
    shop.push(f"{name}:v1")
    role = shop.role(*PULL, trust=json.dumps({"Version": "2012-10-17", "Statement": statements}))
    family = shop.define(f"{HOST}/{name}:v1", launch=launch, role=role)
    if is_assumed:
        assert shop.run(family, launch)["lastStatus"] == "RUNNING"
        return
    refusal = re.escape(f"ECS was unable to assume the role '{role}' that was provided for this task. ")
    with pytest.raises(ClientError, match=refusal):
        shop.run(family, launch)
    [event] = shop.events(shop.serve(family, launch=launch))
    assert event.startswith(f"failed to launch a task with (error ECS was unable to assume the role '{role}'")


@pytest.mark.parametrize("launch", LAUNCHES)
def test_the_default_execution_role_is_trusted_no_more_than_others(shop: Shop, launch: str) -> None:
    name = shop.new()
    shop.push(f"{name}:v1")
    family = shop.define(f"{HOST}/{name}:v1", launch=launch)
    assert shop.run(family, launch)["lastStatus"] == "RUNNING"
    as_made = shop.iam.get_role(RoleName="ecsTaskExecutionRole")["Role"]["AssumeRolePolicyDocument"]
    for_lambda = {"Version": "2012-10-17", "Statement": [trust("lambda.amazonaws.com")]}
    change = shop.iam.update_assume_role_policy
    change(RoleName="ecsTaskExecutionRole", PolicyDocument=json.dumps(for_lambda))
    try:
        with pytest.raises(ClientError, match="unable to assume the role"):
            shop.run(family, launch)
    finally:
        change(RoleName="ecsTaskExecutionRole", PolicyDocument=json.dumps(as_made))


@pytest.mark.parametrize("launch", LAUNCHES)
def test_a_role_that_may_not_pull(shop: Shop, launch: str) -> None:
    name = shop.new()
    shop.push(f"{name}:v1")
    role = shop.role("ecr:GetAuthorizationToken")
    text = said(shop, f"{HOST}/{name}:v1", launch, role=role)
    if launch == "FARGATE":
        assert text == (
            f"{RESOLVE}{HOST}/{name}:v1: unexpected status from HEAD request to https://{HOST}/v2/{name}/manifests/v1: "
            "403 Forbidden"
        )
        return
    lead, _, rest = text.partition(f"User: arn:aws:sts::{HOME}:assumed-role/{role.rpartition('/')[2]}/")
    assert lead == (
        "CannotPullContainerError: The task can’t pull the image. Check that the role has the permissions to pull "
        f"images from the registry. Error response from daemon: pull access denied for {HOST}/{name}, repository does "
        "not exist or may require 'docker login': denied: "
    )
    assert rest.partition(" ")[2] == (
        f"is not authorized to perform: ecr:BatchGetImage on resource: arn:aws:ecr:{REGION}:{HOME}:repository/{name} "
        "because no identity-based policy allows the ecr:BatchGetImage action"
    )


@pytest.mark.parametrize("launch", LAUNCHES)
def test_a_role_that_may_not_get_a_token(shop: Shop, launch: str) -> None:
    name = shop.new()
    shop.push(f"{name}:v1")
    text = said(shop, f"{HOST}/{name}:v1", launch, role=shop.role())
    denied = (
        "is not authorized to perform: ecr:GetAuthorizationToken on resource: * because no identity-based policy "
        "allows the ecr:GetAuthorizationToken action"
    )
    if launch == "EC2":
        assert text.startswith(f"CannotPullECRContainerError: AccessDeniedException: User: arn:aws:sts::{HOME}:")
        assert f" {denied} status code: 400, request id: " in text
        return
    assert text.startswith(
        "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: "
        "unable to retrieve ecr registry auth: service call has been retried 1 time(s): operation error ECR: "
        "GetAuthorizationToken, https response error StatusCode: 400, RequestID: "
    )
    assert f", api error AccessDeniedException: User: arn:aws:sts::{HOME}:" in text
    assert text.endswith(denied)


@pytest.mark.parametrize("launch", LAUNCHES)
def test_a_role_that_may_not_read_layers(shop: Shop, launch: str) -> None:
    name = shop.new()
    shop.push(f"{name}:v1")
    text = said(shop, f"{HOST}/{name}:v1", launch, role=shop.role(*PULL[:2]))
    if launch == "EC2":
        assert text.startswith("CannotPullContainerError: Error response from daemon: denied: User: ")
        assert "is not authorized to perform: ecr:GetDownloadUrlForLayer on resource: " in text
    else:
        lead = (
            "CannotPullContainerError: ref pull has been retried 1 time(s): failed to copy: httpReaderSeeker: failed "
            f"open: unexpected status code https://{HOST}/v2/{name}/blobs/sha256:"
        )
        assert text.startswith(lead)
        assert text.endswith(": 403 Forbidden")


@pytest.mark.parametrize("launch", LAUNCHES)
def test_an_index_without_the_platform(shop: Shop, launch: str) -> None:
    app = shop.repository(shop.new())
    arm = app.push(b"arm", config=b'{"os":"linux","architecture":"arm64"}')
    child = {"mediaType": OCI_MANIFEST, "digest": arm, "size": 1, "platform": {"os": "linux", "architecture": "arm64"}}
    app.put(json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [child]}), "v1")
    expected = {
        "EC2": "CannotPullContainerError: Error response from daemon: no matching manifest for linux/amd64 in the "
        "manifest list entries",
        "FARGATE": "CannotPullContainerError: pull image manifest has been retried 7 time(s): image Manifest does not "
        "contain descriptor matching platform 'linux/amd64'",
    }
    assert said(shop, f"{HOST}/{app.name}:v1", launch) == expected[launch]


@pytest.mark.parametrize("launch", LAUNCHES)
def test_a_name_without_a_registry_means_docker_hub(shop: Shop, launch: str) -> None:
    expected = {
        "EC2": "CannotPullContainerError: The task can’t pull the image. Check whether the image exists. Error "
        "response from daemon: pull access denied for mycontainer, repository does not exist or may require 'docker "
        "login': denied: requested access to the resource is denied",
        "FARGATE": f"{RESOLVE}docker.io/mycontainer:latest: pull access denied, repository does not exist or may "
        "require authorization: server message: insufficient_scope: authorization failed",
    }
    assert said(shop, "mycontainer", launch) == expected[launch]


@pytest.mark.parametrize("launch", LAUNCHES)
def test_other_registries_are_out_of_reach(shop: Shop, launch: str) -> None:
    expected = {
        "EC2": "CannotPullContainerError: The task can’t pull the image. Check your network configuration. Error "
        'response from daemon: Get "https://ghcr.io/v2/": net/http: request canceled while waiting for connection '
        "(Client.Timeout exceeded while awaiting headers)",
        "FARGATE": RESOLVE
        + 'ghcr.io/team/app:v1: failed to do request: Head "https://ghcr.io/v2/team/app/manifests/v1": '
        "dial tcp: i/o timeout",
    }
    assert said(shop, "ghcr.io/team/app:v1", launch) == expected[launch]
    assert "https://registry-1.docker.io/v2/" in said(shop, "nginx", launch)


@pytest.mark.parametrize("launch", LAUNCHES)
def test_a_malformed_name(shop: Shop, launch: str) -> None:
    assert said(shop, f"{HOST}/App:v1", launch) == (
        "CannotPullContainerError: invalid reference format: repository name (App) must be lowercase"
    )


@pytest.mark.parametrize("launch", LAUNCHES)
def test_a_repository_of_another_account_needs_a_policy(shop: Shop, launch: str) -> None:
    name = shop.new()
    shop.push(f"{name}:v1", ABROAD)
    image = f"{ABROAD}.dkr.ecr.{REGION}.amazonaws.com/{name}:v1"
    text = said(shop, image, launch)
    tail = {"EC2": "because no resource-based policy allows the ecr:BatchGetImage action", "FARGATE": "403 Forbidden"}
    assert text.endswith(tail[launch])

    theirs = shop.world.registry(ABROAD, REGION)
    repositories.set_policy(theirs, name, document(*PULL[1:], Principal={"AWS": f"arn:aws:iam::{HOME}:root"}))
    role = None if launch == "EC2" else EXECUTION
    assert shop.run(shop.define(image, launch=launch, role=role), launch)["lastStatus"] == "RUNNING"


@pytest.mark.parametrize("launch", LAUNCHES)
def test_a_key_that_is_disabled_an_archived_image_and_a_lost_layer(shop: Shop, launch: str) -> None:
    name = shop.new("locked")
    key = shop.client("kms").create_key()["KeyMetadata"]["Arn"]
    app = shop.repository(name, encryptionConfiguration={"encryptionType": "KMS", "kmsKey": key})
    app.push(b"layer", tag="v1")
    shop.client("kms").disable_key(KeyId=key)
    ref = f"{HOST}/{name}:v1"
    resolve = f"{RESOLVE}{ref}: "
    expected = {
        "EC2": f"CannotPullContainerError: Error response from daemon: pull access denied for {HOST}/{name}, "
        f"repository does not exist or may require 'docker login': denied: {key} is disabled.",
        "FARGATE": f"{resolve}unexpected status from HEAD request to https://{HOST}/v2/{name}/manifests/v1: "
        "403 Forbidden",
    }
    assert said(shop, ref, launch) == expected[launch]

    app = shop.repository(shop.new())
    archived, ref = app.push(b"old", tag="old"), f"{HOST}/{app.name}:old"
    app.update_image_storage_class(imageId={"imageDigest": archived}, targetStorageClass="ARCHIVE")
    expected = {
        "EC2": "CannotPullImageManifestError: Error response from daemon: manifest unknown: Requested image is "
        "archived and cannot be pulled",
        "FARGATE": f"{RESOLVE}{ref}: {ref}: not found",
    }
    assert said(shop, ref, launch) == expected[launch]

    lost = f"layer of {app.name}".encode()
    app.push(lost, tag="lost")
    shop.world.blobs.remove(digest_of(lost))
    text = said(shop, f"{HOST}/{app.name}:lost", launch)
    assert digest_of(lost) in text
    assert text.endswith({"EC2": "does not exist in the repository", "FARGATE": ": 404 Not Found"}[launch])


@pytest.mark.parametrize("say", [ecs_words.on_ec2, ecs_words.on_fargate])
def test_a_reason_has_at_most_1024_characters(say: Callable[..., Words]) -> None:
    error = CannotPull(Kind.NO_TOKEN, parse(f"{HOST}/app:v1"), "x" * 2000, 400, "AccessDeniedException")
    words = say(error, f"{HOST}/app:v1", "linux/amd64", "id")
    assert max(len(words.stopped), len(words.container)) == 1024


@pytest.mark.parametrize("launch", LAUNCHES)
def test_an_image_for_another_processor_is_pulled_and_stops_at_once(shop: Shop, launch: str) -> None:
    app = shop.repository(shop.new())
    digest = app.push(b"arm", tag="v1", config=b'{"os":"linux","architecture":"arm64"}')
    role = None if launch == "EC2" else EXECUTION
    task = shop.run(shop.define(f"{HOST}/{app.name}:v1", launch=launch, role=role), launch)
    [container] = task["containers"]
    assert (task["stopCode"], task["stoppedReason"]) == (
        "EssentialContainerExited",
        "Essential container in task exited",
    )
    assert (container["imageDigest"], container["exitCode"], task["lastStatus"]) == (digest, 1, "STOPPED")


@pytest.mark.parametrize("launch", LAUNCHES)
def test_every_container_is_pulled_and_the_first_failure_stops_the_task(shop: Shop, launch: str) -> None:
    name = shop.new()
    digest = shop.push(f"{name}:v1")
    role = None if launch == "EC2" else EXECUTION
    good, bad = f"{HOST}/{name}:v1", f"{HOST}/{name}:v2"
    task = shop.run(shop.define(good, "public.ecr.aws/docker/library/alpine:3.22.6", launch=launch, role=role), launch)
    assert [one["lastStatus"] for one in (task, *task["containers"])] == ["RUNNING"] * 3
    assert task["containers"][0]["imageDigest"] == digest
    assert {one["taskArn"] for one in task["containers"]} == {task["taskArn"]}
    assert "stopCode" not in task

    task = shop.run(shop.define(good, bad, launch=launch, role=role), launch)
    assert [one["lastStatus"] for one in task["containers"]] == ["STOPPED", "STOPPED"]
    assert ["reason" in one for one in task["containers"]] == [False, True]
    assert task["stopCode"] == "TaskFailedToStart"


def test_a_container_instance_pulls_with_its_own_role(shop: Shop, instance: str) -> None:
    name = shop.new()
    shop.push(f"{name}:v1")
    family = shop.define(f"{HOST}/{name}:v1", launch="EC2", role=None)
    assert shop.run(family, "EC2")["lastStatus"] == "RUNNING"
    pulled = shop.trail(name)[-1]["userIdentity"]["arn"]
    assert pulled == f"arn:aws:sts::{HOME}:assumed-role/ecsInstanceRole/{instance}"

    detach = {"RoleName": "ecsInstanceRole", "PolicyArn": "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryPullOnly"}
    shop.iam.detach_role_policy(**detach)
    try:
        assert shop.run(family, "EC2")["containers"][0]["reason"].startswith("CannotPullECRContainerError: ")
    finally:
        shop.iam.attach_role_policy(**detach)

    profile, role = shop.new("profile"), shop.role(*PULL)
    shop.iam.create_instance_profile(InstanceProfileName=profile)
    shop.iam.add_role_to_instance_profile(InstanceProfileName=profile, RoleName=role.rpartition("/")[2])
    other = shop.add_instance(IamInstanceProfile={"Name": profile})
    arns = shop.ecs.list_container_instances(cluster=CLUSTER)["containerInstanceArns"]
    shown = shop.ecs.describe_container_instances(cluster=CLUSTER, containerInstances=arns)["containerInstances"]
    [there] = [one["containerInstanceArn"] for one in shown if one["ec2InstanceId"] == other]
    [task] = shop.ecs.start_task(cluster=CLUSTER, taskDefinition=family, containerInstances=[there])["tasks"]
    assert task["lastStatus"] == "RUNNING"
    pulled = shop.trail(name)[-1]["userIdentity"]["arn"]
    assert pulled == f"arn:aws:sts::{HOME}:assumed-role/{role.rpartition('/')[2]}/{other}"
    shop.ecs.deregister_container_instance(cluster=CLUSTER, containerInstance=there, force=True)
