"""Image scanning as callers see it: when an image is scanned, what is found, and what is refused."""

import gzip
import json
import os
import shlex
import subprocess
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ecrlab.clock import LabClock
from ecrlab.registry.world import World
from ecrlab.simulator.server import Server
from tests.scanning.making import alpine, debian, file
from tests.simulator.client import OCI_INDEX, Repository, client_of, refusal
from tests.simulator.scanned import OLD, OLD_JINJA, findings_of, layer

QUOTA = ("LimitExceededException", "The scan quota per image has been exceeded. Wait and try again.")


@pytest.fixture
def scanned(ecr: Any) -> Repository:
    """The repository `app`, whose images are scanned on push."""
    ecr.create_repository(repositoryName="app", imageScanningConfiguration={"scanOnPush": True})
    return Repository(ecr, "app")


@pytest.mark.operation("ecr:DescribeImageScanFindings")
def test_an_image_is_scanned_when_it_is_pushed(scanned: Repository) -> None:
    digest = scanned.push(OLD, tag="v1")

    answer = findings_of(scanned)

    assert answer["imageScanStatus"] == {
        "status": "COMPLETE",
        "description": "The scan was completed successfully.",
    }
    assert (answer["registryId"], answer["repositoryName"]) == ("123456789012", "app")
    assert answer["imageId"] == {"imageDigest": digest, "imageTag": "v1"}
    found = answer["imageScanFindings"]
    assert found["findings"]
    assert all(one["name"].startswith("CVE-") for one in found["findings"])
    assert sum(found["findingSeverityCounts"].values()) == len(found["findings"])
    assert all(found["findingSeverityCounts"].values()), "a severity that does not occur is not counted"
    [pushed] = scanned.describe_images()["imageDetails"]
    assert found["imageScanCompletedAt"] == pushed["imagePushedAt"]
    assert found["vulnerabilitySourceUpdatedAt"] < found["imageScanCompletedAt"]


def test_a_finding_says_what_is_wrong_with_which_package(scanned: Repository) -> None:
    scanned.push(OLD, tag="v1")

    found = {one["name"]: one for one in findings_of(scanned)["imageScanFindings"]["findings"]}

    one = found["CVE-2023-52425"]
    attributes = {attribute["key"]: attribute["value"] for attribute in one["attributes"]}
    assert one["severity"] == "HIGH"
    assert one["uri"] == "https://security-tracker.debian.org/tracker/CVE-2023-52425"
    assert (attributes["package_name"], attributes["package_version"]) == ("expat", "2.5.0-1")
    assert attributes["CVSS3_SCORE"] == "7.5"
    assert attributes["CVSS3_VECTOR"].startswith("CVSS:3.1/")


def test_a_basic_scan_does_not_look_into_languages(scanned: Repository) -> None:
    scanned.push(OLD, OLD_JINJA, tag="v1")

    names = {
        attribute["value"]
        for one in findings_of(scanned)["imageScanFindings"]["findings"]
        for attribute in one["attributes"]
        if attribute["key"] == "package_name"
    }

    assert names == {"expat"}


def test_describing_images_tells_nothing_of_a_basic_scan(scanned: Repository) -> None:
    scanned.push(OLD, tag="v1")

    [detail] = scanned.describe_images()["imageDetails"]

    assert not {"imageScanStatus", "imageScanFindingsSummary"} & set(detail)


def test_without_scan_on_push_nothing_is_scanned(app: Repository, world: World) -> None:
    digest = app.push(OLD, layer(file("etc/never-scanned")), tag="v1")

    assert refusal(app.describe_image_scan_findings, imageId={"imageTag": "v1"}) == (
        "ScanNotFoundException",
        "Image scan does not exist for the image with '{imageDigest:'null', imageTag:'v1'}' in the repository with "
        "name 'app' in the registry with id '123456789012'",
    )
    with world.store.read() as db:
        assert db.execute("SELECT 1 FROM inventory WHERE digest = ?", (digest,)).fetchone() is None


@pytest.mark.operation("ecr:StartImageScan")
def test_an_image_is_scanned_once_a_day(app: Repository, world: World) -> None:
    digest = app.push(OLD, tag="v1")

    started = app.start_image_scan(imageId={"imageTag": "v1"})

    assert started["imageScanStatus"] == {"status": "IN_PROGRESS"}
    assert started["imageId"] == {"imageDigest": digest, "imageTag": "v1"}
    first = findings_of(app)["imageScanFindings"]["imageScanCompletedAt"]
    assert refusal(app.start_image_scan, imageId={"imageTag": "v1"}) == QUOTA
    assert isinstance(world.clock, LabClock)
    world.clock.advance(hours=23, minutes=59)
    assert refusal(app.start_image_scan, imageId={"imageDigest": digest}) == QUOTA
    world.clock.advance(minutes=1)
    app.start_image_scan(imageId={"imageDigest": digest})
    again = findings_of(app)["imageScanFindings"]["imageScanCompletedAt"]
    assert timedelta(hours=24) <= again - first < timedelta(hours=24, minutes=1)


