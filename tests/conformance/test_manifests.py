"""Images in and out: every kind of manifest, by tag and by digest, byte for byte."""

import base64
import json
import os
from typing import Any

import pytest

from .conftest import OCI_INDEX, OCI_MANIFEST, Client, Repository, digest_of, encode

DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
EMPTY_JSON = "application/vnd.oci.empty.v1+json"
EXAMPLE = "application/vnd.example.thing.v1"


def an_image(repository: Repository) -> dict[str, Any]:
    return repository.image(layers=2)


def an_uncompressed_image(repository: Repository) -> dict[str, Any]:
    layer = repository.descriptor(os.urandom(100), "application/vnd.oci.image.layer.v1.tar")
    return repository.image(layers=0) | {"layers": [layer]}


def a_docker_image(repository: Repository) -> dict[str, Any]:
    config = repository.descriptor(os.urandom(64), "application/vnd.docker.container.image.v1+json")
    layer = repository.descriptor(os.urandom(64), "application/vnd.docker.image.rootfs.diff.tar.gzip")
    return {"schemaVersion": 2, "mediaType": DOCKER_MANIFEST, "config": config, "layers": [layer]}


def an_index(repository: Repository) -> dict[str, Any]:
    children = [repository.push_image()[1] for _ in range(2)]
    index = repository.index(*children)
    for child, architecture in zip(index["manifests"], ("amd64", "arm64"), strict=True):
        child["platform"] = {"os": "linux", "architecture": architecture}
    return index


def a_docker_list(repository: Repository) -> dict[str, Any]:
    return an_index(repository) | {"mediaType": DOCKER_LIST}


def a_nested_index(repository: Repository) -> dict[str, Any]:
    inner = encode(an_index(repository))
    assert repository.put(inner).status == 201
    return repository.index(inner)


def an_empty_index(repository: Repository) -> dict[str, Any]:
    return repository.index()


def an_artifact(repository: Repository) -> dict[str, Any]:
    return repository.image(artifactType=EXAMPLE) | {
        "config": repository.descriptor(b"{}", EMPTY_JSON),
        "layers": [repository.descriptor(os.urandom(50), EXAMPLE)],
    }


def an_artifact_without_layers(repository: Repository) -> dict[str, Any]:
    empty = repository.descriptor(b"{}", EMPTY_JSON)
    return repository.image(artifactType=EXAMPLE) | {"config": empty, "layers": [empty]}


def an_artifact_index(repository: Repository) -> dict[str, Any]:
    return an_index(repository) | {"artifactType": EXAMPLE}


def an_image_without_layers(repository: Repository) -> dict[str, Any]:
    return repository.image(layers=0)


def custom_fields(repository: Repository) -> dict[str, Any]:
    return repository.image() | {"com.example.field": {"deep": [1, None, "é"]}}


def a_data_field(repository: Repository) -> dict[str, Any]:
    config = repository.descriptor(b"{}", EMPTY_JSON) | {"data": base64.b64encode(b"{}").decode()}
    return repository.image() | {"config": config}


def a_large_manifest(repository: Repository) -> dict[str, Any]:
    return repository.image(annotations={f"large-{number}": "A" * 10_000 for number in range(390)})


def layers_that_live_elsewhere(repository: Repository) -> dict[str, Any]:
    absent = {
        "mediaType": "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
        "digest": digest_of(os.urandom(8)),
        "size": 123_456,
        "urls": ["https://store.example.com/layer"],
    }
    image = repository.image()
    return image | {"layers": [absent, *image["layers"]]}


def a_missing_subject(repository: Repository) -> dict[str, Any]:
    subject = {"mediaType": OCI_MANIFEST, "digest": digest_of(os.urandom(8)), "size": 123}
    return repository.image(subject=subject)


KINDS = [
    an_image,
    an_uncompressed_image,
    a_docker_image,
    an_index,
    a_docker_list,
    a_nested_index,
    an_empty_index,
    an_artifact,
    an_artifact_without_layers,
    an_artifact_index,
    an_image_without_layers,
    custom_fields,
    a_data_field,
    a_large_manifest,
    layers_that_live_elsewhere,
    a_missing_subject,
]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_what_was_pushed_comes_back_byte_for_byte(kind: Any, repository: Repository) -> None:
    body = encode(kind(repository))
    digest, media_type = digest_of(body), json.loads(body)["mediaType"]
    for reference in ("v1", digest):
        answer = repository.put(body, reference)
        assert answer.status == 201, answer.body
        assert answer.headers["Docker-Content-Digest"] == digest
        assert repository.client.ask("GET", answer.location).body == body
    for reference in ("v1", digest):
        for method in ("HEAD", "GET"):
            answer = repository.ask(method, f"manifests/{reference}", headers={"Accept": media_type})
            assert (answer.status, answer.body) == (200, body if method == "GET" else b"")
            assert answer.headers["Content-Type"] == media_type
            assert answer.headers["Content-Length"] == str(len(body))
            assert answer.headers["Docker-Content-Digest"] == digest
    assert repository.ask("GET", "tags/list").json["tags"] == ["v1"]


