"""Images of public repositories by the API: layers, manifests, tags, deletions; and what ECR does not do to them."""

import itertools
import json
from typing import Any

import pytest

from ecrlab.registry import layer_parts, names, repositories, scan_rules
from ecrlab.registry.world import World
from ecrlab.simulator.wiring import wire
from tests.simulator.client import LAYER, OCI_MANIFEST, Repository, digest_of, manifest, refusal

HOME = "123456789012"
WHERE = "repository with name 'app' in the registry with id '123456789012'"


@pytest.fixture
def app(public: Any) -> Repository:
    """The public repository `app`, which is there and empty."""
    public.create_repository(repositoryName="app")
    return Repository(public, "app")


@pytest.mark.operation("ecr-public:BatchCheckLayerAvailability")
def test_layers_that_a_push_can_skip(app: Repository) -> None:
    digest, missing = app.layer(b"layer"), digest_of(b"other")
    answer = app.batch_check_layer_availability(layerDigests=[digest, missing, "sha256:x", ""])
    assert [one["layerAvailability"] for one in answer["layers"]] == ["AVAILABLE", "UNAVAILABLE"]
    assert [one["failureCode"] for one in answer["failures"]] == ["InvalidLayerDigest", "MissingLayerDigest"]


@pytest.mark.operation("ecr-public:InitiateLayerUpload")
def test_an_upload_says_how_large_its_parts_are(app: Repository) -> None:
    upload = app.initiate_layer_upload()
    assert upload["partSize"] == 10 * 1024 * 1024
    assert len(upload["uploadId"]) == 36


@pytest.mark.operation("ecr-public:UploadLayerPart")
def test_parts_of_a_layer_come_in_order(app: Repository, monkeypatch: Any) -> None:
    upload_id = app.initiate_layer_upload()["uploadId"]
    part = {"uploadId": upload_id, "layerPartBlob": b"abc"}
    answer = app.upload_layer_part(**part, partFirstByte=0, partLastByte=2)
    assert (answer["registryId"], answer["repositoryName"], answer["lastByteReceived"]) == (HOME, "app", 2)
    assert refusal(app.upload_layer_part, **part, partFirstByte=7, partLastByte=9) == (
        "InvalidLayerPartException",
        f"Invalid layer part upload for upload with id '{upload_id}' in the {WHERE}",
    )
    monkeypatch.setattr(layer_parts, "MOST_PARTS_PUBLIC", 1)
    assert refusal(app.upload_layer_part, **part, partFirstByte=3, partLastByte=5)[0] == "LimitExceededException"


@pytest.mark.operation("ecr-public:CompleteLayerUpload")
def test_a_layer_must_have_the_digest_that_was_claimed(app: Repository) -> None:
    upload_id = app.initiate_layer_upload()["uploadId"]
    assert refusal(app.complete_layer_upload, uploadId=upload_id, layerDigests=[digest_of(b"abc")])[0] == (
        "EmptyUploadException"
    )
    app.upload_layer_part(uploadId=upload_id, layerPartBlob=b"abc", partFirstByte=0, partLastByte=2)
    assert refusal(app.complete_layer_upload, uploadId=upload_id, layerDigests=[digest_of(b"abd")]) == (
        "InvalidLayerException",
        "None of the provided layer digests match the calculated layer digest",
    )
    answer = app.complete_layer_upload(uploadId=upload_id, layerDigests=[digest_of(b"abc")])
    assert answer["layerDigest"] == digest_of(b"abc")


def test_an_upload_belongs_to_its_repository_and_registry(client: Any, app: Repository) -> None:
    upload_id = app.initiate_layer_upload()["uploadId"]
    private = client("ecr")
    private.create_repository(repositoryName="app")
    app.ecr.create_repository(repositoryName="other")
    part = {"uploadId": upload_id, "layerPartBlob": b"abc", "partFirstByte": 0, "partLastByte": 2}
    for repository in (Repository(private, "app"), Repository(app.ecr, "other")):
        assert refusal(repository.upload_layer_part, **part)[0] == "UploadNotFoundException"
    forged = "00000000-0000-0000-0000-000000000000"
    assert refusal(app.upload_layer_part, **{**part, "uploadId": forged}) == (
        "UploadNotFoundException",
        f"Upload with id '{forged}' could not be found for the {WHERE}",
    )
    assert refusal(app.upload_layer_part, **{**part, "uploadId": "../../x"})[0] == "InvalidParameterException"
    assert app.upload_layer_part(**part)["lastByteReceived"] == 2


