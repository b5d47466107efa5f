"""Services of ECS: tasks are started, replaced and redeployed; digests are fixed by the first task of a deployment."""

import json
from typing import Any

import pytest

from ecrlab.analysis.costs import prices
from ecrlab.analysis.inventory.reading import read
from ecrlab.analysis.inventory.running import references
from ecrlab.analysis.report.report import Report
from ecrlab.lifecycle import parse
from ecrlab.registry import trail
from tests.simulator.accounts import HOME
from tests.simulator.client import refusal
from tests.simulator.consumers.shop import CLUSTER, EXECUTION, HOST, REGION, Shop

ECS = {"cluster": CLUSTER}


@pytest.fixture
def app(shop: Shop) -> str:
    """The name of a repository with an image at v1."""
    name = shop.new()
    shop.push(f"{name}:v1")
    return name


def update(shop: Shop, name: str, **changes: Any) -> None:
    shop.ecs.update_service(**ECS, service=name, **changes)


def delete_image(shop: Shop, app: str, digest: str) -> None:
    shop.ecr.batch_delete_image(repositoryName=app, imageIds=[{"imageDigest": digest}])


def test_a_service_starts_its_tasks_and_waiters_pass(shop: Shop, app: str) -> None:
    family = shop.define(f"{HOST}/{app}:v1")
    name = shop.serve(family, 2)

    once = {"Delay": 0, "MaxAttempts": 1}
    shop.ecs.get_waiter("services_stable").wait(**ECS, services=[name], WaiterConfig=once)
    tasks = shop.tasks(name)
    arns = [task["taskArn"] for task in tasks]
    shop.ecs.get_waiter("tasks_running").wait(**ECS, tasks=arns, WaiterConfig=once)
    service = shop.service(name)
    [deployment] = service["deployments"]
    assert (service["runningCount"], service["pendingCount"]) == (2, 0)
    assert (deployment["runningCount"], deployment["rolloutState"], deployment["failedTasks"]) == (2, "COMPLETED", 0)
    assert {task["startedBy"] for task in tasks} == {deployment["id"]}
    assert {task["group"] for task in tasks} == {f"service:{name}"}
    started = " ".join(f"(task {arn.rpartition('/')[2]})" for arn in arns)
    assert shop.events(name) == [
        f"has started 2 tasks: {started}.",
        f"(deployment {deployment['id']}) deployment completed.",
        "has reached a steady state.",
    ]
    assert service["createdAt"].isoformat() >= "2026-10-01"


def test_a_stopped_task_is_replaced(shop: Shop, app: str) -> None:
    name = shop.serve(shop.define(f"{HOST}/{app}:v1"))
    [before] = shop.tasks(name)
    stopped = shop.ecs.stop_task(**ECS, task=before["taskArn"], reason="a test")["task"]
    assert (stopped["stopCode"], stopped["stoppedReason"]) == ("UserInitiated", "a test")
    [after] = shop.tasks(name)
    assert after["taskArn"] != before["taskArn"]
    assert shop.events(name)[-2:] == [
        f"has started 1 tasks: (task {after['taskArn'].rpartition('/')[2]}).",
        "has reached a steady state.",
    ]


def test_a_moved_tag_changes_nothing_until_a_new_deployment(shop: Shop, app: str) -> None:
    name = shop.serve(shop.define(f"{HOST}/{app}:v1"))
    [old] = shop.digests(name)
    new = shop.push(f"{app}:v1")

    shop.ecs.stop_task(**ECS, task=shop.tasks(name)[0]["taskArn"])
    update(shop, name, desiredCount=2)
    assert shop.digests(name) == [old, old]

    update(shop, name, forceNewDeployment=True)
    assert shop.digests(name) == [new, new]
    assert len(shop.service(name)["deployments"]) == 1
    gone = [task for task in shop.tasks(name, "STOPPED") if task["stopCode"] == "ServiceSchedulerInitiated"]
    assert len(gone) == 2
    deployment = shop.service(name)["deployments"][0]["id"]
    assert {task["stoppedReason"] for task in gone} == {f"Scaling activity initiated by (deployment {deployment})"}


