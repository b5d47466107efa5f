"""`lab.snapshot()`, `lab.restore()` and `lab.trail()`: what a learner undoes, and reads up."""

import json
import subprocess
import urllib.request

import pytest

import ecrlab
from ecrlab.errors import EcrLabError
from tests.lifecycle.builders import rule, text
from tests.simulator.client import Repository


@pytest.fixture
def lab():
    with ecrlab.start() as lab:
        yield lab


@pytest.fixture
def app(lab):
    ecr = lab.client("ecr")
    ecr.create_repository(repositoryName="app")
    app = Repository(ecr, "app")
    for n in range(4):
        app.push(b"base", b"%d" % n, tag=f"v{n}")
    return app


def pulled(app):
    """Every image with its manifest and the bytes of its layers."""
    found = {}
    for digest in app.images():
        [image] = app.batch_get_image(imageIds=[{"imageDigest": digest}])["images"]
        layers = [layer["digest"] for layer in json.loads(image["imageManifest"])["layers"]]
        urls = [app.get_download_url_for_layer(layerDigest=layer)["downloadUrl"] for layer in layers]
        found[digest] = [image["imageManifest"], *[urllib.request.urlopen(url).read() for url in urls]]
    return found


def test_restore_brings_back_what_a_policy_deleted_and_the_bytes(lab, app):
    before, bytes_before = app.images(), pulled(app)
    lab.snapshot()
    app.put_lifecycle_policy(lifecyclePolicyText=text(rule(1, keep=1)))
    lab.clock.advance(days=1)
    assert len(app.images()) == 1
    assert len(lab.trail("app", "PolicyExecutionEvent")) == 1

    lab.restore()

    assert app.images() == before
    assert pulled(app) == bytes_before
    assert lab.trail(event="PolicyExecutionEvent") == lab.trail(event="PutLifecyclePolicy") == []
    with pytest.raises(app.ecr.exceptions.LifecyclePolicyNotFoundException):
        app.get_lifecycle_policy()
    lab.clock.advance(days=1)
    assert app.images() == before


def test_an_earlier_snapshot_can_be_chosen(lab, app):
    first = lab.snapshot()
    app.push(b"new", tag="v9")
    lab.snapshot()
    app.push(b"newer", tag="v10")

    lab.restore()
    assert len(app.images()) == 5
    lab.restore(first)
    assert len(app.images()) == 4


def test_docker_pulls_what_was_restored(lab, app, tmp_path):
    (tmp_path / "Dockerfile").write_text("FROM scratch\nCOPY Dockerfile /\n")
    image = "123456789012.dkr.ecr.us-east-1.amazonaws.com/app:built"
    script = f"aws ecr get-login-password | docker login --username AWS --password-stdin {image.partition('/')[0]}"
    sh(f"{script}\ndocker build --quiet --tag {image} .\ndocker push --quiet {image}\ndocker rmi {image}", tmp_path)
    lab.snapshot()
    app.batch_delete_image(imageIds=[{"imageTag": "built"}])

    lab.restore()

    assert "Downloaded newer image" in sh(f"docker pull {image}", tmp_path)


def sh(script, folder):
    return subprocess.run(["sh", "-e", "-c", script], cwd=folder, check=True, capture_output=True, text=True).stdout


def test_wrong_use_is_said(lab, app):
    with pytest.raises(
        EcrLabError, match=r"there is no snapshot to go back to; take one first: before = lab\.snapshot"
    ):
        lab.restore()
    with pytest.raises(EcrLabError, match="a snapshot must come from snapshot\\(\\), got int"):
        lab.restore(3)
    foreign = lab.snapshot()
    with ecrlab.start() as other, pytest.raises(EcrLabError, match="taken in another lab"):
        other.restore(foreign)