@pytest.mark.operation("ecr-public:PutImage")
def test_put_image_stores_a_manifest_whose_layers_are_there(app: Repository) -> None:
    body = manifest(b"layer")
    assert refusal(app.put_image, imageManifest=body, imageTag="v1") == (
        "LayersNotFoundException",
        f"Layers with digests '[{digest_of(b'{}')}, {digest_of(b'layer')}]' required for pushing image into {WHERE} "
        "do not exist",
    )
    app.layer(b"{}")
    app.layer(b"layer")
    image = app.put_image(imageManifest=body, imageTag="v1")["image"]
    assert image == {
        "registryId": HOME,
        "repositoryName": "app",
        "imageId": {"imageDigest": digest_of(body.encode()), "imageTag": "v1"},
        "imageManifest": body,
        "imageManifestMediaType": OCI_MANIFEST,
    }
    assert refusal(app.put_image, imageManifest=body, imageTag="v1")[0] == "ImageAlreadyExistsException"


@pytest.mark.operation("ecr-public:DescribeImages")
def test_a_public_image_is_described_without_scan_pull_or_storage_class(app: Repository) -> None:
    first, second = app.push(b"one", tag="v1"), app.push(b"two")
    [tagged, untagged] = app.describe_images()["imageDetails"]
    assert tagged.pop("imagePushedAt") < untagged.pop("imagePushedAt")
    assert tagged == {
        "registryId": HOME,
        "repositoryName": "app",
        "imageDigest": first,
        "imageTags": ["v1"],
        "imageSizeInBytes": 5,
        "imageManifestMediaType": OCI_MANIFEST,
        "artifactMediaType": "application/vnd.oci.image.config.v1+json",
    }
    assert untagged == {key: value for key, value in tagged.items() if key != "imageTags"} | {"imageDigest": second}
    page = app.describe_images(maxResults=1)
    assert len(app.describe_images(maxResults=1, nextToken=page["nextToken"])["imageDetails"]) == 1
    assert refusal(app.describe_images, imageIds=[{"imageTag": "v2"}])[0] == "ImageNotFoundException"


@pytest.mark.operation("ecr-public:DescribeImageTags")
def test_each_tag_says_when_it_came_to_its_image(app: Repository, own_world: World) -> None:
    first = app.push(b"one", tag="v1")
    app.put(manifest(b"one"), "latest")
    own_world.clock.advance(days=1)  # type: ignore[attr-defined]
    second = app.push(b"two", tag="latest")
    app.push(b"three")
    [latest, version] = app.describe_image_tags()["imageTagDetails"]
    assert [one["imageTag"] for one in (latest, version)] == ["latest", "v1"]
    assert [one["imageDetail"]["imageDigest"] for one in (latest, version)] == [second, first]
    assert version["createdAt"] == version["imageDetail"]["imagePushedAt"]
    assert (latest["createdAt"] - version["createdAt"]).days == 1
    assert latest["imageDetail"].keys() == {
        "imageDigest",
        "imageSizeInBytes",
        "imagePushedAt",
        "imageManifestMediaType",
        "artifactMediaType",
    }


def test_tags_come_in_pages(app: Repository) -> None:
    for tag in ("b", "c", "a"):
        app.push(tag.encode(), tag=tag)
    first = app.describe_image_tags(maxResults=2)
    rest = app.describe_image_tags(maxResults=2, nextToken=first["nextToken"])
    assert [[one["imageTag"] for one in page["imageTagDetails"]] for page in (first, rest)] == [["a", "b"], ["c"]]
    assert "nextToken" not in rest
    assert refusal(app.describe_image_tags, nextToken=app.describe_images(maxResults=1)["nextToken"])[0] == (
        "InvalidParameterException"
    )


