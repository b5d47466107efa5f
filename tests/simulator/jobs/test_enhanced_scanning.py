"""Enhanced scanning, which is Amazon Inspector's: languages too, in its words, and on and on as advisories appear."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from tests.scanning.making import debian, file, metadata
from tests.simulator.client import Repository, refusal
from tests.simulator.scanned import (
    ACCOUNT,
    CONFIG,
    EVE,
    LATE,
    OLD,
    OLD_JINJA,
    WHERE,
    Lab,
    configure,
    findings_of,
    layer,
)


def test_an_image_stays_under_watch_and_its_languages_are_looked_into(watched: Lab) -> None:
    watched.app.push(OLD, OLD_JINJA, tag="v1")

    answer = findings_of(watched.app)

    assert answer["imageScanStatus"] == {"status": "ACTIVE", "description": "Continuous scan is selected for image."}
    assert "findings" not in answer["imageScanFindings"]
    found = answer["imageScanFindings"]["enhancedFindings"]
    managers = {one["packageVulnerabilityDetails"]["vulnerablePackages"][0]["packageManager"] for one in found}
    assert managers == {"OS", "PYTHONPKG"}
    assert sum(answer["imageScanFindings"]["findingSeverityCounts"].values()) == len(found)
    order = ["CRITICAL", "HIGH", "MEDIUM", "LOW", "INFORMATIONAL", "UNTRIAGED"]
    assert [one["severity"] for one in found] == sorted([one["severity"] for one in found], key=order.index)


def test_a_finding_has_inspectors_form(watched: Lab) -> None:
    digest = watched.app.push(OLD, config=CONFIG, tag="v1")

    answer = findings_of(watched.app)["imageScanFindings"]
    [one] = [found for found in answer["enhancedFindings"] if found["title"].startswith("CVE-2023-52425")]

    pushed = watched.app.describe_images()["imageDetails"][0]["imagePushedAt"]
    assert one.pop("description")
    assert one.pop("findingArn").startswith(f"arn:aws:inspector2:{WHERE}:{ACCOUNT}:finding/")
    assert one.pop("firstObservedAt") == one.pop("lastObservedAt") == one.pop("updatedAt") == pushed
    score = {"score": 7.5, "scoringVector": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:H", "version": "3.1"}
    tracker = "https://security-tracker.debian.org/tracker/CVE-2023-52425"
    layer_digest = json.loads(
        watched.ecr.batch_get_image(repositoryName="app", imageIds=[{"imageTag": "v1"}])["images"][0]["imageManifest"]
    )["layers"][0]["digest"]
    assert one == {
        "awsAccountId": ACCOUNT,
        "packageVulnerabilityDetails": {
            "cvss": [
                {
                    "baseScore": 7.5,
                    "scoringVector": score["scoringVector"],
                    "source": "NVD",
                    "version": "3.1",
                }
            ],
            "referenceUrls": [tracker],
            "relatedVulnerabilities": [],
            "source": "DEBIAN_CVE",
            "sourceUrl": tracker,
            "vendorCreatedAt": datetime(2024, 2, 4, tzinfo=UTC),
            "vulnerabilityId": "CVE-2023-52425",
            "vulnerablePackages": [
                {
                    "arch": "AMD64",
                    "epoch": 0,
                    "name": "libexpat1",
                    "packageManager": "OS",
                    "release": "1",
                    "version": "2.5.0",
                    "fixedInVersion": "0:2.5.0-1+deb12u2",
                    "sourceLayerHash": layer_digest,
                }
            ],
        },
        "remediation": {"recommendation": {"text": "None Provided"}},
        "resources": [
            {
                "details": {
                    "awsEcrContainerImage": {
                        "architecture": "amd64",
                        "author": "ada",
                        "imageHash": digest,
                        "imageTags": ["v1"],
                        "platform": "DEBIAN_12",
                        "pushedAt": pushed,
                        "registry": ACCOUNT,
                        "repositoryName": "app",
                    }
                },
                "id": f"arn:aws:ecr:{WHERE}:{ACCOUNT}:repository/app/{digest}",
                "tags": {},
                "type": "AWS_ECR_CONTAINER_IMAGE",
            }
        ],
        "score": 7.5,
        "scoreDetails": {"cvss": {"adjustments": [], "scoreSource": "NVD", **score}},
        "severity": "HIGH",
        "status": "ACTIVE",
        "title": "CVE-2023-52425 - libexpat1",
        "type": "PACKAGE_VULNERABILITY",
        "fixAvailable": "YES",
        "exploitAvailable": "NO",
    }


def test_a_language_package_is_named_with_its_file(watched: Lab) -> None:
    watched.app.push(OLD, OLD_JINJA, tag="v1")

    found = findings_of(watched.app)["imageScanFindings"]["enhancedFindings"]
    [one] = [found for found in found if found["title"] == "CVE-2019-10906 - Jinja2"]

    [package] = one["packageVulnerabilityDetails"]["vulnerablePackages"]
    assert package.pop("sourceLayerHash").startswith("sha256:")
    assert package == {
        "epoch": 0,
        "filePath": "srv/Jinja2-2.10.dist-info/METADATA",
        "fixedInVersion": "2.10.1",
        "name": "Jinja2",
        "packageManager": "PYTHONPKG",
        "version": "2.10",
    }
    assert one["packageVulnerabilityDetails"]["source"] == "NVD"


def test_one_cve_is_one_finding_with_all_its_packages(watched: Lab) -> None:
    members = [file(f"srv/{n}/Jinja2-{version}.dist-info/METADATA", metadata("Jinja2", version))
        for n, version in enumerate(("2.10", "2.9"))]  # fmt: skip
    watched.app.push(OLD, layer(*members), tag="v1")

    found = findings_of(watched.app)["imageScanFindings"]["enhancedFindings"]

    ids = [one["packageVulnerabilityDetails"]["vulnerabilityId"] for one in found]
    assert len(ids) == len(set(ids))
    [one] = [one for one in found if one["title"] == "CVE-2020-28493 - Jinja2"]
    versions = {package["version"] for package in one["packageVulnerabilityDetails"]["vulnerablePackages"]}
    assert versions == {"2.10", "2.9"}


def test_what_nobody_rated_is_untriaged(lab: Lab) -> None:
    lab.clock.travel_to(datetime(2024, 12, 1, tzinfo=UTC))
    configure(lab.ecr, "ENHANCED", "CONTINUOUS_SCAN")
    lab.app.push(OLD, tag="v1")

    answer = findings_of(lab.app)["imageScanFindings"]

    [one] = [one for one in answer["enhancedFindings"] if one["title"].startswith("CVE-2024-28757")]
    assert one["severity"] == "UNTRIAGED"
    assert "score" not in one
    assert answer["findingSeverityCounts"]["UNTRIAGED"] == 1


def test_a_cve_appears_overnight_without_a_new_push(watched: Lab) -> None:
    watched.app.push(OLD, tag="v1")
    before = findings_of(watched.app)["imageScanFindings"]
    assert not LATE & watched.ids()

    watched.clock.travel_to(datetime(2024, 8, 29, 23, 59, 59, tzinfo=UTC))
    assert not LATE & watched.ids()
    watched.clock.advance(seconds=1)

    assert watched.ids() >= LATE
    after = findings_of(watched.app)["imageScanFindings"]
    assert after["imageScanCompletedAt"] == after["vulnerabilitySourceUpdatedAt"] == datetime(2024, 8, 30, tzinfo=UTC)
    assert after["imageScanCompletedAt"] > before["imageScanCompletedAt"]
    new = [one for one in after["enhancedFindings"] if one not in before["enhancedFindings"]]
    first = {one["firstObservedAt"] for one in after["enhancedFindings"] if one["title"][:14] in LATE}
    assert first == {datetime(2024, 8, 30, tzinfo=UTC)}
    assert len(new) >= 2


def test_scanned_on_push_only_an_image_learns_nothing_later(lab: Lab) -> None:
    configure(lab.ecr, "ENHANCED", "SCAN_ON_PUSH")
    lab.app.push(OLD, tag="v1")
    before = findings_of(lab.app)

    lab.clock.advance(days=10)

    assert before["imageScanStatus"]["status"] == "COMPLETE"
    assert findings_of(lab.app) | {"ResponseMetadata": 0} == before | {"ResponseMetadata": 0}


def test_the_watch_ends_after_fourteen_days(watched: Lab) -> None:
    watched.app.push(OLD, tag="v1")

    watched.clock.advance(days=13)
    assert findings_of(watched.app)["imageScanStatus"]["status"] == "ACTIVE"
    watched.clock.advance(days=1)

    answer = findings_of(watched.app)
    assert answer["imageScanStatus"]["status"] == "SCAN_ELIGIBILITY_EXPIRED"
    assert "imageScanFindings" not in answer


def test_a_pull_keeps_the_watch_up(watched: Lab) -> None:
    watched.app.push(OLD, tag="v1")
    watched.clock.advance(days=13)
    watched.app.batch_get_image(imageIds=[{"imageTag": "v1"}])

    watched.clock.advance(days=13)

    assert findings_of(watched.app)["imageScanStatus"]["status"] == "ACTIVE"


def test_images_that_were_there_are_scanned_when_it_is_turned_on_unless_they_are_too_old(lab: Lab) -> None:
    lab.app.push(OLD, tag="old")
    lab.clock.advance(days=15)
    lab.app.push(OLD, OLD_JINJA, tag="young")
    lab.told.clear()

    configure(lab.ecr, "ENHANCED", "CONTINUOUS_SCAN")

    assert lab.kinds()[:2] == ["ECR Scan Resource Change", "Inspector2 Scan"]
    assert lab.kinds().count("Inspector2 Scan") == 1
    assert findings_of(lab.app, "young")["imageScanStatus"]["status"] == "ACTIVE"
    assert findings_of(lab.app, "old")["imageScanStatus"]["status"] == "SCAN_ELIGIBILITY_EXPIRED"


def test_images_left_over_when_it_is_turned_on_are_scanned_when_asked_for(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab.app.push(OLD, tag="v1")
    monkeypatch.setattr("ecrlab.simulator.jobs.scans.watch.AT_ONCE_SECONDS", -1)

    configure(lab.ecr, "ENHANCED", "CONTINUOUS_SCAN")

    assert lab.kinds() == ["ECR Scan Resource Change"]
    assert findings_of(lab.app)["imageScanFindings"]["enhancedFindings"]
    assert "Inspector2 Scan" in lab.kinds()


def test_nobody_starts_an_enhanced_scan_by_hand(watched: Lab) -> None:
    watched.app.push(OLD, tag="v1")
    assert refusal(watched.app.start_image_scan, imageId={"imageTag": "v1"}) == (
        "ValidationException",
        "This feature is disabled",
    )


def test_repositories_that_no_rule_names_are_off(lab: Lab) -> None:
    lab.ecr.create_repository(repositoryName="other", imageScanningConfiguration={"scanOnPush": True})
    configure(lab.ecr, "ENHANCED", "CONTINUOUS_SCAN", "app")
    other = Repository(lab.ecr, "other")
    other.push(OLD, tag="v1")

    assert refusal(findings_of, repository=other)[0] == "ScanNotFoundException"


def test_the_other_ways_findings_are_hidden_and_come_back(lab: Lab) -> None:
    lab.ecr.put_image_scanning_configuration(repositoryName="app", imageScanningConfiguration={"scanOnPush": True})
    lab.app.push(OLD, tag="v1")
    basic = findings_of(lab.app)["imageScanFindings"]

    configure(lab.ecr, "ENHANCED", "SCAN_ON_PUSH")
    assert refusal(findings_of, repository=lab.app)[0] == "ScanNotFoundException"
    configure(lab.ecr, "BASIC", "MANUAL")

    assert findings_of(lab.app)["imageScanFindings"] == basic


def test_describing_images_sums_the_findings_up(watched: Lab) -> None:
    watched.app.push(OLD, tag="v1")
    found = findings_of(watched.app)

    [detail] = watched.app.describe_images()["imageDetails"]

    assert detail["imageScanStatus"] == found["imageScanStatus"]
    summary = found["imageScanFindings"]
    del summary["enhancedFindings"]
    assert detail["imageScanFindingsSummary"] == summary


def test_a_scratch_image_is_unsupported_and_what_was_not_looked_into_is_said(watched: Lab) -> None:
    watched.app.push(layer(file("app", b"\x7fELF")), tag="scratch")
    watched.app.push(OLD, layer(file("usr/lib/specifications/rake-13.gemspec")), tag="gem")
    watched.app.push(b"broken", tag="broken")

    assert findings_of(watched.app, "scratch")["imageScanStatus"]["status"] == "UNSUPPORTED_IMAGE"
    assert findings_of(watched.app, "broken")["imageScanStatus"]["status"] == "FAILED"
    gem = findings_of(watched.app, "gem")["imageScanStatus"]
    assert gem["status"] == "ACTIVE"
    assert gem["description"].endswith("Not looked into: gem: usr/lib/specifications/rake-13.gemspec.")


def test_an_index_is_passed_over_and_its_images_are_scanned(watched: Lab) -> None:
    image = watched.app.push(OLD, tag="v1")
    watched.app.push_index(image, tag="many")

    assert refusal(findings_of, repository=watched.app, tag="many")[0] == "ScanNotFoundException"
    assert findings_of(watched.app)["imageScanStatus"]["status"] == "ACTIVE"


def test_years_pass_quickly(watched: Lab) -> None:
    watched.app.push(OLD, tag="v1")
    watched.clock.advance(days=365 * 50)
    assert findings_of(watched.app)["imageScanStatus"]["status"] == "SCAN_ELIGIBILITY_EXPIRED"


def test_the_same_image_of_another_repository_has_findings_of_its_own(watched: Lab) -> None:
    watched.ecr.create_repository(repositoryName="other")
    other = Repository(watched.ecr, "other")
    watched.app.push(OLD, tag="v1")
    other.push(OLD, tag="v1")

    here, there = (
        {one["findingArn"] for one in findings_of(one_of)["imageScanFindings"]["enhancedFindings"]}
        for one_of in (watched.app, other)
    )

    assert here
    assert not here & there


@pytest.mark.parametrize("package", ["not a version", "1:2:3"])
def test_a_version_that_cannot_be_compared_is_said_and_not_called_clean(watched: Lab, package: str) -> None:
    watched.app.push(layer(*debian(("libexpat1", package, "expat"))), tag="v1")

    status = findings_of(watched.app)["imageScanStatus"]

    assert "Cannot be told: CVE-" in status["description"]


def test_an_archived_image_is_not_scanned_and_a_restored_one_is_watched_again(watched: Lab) -> None:
    digest = watched.app.push(OLD, tag="v1")
    archived = {"imageId": {"imageDigest": digest}}
    watched.app.update_image_storage_class(**archived, targetStorageClass="ARCHIVE")
    assert findings_of(watched.app)["imageScanStatus"]["status"] == "IMAGE_ARCHIVED"
    watched.told.clear()
    watched.clock.advance(days=100)
    assert {event.detail["status"] for event in watched.told if "status" in event.detail} == {"CLOSED"}
    assert findings_of(watched.app)["imageScanStatus"]["status"] == "IMAGE_ARCHIVED"

    watched.app.update_image_storage_class(**archived, targetStorageClass="STANDARD")
    watched.clock.advance(minutes=20)

    answer = findings_of(watched.app)
    assert answer["imageScanStatus"]["status"] == "ACTIVE"
    assert answer["imageScanFindings"]["imageScanCompletedAt"] > EVE + timedelta(days=100)
    assert watched.ids() >= LATE