def test_without_version_consistency_each_task_runs_what_the_tag_names(shop: Shop, app: str) -> None:
    family = shop.new("family")
    part = {"name": "web", "image": f"{HOST}/{app}:v1", "versionConsistency": "disabled"}
    network = {"networkMode": "awsvpc", "cpu": "256", "memory": "512", "executionRoleArn": EXECUTION}
    shop.ecs.register_task_definition(family=family, containerDefinitions=[part], **network)
    name = shop.serve(family)
    [old] = shop.digests(name)
    new = shop.push(f"{app}:v1")
    update(shop, name, desiredCount=2)
    assert shop.digests(name) == [old, new]


def test_a_task_without_a_service_runs_what_the_tag_names(shop: Shop, app: str) -> None:
    family = shop.define(f"{HOST}/{app}:v1")
    shop.run(family)
    new = shop.push(f"{app}:v1")
    assert shop.run(family)["containers"][0]["imageDigest"] == new


def test_a_fixed_digest_that_was_deleted_breaks_the_next_task(shop: Shop, app: str) -> None:
    name = shop.serve(shop.define(f"{HOST}/{app}:v1"))
    [old] = shop.digests(name)
    new = shop.push(f"{app}:v1")
    delete_image(shop, app, old)
    assert shop.digests(name) == [old], "what runs goes on running"

    update(shop, name, desiredCount=2)
    said = (
        "CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref "
        f"{HOST}/{app}:v1@{old}: {HOST}/{app}:v1@{old}: not found"
    )
    assert [task["stoppedReason"] for task in shop.tasks(name, "STOPPED")] == [said]
    assert shop.events(name)[-1] == f"was unable to place a task. Reason: {said}."
    assert shop.digests(name) == [old]
    shop.clock.advance(days=1)
    assert shop.digests(name) == [old], "more failures do not give the digest up"

    update(shop, name, forceNewDeployment=True)
    assert shop.digests(name) == [new, new]


def test_a_deployment_that_fails_leaves_the_old_tasks_running(shop: Shop, app: str) -> None:
    name = shop.serve(shop.define(f"{HOST}/{app}:v1"))
    [old] = shop.digests(name)
    update(shop, name, taskDefinition=shop.define(f"{HOST}/{app}:v2"))
    service = shop.service(name)
    assert [(one["status"], one["runningCount"], one["failedTasks"]) for one in service["deployments"]] == [
        ("PRIMARY", 0, 1),
        ("ACTIVE", 1, 0),
    ]
    assert shop.digests(name) == [old]

    new = shop.push(f"{app}:v2")
    assert shop.digests(name) == [old], "the next attempt has to wait"
    shop.clock.advance(minutes=2)
    assert shop.digests(name) == [new]
    assert [one["status"] for one in shop.service(name)["deployments"]] == ["PRIMARY"]


def test_after_three_failures_a_deployment_does_without_digests(shop: Shop, app: str) -> None:
    name = shop.serve(shop.define(f"{HOST}/{app}:v2"))
    for _ in range(2):
        shop.clock.advance(minutes=10)
        shop.service(name)
    assert shop.service(name)["deployments"][0]["failedTasks"] == 3
    assert shop.events(name)[-1].startswith("is unable to consistently start tasks successfully.")

    first = shop.push(f"{app}:v2")
    shop.clock.advance(minutes=10)
    assert shop.digests(name) == [first]
    second = shop.push(f"{app}:v2")
    update(shop, name, desiredCount=2)
    assert shop.digests(name) == [first, second]

    delete_image(shop, app, second)
    shop.ecs.stop_task(**ECS, task=shop.tasks(name)[0]["taskArn"])
    assert shop.service(name)["deployments"][0]["failedTasks"] == 4
    shop.clock.advance(minutes=1.5)
    assert shop.service(name)["deployments"][0]["failedTasks"] == 5, "after a success the wait is short again"


