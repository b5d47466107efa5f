"""CloudTrail's LookupEvents: the calls of ECR, and its own events, for the AWS CLI and SDKs."""

import json

import pytest

from ecrlab.registry.world import World
from ecrlab.simulator.server import Server
from tests.lifecycle.builders import rule, text
from tests.simulator.client import Repository, client_of, refusal


@pytest.fixture
def lab(tmp_path):
    """A world of its own, in which a preview was made and a policy ran."""
    world = World(tmp_path / "state", seed="trail", durable=False)
    server = Server(world)
    ecr = client_of(server.endpoint)
    ecr.create_repository(repositoryName="app")
    app = Repository(ecr, "app")
    for n in range(3):
        app.push(b"%d" % n, tag=f"v{n}")
    app.put_lifecycle_policy(lifecyclePolicyText=text(rule(1, keep=1)))
    app.start_lifecycle_policy_preview()
    world.clock.advance(days=1)
    yield world, server
    server.stop()
    world.close()


@pytest.fixture
def cloudtrail(lab):
    return client_of(lab[1].endpoint, "cloudtrail")


def own_events(cloudtrail):
    """The events of lifecycle policies, newest first."""
    events = cloudtrail.get_paginator("lookup_events").paginate().build_full_result()["Events"]
    return [one for one in events if one["EventName"] in ("PolicyExecutionEvent", "DryRunEvent")]


@pytest.mark.operation("cloudtrail:LookupEvents")
def test_runs_and_previews_are_found_the_newest_first(cloudtrail):
    run, preview = own_events(cloudtrail)

    assert (run["EventName"], preview["EventName"]) == ("PolicyExecutionEvent", "DryRunEvent")
    assert (run["EventSource"], run["ReadOnly"]) == ("ecr.amazonaws.com", "true")
    assert run["EventTime"].isoformat() == "2026-10-02T00:00:00+00:00"
    assert run["Resources"] == [
        {
            "ResourceType": "AWS::ECR::Repository",
            "ResourceName": "arn:aws:ecr:us-east-1:123456789012:repository/app",
        }
    ]
    document = json.loads(run["CloudTrailEvent"])
    assert document["eventID"] == run["EventId"]
    assert len(document["serviceEventDetails"]["lifecycleEventImageActions"]) == 2


def test_events_are_looked_up_by_one_attribute_and_by_time(cloudtrail, lab):
    def found(**asked):
        return [one["EventName"] for one in cloudtrail.lookup_events(**asked)["Events"]]

    def by(key, value):
        return found(LookupAttributes=[{"AttributeKey": key, "AttributeValue": value}])

    run, preview = own_events(cloudtrail)
    assert by("EventName", "DryRunEvent") == by("EventId", preview["EventId"]) == ["DryRunEvent"]
    assert by("ResourceName", "arn:aws:ecr:us-east-1:123456789012:repository/other") == []
    assert set(by("EventSource", "ecr.amazonaws.com")) > {"PolicyExecutionEvent", "PutImage"}
    assert "PutImage" not in by("ReadOnly", "true")
    assert found(StartTime=run["EventTime"]) == ["PolicyExecutionEvent"]
    assert found(EndTime=preview["EventTime"])[0] == "DryRunEvent"
    assert "PolicyExecutionEvent" not in found(EndTime=preview["EventTime"])
    assert found(EventCategory="insight") == []
    assert {"DryRunEvent", "PutImage"} & set(by("Username", "learner")) == {"PutImage"}


def test_events_come_in_pages_and_are_kept_for_ninety_days(cloudtrail, lab):
    puts = [{"AttributeKey": "EventName", "AttributeValue": "PutImage"}]
    paginator = cloudtrail.get_paginator("lookup_events")
    pages = list(paginator.paginate(LookupAttributes=puts, PaginationConfig={"PageSize": 1}))
    assert [len(page["Events"]) for page in pages] == [1, 1, 1]
    assert len({page["Events"][0]["EventId"] for page in pages}) == 3
    assert refusal(cloudtrail.lookup_events, NextToken="nonsense")[0] == "InvalidParameterException"

    lab[0].clock.advance(days=90)
    assert [one["EventName"] for one in cloudtrail.lookup_events()["Events"]] == []


def test_other_regions_have_other_events_and_other_operations_are_motos(cloudtrail, lab):
    assert client_of(lab[1].endpoint, "cloudtrail", "eu-west-1").lookup_events()["Events"] == []
    assert cloudtrail.describe_trails()["trailList"] == []
