"""CloudTrail's records of Docker clients: a push and a pull are the operations of ECR that they are."""

import hashlib
import json

from ecrlab.registry import trail

ACCOUNT, REGION = "123456789012", "us-east-1"
LAYER, CONFIG = b"layer", b"{}"
OCI = "application/vnd.oci.image.manifest.v1+json"


def described(body, media_type):
    digest = "sha256:" + hashlib.sha256(body).hexdigest()
    return {"mediaType": f"application/vnd.oci.image.{media_type}", "size": len(body), "digest": digest}


MANIFEST = json.dumps(
    {
        "schemaVersion": 2,
        "mediaType": OCI,
        "config": described(CONFIG, "config.v1+json"),
        "layers": [described(LAYER, "layer.v1.tar")],
    }
)


def records(world, name="team/app"):
    return trail.of(world.registry(ACCOUNT, REGION), name)


def push(ask, body):
    digest = "sha256:" + hashlib.sha256(body).hexdigest()
    ask("HEAD", f"/v2/team/app/blobs/{digest}")
    location = ask("POST", "/v2/team/app/blobs/uploads/").headers["Location"]
    ask("PATCH", location, body)
    ask("PUT", f"{location}?digest={digest}")
    return digest


def test_a_push_is_recorded_as_its_operations(ask, world, login):
    digest = push(ask, LAYER)
    push(ask, CONFIG)
    answer = ask("PUT", "/v2/team/app/manifests/v1", MANIFEST.encode(), headers=login() | {"Content-Type": OCI})

    found = records(world)
    [put] = found[8:]

    assert [(one["eventName"], one.get("errorCode")) for one in found[:4]] == [
        ("BatchCheckLayerAvailability", "LayersNotFoundException"),
        ("InitiateLayerUpload", None),
        ("UploadLayerPart", None),
        ("CompleteLayerUpload", None),
    ]
    upload = found[1]["responseElements"]["uploadId"]
    assert found[2]["requestParameters"]["uploadId"] == upload
    assert found[3]["responseElements"]["layerDigest"] == digest
    assert put["requestParameters"] == {
        "registryId": ACCOUNT,
        "repositoryName": "team/app",
        "imageTag": "v1",
        "imageManifest": MANIFEST,
    }
    image_id = {"imageDigest": answer.headers["Docker-Content-Digest"], "imageTag": "v1"}
    assert put["responseElements"]["image"]["imageId"] == image_id
    assert put["userIdentity"]["userName"] == "somebody"


def test_a_pull_is_recorded_also_one_that_finds_nothing(ask, world, login):
    digest = push(ask, LAYER)
    ask("GET", f"/v2/team/app/blobs/{digest}")
    headers = login() | {"Accept": "application/x, application/y;q=1", "User-Agent": "me"}
    ask("GET", "/v2/team/app/manifests/v1", headers=headers)

    layer, manifest = records(world)[-2:]

    assert (layer["eventName"], layer["requestParameters"]["layerDigest"]) == ("GetDownloadUrlForLayer", digest)
    assert (layer["readOnly"], layer["responseElements"]) == (True, None)
    assert (manifest["eventName"], manifest["errorCode"]) == ("BatchGetImage", "ImageNotFoundException")
    assert manifest["requestParameters"] == {
        "registryId": ACCOUNT,
        "repositoryName": "team/app",
        "imageIds": [{"imageTag": "v1"}],
        "acceptedMediaTypes": ["application/x", "application/y"],
    }
    assert manifest["userAgent"] == "me"


def test_a_denial_is_recorded(ask, world, login):
    ask("GET", "/v2/team/app/manifests/v1", headers=login("222233334444"))

    [record] = records(world)

    assert (record["eventName"], record["errorCode"]) == ("BatchGetImage", "AccessDenied")
    assert record["userIdentity"]["accountId"] == "222233334444"


def test_a_question_about_an_upload_is_no_operation(ask, world):
    location = ask("POST", "/v2/team/app/blobs/uploads/").headers["Location"]
    ask("GET", location)
    ask("DELETE", location)

    assert [one["eventName"] for one in records(world)] == ["InitiateLayerUpload"]