def test_attempts_become_rare_by_the_labs_clock(shop: Shop, app: str) -> None:
    name = shop.serve(shop.define(f"{HOST}/{app}:v2"))

    def failed_after(minutes: float) -> int:
        shop.clock.advance(minutes=minutes)
        return int(shop.service(name)["deployments"][0]["failedTasks"])

    assert [failed_after(minutes) for minutes in (0.5, 1, 1, 1.5, 3, 1.5)] == [1, 2, 2, 3, 3, 4]
    assert failed_after(60 * 24 * 30) == 5


def test_scaling_down_and_deleting_stop_tasks(shop: Shop, app: str) -> None:
    name = shop.serve(shop.define(f"{HOST}/{app}:v1"), 3)
    update(shop, name, desiredCount=1)
    assert len(shop.tasks(name)) == 1
    assert refusal(shop.ecs.delete_service, **ECS, service=name)[0] == "InvalidParameterException"
    [arn] = [task["taskArn"] for task in shop.tasks(name)]
    shop.ecs.delete_service(**ECS, service=name, force=True)
    assert shop.task(arn)["lastStatus"] == "STOPPED"
    assert shop.service(name)["status"] == "INACTIVE"


def test_tasks_are_listed_by_service_and_status(shop: Shop, app: str) -> None:
    family = shop.define(f"{HOST}/{app}:v1")
    alone = shop.run(family)["taskArn"]
    name, other = shop.serve(family), shop.serve(family)
    listed = shop.ecs.list_tasks(**ECS, serviceName=name)["taskArns"]
    assert len(listed) == 1
    assert not {alone, *shop.ecs.list_tasks(**ECS, serviceName=other)["taskArns"]} & set(listed)
    shop.ecs.stop_task(**ECS, task=alone)
    assert shop.task(alone)["stoppedReason"] == "Task stopped by user"
    assert alone in shop.ecs.list_tasks(**ECS, desiredStatus="STOPPED", family=family)["taskArns"]
    assert alone not in shop.ecs.list_tasks(**ECS, family=family)["taskArns"]
    cluster = shop.ecs.describe_clusters(clusters=[CLUSTER])["clusters"][0]
    assert cluster["runningTasksCount"] == len(shop.ecs.list_tasks(**ECS)["taskArns"])


def test_a_pull_by_ecs_is_recorded(shop: Shop, app: str) -> None:
    task = shop.run(shop.define(f"{HOST}/{app}:v1"))
    session = f"arn:aws:sts::{HOME}:assumed-role/ecsTaskExecutionRole/{task['taskArn'].rpartition('/')[2]}"
    events = [one["eventName"] for one in shop.trail(app) if one["userIdentity"].get("arn") == session]
    assert events[0] == "BatchGetImage"
    assert set(events) == {"BatchGetImage", "GetDownloadUrlForLayer"}
    tokens = trail.of(shop.world.registry(HOME, REGION), event="GetAuthorizationToken")
    assert tokens[-1]["userIdentity"]["arn"] == session
    [image] = shop.ecr.describe_images(repositoryName=app)["imageDetails"]
    assert image["lastRecordedPullTime"] >= task["pullStartedAt"]


def test_what_a_lifecycle_night_took_breaks_the_next_task_and_the_report_had_said_so(shop: Shop, app: str) -> None:
    name = shop.serve(shop.define(f"{HOST}/{app}:v1"))
    [old] = shop.digests(name)
    shop.push(f"{app}:v1")
    rule = {
        "rulePriority": 1,
        "selection": {"tagStatus": "untagged", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 1},
        "action": {"type": "expire"},
    }
    policy = json.dumps({"rules": [rule]})
    shop.clock.advance(days=2)
    said = json.dumps({"tasks": shop.tasks(name)}, default=str)  # as `aws ecs describe-tasks` prints it
    snapshot = read(shop.ecr, app, at=shop.clock.now())
    report = Report(snapshot, prices.load(), parse(policy), references(said))
    assert [one.where for one in report.harmed] == [(old,)]

    shop.ecr.put_lifecycle_policy(repositoryName=app, lifecyclePolicyText=policy)
    shop.clock.advance(days=1)
    assert shop.digests(name) == [old]
    shop.ecs.stop_task(**ECS, task=shop.tasks(name)[0]["taskArn"])
    assert shop.tasks(name) == []
    assert shop.events(name)[-1].endswith(
        f"failed to resolve ref {HOST}/{app}:v1@{old}: {HOST}/{app}:v1@{old}: not found."
    )


