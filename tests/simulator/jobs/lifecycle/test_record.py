"""What is written down of runs and previews: CloudTrail's events, one for each that had something to tell."""

from datetime import UTC, datetime

from tests.lifecycle.builders import rule, text
from tests.simulator.jobs.lifecycle.days import ACCOUNT, REGION, put
from tests.simulator.jobs.lifecycle.events import service_events


def test_a_run_is_recorded_in_cloudtrail_s_shape(app, clock, registry):
    old = app.push(b"old", tag="v1")
    app.push(b"new", tag="v2")
    app.put_lifecycle_policy(lifecyclePolicyText=text({**rule(3, ["v*"], keep=1), "description": "one release"}))
    clock.travel_to(datetime(2026, 10, 2, tzinfo=UTC))

    [document] = service_events(registry)

    policy = document["serviceEventDetails"]["lifecycleEventPolicy"]
    assert document.pop("eventID") != policy.pop("policyId")
    assert document == {
        "eventVersion": "1.05",
        "userIdentity": {"accountId": ACCOUNT, "invokedBy": "AWS Internal"},
        "eventTime": "2026-10-02T00:00:00Z",
        "eventSource": "ecr.amazonaws.com",
        "eventName": "PolicyExecutionEvent",
        "awsRegion": REGION,
        "sourceIPAddress": "AWS Internal",
        "userAgent": "AWS Internal",
        "requestParameters": None,
        "responseElements": None,
        "readOnly": True,
        "resources": [
            {
                "ARN": f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/app",
                "accountId": ACCOUNT,
                "type": "AWS::ECR::Repository",
            }
        ],
        "eventType": "AwsServiceEvent",
        "recipientAccountId": ACCOUNT,
        "serviceEventDetails": {
            "repositoryName": "app",
            "lifecycleEventPolicy": {
                "lifecycleEventRules": [
                    {
                        "rulePriority": 3,
                        "description": "one release",
                        "lifecycleEventSelection": {
                            "tagStatus": "Tagged",
                            "tagPrefixList": [],
                            "tagPatternList": ["v*"],
                            "countType": "Image count more than",
                            "countNumber": 1,
                        },
                        "action": "expire",
                    }
                ],
                "lastEvaluatedAt": 0,
                "policyVersion": 1,
            },
            "lifecycleEventImageActions": [
                {
                    "lifecycleEventImage": {
                        "digest": old,
                        "tagStatus": "Tagged",
                        "tagList": ["v1"],
                        "pushedAt": 1790845202000,
                    },
                    "rulePriority": 3,
                }
            ],
            "lifecycleEventFailureDetails": [],
        },
    }


def test_ten_images_make_several_events_and_each_image_is_in_one(app, clock, registry):
    digests = [app.push(b"%d" % n, tag=f"v{n}") for n in range(11)]
    put(app, rule(1, keep=1))
    clock.advance(days=1)

    documents = service_events(registry, "app")

    told = [one["serviceEventDetails"]["lifecycleEventImageActions"] for one in documents]
    assert len(told) == 2
    assert [one["lifecycleEventImage"]["digest"] for some in told for one in some] == digests[:10]
    assert len({one["eventID"] for one in documents}) == 2


def test_a_preview_is_a_dry_run_event_and_a_run_without_work_none(app, clock, registry):
    app.push(b"old", tag="v1")
    kept = app.push(b"new", tag="v2")
    app.start_lifecycle_policy_preview(lifecyclePolicyText=text(rule(1, keep=1)))
    put(app, rule(1, keep=5))

    clock.advance(days=3)

    [document] = service_events(registry)
    assert document["eventName"] == "DryRunEvent"
    assert len(document["serviceEventDetails"]["lifecycleEventImageActions"]) == 1
    assert kept in app.images()
    assert app.get_lifecycle_policy()["lastEvaluatedAt"] == datetime(2026, 10, 4, tzinfo=UTC)


def test_a_new_policy_counts_its_versions(app, clock, registry):
    for keep in (9, 1):
        put(app, rule(1, keep=keep))
    app.push(b"old", tag="v1")
    app.push(b"new", tag="v2")
    clock.advance(days=1)

    assert service_events(registry)[0]["serviceEventDetails"]["lifecycleEventPolicy"]["policyVersion"] == 2


def test_a_refused_child_is_recorded_once_and_again_when_something_changed(app, clock, registry):
    child = app.push(b"amd64")
    app.push_index(child, tag="v1")
    put(app, rule(1, status="untagged", pushed=1))

    for _ in range(5):
        clock.advance(days=1)
    assert len(service_events(registry)) == 1
    other = app.push(b"arm64")
    app.push_index(other, tag="v2")
    clock.advance(days=3)

    failed = [
        [
            one["lifecycleEventImage"]["digest"]
            for one in document["serviceEventDetails"]["lifecycleEventFailureDetails"]
        ]
        for document in service_events(registry)
    ]
    assert failed == [[child], [child, other]]
