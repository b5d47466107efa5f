"""A layer whose file is gone is not there, on both faces: so pushing it again repairs the registry."""

import base64

import pytest

from tests.registry.conftest import digest_of
from tests.registry.over_http import HttpClient, Refused

BODY = b"a layer whose file is lost"
DIGEST = digest_of(BODY)


@pytest.fixture
def app(server, world):
    """A repository with an image, whose layer has lost its file."""
    client = HttpClient(server.endpoint, "lost")
    client.create()
    client.push(BODY, tag="v1")
    world.blobs.path(DIGEST).unlink()
    yield client
    client.aws("DeleteRepository", repositoryName="lost", force=True)
    client.close()


def availability(app):
    return app.aws("BatchCheckLayerAvailability", repositoryName="lost", layerDigests=[DIGEST])["layers"][0]


def push_by_api(app):
    call = {"repositoryName": "lost"}
    upload = app.aws("InitiateLayerUpload", **call)["uploadId"]
    part = base64.b64encode(BODY).decode()
    app.aws("UploadLayerPart", **call, uploadId=upload, partFirstByte=0, partLastByte=len(BODY) - 1, layerPartBlob=part)
    return app.aws("CompleteLayerUpload", **call, uploadId=upload, layerDigests=[DIGEST])["layerDigest"]


def push_by_docker(app):
    """Push as Docker does, which leaves out what is there."""
    try:
        app._v2("HEAD", f"blobs/{DIGEST}")
    except Refused:
        app.layer(BODY)


def test_docker_is_told_that_it_is_not_there(app):
    for method in ("HEAD", "GET"):
        with pytest.raises(Refused) as refused:
            app._v2(method, f"blobs/{DIGEST}")
        assert refused.value.status == 404


def test_the_api_says_that_it_is_not_there(app):
    assert availability(app) == {"layerDigest": DIGEST, "layerAvailability": "UNAVAILABLE"}
    with pytest.raises(Refused, match="LayersNotFoundException"):
        app.aws("GetDownloadUrlForLayer", repositoryName="lost", layerDigest=DIGEST)


def test_it_is_mounted_from_nowhere(app, server):
    app.aws("PutAccountSetting", name="BLOB_MOUNTING", value="ENABLED")
    other = HttpClient(server.endpoint, "lost-other")
    other.create()

    status, _, _ = other._v2("POST", f"blobs/uploads/?mount={DIGEST}&from=lost")

    assert status == 202
    app.aws("PutAccountSetting", name="BLOB_MOUNTING", value="DISABLED")
    other.aws("DeleteRepository", repositoryName="lost-other", force=True)
    other.close()


@pytest.mark.parametrize("push", [push_by_api, push_by_docker])
def test_pushing_it_again_repairs_it(app, world, push):
    push(app)

    assert world.blobs.path(DIGEST).read_bytes() == BODY
    assert app._v2("HEAD", f"blobs/{DIGEST}")[0] == 200
    assert availability(app)["layerAvailability"] == "AVAILABLE"
    assert app._v2("GET", f"blobs/{DIGEST}")[1] == BODY
    with pytest.raises(Refused, match="LayerAlreadyExistsException"):
        push_by_api(app)