def test_the_scan_on_push_counts(scanned: Repository, world: World) -> None:
    scanned.push(OLD, tag="v1")
    before = findings_of(scanned)

    assert refusal(scanned.start_image_scan, imageId={"imageTag": "v1"}) == QUOTA

    assert findings_of(scanned)["imageScanFindings"] == before["imageScanFindings"]


def test_a_scan_takes_a_second_and_a_refused_one_no_time(app: Repository, world: World) -> None:
    app.push(OLD, tag="v1")
    before = world.clock.now()
    app.start_image_scan(imageId={"imageTag": "v1"})
    assert world.clock.now() - before == timedelta(seconds=1)
    refusal(app.start_image_scan, imageId={"imageTag": "v1"})
    assert world.clock.now() - before == timedelta(seconds=1)


def test_a_push_that_is_scanned_takes_no_more_time_of_the_lab_than_another(
    app: Repository, ecr: Any, world: World
) -> None:
    app.push(OLD, tag="v1")
    one = world.clock.now()
    ecr.put_image_scanning_configuration(repositoryName="app", imageScanningConfiguration={"scanOnPush": True})
    app.push(OLD, OLD_JINJA, tag="v2")
    assert world.clock.now() - one == timedelta(seconds=2)


def test_the_same_image_under_another_tag_is_not_scanned_again_that_day(scanned: Repository) -> None:
    scanned.push(OLD, tag="v1")
    first = findings_of(scanned)["imageScanFindings"]["imageScanCompletedAt"]

    scanned.push(OLD, tag="v2")

    assert findings_of(scanned, "v2")["imageScanFindings"]["imageScanCompletedAt"] == first


def test_an_archived_image_cannot_be_scanned(scanned: Repository) -> None:
    digest = scanned.push(OLD, tag="v1")
    scanned.update_image_storage_class(imageId={"imageDigest": digest}, targetStorageClass="ARCHIVE")

    code, text = refusal(scanned.start_image_scan, imageId={"imageTag": "v1"})

    assert (code, digest in text) == ("ImageArchivedException", True)
    assert findings_of(scanned)["imageScanStatus"]["status"] == "IMAGE_ARCHIVED"


def test_findings_come_in_pages(scanned: Repository) -> None:
    scanned.push(layer(*debian(("libexpat1", "2.5.0-1", "expat"), ("curl", "7.80.0-1"))), tag="v1")
    everything = findings_of(scanned)["imageScanFindings"]["findings"]

    pages, token = [], {}
    while True:
        answer = findings_of(scanned, maxResults=2, **token)
        pages.append(answer["imageScanFindings"]["findings"])
        if "nextToken" not in answer:
            break
        token = {"nextToken": answer["nextToken"]}

    assert len(everything) > 4
    assert [one for page in pages for one in page] == everything
    assert {len(page) for page in pages[:-1]} == {2}
    for wrong in (0, 1001):
        code, _ = refusal(findings_of, repository=scanned, maxResults=wrong)
        assert code == "InvalidParameterException"
    assert refusal(findings_of, repository=scanned, nextToken="x")[0] == "InvalidParameterException"


def test_the_botocore_paginator_goes_through_all_findings(scanned: Repository, ecr: Any) -> None:
    scanned.push(OLD, tag="v1")

    pages = ecr.get_paginator("describe_image_scan_findings").paginate(
        repositoryName="app", imageId={"imageTag": "v1"}, PaginationConfig={"PageSize": 1}
    )

    names = [one["name"] for page in pages for one in page["imageScanFindings"]["findings"]]
    assert names == [one["name"] for one in findings_of(scanned)["imageScanFindings"]["findings"]]


def test_the_waiter_does_not_wait(scanned: Repository, ecr: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    scanned.push(OLD, tag="v1")
    monkeypatch.setattr("time.sleep", lambda seconds: pytest.fail("the waiter slept"))

    ecr.get_waiter("image_scan_complete").wait(repositoryName="app", imageId={"imageTag": "v1"})


def test_an_index_and_an_artifact_cannot_be_scanned(scanned: Repository) -> None:
    image = scanned.push(OLD, tag="v1")
    scanned.push_index(image, tag="many")
    scanned.push(b"chart", tag="chart", artifactType="application/vnd.cncf.helm.config.v1+json")

    for tag, kind in (("many", OCI_INDEX), ("chart", "application/vnd.cncf.helm.config.v1+json")):
        assert refusal(scanned.start_image_scan, imageId={"imageTag": tag}) == (
            "UnsupportedImageTypeException",
            f"An artifact with media type '{kind}' cannot be scanned.",
        )
        assert refusal(findings_of, repository=scanned, tag=tag)[0] == "ScanNotFoundException"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (layer(file("app", b"\x7fELF")), "no distribution and no packages were found in it"),
        (layer(*alpine(("musl", "1.2", "musl"))), "Amazon ECR does not support Alpine 3.18.4"),
        (OLD_JINJA, "no distribution was found in it"),
    ],
    ids=["scratch", "old", "language packages only"],
)
def test_an_image_that_cannot_be_judged_is_not_called_clean(scanned: Repository, content: bytes, reason: str) -> None:
    scanned.push(content, tag="v1")

    answer = findings_of(scanned)

    assert answer["imageScanStatus"]["status"] == "FAILED"
    said = "UnsupportedImageError: The operating system and/or package manager are not supported."
    assert answer["imageScanStatus"]["description"] == f"{said} ({reason})"
    assert "imageScanFindings" not in answer


