"""`python3 -m ecrlab scan` on images that are in no file: those of a running lab and of the gallery."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import ecrlab
from ecrlab.commands import scan
from ecrlab.errors import EcrLabError
from ecrlab.machine.bootstrap import CHECKOUT
from ecrlab.machine.environment import DEAD_ENDPOINT
from ecrlab.machine.running import RunningLab
from tests.simulator.client import Repository
from tests.simulator.scanned import OLD, OLD_JINJA

HOST = "123456789012.dkr.ecr.us-east-1.amazonaws.com"


def scanned(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ecrlab", "scan", *words]
    return subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture(scope="module")
def lab() -> Iterator[ecrlab.Lab]:
    with ecrlab.start() as lab:
        ecr = lab.client("ecr")
        ecr.create_repository(repositoryName="team/my-app")
        repository = Repository(ecr, "team/my-app")
        image = repository.push(OLD, OLD_JINJA, tag="v1")
        listed = {"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": image, "size": 1}
        index = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json"}
        platform = {"platform": {"os": "linux", "architecture": "amd64"}}
        repository.put(json.dumps(index | {"manifests": [listed | platform]}), "many")
        repository.push(OLD, tag="one", config=b'{"os": "linux", "architecture": "amd64"}')
        yield lab


@pytest.mark.parametrize("name", ["team/my-app:v1", f"{HOST}/team/my-app:v1", "team/my-app:many"])
def test_an_image_of_the_running_lab_is_scanned(lab: ecrlab.Lab, name: str) -> None:
    done = scanned(name, "--output", "json", "--fail-on", "HIGH")

    report = json.loads(done.stdout)
    assert (done.returncode, report["status"]) == (1, "COMPLETE")
    assert {package["name"] for package in report["packages"]} == {"libexpat1", "Jinja2"}
    assert {finding["layer_index"] for finding in report["findings"]} == {0, 1}


def test_it_is_named_by_its_digest_too(lab: ecrlab.Lab) -> None:
    [detail] = lab.client("ecr").describe_images(repositoryName="team/my-app", imageIds=[{"imageTag": "v1"}])[
        "imageDetails"
    ]
    layers = scan.image_layers(f"{HOST}/team/my-app@{detail['imageDigest']}")
    assert len(layers) == 2


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("team/my-app:v9", "team/my-app:v9: Requested image not found"),
        ("nobody:v1", "The repository with name 'nobody' does not exist in the registry with id '123456789012'"),
        (f"{HOST.replace('us-east-1', 'eu-west-1')}/team/my-app:v1", "does not exist"),
        ("public.ecr.aws/docker/library/debian:potato", "The lab's gallery has public.ecr.aws/docker/library/debian"),
        ("./nothing-here", "there is no such file or folder, and it is no name of an image"),
    ],
)
def test_what_is_not_there_is_said(lab: ecrlab.Lab, name: str, said: str) -> None:
    with pytest.raises(EcrLabError) as told:
        scan.image_layers(name, "linux/amd64")
    assert said in str(told.value)


def test_another_platform_of_an_index_is_said_to_be_missing(lab: ecrlab.Lab) -> None:
    with pytest.raises(EcrLabError, match="no matching manifest for linux/arm64"):
        scan.image_layers("team/my-app:many", "linux/arm64")


@pytest.mark.parametrize("name", ["team/my-app:one", "public.ecr.aws/docker/library/debian:bookworm-20260824-slim"])
def test_the_only_image_there_is_is_refused_where_it_is_of_another_platform(lab: ecrlab.Lab, name: str) -> None:
    with pytest.raises(EcrLabError, match="linux/s390x"):
        scan.image_layers(name, "linux/s390x")
    assert len(scan.image_layers(name, "linux/amd64")) == 1


def test_a_lab_that_has_ended_meanwhile_is_said_to_be_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    gone = RunningLab("http://127.0.0.1:9", Path("/gone"), 0.0)
    monkeypatch.setattr("ecrlab.machine.running.choose", lambda endpoint: gone)
    with pytest.raises(EcrLabError, match="Could not connect"):
        scan.image_layers("team/my-app:one")


def test_an_image_of_the_gallery_needs_no_lab() -> None:
    done = scanned("public.ecr.aws/docker/library/debian:bookworm-20260824-slim", "--output", "json")

    report = json.loads(done.stdout)
    assert (done.returncode, report["os"]) == (0, {"id": "debian", "version_id": "12"})
    assert len(report["packages"]) == 88


def test_without_a_lab_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ecrlab.machine.running.find", list)
    monkeypatch.setenv("ECRLAB_ENDPOINT", DEAD_ENDPOINT)
    with pytest.raises(EcrLabError, match=r"no lab is running"):
        scan.image_layers("my-app:v1", "linux/amd64")
