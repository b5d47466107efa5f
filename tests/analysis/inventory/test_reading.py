"""A repository read from a real account, with the answers of the service put in its mouth."""

import json
from datetime import timedelta

import boto3
import pytest
from botocore.stub import Stubber

from ecrlab.analysis.costs import prices, storage
from ecrlab.analysis.inventory import reading
from ecrlab.analysis.report.report import Report
from tests.analysis.repositories import NOW, image, manifest


@pytest.fixture
def client():
    return boto3.client("ecr", region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test")


def details(digest, **facts):
    return {"imageDigest": digest, "imagePushedAt": NOW - timedelta(days=9), "imageSizeInBytes": 100} | facts


def given(digest, text_):
    return {"imageId": {"imageDigest": digest}, "imageManifest": text_}


def read_with(client, pages, images, failures=()):
    with Stubber(client) as service:
        for number, page in enumerate(pages, 1):
            more = {"nextToken": "more"} if number < len(pages) else {}
            service.add_response("describe_images", {"imageDetails": page} | more)
        service.add_response("batch_get_image", {"images": images, "failures": list(failures)})
        snapshot = reading.read(client, "my-app", at=NOW)
        service.assert_no_pending_responses()
    return snapshot


def test_all_that_cannot_be_read_is_unknown_with_its_reason(client):
    foreign = manifest(("sha256:f", 3)).replace('"x/y"', '"application/vnd.docker.image.rootfs.foreign.diff.tar"')
    pages = [
        [details("sha256:good"), details("sha256:archived", imageStatus="ARCHIVED"), details("sha256:lost")],
        [details("sha256:odd"), details("sha256:v1"), details("sha256:foreign"), details("sha256:index")],
    ]
    images = [
        given("sha256:good", manifest(("sha256:l", 50), ("sha256:l", 50), ("sha256:zero", 0))),
        given("sha256:odd", "not JSON"),
        given("sha256:v1", json.dumps({"schemaVersion": 1, "fsLayers": [{"blobSum": "sha256:l"}]})),
        given("sha256:foreign", foreign),
        given("sha256:index", json.dumps({"manifests": [{"digest": "sha256:good"}, {"digest": "sha256:gone"}]})),
    ]
    failures = [{"imageId": {"imageDigest": "sha256:lost"}, "failureCode": "ImageInaccessible", "failureReason": ""}]

    snapshot = read_with(client, pages, images, failures)
    told = "\n".join(Report(snapshot, prices.load()).doubts)

    assert storage.stored(snapshot).least == 57
    assert storage.stored(snapshot).most == 57 + 5 * 100
    assert snapshot.layers["sha256:index"] == ()
    assert snapshot.unread["sha256:lost"] == "ECR returns no manifest of them (ImageInaccessible)"
    assert snapshot.unread["sha256:archived"] == reading.ARCHIVED
    assert snapshot.unread["sha256:odd"] == snapshot.unread["sha256:v1"] == reading.MALFORMED
    assert snapshot.unread["sha256:foreign"] == reading.FOREIGN
    assert "indexes list 1 image that the repository does not hold" in told


@pytest.mark.parametrize(
    "blob",
    [
        {"digest": "sha256:l", "size": -1},
        {"digest": "sha256:l", "size": 2**63},
        {"digest": "sha256:l", "size": True},
        {"digest": "sha256:l", "size": "5"},
        {"digest": "sha256:l"},
        {"size": 5},
        None,
        [],
    ],
)
def test_a_layer_without_a_size_that_can_be_makes_its_image_unknown(blob):
    body = json.dumps({"config": {"digest": "sha256:c", "size": 7}, "layers": [blob]})

    snapshot = reading.snapshot("my-app", NOW, [image("sha256:a", size_in_bytes=9)], {"sha256:a": body})

    assert snapshot.unread == {"sha256:a": reading.MALFORMED}


def test_one_manifest_may_not_contradict_itself_about_a_layer():
    body = manifest(("sha256:l", 5), ("sha256:l", 6))

    snapshot = reading.snapshot("my-app", NOW, [image("sha256:a", size_in_bytes=9)], {"sha256:a": body})

    assert snapshot.unread == {"sha256:a": reading.CONTRADICTORY}


def test_an_older_botocore_is_not_asked_for_what_it_does_not_know(client, monkeypatch):
    model = client.meta.service_model.operation_model("DescribeImages").input_shape.members["filter"]
    monkeypatch.delitem(model.members, "imageStatus")
    with Stubber(client) as service:
        service.add_response("describe_images", {"imageDetails": []}, {"repositoryName": "my-app"})

        assert len(reading.read(client, "my-app", at=NOW)) == 0


def test_manifests_come_a_hundred_at_a_time(client):
    digests = [f"sha256:{n:064x}" for n in range(101)]
    with Stubber(client) as service:
        service.add_response("describe_images", {"imageDetails": [details(digest) for digest in digests]})
        for some in (digests[:100], digests[100:]):
            wanted = {
                "repositoryName": "my-app",
                "imageIds": [{"imageDigest": digest} for digest in some],
                "acceptedMediaTypes": list(reading.MEDIA_TYPES),
            }
            images = [given(digest, manifest((f"l{digest}", 1))) for digest in some]
            service.add_response("batch_get_image", {"images": images, "failures": []}, wanted)

        assert storage.stored(reading.read(client, "my-app", at=NOW)).least == 7 + 101


@pytest.mark.parametrize(
    ("descriptor", "platform"),
    [
        ({"platform": {"os": "linux", "architecture": "arm64", "variant": "v8"}}, "linux/arm64/v8"),
        ({"annotations": {"vnd.docker.reference.type": "attestation-manifest"}}, "attestation"),
        ({"platform": {"os": 7, "architecture": None}, "annotations": []}, ""),
        ({"platform": "linux/amd64"}, ""),
    ],
)
def test_an_index_names_the_platforms_of_its_images(descriptor, platform):
    listed = json.dumps({"manifests": [{"digest": "sha256:a"} | descriptor, None, {"digest": 7}]})

    images = [image("sha256:i"), image("sha256:a")]
    snapshot = reading.snapshot("my-app", NOW, images, {"sha256:i": listed, "sha256:a": manifest()})

    assert snapshot.platforms == {"sha256:a": platform}
