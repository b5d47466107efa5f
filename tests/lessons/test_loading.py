"""A scenario in a lab: loaded whole or not at all, and seen by every client."""

import json
import subprocess
import urllib.error
import urllib.request

import pytest

import ecrlab
from ecrlab.errors import EcrLabError
from ecrlab.registry.errors import RepositoryAlreadyExistsException
from ecrlab.registry.store.verify import verify
from tests.simulator.client import Repository, refusal

HOST = "123456789012.dkr.ecr.us-east-1.amazonaws.com"


@pytest.fixture(scope="module")
def lab():
    with ecrlab.start() as lab:
        lab.shop = lab.load("a-year-of-ci")
        yield lab


@pytest.fixture(scope="module")
def ecr(lab):
    return lab.client("ecr")


@pytest.fixture(scope="module")
def described(lab, ecr):
    """Repository -> what describe-images says of it."""
    pages = ecr.get_paginator("describe_images")
    return {
        one.name: [detail for page in pages.paginate(repositoryName=one.name) for detail in page["imageDetails"]]
        for one in lab.shop.repositories
    }


@pytest.fixture(scope="module")
def pushes(lab):
    return [push for day in lab.shop.past for push in day.pushes]


def said(command):
    ran = subprocess.run(["bash", "-c", command], capture_output=True, text=True)
    return ran.stdout + ran.stderr


def test_the_clock_stands_where_the_year_ends(lab, described):
    newest = max(detail["imagePushedAt"] for details in described.values() for detail in details)

    assert lab.clock.now().isoformat() == "2026-10-01T09:00:00+00:00"
    assert newest.date() == lab.shop.last
    assert lab.shop.last.isoformat() == "2026-09-30"


def test_the_api_shows_what_was_pushed(described, pushes):
    for name, details in described.items():
        first = {}
        for push in pushes:
            if push.repository_name == name:
                first.setdefault(push.image_digest, push)
        assert [detail["imageDigest"] for detail in details] == list(first)
        for detail in details:
            push = first[detail["imageDigest"]]
            assert detail["imageSizeInBytes"] == push.size_in_bytes
            assert detail["imagePushedAt"] == push.pushed_at
            assert detail["imageManifestMediaType"] == push.media_type
            assert detail.get("subjectManifestDigest") == push.subject_digest


def test_tags_point_where_they_were_last_pushed(described, pushes):
    last = {(push.repository_name, tag): push.image_digest for push in pushes for tag in push.image_tags}

    assert last == {
        (name, tag): detail["imageDigest"]
        for name, details in described.items()
        for detail in details
        for tag in detail.get("imageTags", [])
    }


def test_pulls_are_recorded(lab, described):
    last = {}
    for pull in (pull for day in lab.shop.past for pull in day.pulls):
        last[pull.repository_name, pull.image_digest] = pull.pulled_at
    recorded = {
        (name, detail["imageDigest"]): detail["lastRecordedPullTime"]
        for name, details in described.items()
        for detail in details
        if "lastRecordedPullTime" in detail
    }

    assert recorded.keys() == last.keys()
    assert all((last[one] - recorded[one]).total_seconds() < 86_400 for one in last)


def test_immutable_repositories_say_so(lab, ecr):
    modes = {one["repositoryName"]: one["imageTagMutability"] for one in ecr.describe_repositories()["repositories"]}

    assert modes == {
        one.name: "IMMUTABLE_WITH_EXCLUSION" if one.is_immutable else "MUTABLE" for one in lab.shop.repositories
    }


def test_history_tells_each_push(lab, pushes):
    assert len(lab.history()) == sum(max(1, len(push.image_tags)) for push in pushes)


def test_what_runs_is_in_ecs(lab):
    ecs = lab.client("ecs")
    images = {
        arn.split("/")[1].split(":")[0]: ecs.describe_task_definition(taskDefinition=arn)["taskDefinition"][
            "containerDefinitions"
        ][0]["image"]
        for arn in ecs.list_task_definitions()["taskDefinitionArns"]
    }

    assert images == {task.family: f"{HOST}/{task.repository_name}{task.reference}" for task in lab.shop.tasks}


def test_the_cli_describes_what_runs(lab):
    demo = next(task for task in lab.shop.tasks if task.family.endswith("-demo"))
    command = f"aws ecs describe-task-definition --task-definition {demo.family}"

    assert json.loads(said(command))["taskDefinition"]["containerDefinitions"][0]["image"].endswith(demo.reference)


