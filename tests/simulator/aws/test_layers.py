"""Layers by the API: in parts, checked, and fetched from an address."""

import urllib.error
import urllib.request
from collections.abc import Callable

import pytest
from botocore.exceptions import ClientError

from ecrlab.registry import layer_parts
from ecrlab.registry.world import World
from tests.simulator.client import LAYER, Repository, digest_of, refusal

MIB = 1024 * 1024
MALFORMED = "AuthorizationQueryParametersError"


def send(app: Repository, upload_id: str, first: int, part: bytes, last: int | None = None) -> int:
    """Upload a part; give the last byte received."""
    received: int = app.upload_layer_part(
        uploadId=upload_id,
        partFirstByte=first,
        partLastByte=first + len(part) - 1 if last is None else last,
        layerPartBlob=part,
    )["lastByteReceived"]
    return received


@pytest.mark.operation("ecr:InitiateLayerUpload")
def test_an_upload_is_opened_with_the_size_its_parts_should_have(app: Repository) -> None:
    answer = app.initiate_layer_upload()
    assert answer["partSize"] == 10 * MIB
    assert send(app, answer["uploadId"], 0, b"part") == 3


@pytest.mark.operation("ecr:UploadLayerPart")
def test_parts_are_joined_in_order(app: Repository) -> None:
    upload_id = app.initiate_layer_upload()["uploadId"]
    assert send(app, upload_id, 0, b"a" * 5 * MIB) == 5 * MIB - 1
    assert send(app, upload_id, 5 * MIB, b"rest") == 5 * MIB + 3
    digest = digest_of(b"a" * 5 * MIB + b"rest")
    assert app.complete_layer_upload(uploadId=upload_id, layerDigests=[digest])["layerDigest"] == digest


@pytest.mark.parametrize(("first", "last"), [(0, 3), (5, 8), (4, 6), (4, 99), (2**60, 2**60 + 3)])
def test_a_part_that_does_not_continue_the_upload_is_refused(app: Repository, first: int, last: int) -> None:
    upload_id = app.initiate_layer_upload()["uploadId"]
    send(app, upload_id, 0, b"abcd")
    with pytest.raises(ClientError) as refused:
        send(app, upload_id, first, b"efgh", last)
    answer = refused.value.response
    assert answer["Error"]["Code"] == "InvalidLayerPartException"
    assert (answer["lastValidByteReceived"], answer["uploadId"]) == (3, upload_id)
    assert (answer["registryId"], answer["repositoryName"]) == ("123456789012", "app")
    assert send(app, upload_id, 4, b"efgh") == 7


def test_a_part_has_at_least_one_byte(app: Repository) -> None:
    upload_id = app.initiate_layer_upload()["uploadId"]
    send(app, upload_id, 0, b"abcd")
    assert refusal(lambda: send(app, upload_id, 4, b"", 3))[0] == "InvalidLayerPartException"


def test_a_layer_comes_in_at_most_4200_parts(app: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layer_parts, "MOST_PARTS", 2)
    upload_id = app.initiate_layer_upload()["uploadId"]
    send(app, upload_id, 0, b"a")
    send(app, upload_id, 1, b"b")
    assert refusal(lambda: send(app, upload_id, 2, b"c"))[0] == "LimitExceededException"
    assert layer_parts.MOST_PARTS == 2


@pytest.mark.operation("ecr:CompleteLayerUpload")
def test_a_layer_is_what_its_digest_says(app: Repository) -> None:
    upload_id = app.initiate_layer_upload()["uploadId"]
    send(app, upload_id, 0, b"layer")
    wrong = digest_of(b"another")
    assert refusal(app.complete_layer_upload, uploadId=upload_id, layerDigests=[wrong]) == (
        "InvalidLayerException",
        "None of the provided layer digests match the calculated layer digest",
    )
    digest = digest_of(b"layer")
    app.complete_layer_upload(uploadId=upload_id, layerDigests=[digest])
    again = refusal(app.complete_layer_upload, uploadId=upload_id, layerDigests=[digest])
    assert again == (
        "UploadNotFoundException",
        f"Upload with id '{upload_id}' could not be found for the repository with name 'app' "
        "in the registry with id '123456789012'",
    )


def test_an_upload_without_a_byte_makes_no_layer(app: Repository) -> None:
    upload_id = app.initiate_layer_upload()["uploadId"]
    digest = digest_of(b"")
    assert refusal(app.complete_layer_upload, uploadId=upload_id, layerDigests=[digest])[0] == "EmptyUploadException"


def test_only_the_last_part_may_be_small(app: Repository) -> None:
    upload_id = app.initiate_layer_upload()["uploadId"]
    send(app, upload_id, 0, b"a")
    send(app, upload_id, 1, b"b")
    code, message = refusal(app.complete_layer_upload, uploadId=upload_id, layerDigests=[digest_of(b"ab")])
    assert code == "LayerPartTooSmallException"
    assert message == "All layer parts except the last part should be at least 5MB"


def test_a_layer_is_uploaded_once(app: Repository) -> None:
    digest = app.layer(b"layer")
    upload_id = app.initiate_layer_upload()["uploadId"]
    send(app, upload_id, 0, b"layer")
    code, message = refusal(app.complete_layer_upload, uploadId=upload_id, layerDigests=[digest])
    assert code == "LayerAlreadyExistsException"
    assert digest in message
    assert refusal(lambda: send(app, upload_id, 5, b"more"))[0] == "UploadNotFoundException"


def test_an_upload_belongs_to_its_repository(app: Repository) -> None:
    app.ecr.create_repository(repositoryName="other")
    upload_id = app.initiate_layer_upload()["uploadId"]
    other = Repository(app.ecr, "other")
    assert refusal(lambda: send(other, upload_id, 0, b"a"))[0] == "UploadNotFoundException"


