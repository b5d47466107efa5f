"""ECR's departures from the specification, only when asked for."""

import hashlib
import json

import pytest

from ecrlab.registry import repositories
from ecrlab.simulator.v2 import DockerFace

LAYER = b"a layer"
DIGEST = "sha256:" + hashlib.sha256(LAYER).hexdigest()


@pytest.fixture
def quirky(world):
    return DockerFace(world, quirks=True)


def test_a_patch_is_created_and_its_range_stands_still(ask, quirky):
    location = ask("POST", "/v2/team/app/blobs/uploads/", face=quirky).location
    for piece, first in ((b"abc", 0), (b"defgh", 3), (b"i", 8)):
        headers_range = f"{first}-{first + len(piece) - 1}"
        response = ask("PATCH", location, piece, face=quirky)
        assert response.status_code == 201
        assert response.headers["Range"] == "0-2", headers_range
    # What was received is all there, whatever the Range said.
    assert ask("GET", location, face=quirky).headers["Range"] == "0-8"


def test_a_layer_that_no_image_uses_is_not_mounted(ask, quirky, world):
    repositories.create(world.registry("123456789012", "us-east-1"), "source")
    assert ask("POST", f"/v2/source/blobs/uploads/?digest={DIGEST}", LAYER).status_code == 201
    mount = f"/v2/team/app/blobs/uploads/?mount={DIGEST}&from=source"
    assert ask("POST", mount, face=quirky).status_code == 202

    media_type = "application/vnd.oci.image.manifest.v1+json"
    config = {"mediaType": "application/json", "digest": DIGEST, "size": len(LAYER)}
    manifest = {"schemaVersion": 2, "mediaType": media_type, "config": config, "layers": []}
    assert ask("PUT", "/v2/source/manifests/v1", json.dumps(manifest).encode()).status_code == 201
    assert ask("POST", mount, face=quirky).status_code == 201


def test_layers_cannot_be_deleted(ask, quirky):
    ask("POST", f"/v2/team/app/blobs/uploads/?digest={DIGEST}", LAYER)
    assert ask("DELETE", f"/v2/team/app/blobs/{DIGEST}", face=quirky).status_code == 405
    assert ask("DELETE", f"/v2/team/app/blobs/{DIGEST}").status_code == 202