def test_pulling_an_image_says_why_it_cannot_be(lab, ecr):
    name = lab.shop.repositories[1].name
    manifest = json.loads(
        ecr.batch_get_image(repositoryName=name, imageIds=[{"imageTag": "latest"}])["images"][0]["imageManifest"]
    )
    while "manifests" in manifest:
        one = [{"imageDigest": manifest["manifests"][0]["digest"]}]
        manifest = json.loads(ecr.batch_get_image(repositoryName=name, imageIds=one)["images"][0]["imageManifest"])
    digest = manifest["layers"][0]["digest"]

    code, text = refusal(ecr.get_download_url_for_layer, repositoryName=name, layerDigest=digest)
    pulled = said(
        f"aws ecr get-login-password | docker login -u AWS --password-stdin {HOST} && docker pull {HOST}/{name}:latest"
    )
    checked = ecr.batch_check_layer_availability(repositoryName=name, layerDigests=[digest])["layers"]

    assert code == "LayerInaccessibleException"
    assert digest in text
    assert "it came with a history" in text
    assert "blob unknown" in pulled
    assert "it came with a history" in pulled
    assert checked == [{"layerDigest": digest, "layerAvailability": "UNAVAILABLE"}]


def test_the_registry_says_over_http_why_a_layer_cannot_be_had(lab, ecr, pushes):
    push = next(push for push in pushes if push.blobs)
    token = ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]
    address = f"{lab.endpoint}/v2/{push.repository_name}/blobs/{push.blobs[-1].digest}"

    def ask(method):
        request = urllib.request.Request(address, method=method, headers={"Authorization": f"Basic {token}"})
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request)
        return refused.value.code, refused.value.read()

    status, body = ask("GET")
    assert status == 404
    [error] = json.loads(body)["errors"]
    assert error["code"] == "BLOB_UNKNOWN"
    assert "it came with a history" in error["message"]
    assert ask("HEAD") == (404, b"")


def test_scanning_an_image_says_why_it_cannot_be(lab, ecr):
    name = lab.shop.repositories[0].name
    child = next(push for day in lab.shop.past for push in day.pushes if push.repository_name == name and push.blobs)
    one = {"repositoryName": name, "imageId": {"imageDigest": child.image_digest}}

    ecr.start_image_scan(**one)

    status = ecr.describe_image_scan_findings(**one)["imageScanStatus"]
    assert status["status"] == "FAILED"
    assert "it came with a history" in status["description"]


def test_somebody_else_can_push_on_top(lab, ecr):
    """The config of a signature is in the history and has no bytes; a client that signs again pushes it."""
    name = lab.shop.repositories[0].name
    about = ecr.describe_images(repositoryName=name, imageIds=[{"imageTag": "bookworm"}])["imageDetails"][0]
    app = Repository(ecr, name)
    subject = {"mediaType": about["imageManifestMediaType"], "digest": about["imageDigest"], "size": 1}

    digest = app.push(b"signature", artifactType="application/vnd.example", subject=subject)

    listed = ecr.list_image_referrers(repositoryName=name, subjectId={"imageDigest": about["imageDigest"]})
    assert [one["digest"] for one in listed["referrers"]] == [digest]


def test_a_shop_says_what_it_is(lab):
    assert repr(lab.shop).startswith("<the bike shop (seed 7): 7 repositories, ")


def test_a_second_load_is_refused_and_changes_nothing(lab, ecr):
    before = len(lab.history())

    with pytest.raises(RepositoryAlreadyExistsException):
        lab.load("a-year-of-ci")

    assert len(lab.history()) == before


def test_an_unknown_scenario_names_the_one_that_was_meant(lab):
    with pytest.raises(EcrLabError, match="did you mean 'a-year-of-ci'"):
        lab.load("a-year")


@pytest.mark.slow
def test_two_loads_are_equal_and_another_seed_differs():
    def loaded(seed):
        with ecrlab.start() as lab:
            shop = lab.load("a-year-of-ci", seed=seed)
            frame = lab.history()
            return shop, [tuple(row) for row in frame.itertuples()]

    first, again, other = loaded(3), loaded(3), loaded(4)
    assert first[0] == again[0]
    assert first[1] == again[1]
    assert first[1] != other[1]


@pytest.mark.slow
def test_a_kept_lab_keeps_its_past(tmp_path):
    with ecrlab.start(state=tmp_path / "kept") as lab:
        shop = lab.load("a-year-of-ci", seed=9)
    with ecrlab.start(state=tmp_path / "kept") as lab:
        names = [one["repositoryName"] for one in lab.client("ecr").describe_repositories()["repositories"]]

    assert names == sorted(one.name for one in shop.repositories)
    assert list(verify(tmp_path / "kept")) == []


def test_what_comes_by_itself_can_be_loaded_on_another_day():
    with ecrlab.start(at="2027-03-15T12:00") as lab:
        shop = lab.load("a-year-of-ci", seed=7)
        assert shop.last.isoformat() == "2027-03-14"
