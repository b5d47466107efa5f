"""Who comes to a disk, or to what may take its time, lets the server go on with others first."""

import hashlib
import json

import pytest

from ecrlab.registry import deletions, pushes
from ecrlab.registry.store import blobs
from ecrlab.registry.world import World
from ecrlab.simulator.http import STEP_ASIDE
from ecrlab.simulator.v2 import DockerFace

LAYER = b"layer"
DIGEST = "sha256:" + hashlib.sha256(LAYER).hexdigest()
MANIFEST = {
    "schemaVersion": 2,
    "mediaType": "application/vnd.oci.image.manifest.v1+json",
    "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": DIGEST, "size": len(LAYER)},
    "layers": [],
}
UPLOADS = "/v2/team/app/blobs/uploads/"


@pytest.fixture
def steps():
    """What happened, in its order."""
    return []


@pytest.fixture
def say(ask, world, steps, monkeypatch):
    """One request to a server that has somebody else go on when it is told to."""

    def note(owner, name):
        done = getattr(owner, name)

        def noted(*args, **kwargs):
            steps.append(name)
            return done(*args, **kwargs)

        monkeypatch.setattr(owner, name, noted)

    note(blobs.BlobStore, "sync")
    note(pushes, "put")
    note(deletions, "delete")
    note(World, "keep_up")
    face = DockerFace(world)

    def application(environ, start_response):
        return face({**environ, STEP_ASIDE: lambda: steps.append("aside")}, start_response)

    def request(method, path, body=b""):
        steps.clear()
        return ask(method, path, body, face=application)

    return request


def test_layers_and_images_step_aside_before_they_come_to_a_disk(say, steps):
    location = say("POST", UPLOADS).location
    assert steps == []
    say("PATCH", location, LAYER)
    assert steps == []
    assert say("PUT", f"{location}?digest={DIGEST}").status_code == 201
    assert steps == ["aside", "sync"]
    assert say("POST", f"{UPLOADS}?digest={DIGEST}", LAYER).status_code == 201
    assert steps == ["aside", "sync"]
    assert say("PUT", "/v2/team/app/manifests/v1", json.dumps(MANIFEST).encode()).status_code == 201
    assert steps == ["aside", "put"]
    assert say("GET", "/v2/team/app/manifests/v1").status_code == 200
    assert say("GET", f"/v2/team/app/blobs/{DIGEST}").status_code == 200
    assert say("HEAD", f"/v2/team/app/blobs/{DIGEST}").status_code == 200
    assert steps == []
    assert say("DELETE", "/v2/team/app/manifests/v1").status_code == 202
    assert steps == ["aside", "delete"]


def test_a_mount_steps_aside(say, steps):
    say("POST", f"{UPLOADS}?mount={DIGEST}&from=elsewhere")
    assert steps == ["aside"]


def test_who_comes_first_after_midnight_steps_aside_for_the_night(say, steps, monkeypatch):
    monkeypatch.setattr(World, "is_behind", True)
    say("GET", "/v2/team/app/tags/list")
    assert steps == ["aside", "keep_up"]