@pytest.mark.parametrize(
    "broken",
    [b"not gzip at all", OLD[:-20], gzip.compress(b"\0" * 700 + b"x" * 700), layer(*debian(("a", "1\0")))],
    ids=["no gzip", "truncated", "no tar", "database with NUL"],
)
def test_a_broken_layer_breaks_neither_the_push_nor_the_registry(scanned: Repository, broken: bytes) -> None:
    scanned.push(broken, tag="bad")
    scanned.push(OLD, tag="good")

    answer = findings_of(scanned, "bad")

    assert answer["imageScanStatus"]["status"] == "FAILED"
    assert answer["imageScanStatus"]["description"]
    assert "imageScanFindings" not in answer
    assert findings_of(scanned, "good")["imageScanStatus"]["status"] == "COMPLETE"


def test_what_was_read_is_not_read_again(scanned: Repository, ecr: Any, world: World) -> None:
    digest = scanned.push(OLD, tag="v1")
    before = findings_of(scanned)["imageScanFindings"]
    [held] = json.loads(ecr.batch_get_image(repositoryName="app", imageIds=[{"imageDigest": digest}])["images"][0]
        ["imageManifest"])["layers"]  # fmt: skip
    path = world.blobs.path(held["digest"])
    body = path.read_bytes()
    path.write_bytes(b"rotten")

    assert findings_of(scanned)["imageScanFindings"] == before
    path.write_bytes(body)


def test_images_and_repositories_that_are_not_there(app: Repository, ecr: Any) -> None:
    app.push(OLD, tag="v1")
    for operation in (ecr.start_image_scan, ecr.describe_image_scan_findings):
        assert refusal(operation, repositoryName="app", imageId={"imageTag": "v9"})[0] == "ImageNotFoundException"
        assert refusal(operation, repositoryName="no", imageId={"imageTag": "v1"})[0] == "RepositoryNotFoundException"
        assert refusal(operation, repositoryName="app", imageId={})[0] == "InvalidParameterException"


def test_an_image_that_goes_takes_its_scan_along(scanned: Repository) -> None:
    digest = scanned.push(OLD, tag="v1")
    scanned.batch_delete_image(imageIds=[{"imageDigest": digest}])
    scanned.put_image_scanning_configuration(imageScanningConfiguration={"scanOnPush": False})
    scanned.push(OLD, tag="v1")

    assert refusal(findings_of, repository=scanned)[0] == "ScanNotFoundException"


def test_the_real_cli_waits_and_shows_a_table(scanned: Repository, server: Server, region: str) -> None:
    scanned.push(OLD, tag="v1.2.3")

    def aws(command: str) -> subprocess.CompletedProcess[str]:
        environment = os.environ | {"AWS_ENDPOINT_URL": server.endpoint, "AWS_DEFAULT_REGION": region}
        environment |= {"AWS_REGION": region}
        return subprocess.run(shlex.split(command), env=environment, capture_output=True, text=True, timeout=60)

    waited = aws("aws ecr wait image-scan-complete --repository-name app --image-id imageTag=v1.2.3")
    table = aws(
        "aws ecr describe-image-scan-findings --repository-name app --image-id imageTag=v1.2.3 --output table "
        "--query 'imageScanFindings.findings[*].[severity,name,uri]'"
    )

    assert (waited.returncode, waited.stdout) == (0, "")
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.stdout.splitlines()[3:-1]]
    assert ["HIGH", "CVE-2023-52425", "https://security-tracker.debian.org/tracker/CVE-2023-52425"] in rows


def test_a_scan_says_what_was_known_when_it_was_made(tmp_path: Any) -> None:
    # CVE-2024-45492 of expat was published on 30 August 2024.
    clock = LabClock(datetime(2024, 8, 1, tzinfo=UTC))
    world = World(tmp_path / "state", clock, seed="past", durable=False)
    server = Server(world)
    ecr = client_of(server.endpoint)
    ecr.create_repository(repositoryName="app", imageScanningConfiguration={"scanOnPush": True})
    repository = Repository(ecr, "app")
    repository.push(OLD, tag="v1")

    def names() -> set[str]:
        return {one["name"] for one in findings_of(repository)["imageScanFindings"]["findings"]}

    assert "CVE-2024-45492" not in names()
    clock.advance(days=60)
    assert "CVE-2024-45492" not in names(), "nobody has scanned it since"
    repository.start_image_scan(imageId={"imageTag": "v1"})
    assert "CVE-2024-45492" in names()
    server.stop()
    world.close()