@pytest.mark.operation("ecr-public:BatchDeleteImage")
def test_the_last_tag_takes_its_image_along(app: Repository) -> None:
    digest = app.push(b"one", tag="v1")
    app.put(manifest(b"one"), "latest")
    assert app.batch_delete_image(imageIds=[{"imageTag": "v1"}])["imageIds"] == [
        {"imageDigest": digest, "imageTag": "v1"}
    ]
    assert app.images() == {digest: ["latest"]}
    # By its digest, the answer has the tag, too.
    answer = app.batch_delete_image(imageIds=[{"imageDigest": digest}, {"imageTag": "v1"}])
    assert answer["imageIds"] == [{"imageDigest": digest, "imageTag": "latest"}]
    assert [one["failureCode"] for one in answer["failures"]] == ["ImageNotFound"]
    assert app.images() == {}


@pytest.mark.operation("ecr-public:DeleteRepository")
def test_a_public_repository_with_images_is_deleted_by_force_only(app: Repository) -> None:
    app.push(tag="v1")
    assert refusal(app.delete_repository)[0] == "RepositoryNotEmptyException"
    deleted = app.delete_repository(force=True)["repository"]
    assert deleted["repositoryArn"] == f"arn:aws:ecr-public::{HOME}:repository/app"
    assert app.ecr.describe_repositories()["repositories"] == []


def test_pushes_may_name_the_registry_by_its_alias(client: Any, app: Repository) -> None:
    alias = names.default_alias(HOME)
    assert app.initiate_layer_upload(registryId=alias)["uploadId"]
    assert refusal(app.initiate_layer_upload, registryId="z9z9z9z9") == (
        "RegistryNotFoundException",
        "The registry with id 'z9z9z9z9' does not exist",
    )
    assert refusal(app.initiate_layer_upload, registryId="NO")[0] == "InvalidParameterException"
    # Where the model has an id only, an alias is none.
    assert refusal(app.describe_images, registryId=alias)[0] == "InvalidParameterException"


def test_nothing_happens_to_a_public_image_by_itself(client: Any, app: Repository, own_world: World) -> None:
    wire(own_world)
    private, heard = client("ecr"), []
    own_world.events.add(heard.append)
    private.put_registry_scanning_configuration(
        scanType="BASIC",
        rules=[{"scanFrequency": "SCAN_ON_PUSH", "repositoryFilters": [{"filter": "*", "filterType": "WILDCARD"}]}],
    )
    private.put_replication_configuration(
        replicationConfiguration={"rules": [{"destinations": [{"region": "eu-west-1", "registryId": HOME}]}]}
    )
    private.create_repository_creation_template(prefix="ROOT", appliedFor=["CREATE_ON_PUSH", "REPLICATION"])
    heard.clear()

    subject = app.push(b"one", tag="v1")
    signature = app.push(b"two", subject={"mediaType": OCI_MANIFEST, "digest": subject, "size": 1})
    app.batch_delete_image(imageIds=[{"imageDigest": subject}])
    own_world.clock.advance(days=3)  # type: ignore[attr-defined]

    assert app.images() == {signature: []}
    assert heard == []
    assert client("ecr", region="eu-west-1").describe_repositories()["repositories"] == []
    registry = own_world.registry(HOME, names.PUBLIC)
    assert not scan_rules.is_due_on_push(registry, repositories.find(registry, "app"))
    assert refusal(Repository(app.ecr, "absent").initiate_layer_upload)[0] == "RepositoryNotFoundException"
    # What the public registry is called is no Region to replicate to.
    code, _ = refusal(
        private.put_replication_configuration,
        replicationConfiguration={"rules": [{"destinations": [{"region": names.PUBLIC, "registryId": HOME}]}]},
    )
    assert code == "InvalidParameterException"


def test_a_tag_always_moves(app: Repository) -> None:
    for number, tag in itertools.product(range(2), ("v1", "latest")):
        app.push(bytes([number]), tag=tag)
    assert sorted(app.images().values()) == [[], ["v1", "latest"]]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("{", "InvalidParameterException"),
        ("[]", "InvalidParameterException"),
        (json.dumps({"schemaVersion": 2, "mediaType": LAYER}), "InvalidParameterException"),
    ],
)
def test_what_is_no_manifest(app: Repository, body: str, code: str) -> None:
    assert refusal(app.put_image, imageManifest=body, imageTag="v1")[0] == code
    assert app.images() == {}