@pytest.mark.operation("ecr:BatchCheckLayerAvailability")
def test_a_push_leaves_out_what_is_there(app: Repository) -> None:
    digest, missing = app.layer(b"layer"), digest_of(b"missing")
    app.push(b"layer", tag="v1")
    answer = app.batch_check_layer_availability(layerDigests=[digest, missing, "sha256:x", ""])
    assert answer["layers"] == [
        {"layerDigest": digest, "layerAvailability": "AVAILABLE", "layerSize": 5, "mediaType": LAYER},
        {"layerDigest": missing, "layerAvailability": "UNAVAILABLE"},
    ]
    assert [failure["failureCode"] for failure in answer["failures"]] == ["InvalidLayerDigest", "MissingLayerDigest"]


@pytest.mark.parametrize("digests", [[digest_of(b"a")], ["x"]])
def test_checking_layers_of_a_repository_that_is_not_there(app: Repository, digests: list[str]) -> None:
    nowhere = Repository(app.ecr, "nowhere")
    code, _ = refusal(nowhere.batch_check_layer_availability, layerDigests=digests)
    assert code == "RepositoryNotFoundException"


@pytest.mark.operation("ecr:GetDownloadUrlForLayer")
def test_the_address_of_a_layer_serves_its_bytes_without_credentials(app: Repository) -> None:
    body = bytes(range(256)) * 5000
    app.push(body, tag="v1")
    answer = app.get_download_url_for_layer(layerDigest=digest_of(body))
    assert answer["layerDigest"] == digest_of(body)
    with urllib.request.urlopen(answer["downloadUrl"]) as response:
        assert response.read() == body
    head = urllib.request.Request(answer["downloadUrl"], method="HEAD")
    with urllib.request.urlopen(head) as response:
        assert (response.headers["Content-Length"], response.read()) == (str(len(body)), b"")


def test_a_layer_of_no_image_cannot_be_fetched(app: Repository) -> None:
    digest = app.layer(b"layer")
    assert refusal(app.get_download_url_for_layer, layerDigest=digest)[0] == "LayerInaccessibleException"
    missing = digest_of(b"missing")
    assert refusal(app.get_download_url_for_layer, layerDigest=missing)[0] == "LayersNotFoundException"


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda url: url.replace("Signature=", "Signature=0"), "SignatureDoesNotMatch"),
        (lambda url: url.partition("?")[0], "AccessDenied"),
        (lambda url: url.replace("Expires=3600", "Expires=604800"), "SignatureDoesNotMatch"),
        (lambda url: url.replace("Expires=3600", "Expires=03600"), "SignatureDoesNotMatch"),
        (lambda url: url.replace("Signature=", "Signature=%C3%A9"), "SignatureDoesNotMatch"),
        (lambda url: url.replace("Signature=", "Signature=%ED%A0%80"), "SignatureDoesNotMatch"),
        *[
            (lambda url, value=value: url.replace("Expires=3600", f"Expires={value}"), MALFORMED)
            for value in ("", "x", "-1", "604801", "9" * 5000, "%D9%A3", "%C2%B2", "%ED%A0%80")
        ],
        *[
            (lambda url, name=name: url.replace(f"X-Amz-{name}=", "other="), MALFORMED)
            for name in ("Date", "Expires", "Signature")
        ],
        (lambda url: url.replace("Date=2", "Date=%ED%A0%80"), MALFORMED),
        (lambda url: url.replace("Date=2", "Date=3"), "SignatureDoesNotMatch"),
        (lambda url: url.replace("layers/", "layers/../"), "SignatureDoesNotMatch"),
        (lambda url: url.replace("app/sha256:", "app/sha256:%C3%A9"), "SignatureDoesNotMatch"),
        (lambda url: url.replace("app/sha256:", "web/sha256:"), "SignatureDoesNotMatch"),
    ],
)
def test_an_address_cannot_be_made_up(app: Repository, spoil: Callable[[str], str], code: str) -> None:
    app.push(b"layer", tag="v1")
    url = app.get_download_url_for_layer(layerDigest=digest_of(b"layer"))["downloadUrl"]
    assert code in fetch_refused(spoil(url))


def test_an_address_is_good_for_an_hour(app: Repository, world: World) -> None:
    app.push(b"layer", tag="v1")
    url = app.get_download_url_for_layer(layerDigest=digest_of(b"layer"))["downloadUrl"]
    world.clock.advance(minutes=59)
    assert urllib.request.urlopen(url).read() == b"layer"
    world.clock.advance(minutes=1)
    assert "Request has expired" in fetch_refused(url)


def test_the_address_of_a_deleted_layer_leads_nowhere(app: Repository) -> None:
    image = app.push(b"a layer of this test alone", tag="v1")
    url = app.get_download_url_for_layer(layerDigest=digest_of(b"a layer of this test alone"))["downloadUrl"]
    app.batch_delete_image(imageIds=[{"imageDigest": image}])
    assert "NoSuchKey" in fetch_refused(url)


def test_the_address_of_a_layer_of_a_deleted_repository_leads_nowhere(app: Repository) -> None:
    app.push(b"layer", tag="v1")
    url = app.get_download_url_for_layer(layerDigest=digest_of(b"layer"))["downloadUrl"]
    app.delete_repository(force=True)
    assert "NoSuchKey" in fetch_refused(url)


def fetch_refused(url: str) -> str:
    """The XML of S3's refusal."""
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(url)
    assert refused.value.status in (400, 403, 404)
    assert refused.value.headers["Content-Type"] == "application/xml"
    return refused.value.read().decode()
