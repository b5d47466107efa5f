"""Who hears of scans: the rules of EventBridge, and Security Hub."""

import json
from datetime import UTC, datetime
from pathlib import Path

from tests.simulator.scanned import (
    ACCOUNT,
    CONFIG,
    LATE,
    OLD,
    OLD_JINJA,
    WHERE,
    Lab,
    configure,
    findings_of,
)


def test_a_basic_scan_is_told_with_its_counts(lab: Lab) -> None:
    lab.ecr.put_image_scanning_configuration(repositoryName="app", imageScanningConfiguration={"scanOnPush": True})
    digest = lab.app.push(OLD, tag="v1")

    [event] = [event for event in lab.told if event.detail_type == "ECR Image Scan"]

    assert (event.source, event.account_id, event.region) == ("aws.ecr", ACCOUNT, WHERE)
    assert event.resources == (f"arn:aws:ecr:{WHERE}:{ACCOUNT}:repository/app",)
    assert event.at == lab.app.describe_images()["imageDetails"][0]["imagePushedAt"].timestamp()
    assert event.detail == {
        "scan-status": "COMPLETE",
        "repository-name": "app",
        "finding-severity-counts": findings_of(lab.app)["imageScanFindings"]["findingSeverityCounts"],
        "image-digest": digest,
        "image-tags": ["v1"],
    }


def test_a_change_of_frequency_is_told(lab: Lab) -> None:
    configure(lab.ecr, "ENHANCED", "SCAN_ON_PUSH")
    configure(lab.ecr, "ENHANCED", "SCAN_ON_PUSH", "app")

    [event] = [event for event in lab.told if event.detail_type == "ECR Scan Resource Change"]

    assert event.detail == {
        "action-type": "SCAN_FREQUENCY_CHANGE",
        "repositories": [
            {
                "repository-name": "app",
                "repository-arn": f"arn:aws:ecr:{WHERE}:{ACCOUNT}:repository/app",
                "scan-frequency": "SCAN_ON_PUSH",
                "previous-scan-frequency": "MANUAL",
            }
        ],
        "resource-type": "REPOSITORY",
        "scan-type": "ENHANCED",
    }
    assert (event.source, event.resources) == ("aws.ecr", ())


def test_inspector_tells_of_the_first_scan_and_of_each_finding(watched: Lab) -> None:
    digest = watched.app.push(OLD, tag="v1")

    found = findings_of(watched.app)["imageScanFindings"]
    first, *rest = watched.told

    arn = f"arn:aws:ecr:{WHERE}:{ACCOUNT}:repository/app"
    assert (first.detail_type, first.source, first.resources) == ("Inspector2 Scan", "aws.inspector2", (arn,))
    assert first.detail == {
        "scan-status": "INITIAL_SCAN_COMPLETE",
        "repository-name": arn,
        "finding-severity-counts": found["findingSeverityCounts"] | {"TOTAL": len(found["enhancedFindings"])},
        "image-digest": digest,
        "image-tags": ["v1"],
        "version": "1.0",
    }
    assert [event.detail["findingArn"] for event in rest] == [one["findingArn"] for one in found["enhancedFindings"]]
    told = rest[0].detail
    assert {event.resources for event in rest} == {(f"{arn}/{digest}",)}
    assert told["firstObservedAt"] == "Sun Aug 25 12:00:03.000 UTC 2024"
    assert told["resources"][0]["partition"] == "aws"
    assert told["inspectorScore"] == told["inspectorScoreDetails"]["adjustedCvss"]["score"]
    assert not {"score", "scoreDetails"} & set(told)


def test_the_night_tells_what_became_known_once(watched: Lab) -> None:
    watched.app.push(OLD, tag="v1")
    watched.told.clear()

    watched.clock.advance(days=10)

    assert sorted(watched.told_ids()) == sorted(LATE)
    assert {event.at for event in watched.told} == {datetime(2024, 8, 30, tzinfo=UTC).timestamp()}
    watched.clock.advance(days=1)
    assert len(watched.told) == 2


def test_findings_are_closed_when_the_watch_ends(watched: Lab) -> None:
    watched.app.push(OLD, tag="v1")
    watched.told.clear()

    watched.clock.advance(days=40)

    closed = [event for event in watched.told if event.detail["status"] == "CLOSED"]
    assert set(watched.told_ids()) >= LATE
    assert len(closed) == len({event.detail["findingArn"] for event in closed}) > len(LATE)
    assert {datetime.fromtimestamp(event.at, UTC) for event in closed} == {datetime(2024, 9, 9, tzinfo=UTC)}


