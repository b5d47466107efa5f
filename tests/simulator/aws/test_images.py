"""Images by the API: put, listed, described, given back and deleted."""

import json
from datetime import timedelta
from typing import Any

import pytest

from ecrlab.registry.world import World
from tests.simulator.client import LAYER, OCI_INDEX, OCI_MANIFEST, Repository, digest_of, manifest, refusal

SCHEMA_1 = {"schemaVersion": 1, "name": "app", "tag": "v1", "fsLayers": [], "history": [], "signatures": []}


@pytest.mark.operation("ecr:PutImage")
def test_an_image_is_known_by_the_digest_of_its_manifest(app: Repository) -> None:
    app.layer(b"{}")
    body = manifest() + "\n  "
    image = app.put_image(imageManifest=body, imageTag="v1")["image"]
    assert image["imageId"] == {"imageDigest": digest_of(body.encode()), "imageTag": "v1"}
    assert (image["imageManifest"], image["imageManifestMediaType"]) == (body, OCI_MANIFEST)


def test_putting_what_is_there_is_refused(app: Repository) -> None:
    digest = app.push(tag="v1")
    assert refusal(lambda: app.push(tag="v1")) == (
        "ImageAlreadyExistsException",
        f"Image with digest '{digest}' and tag 'v1' already exists in the repository with name 'app' "
        "in registry with id '123456789012'",
    )
    assert refusal(lambda: app.push())[0] == "ImageAlreadyExistsException"
    assert app.push(tag="v2") == digest
    assert app.images() == {digest: ["v1", "v2"]}


def test_moving_a_tag_leaves_the_old_image_untagged(app: Repository) -> None:
    old = app.push(b"old", tag="v1")
    new = app.push(b"new", tag="v1")
    assert app.images() == {old: [], new: ["v1"]}


def test_an_image_needs_its_layers(app: Repository) -> None:
    app.layer(b"{}")
    missing = digest_of(b"nobody pushed this")
    code, message = refusal(app.put_image, imageManifest=manifest(b"nobody pushed this"))
    assert code == "LayersNotFoundException"
    assert missing in message


def test_an_index_needs_its_images(app: Repository) -> None:
    missing = digest_of(b"no image")
    code, message = refusal(lambda: app.push_index(missing))
    assert code == "ReferencedImagesNotFoundException"
    assert message == (
        f"Images with digests '[{missing}]' required for pushing image into repository with name 'app' "
        "in the registry with id '123456789012' do not exist"
    )


def test_a_digest_given_must_be_that_of_the_manifest(app: Repository) -> None:
    app.layer(b"{}")
    code, _ = refusal(app.put_image, imageManifest=manifest(), imageDigest=digest_of(b"something else"))
    assert code == "ImageDigestDoesNotMatchException"


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{",
        "null",
        "[]",
        '"text"',
        json.dumps(SCHEMA_1),
        json.dumps(SCHEMA_1 | {"mediaType": "application/vnd.docker.distribution.manifest.v1+prettyjws"}),
        manifest(mediaType="text/plain"),
        manifest(schemaVersion=7),
        manifest(schemaVersion=True),
        manifest(config=b"", layers=[{"digest": "sha256:zz", "size": 1, "mediaType": LAYER}]),
        manifest(layers=[{"digest": digest_of(b""), "size": -1, "mediaType": LAYER}]),
        manifest(layers={}),
        manifest(subject="sha256:0"),
        manifest(annotations={"a": 1}),
        manifest()[:-1] + ', "layers": []}',
        manifest(annotations={"a": float("nan")}),
        manifest()[:-1] + ', "a": "\\ud800"}',
        "[" * 50_000,
        '{"a":' * 50_000,
    ],
)
def test_what_is_no_manifest_is_refused(app: Repository, body: str) -> None:
    code, message = refusal(app.put_image, imageManifest=body, imageTag="v1")
    assert code == "InvalidParameterException"
    assert message.startswith("Invalid parameter at '")
    assert app.images() == {}


