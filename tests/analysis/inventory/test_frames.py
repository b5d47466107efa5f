"""Tables of what is in a registry, from any boto3 client."""

import json
import subprocess

import pytest

import ecrlab
from ecrlab.analysis.inventory import frames

HOST = "123456789012.dkr.ecr.us-east-1.amazonaws.com"


@pytest.fixture(scope="module")
def ecr(tmp_path_factory):
    folder = tmp_path_factory.mktemp("app")
    (folder / "Dockerfile").write_text("FROM scratch\nCOPY Dockerfile /one\nCOPY Dockerfile /two\n")
    with ecrlab.start() as lab:
        script = f"""set -e
            aws ecr create-repository --repository-name app
            aws ecr get-login-password | docker login --username AWS --password-stdin {HOST}
            docker build -q -t {HOST}/app:v1 . && docker push -q {HOST}/app:v1
            docker build -q --provenance=true -t {HOST}/app:attested . && docker push -q {HOST}/app:attested"""
        subprocess.run(["bash", "-c", script], cwd=folder, check=True, capture_output=True)
        yield lab.client("ecr")


def test_images_come_in_the_order_of_their_pushes(ecr):
    table = frames.images(ecr, "app")

    assert list(table["tags"]) == ["v1", "", "", "attested"]
    assert list(table["pushed"]) == sorted(table["pushed"])
    assert list(table.index) == [1, 2, 3, 4]


def test_parts_of_an_image_add_up_to_its_size(ecr):
    parts = frames.layers(ecr, "app", "v1")

    assert list(parts.index) == ["config", "layer 1", "layer 2"]
    assert parts["bytes"].sum() == frames.images(ecr, "app")["bytes"][1]


def test_an_attestation_is_for_no_platform(ecr):
    table = frames.platforms(ecr, "app", "attested")

    assert list(table["platform"])[1] == "unknown/unknown"
    assert list(table["is"]) == ["image", "attestation"]


@pytest.mark.parametrize(
    ("ask", "tag", "says"),
    [
        (frames.layers, "attested", "is an index"),
        (frames.layers, "v9", "no image tagged v9"),
        (frames.platforms, "v1", "not an index"),
    ],
)
def test_what_cannot_be_shown_is_refused_in_a_sentence(ecr, ask, tag, says):
    with pytest.raises(ecrlab.EcrLabError, match=says):
        ask(ecr, "app", tag)


def test_an_empty_repository_is_an_empty_table(ecr):
    ecr.create_repository(repositoryName="empty")

    assert frames.images(ecr, "empty").empty
    assert json.loads(frames.images(ecr, "empty").to_json(orient="columns"))["tags"] == {}
