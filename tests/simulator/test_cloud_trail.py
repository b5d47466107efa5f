"""The recorder of CloudTrail: each call of both faces, with its caller, parameters and outcome."""

import json
from datetime import timedelta

import boto3
import pytest

import ecrlab
from ecrlab.registry import trail
from ecrlab.registry.world import World
from tests.simulator.client import refusal

ACCOUNT = "123456789012"


@pytest.fixture
def lab():
    with ecrlab.start() as lab:
        yield lab


def test_a_call_is_recorded_with_caller_parameters_and_response(lab):
    ecr = lab.client("ecr")
    answer = ecr.create_repository(repositoryName="app", imageTagMutability="IMMUTABLE")

    [record] = lab.trail("app")

    assert record["eventName"] == "CreateRepository"
    assert record["userIdentity"]["arn"] == f"arn:aws:iam::{ACCOUNT}:user/learner"
    assert record["userIdentity"]["userName"] == "learner"
    assert record["requestParameters"] == {"repositoryName": "app", "imageTagMutability": "IMMUTABLE"}
    repository = record["responseElements"]["repository"]
    assert repository["repositoryArn"] == answer["repository"]["repositoryArn"] == record["resources"][0]["ARN"]
    assert repository["createdAt"] == "Oct 1, 2026 9:00:01 AM"
    assert record["requestID"] == answer["ResponseMetadata"]["RequestId"]
    assert record["userAgent"].startswith("Boto3/")
    assert (record["readOnly"], record["eventType"], record["awsRegion"]) == (False, "AwsApiCall", "us-east-1")


def test_a_refusal_is_recorded_with_its_code_and_without_a_response(lab):
    ecr = lab.client("ecr")
    code, message = refusal(ecr.describe_images, repositoryName="nothing")
    refusal(ecr.create_repository, repositoryName="UPPER")

    missing, invalid = lab.trail()

    assert (missing["errorCode"], missing["errorMessage"]) == (code, message)
    assert missing["responseElements"] is None
    assert invalid["errorCode"] == "InvalidParameterException"


def test_a_denial_says_who_was_denied(lab):
    iam = lab.client("iam")
    iam.create_user(UserName="reader")
    key = iam.create_access_key(UserName="reader")["AccessKey"]
    reader = boto3.client("ecr", aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"])
    refusal(reader.get_authorization_token)

    [record] = lab.trail(event="GetAuthorizationToken")

    assert (record["errorCode"], record["userIdentity"]["userName"]) == ("AccessDenied", "reader")
    assert record["errorMessage"].endswith(
        "because no identity-based policy allows the ecr:GetAuthorizationToken action"
    )


def test_the_bytes_of_a_layer_are_no_part_of_a_record(lab):
    ecr = lab.client("ecr")
    ecr.create_repository(repositoryName="app")
    upload = ecr.initiate_layer_upload(repositoryName="app")["uploadId"]
    ecr.upload_layer_part(repositoryName="app", uploadId=upload, partFirstByte=0, partLastByte=3, layerPartBlob=b"data")

    [record] = lab.trail(event="UploadLayerPart")

    assert record["requestParameters"] == {
        "repositoryName": "app",
        "uploadId": upload,
        "partFirstByte": 0,
        "partLastByte": 3,
    }


def test_a_call_about_anothers_repository_is_recorded_in_both_accounts(lab):
    other = "222233334444"
    refusal(lab.client("ecr").describe_images, repositoryName="app", registryId=other)

    registries = (lab._world.registry(account, "us-east-1") for account in (ACCOUNT, other))
    [mine], [theirs] = (trail.of(registry) for registry in registries)

    assert (mine["recipientAccountId"], theirs["recipientAccountId"]) == (ACCOUNT, other)
    assert mine["userIdentity"] == theirs["userIdentity"]
    assert mine["eventID"] != theirs["eventID"]
    assert trail.of(lab._world.registry(ACCOUNT, "eu-west-1")) == []


def test_records_are_on_the_disk_when_the_world_is_closed_and_gone_after_ninety_days(tmp_path):
    for days, expected in ((0, ["CreateRepository"]), (89, ["CreateRepository"]), (2, [])):
        with ecrlab.start(state=tmp_path / "state") as lab:
            if not lab.client("ecr").describe_repositories()["repositories"]:
                lab.client("ecr").create_repository(repositoryName="app")
            lab.clock.advance(days=days)
            assert [one["eventName"] for one in lab.trail("app")] == expected


def test_events_go_to_eventbridge_and_those_that_read_only_to_rules_that_ask_for_them(lab):
    events, sqs, ecr = (lab.client(name) for name in ("events", "sqs", "ecr"))
    urls = {}
    for state in ("ENABLED", "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"):
        urls[state] = sqs.create_queue(QueueName=state)["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=urls[state], AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        pattern = {"source": ["aws.ecr"], "detail-type": ["AWS API Call via CloudTrail"]}
        events.put_rule(Name=state, EventPattern=json.dumps(pattern), State=state)
        events.put_targets(Rule=state, Targets=[{"Id": "1", "Arn": arn}])
    ecr.create_repository(repositoryName="app")
    ecr.describe_repositories()

    def received(url):
        messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        return sorted(json.loads(one["Body"])["detail"]["eventName"] for one in messages)

    writing, everything = (received(url) for url in urls.values())
    assert writing == ["CreateRepository"]
    assert everything == ["CreateRepository", "DescribeRepositories"]


def test_the_trail_is_a_table(lab):
    ecr = lab.client("ecr")
    ecr.create_repository(repositoryName="app")
    refusal(ecr.create_repository, repositoryName="app")

    table = lab.trail("app").table()

    assert list(table["event"]) == ["CreateRepository", "CreateRepository"]
    assert list(table["error"]) == ["", "RepositoryAlreadyExistsException"]
    assert list(table["caller"]) == ["learner", "learner"]
    assert "RepositoryAlreadyExistsException" in lab.trail("app")._repr_html_()


def test_many_calls_are_written_before_they_fill_the_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(trail, "MOST_CALLS", 3)
    world = World(tmp_path / "state", seed="trail", durable=False)
    registry = world.registry(ACCOUNT, "us-east-1")
    for number in range(7):
        call(world, f"Get{number}")
    assert rows(world) == 6
    assert [one["eventName"] for one in trail.of(registry)] == [f"Get{number}" for number in range(7)]
    assert trail.of(registry)[0]["userIdentity"]["type"] == "Root"
    world.clock.advance(days=trail.KEPT / timedelta(days=1) + 1)
    assert trail.of(registry) == []
    call(world, "GetLater")
    world.trail.flush()
    assert rows(world) == 1  # the old ones have left the disk
    world.close()


def call(world, event):
    who = (ACCOUNT, ACCOUNT, f"arn:aws:iam::{ACCOUNT}:root", "AKIA")
    where = (ACCOUNT, "us-east-1", "app", world.clock.now().timestamp(), "ecr.amazonaws.com", event)
    world.trail.add(trail.ApiCall(*where, *who, "", "id", "{}"))


def rows(world):
    with world.store.read(one=True) as db:
        return db.execute("SELECT count(*) FROM api_call").fetchone()[0]