def test_a_manifest_that_does_not_say_what_it_is_needs_a_media_type(app: Repository) -> None:
    app.layer(b"{}")
    silent = json.dumps({name: value for name, value in json.loads(manifest()).items() if name != "mediaType"})
    syntax = "Invalid parameter at 'ImageManifest' failed to satisfy constraint: 'Invalid JSON syntax'"
    assert refusal(app.put_image, imageManifest=silent)[1] == syntax
    foreign = {"imageManifest": manifest(), "imageManifestMediaType": OCI_INDEX}
    assert refusal(app.put_image, **foreign)[1] == syntax
    assert app.put_image(imageManifest=silent, imageManifestMediaType=OCI_MANIFEST)["image"]["imageId"]


@pytest.mark.parametrize("tag", ["", "-v1", ".v1", "a/b", "a b", "é", "x" * 129, "x" * 301, "v1\n"])
def test_tags_that_a_registry_does_not_take(app: Repository, tag: str) -> None:
    app.layer(b"{}")
    code, _ = refusal(app.put_image, imageManifest=manifest(), imageTag=tag)
    assert code == "InvalidParameterException"
    assert app.images() == {}


@pytest.mark.operation("ecr:ListImages")
def test_a_listing_has_an_entry_for_each_tag_and_each_untagged_image(app: Repository) -> None:
    untagged, tagged = app.push(b"one"), app.push(b"two", tag="v1")
    app.push(b"two", tag="latest")
    entries = app.list_images()["imageIds"]
    assert entries == [
        {"imageDigest": untagged},
        {"imageDigest": tagged, "imageTag": "v1"},
        {"imageDigest": tagged, "imageTag": "latest"},
    ]
    assert app.list_images(filter={"tagStatus": "UNTAGGED"})["imageIds"] == entries[:1]
    assert app.list_images(filter={"tagStatus": "TAGGED"})["imageIds"] == entries[1:]
    assert app.list_images(filter={"imageStatus": "ARCHIVED"})["imageIds"] == []


def test_pages_of_a_listing_join_without_gap_or_repetition(app: Repository) -> None:
    app.push(b"a")
    for tag in ("v1", "v2", "v3"):
        app.push(b"b", tag=tag)
    app.push(b"c")
    whole, pages, token = app.list_images()["imageIds"], [], {}
    while True:
        page = app.list_images(maxResults=2, **token)
        pages.append(page["imageIds"])
        if "nextToken" not in page:
            break
        token = {"nextToken": page["nextToken"]}
    assert [len(page) for page in pages] == [2, 2, 1]
    assert [entry for page in pages for entry in page] == whole


def test_a_page_survives_what_is_deleted_and_pushed_meanwhile(app: Repository) -> None:
    digests = [app.push(bytes([n])) for n in range(4)]
    first = app.describe_images(maxResults=2)
    app.batch_delete_image(imageIds=[{"imageDigest": digests[1]}, {"imageDigest": digests[2]}])
    late = app.push(b"late")
    rest = app.describe_images(nextToken=first["nextToken"])
    assert [detail["imageDigest"] for detail in rest["imageDetails"]] == [digests[3], late]


@pytest.mark.parametrize("operation", ["list_images", "describe_images", "list_image_referrers"])
@pytest.mark.parametrize("token", ["", "x", "é", "AAAA", "A" * 10_000, "\n"])
def test_a_token_of_nobodys_is_refused(app: Repository, operation: str, token: str) -> None:
    subject = {"subjectId": {"imageDigest": digest_of(b"")}} if operation == "list_image_referrers" else {}
    code, _ = refusal(getattr(app, operation), nextToken=token, **subject)
    assert code == "InvalidParameterException"


def test_a_token_works_for_its_own_listing_only(app: Repository) -> None:
    app.push(b"a", tag="v1")
    app.push(b"b", tag="v2")
    token = app.list_images(maxResults=1)["nextToken"]
    assert refusal(app.describe_images, nextToken=token)[0] == "InvalidParameterException"
    assert refusal(app.list_images, nextToken=token, filter={"tagStatus": "TAGGED"})[0] == "InvalidParameterException"