# What AWS accepts and moto did not, and what AWS refuses


def test_definitions_that_aws_takes_do_not_fail(shop: Shop, app: str) -> None:
    network = {"awsvpcConfiguration": {"subnets": [shop.subnet], "assignPublicIp": "ENABLED"}}
    family = shop.define(f"{HOST}/{app}:v1")  # no memory of the container, no security group
    run = {**ECS, "taskDefinition": family, "networkConfiguration": network}
    [task] = shop.ecs.run_task(**run, capacityProviderStrategy=[{"capacityProvider": "FARGATE_SPOT"}])["tasks"]
    assert (task["lastStatus"], task["capacityProviderName"]) == ("RUNNING", "FARGATE_SPOT")


def test_what_ecs_refuses(shop: Shop, app: str) -> None:
    missing = f"arn:aws:iam::{HOME}:role/nobody"
    assumed = (
        f"ECS was unable to assume the role '{missing}' that was provided for this task. Please verify that the role "
        "being passed has the proper trust relationship and permissions and that your IAM user has permissions to "
        "pass this role."
    )
    without, unknown = shop.define(f"{HOST}/{app}:v1", role=None), shop.define(f"{HOST}/{app}:v1", role=missing)
    fargate = {**ECS, "launchType": "FARGATE", **shop.network("FARGATE")}
    assert refusal(shop.ecs.run_task, taskDefinition=without, **fargate) == (
        "ClientException",
        "Fargate requires task definition to have execution role ARN to support ECR images.",
    )
    assert refusal(shop.ecs.run_task, taskDefinition=unknown, **fargate) == ("ClientException", assumed)
    assert shop.events(shop.serve(unknown)) == [f"failed to launch a task with (error {assumed})."]
    assert refusal(shop.ecs.run_task, **ECS, taskDefinition=without, launchType="EC2", **shop.network("")) == (
        "InvalidParameterException",
        "No Container Instances were found in your cluster.",
    )
    asked = {**fargate, "desiredCount": 1}
    assert refusal(shop.ecs.create_service, serviceName="no-role", taskDefinition=without, **asked)[0] == (
        "ClientException"
    )
    on_ec2 = shop.define(f"{HOST}/{app}:v1", launch="EC2", role=None)
    assert shop.events(shop.serve(on_ec2, launch="EC2")) == [
        "was unable to place a task because no container instance met all of its requirements. Reason: No Container "
        "Instances were found in your cluster. For more information, see the Troubleshooting section of the Amazon ECS "
        "Developer Guide."
    ]
    gone = {"awsvpcConfiguration": {"subnets": ["subnet-0"]}}
    good = shop.define(f"{HOST}/{app}:v1")
    name = shop.serve(good)
    assert refusal(shop.ecs.create_service, serviceName=name, taskDefinition=good, **asked) == (
        "InvalidParameterException",
        "Creation of service was not idempotent.",
    )
    del asked["networkConfiguration"]
    assert refusal(shop.ecs.create_service, serviceName="no-network", taskDefinition=good, **asked) == (
        "InvalidParameterException",
        "Network Configuration must be provided when networkMode 'awsvpc' is specified.",
    )
    assert refusal(shop.ecs.update_service, **ECS, service=name, taskDefinition=without)[0] == "ClientException"
    assert shop.service(name)["runningCount"] == 1
    assert refusal(shop.ecs.run_task, taskDefinition=good, **{**fargate, "networkConfiguration": gone}) == (
        "InvalidParameterException",
        "Error retrieving subnet information for [subnet-0]: The subnet ID 'subnet-0' does not exist (ErrorCode: "
        "InvalidSubnetID.NotFound)",
    )
    assert refusal(shop.ecs.stop_task, **ECS, task="0" * 32) == (
        "InvalidParameterException",
        "The referenced task was not found.",
    )