def test_security_hub_hears_of_nothing_until_it_is_enabled_and_of_all_the_night_after(watched: Lab) -> None:
    hub = watched.client("securityhub")
    watched.app.push(OLD, tag="v1")
    hub.enable_security_hub()
    assert hub.get_findings()["Findings"] == []

    watched.clock.advance(days=1)

    assert len(hub.get_findings()["Findings"]) == len(watched.ids())


def test_findings_are_in_security_hub_in_its_format(watched: Lab) -> None:
    hub = watched.client("securityhub")
    hub.enable_security_hub()
    digest = watched.app.push(OLD, config=CONFIG, tag="v1")

    found = hub.get_findings()["Findings"]

    [one] = [found for found in found if found["Title"] == "CVE-2023-52425 - libexpat1"]
    assert one["SchemaVersion"] == "2018-10-08"
    assert one["ProductArn"] == f"arn:aws:securityhub:{WHERE}::product/aws/inspector"
    assert one["ProductFields"]["aws/inspector/ProductVersion"] == "2"
    assert one["Severity"] == {"Label": "HIGH", "Normalized": 90, "Original": "HIGH"}
    assert one["CreatedAt"] == "2024-08-25T12:00:03.000Z"
    assert one["RecordState"] == "ACTIVE"
    [resource] = one["Resources"]
    assert resource["Type"] == "AwsEcrContainerImage"
    assert resource["Details"]["AwsEcrContainerImage"] == {
        "RegistryId": ACCOUNT,
        "RepositoryName": "app",
        "Architecture": "x86_64",
        "ImageDigest": digest,
        "ImageTags": ["v1"],
        "ImagePublishedAt": "2024-08-25T12:00:03.000Z",
    }
    [vulnerability] = one["Vulnerabilities"]
    assert vulnerability["Id"] == "CVE-2023-52425"
    assert vulnerability["FixAvailable"] == "YES"
    assert vulnerability["VulnerablePackages"][0]["Name"] == "libexpat1"
    assert {"Id", "GeneratorId", "AwsAccountId", "UpdatedAt", "Description"} <= set(one)


def test_basic_findings_do_not_go_to_security_hub(lab: Lab) -> None:
    hub = lab.client("securityhub")
    hub.enable_security_hub()
    lab.ecr.put_image_scanning_configuration(repositoryName="app", imageScanningConfiguration={"scanOnPush": True})
    lab.app.push(OLD, tag="v1")
    lab.clock.advance(days=2)

    assert hub.get_findings()["Findings"] == []


def test_findings_on_an_image_that_is_gone_are_archived_overnight(watched: Lab) -> None:
    hub = watched.client("securityhub")
    hub.enable_security_hub()
    digest = watched.app.push(OLD, tag="v1")
    watched.app.push(OLD, OLD_JINJA, tag="v2")
    watched.app.batch_delete_image(imageIds=[{"imageDigest": digest}])

    watched.clock.advance(days=1)

    states = {
        (one["Resources"][0]["Id"].endswith(digest), one["RecordState"])
        for one in hub.get_paginator("get_findings").paginate().build_full_result()["Findings"]
    }
    assert states == {(True, "ARCHIVED"), (False, "ACTIVE")}


def test_a_rule_of_eventbridge_gets_inspectors_findings(watched: Lab) -> None:
    events, sqs = watched.client("events"), watched.client("sqs")
    url = sqs.create_queue(QueueName="findings")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    pattern = {"detail-type": ["Inspector2 Finding"], "detail": {"severity": ["HIGH"]}}
    events.put_rule(Name="high", EventPattern=json.dumps(pattern))
    events.put_targets(Rule="high", Targets=[{"Id": "1", "Arn": arn}])
    watched.app.push(OLD, tag="v1")

    high = [
        one for one in findings_of(watched.app)["imageScanFindings"]["enhancedFindings"] if one["severity"] == "HIGH"
    ]
    messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]

    assert len(messages) == len(high) > 0


def test_nothing_of_a_scan_depends_on_the_run(tmp_path: Path) -> None:
    answers = []
    for name in ("one", "two"):
        lab = Lab(tmp_path / name)
        configure(lab.ecr, "ENHANCED", "CONTINUOUS_SCAN")
        lab.app.push(OLD, OLD_JINJA, tag="v1")
        lab.clock.advance(days=7)
        answers.append((findings_of(lab.app)["imageScanFindings"], lab.told))
        lab.server.stop()
        lab.world.close()
    assert answers[0] == answers[1]