@pytest.mark.operation("ecr:DescribeImages")
def test_an_image_is_described_with_all_that_applies(app: Repository, world: World) -> None:
    digest = app.push(b"layer" * 100, tag="v1")
    [detail] = app.describe_images()["imageDetails"]
    assert detail.pop("imagePushedAt") == world.clock.now()
    assert detail == {
        "registryId": "123456789012",
        "repositoryName": "app",
        "imageDigest": digest,
        "imageTags": ["v1"],
        "imageSizeInBytes": 502,
        "imageManifestMediaType": OCI_MANIFEST,
        "artifactMediaType": "application/vnd.oci.image.config.v1+json",
        "imageStatus": "ACTIVE",
    }


def test_an_artifact_is_described_with_its_subject(app: Repository) -> None:
    subject = app.push(b"image", tag="v1")
    about = {"mediaType": OCI_MANIFEST, "digest": subject, "size": 1}
    app.push(b"signature", subject=about, artifactType="application/vnd.example.signature")
    [detail] = app.describe_images(filter={"tagStatus": "UNTAGGED"})["imageDetails"]
    assert detail["subjectManifestDigest"] == subject
    assert detail["artifactMediaType"] == "application/vnd.example.signature"
    assert "imageTags" not in detail


def test_an_index_has_the_size_of_its_largest_image(app: Repository) -> None:
    small, large = app.push(b"s" * 10), app.push(b"l" * 1000)
    index = app.push_index(small, large, tag="multi")
    [detail] = app.describe_images(imageIds=[{"imageTag": "multi"}])["imageDetails"]
    assert (detail["imageDigest"], detail["imageSizeInBytes"]) == (index, 1002)
    assert detail["imageManifestMediaType"] == OCI_INDEX


def test_describing_by_ids_names_each_image_once(app: Repository) -> None:
    one, two = app.push(b"one", tag="v1"), app.push(b"two", tag="v2")
    ids = [{"imageTag": "v2"}, {"imageDigest": one}, {"imageDigest": two}, {"imageTag": "v1"}]
    details = app.describe_images(imageIds=ids)["imageDetails"]
    assert [detail["imageDigest"] for detail in details] == [two, one]


def test_describing_an_image_that_is_not_there(app: Repository) -> None:
    assert refusal(app.describe_images, imageIds=[{"imageTag": "nope"}]) == (
        "ImageNotFoundException",
        "The image with imageId {imageDigest:'null', imageTag:'nope'} does not exist within the repository "
        "with name 'app' in the registry with id '123456789012'",
    )
    digest = app.push(tag="v1")
    other = {"imageDigest": digest_of(b"another"), "imageTag": "v1"}
    assert refusal(app.describe_images, imageIds=[other])[0] == "ImageNotFoundException"
    assert app.describe_images(imageIds=[{"imageDigest": digest, "imageTag": "v1"}])["imageDetails"]


@pytest.mark.parametrize("image_id", [{}, {"imageDigest": "v1"}, {"imageTag": "-"}])
def test_describing_what_can_be_no_image(app: Repository, image_id: dict[str, str]) -> None:
    assert refusal(app.describe_images, imageIds=[image_id])[0] == "InvalidParameterException"


@pytest.mark.operation("ecr:BatchGetImage")
def test_a_manifest_comes_back_byte_for_byte_and_failures_beside_it(app: Repository) -> None:
    body = manifest(annotations={"org.example": "grüße ☃"})
    app.layer(b"{}")
    digest = app.put(body, "v1")
    wrong = digest_of(b"wrong")
    ids = [{"imageTag": "v1"}, {"imageTag": "nope"}, {"imageDigest": wrong}, {}, {"imageDigest": "x"}]
    answer = app.batch_get_image(imageIds=[*ids, {"imageTag": "v1", "imageDigest": wrong}])
    [image] = answer["images"]
    assert image["imageManifest"] == body
    assert image["imageId"] == {"imageDigest": digest, "imageTag": "v1"}
    assert [(failure["failureCode"], failure["failureReason"]) for failure in answer["failures"][:3]] == [
        ("ImageNotFound", "Requested image not found"),
        ("ImageNotFound", "Requested image not found"),
        ("MissingDigestAndTag", "Invalid request parameters: both tag and digest cannot be null"),
    ]
    assert [failure["failureCode"] for failure in answer["failures"][3:]] == [
        "InvalidImageDigest",
        "ImageTagDoesNotMatchDigest",
    ]


