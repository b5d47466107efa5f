"""public.ecr.aws, to pull from and nothing else."""

import base64
import json

import pytest
from werkzeug.test import Client

from ecrlab import gallery
from ecrlab.simulator.v2.gallery import GalleryFace

NAME = "docker/library/debian"


@pytest.fixture
def public() -> Client:
    return Client(GalleryFace())


def test_anyone_may_pull(public):
    assert public.get("/v2/").status_code == 200
    tags = public.get(f"/v2/{NAME}/tags/list").json["tags"]
    assert tags == gallery.tags(NAME)
    index = public.get(f"/v2/{NAME}/manifests/{tags[0]}")
    assert index.headers["Docker-Content-Digest"] == gallery.manifest(NAME, tags[0]).digest
    child = index.get_json(force=True)["manifests"][0]["digest"]
    manifest = json.loads(public.get(f"/v2/{NAME}/manifests/{child}").data)
    layer = manifest["layers"][0]
    body = public.get(f"/v2/{NAME}/blobs/{layer['digest']}").data
    assert len(body) == layer["size"]
    part = public.get(f"/v2/{NAME}/blobs/{layer['digest']}", headers={"Range": "bytes=5-9"})
    assert (part.status_code, part.data) == (206, body[5:10])
    head = public.head(f"/v2/{NAME}/blobs/{layer['digest']}")
    assert (head.headers["Content-Length"], head.data) == (str(len(body)), b"")


@pytest.mark.parametrize(
    ("credentials", "status", "message"),
    [
        ("AWS:token-of-a-private-registry", 400, "Your authorization token is invalid."),
        ("ana:secret", 403, "Not Authorized"),
        (":", 200, None),
    ],
)
def test_nobody_can_log_in(public, credentials, status, message):
    header = {"Authorization": "Basic " + base64.b64encode(credentials.encode()).decode()}
    response = public.get("/v2/", headers=header)
    assert response.status_code == status
    assert message is None or response.json["errors"] == [{"code": "DENIED", "message": message}]
    assert public.get(f"/v2/{NAME}/tags/list", headers=header).status_code == status
    assert public.get("/v2/", headers={"Authorization": "Basic ?"}).status_code == 403


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("/v2/no/such/manifests/latest", "NAME_UNKNOWN"),
        (f"/v2/{NAME}/manifests/no-such-tag", "MANIFEST_UNKNOWN"),
        (f"/v2/{NAME}/blobs/sha256:{'a' * 64}", "BLOB_UNKNOWN"),
        (f"/v2/{NAME}/tags/other", "UNSUPPORTED"),
        ("/v2/_catalog", "UNSUPPORTED"),
    ],
)
def test_what_is_not_there(public, path, code):
    response = public.get(path)
    assert (response.status_code, response.json["errors"][0]["code"]) == (404, code)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_nobody_may_push(public, method):
    response = public.open(f"/v2/{NAME}/manifests/latest", method=method, data=b"{}")
    assert (response.status_code, response.json["errors"][0]["code"]) == (403, "DENIED")
