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


def image(**config):
    config = {"mediaType": "application/json", "digest": DIGEST, "size": len(LAYER)} | config
    media_type = "application/vnd.oci.image.manifest.v1+json"
    return json.dumps({"schemaVersion": 2, "mediaType": media_type, "config": config, "layers": []}).encode()


def test_a_config_with_annotations_and_a_platform_with_features_are_rejected(ask, quirky):
    ask("POST", f"/v2/team/app/blobs/uploads/?digest={DIGEST}", LAYER)
    child = image()
    assert ask("PUT", "/v2/team/app/manifests/v1", child, face=quirky).status_code == 201
    platform = {"os": "linux", "architecture": "amd64", "features": ["sse4"]}
    listed = {
        "mediaType": json.loads(child)["mediaType"],
        "digest": "sha256:" + hashlib.sha256(child).hexdigest(),
        "size": len(child),
        "platform": platform,
    }
    media_type = "application/vnd.oci.image.index.v1+json"
    index = json.dumps({"schemaVersion": 2, "mediaType": media_type, "manifests": [listed]}).encode()
    for body in (image(annotations={"a": "b"}), index):
        response = ask("PUT", "/v2/team/app/manifests/v2", body, face=quirky)
        assert (response.status_code, response.json["errors"][0]["code"]) == (405, "UNSUPPORTED")
        assert ask("PUT", "/v2/team/app/manifests/v2", body).status_code == 201


def test_more_than_a_thousand_tags_cannot_be_asked_for(ask, quirky):
    response = ask("GET", "/v2/team/app/tags/list?n=1001", face=quirky)
    assert response.json["errors"][0] == {
        "code": "UNSUPPORTED",
        "message": "Invalid parameter at 'maxResults' failed to satisfy constraint: "
        "'Member must have value less than or equal to 1000'",
    }
    assert ask("GET", "/v2/team/app/tags/list?n=1000", face=quirky).status_code == 200
    assert ask("GET", "/v2/team/app/tags/list?n=10000").status_code == 200