def test_reasons_end_with_the_quote_of_what_they_quote(app: Repository) -> None:
    for batch in (app.batch_get_image, app.batch_delete_image):
        failures = batch(imageIds=[{"imageDigest": "bad"}, {"imageTag": "a b"}])["failures"]
        assert [failure["failureReason"].partition("'")[2] for failure in failures] == [
            "[a-zA-Z0-9-_+.]+:[a-fA-F0-9]+'",
            "[a-zA-Z0-9-_.]+'",
        ]


def test_an_image_is_given_once_for_each_of_the_ids_it_was_asked_for_by(app: Repository) -> None:
    digest = app.push(tag="v1")
    app.push(tag="v2")
    asked = [{"imageTag": "v2"}, {"imageDigest": digest}, {"imageTag": "v2"}]
    given = app.batch_get_image(imageIds=asked)["images"]
    assert [image["imageId"] for image in given] == [{"imageDigest": digest, "imageTag": "v2"}, {"imageDigest": digest}]


def test_a_new_name_for_an_old_image_needs_no_pull(app: Repository) -> None:
    digest = app.push(b"layer", tag="v1")
    body = app.batch_get_image(imageIds=[{"imageTag": "v1"}])["images"][0]["imageManifest"]
    app.put_image(imageManifest=body, imageTag="stable")
    assert app.images() == {digest: ["v1", "stable"]}


def test_a_pull_is_recorded_at_most_once_a_day(app: Repository, world: World) -> None:
    app.push(tag="v1")

    def last_pull() -> Any:
        [detail] = app.describe_images()["imageDetails"]
        return detail.get("lastRecordedPullTime")

    assert last_pull() is None
    first = world.clock.now()
    for later in (timedelta(0), timedelta(hours=23)):
        world.clock.advance(seconds=later.total_seconds())
        app.batch_get_image(imageIds=[{"imageTag": "v1"}])
        assert last_pull() == first
    world.clock.advance(hours=1)
    app.batch_get_image(imageIds=[{"imageTag": "v1"}])
    assert last_pull() == first + timedelta(hours=24)


@pytest.mark.operation("ecr:BatchDeleteImage")
def test_an_image_goes_with_its_last_tag(app: Repository) -> None:
    digest = app.push(tag="v1")
    app.push(tag="v2")
    answer = app.batch_delete_image(imageIds=[{"imageTag": "v1"}])
    assert answer["imageIds"] == [{"imageDigest": digest, "imageTag": "v1"}]
    assert app.images() == {digest: ["v2"]}
    app.batch_delete_image(imageIds=[{"imageTag": "v2"}])
    assert app.images() == {}


def test_deletion_by_digest_takes_all_tags(app: Repository) -> None:
    digest = app.push(tag="v1")
    app.push(tag="v2")
    gone = app.batch_delete_image(imageIds=[{"imageDigest": digest}])["imageIds"]
    assert gone == [{"imageDigest": digest, "imageTag": "v1"}, {"imageDigest": digest, "imageTag": "v2"}]


def test_an_index_protects_its_images(app: Repository) -> None:
    child = app.push(b"amd64", tag="amd64")
    index = app.push_index(child, tag="multi")
    for image_id in ({"imageDigest": child}, {"imageTag": "amd64"}):
        [failure] = app.batch_delete_image(imageIds=[image_id])["failures"]
        assert failure["failureCode"] == "ImageReferencedByManifestList"
        assert failure["failureReason"] == f"Requested image referenced by manifest list: [{index}]"
    gone = app.batch_delete_image(imageIds=[{"imageDigest": index}, {"imageDigest": child}])
    assert gone["failures"] == []
    assert app.images() == {}


@pytest.mark.parametrize("count", [0, 101])
def test_one_to_a_hundred_images_at_a_time(app: Repository, count: int) -> None:
    ids = [{"imageTag": f"v{n}"} for n in range(count)]
    for operation in (app.batch_delete_image, app.batch_get_image):
        assert refusal(operation, imageIds=ids)[0] == "InvalidParameterException"