def test_sha512(repository: Repository) -> None:
    body = encode(repository.image(algorithm="sha512"))
    digest = digest_of(body, "sha512")
    answer = repository.put(body, digest)
    assert (answer.status, answer.headers["Docker-Content-Digest"]) == (201, digest)
    answer = repository.ask("GET", f"manifests/{digest}")
    assert (answer.body, answer.headers["Docker-Content-Digest"]) == (body, digest)
    index = repository.index() | {"manifests": [{"mediaType": OCI_MANIFEST, "digest": digest, "size": len(body)}]}
    assert repository.put(index, digest_of(encode(index), "sha512")).status == 201


def test_a_type_that_only_the_header_tells(repository: Repository) -> None:
    image = repository.image()
    del image["mediaType"]
    body = encode(image)
    answer = repository.ask("PUT", "manifests/v1", body, {"Content-Type": f"{OCI_MANIFEST}; charset=utf-8"})
    assert answer.status == 201
    assert repository.ask("GET", "manifests/v1").headers["Content-Type"] == OCI_MANIFEST


def test_what_a_client_accepts_changes_nothing(repository: Repository) -> None:
    digest, body = repository.push_image("v1")
    answer = repository.ask("GET", "manifests/v1", headers={"Accept": DOCKER_MANIFEST})
    assert (answer.status, answer.body, digest_of(answer.body)) == (200, body, digest)


def test_the_same_image_again(repository: Repository) -> None:
    _, body = repository.push_image("v1")
    assert repository.put(body, "v1").status == 201


@pytest.mark.private
def test_a_moved_tag_leaves_the_old_image_untagged(repository: Repository) -> None:
    old, _ = repository.push_image("v1")
    new, _ = repository.push_image("v1")
    assert repository.ask("HEAD", "manifests/v1").headers["Docker-Content-Digest"] == new
    images = repository.client.aws.describe_images(repositoryName=repository.name)["imageDetails"]
    assert {image["imageDigest"]: image.get("imageTags") for image in images} == {old: None, new: ["v1"]}


@pytest.mark.private
def test_a_pull_is_recorded_and_a_look_is_not(repository: Repository) -> None:
    repository.push_image("v1")

    def pulled() -> bool:
        [image] = repository.client.aws.describe_images(repositoryName=repository.name)["imageDetails"]
        return "lastRecordedPullTime" in image

    repository.ask("HEAD", "manifests/v1")
    assert not pulled()
    repository.ask("GET", "manifests/v1")
    assert pulled()


# What is not there


@pytest.mark.parametrize("reference", ["missing", digest_of(b"missing"), digest_of(b"missing", "sha512")])
def test_a_missing_image(repository: Repository, reference: str) -> None:
    answer = repository.ask("GET", f"manifests/{reference}")
    assert (answer.status, answer.code) == (404, "MANIFEST_UNKNOWN")
    assert answer.message == "Requested image not found"
    assert (repository.ask("HEAD", f"manifests/{reference}").status) == 404


def test_a_missing_repository(client: Client) -> None:
    answer = client.ask("GET", "/v2/never/created/manifests/v1")
    assert (answer.status, answer.code) == (404, "NAME_UNKNOWN")


def test_a_digest_that_is_none(repository: Repository) -> None:
    body = encode(repository.image())
    for answer in (
        repository.put(body, "sha256:baddigeststring"),
        repository.ask("GET", "manifests/sha256:baddigeststring"),
    ):
        assert (answer.status, answer.code) == (400, "DIGEST_INVALID")


# What is refused, in ECR's words


@pytest.mark.private
def test_another_digest_than_the_manifest_has(repository: Repository) -> None:
    body = encode(repository.image())
    answer = repository.put(body + b"  ", digest_of(body))
    assert (answer.status, answer.code) == (400, "MANIFEST_INVALID")
    assert answer.message == (
        f"The image with digest '{digest_of(body)}' in repository '{repository.name}' and registry ID "
        "'123456789012' does not match the image digest that Amazon ECR has calculated."
    )


@pytest.mark.private
def test_missing_layers(repository: Repository) -> None:
    image = repository.image()
    missing = [digest_of(b"one"), digest_of(b"two")]
    image["layers"] += [{"mediaType": EXAMPLE, "digest": digest, "size": 3} for digest in missing]
    answer = repository.put(image, "v1")
    assert (answer.status, answer.code) == (404, "BLOB_UPLOAD_UNKNOWN")
    assert answer.message == (
        f"Layers with digests '[{missing[0]}, {missing[1]}]' required for pushing image into repository with name "
        f"'{repository.name}' in the registry with id '123456789012' do not exist"
    )
    assert repository.ask("GET", "manifests/v1").status == 404


