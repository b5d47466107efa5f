"""Transcripts: what passes between a real client and the lab, counted to the byte."""

import subprocess

import matplotlib as mpl
import pytest

import ecrlab
from ecrlab.analysis.inventory import frames

mpl.use("agg")

HOST = "123456789012.dkr.ecr.us-east-1.amazonaws.com"


@pytest.fixture
def lab(tmp_path, monkeypatch):
    (tmp_path / "Dockerfile").write_text("FROM scratch\nCOPY content /\n")
    (tmp_path / "content").write_text("hello " * 500)
    monkeypatch.chdir(tmp_path)
    with ecrlab.start() as lab:
        lab.client("ecr").create_repository(repositoryName="hello")
        shell(f"docker build -q -t {HOST}/hello:v1 .")
        shell(f"aws ecr get-login-password | docker login --username AWS --password-stdin {HOST}")
        yield lab


def shell(command):
    subprocess.run(command, shell=True, check=True, capture_output=True)


def test_a_push_is_a_question_for_each_blob_its_bytes_and_the_manifest(lab):
    with lab.transcript() as said:
        shell(f"docker push {HOST}/hello:v1")

    means = list(said.table()["means"])
    assert means[0] == "May I? - Who are you?"
    assert means.count("Have you got this blob? - No") == 2
    assert means.count("These are its bytes - Received") == 2
    assert means[-1] == "This is the manifest - Stored"
    assert "" not in means


def test_the_bytes_sent_are_those_of_layers_config_and_manifest(lab):
    with lab.transcript() as said:
        shell(f"docker push {HOST}/hello:v1")

    ecr = lab.client("ecr")
    [image] = ecr.describe_images(repositoryName="hello")["imageDetails"]
    [given] = ecr.batch_get_image(repositoryName="hello", imageIds=[{"imageTag": "v1"}])["images"]
    assert said.bytes_sent == image["imageSizeInBytes"] + len(given["imageManifest"])
    assert said.bytes_saved == 0


def test_the_second_push_saves_what_the_first_one_brought(lab):
    shell(f"docker push {HOST}/hello:v1")
    with lab.transcript() as said:
        shell(f"docker push {HOST}/hello:v1")

    [image] = lab.client("ecr").describe_images(repositoryName="hello")["imageDetails"]
    assert said.bytes_saved == image["imageSizeInBytes"]


def test_the_bytes_received_by_a_pull_are_those_of_layers_config_and_manifest(lab):
    shell(f"docker push {HOST}/hello:v1 && docker rmi {HOST}/hello:v1")
    with lab.transcript() as said:
        shell(f"docker pull {HOST}/hello:v1")

    ecr = lab.client("ecr")
    [image] = ecr.describe_images(repositoryName="hello")["imageDetails"]
    [given] = ecr.batch_get_image(repositoryName="hello", imageIds=[{"imageTag": "v1"}])["images"]
    challenge = sum(exchange.received for exchange in said.exchanges if exchange.status == 401)
    assert said.bytes_received - challenge == image["imageSizeInBytes"] + len(given["imageManifest"])


def test_what_is_said_before_and_after_is_not_recorded(lab):
    lab.client("ecr").describe_repositories()
    with lab.transcript() as said:
        lab.client("ecr").describe_images(repositoryName="hello")
    lab.client("ecr").describe_repositories()

    assert [exchange.asked for exchange in said.exchanges] == ["DescribeImages"]


def test_two_recordings_at_once_both_see_everything(lab):
    with lab.transcript() as outer, lab.transcript() as inner:
        lab.client("ecr").describe_repositories()

    assert len(outer) == len(inner) == 1


def test_the_picture_shows_every_exchange(lab):
    with lab.transcript() as said:
        shell(f"docker push {HOST}/hello:v1")

    texts = [text.get_text() for text in said.picture().axes[0].texts]
    assert sum("PATCH" in text for text in texts) == 2


def test_frames_show_images_and_layers_with_their_bytes(lab):
    shell(f"docker push {HOST}/hello:v1")

    ecr = lab.client("ecr")
    images, layers = frames.images(ecr, "hello"), frames.layers(ecr, "hello", "v1")

    assert list(images["tags"]) == ["v1"]
    assert images["bytes"].sum() == layers["bytes"].sum()
    assert list(layers.index) == ["config", "layer 1"]


def test_a_call_that_changes_something_is_done_not_here(lab):
    with lab.transcript() as said:
        lab.client("ecr").describe_repositories()
        lab.client("ecr").put_image_tag_mutability(repositoryName="hello", imageTagMutability="IMMUTABLE")

    assert list(said.table()["means"]) == ["DescribeRepositories - Here it is", "PutImageTagMutability - Done"]