def test_missing_images_of_an_index(repository: Repository) -> None:
    answer = repository.put(repository.index(encode(repository.image())), "v1")
    assert (answer.status, answer.code) == (400, "MANIFEST_BLOB_UNKNOWN")
    assert answer.message.startswith("Images with digests '[sha256:")


@pytest.mark.private
def test_an_immutable_tag(client: Client) -> None:
    repository = Repository(client, imageTagMutability="IMMUTABLE")
    _, body = repository.push_image("v1")
    for again in (body, encode(repository.image())):
        answer = repository.put(again, "v1")
        assert (answer.status, answer.code) == (400, "TAG_INVALID")
        assert answer.message == (
            f"The image tag 'v1' already exists in the '{repository.name}' repository and cannot be overwritten "
            "because the tag is immutable."
        )


def test_a_manifest_that_is_no_json(repository: Repository) -> None:
    answer = repository.ask("PUT", "manifests/v1", b"{", {"Content-Type": OCI_MANIFEST})
    assert (answer.status, answer.code) == (405, "UNSUPPORTED")
    assert answer.message == (
        "Invalid parameter at 'ImageManifest' failed to satisfy constraint: 'Invalid JSON syntax'"
    )


def test_a_manifest_of_the_first_schema(repository: Repository) -> None:
    body = encode({"schemaVersion": 1, "name": "x", "tag": "y", "fsLayers": []})
    media_type = "application/vnd.docker.distribution.manifest.v1+prettyjws"
    answer = repository.ask("PUT", "manifests/v1", body, {"Content-Type": media_type})
    assert (answer.status, answer.code) == (405, "UNSUPPORTED")


def test_a_manifest_over_4_mib(repository: Repository) -> None:
    answer = repository.ask("PUT", "manifests/v1", b" " * (4 * 1024 * 1024 + 1), {"Content-Type": OCI_INDEX})
    assert (answer.status, answer.code) == (413, "MANIFEST_INVALID")


def test_a_tag_that_no_registry_takes(repository: Repository) -> None:
    answer = repository.put(repository.index(), "a+b")
    assert (answer.status, answer.code) == (405, "UNSUPPORTED")
    assert answer.message == (
        "Invalid parameter at 'imageTag' failed to satisfy constraint: "
        "'must satisfy regular expression '[a-zA-Z0-9-_.]+''"
    )
    assert repository.ask("HEAD", "manifests/a+b").status == 400


# Deleting


def test_delete_by_digest(repository: Repository) -> None:
    digest, _ = repository.push_image("v1")
    assert repository.ask("DELETE", f"manifests/{digest}").status == 202
    for reference in ("v1", digest):
        assert repository.ask("HEAD", f"manifests/{reference}").status == 404
    assert repository.ask("DELETE", f"manifests/{digest}").status == 404


def test_delete_by_tag(repository: Repository) -> None:
    digest, body = repository.push_image("v1")
    repository.put(body, "v2")
    assert repository.ask("DELETE", "manifests/v1").status == 202
    assert repository.ask("HEAD", "manifests/v1").status == 404
    assert repository.ask("HEAD", f"manifests/{digest}").status == 200
    assert repository.ask("DELETE", "manifests/v2").status == 202
    assert repository.ask("HEAD", f"manifests/{digest}").status == 404


def test_an_index_protects_its_children(repository: Repository) -> None:
    digest, body = repository.push_image()
    index = encode(repository.index(body))
    repository.put(index, "all")
    answer = repository.ask("DELETE", f"manifests/{digest}")
    assert (answer.status, answer.code) == (403, "DENIED")
    assert answer.message == f"Requested image referenced by manifest list: [{digest_of(index)}]"
    assert repository.ask("DELETE", "manifests/all").status == 202
    assert repository.ask("DELETE", f"manifests/{digest}").status == 202


def test_delete_a_blob(repository: Repository) -> None:
    digest = repository.push_blob(os.urandom(99))
    assert repository.ask("DELETE", f"blobs/{digest}").status == 202
    assert repository.ask("HEAD", f"blobs/{digest}").status == 404
    answer = repository.ask("DELETE", f"blobs/{digest}")
    assert (answer.status, answer.code) == (404, "BLOB_UNKNOWN")


def test_a_blob_that_an_image_uses_stays(repository: Repository) -> None:
    _, body = repository.push_image("v1")
    layer = json.loads(body)["layers"][0]["digest"]
    answer = repository.ask("DELETE", f"blobs/{layer}")
    assert (answer.status, answer.code) == (405, "UNSUPPORTED")
    assert repository.ask("HEAD", f"blobs/{layer}").status == 200
