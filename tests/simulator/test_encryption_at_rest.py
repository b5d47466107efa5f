"""A repository with a KMS key, by both faces: what is pushed comes back, and its plaintext lies nowhere on the disk."""

import io
import json
import tarfile
import urllib.request
from http.client import IncompleteRead
from pathlib import Path
from urllib.error import HTTPError

import pytest

from ecrlab.clock import LabClock
from ecrlab.registry import manifest, repositories
from ecrlab.registry.store import snapshots
from ecrlab.registry.store.encryption import SEGMENT
from ecrlab.registry.world import World
from ecrlab.simulator.server import Server
from tests.registry.conftest import ACCOUNT, REGION, Client, digest_of
from tests.registry.kms import ENCRYPTED, ENCRYPTED_OTHERWISE, KEY, Kms
from tests.registry.over_http import HttpClient, Refused
from tests.simulator.scanned import OLD

SENTENCE = b"The quick brown fox guards the recipe of the house. "


def tar(*contents: bytes) -> bytes:
    """An uncompressed layer."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for number, content in enumerate(contents):
            member = tarfile.TarInfo(f"recipe-{number}.txt")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return file.getvalue()


LAYER = tar(SENTENCE * 4000, b"small")
CONFIG = json.dumps({"architecture": "amd64", "config": {"Labels": {"recipe": SENTENCE.decode()}}}).encode()


@pytest.fixture
def kms():
    return Kms()


@pytest.fixture
def world(tmp_path, kms):
    world = World(tmp_path / "state", LabClock(), seed="test", durable=True)
    world.keys = kms
    yield world
    world.close()


@pytest.fixture
def registry(world):
    return world.registry(ACCOUNT, REGION)


@pytest.fixture
def secret(world, registry):
    """A client of a repository with a KMS key, over HTTP."""
    repositories.create(registry, "secret", ENCRYPTED)
    server = Server(world)
    client = HttpClient(server.endpoint, "secret")
    yield client
    client.close()
    server.stop()


def files_with(directory: Path, text: bytes) -> list[str]:
    return [str(path) for path in sorted(directory.rglob("*")) if path.is_file() and text in path.read_bytes()]


def test_an_image_comes_back_by_docker_and_by_the_api(secret):
    pushed = secret.push(LAYER, tag="v1", config=CONFIG)

    _, body, _ = secret._v2("GET", "manifests/v1")
    assert digest_of(body) == pushed.digest
    assert secret._v2("GET", f"blobs/{digest_of(LAYER)}")[1] == LAYER
    assert secret._v2("GET", f"blobs/{digest_of(CONFIG)}")[1] == CONFIG

    call = {"repositoryName": "secret"}
    image = secret.aws("BatchGetImage", **call, imageIds=[{"imageTag": "v1"}])["images"][0]
    assert image["imageManifest"].encode() == body
    url = secret.aws("GetDownloadUrlForLayer", **call, layerDigest=digest_of(LAYER))["downloadUrl"]
    with urllib.request.urlopen(url) as answer:
        assert answer.read() == LAYER


@pytest.mark.parametrize(
    ("asked", "wanted"),
    [
        (f"bytes={SEGMENT - 1}-{SEGMENT}", LAYER[SEGMENT - 1 : SEGMENT + 1]),
        (f"bytes={SEGMENT}-", LAYER[SEGMENT:]),
        (f"bytes=5-{2 * SEGMENT + 4}", LAYER[5 : 2 * SEGMENT + 5]),
        ("bytes=-3", LAYER[-3:]),
    ],
)
def test_a_range_of_a_layer(secret, asked, wanted):
    secret.push(LAYER)

    status, body, _ = secret._v2("GET", f"blobs/{digest_of(LAYER)}", headers={"Range": asked})
    assert (status, body) == (206, wanted)


def test_no_file_holds_what_was_pushed_at_any_time(secret, world, registry, tmp_path):
    for number in range(40):
        secret.push(LAYER, tag=f"v{number}", config=CONFIG + b" " * number)
    before = snapshots.take(world)
    upload = secret._v2("POST", "blobs/uploads/")[2]["Location"].rpartition("/v2/secret/")[2]
    secret._v2("PATCH", upload, LAYER + b"to be continued")

    assert files_with(tmp_path, SENTENCE[:20]) == files_with(tmp_path, b"recipe-0.txt") == []
    secret.aws("BatchDeleteImage", repositoryName="secret", imageIds=[{"imageTag": "v0"}])
    snapshots.put_back(world, before)
    assert files_with(tmp_path, SENTENCE[:20]) == files_with(tmp_path, b"recipe-0.txt") == []

    repositories.create(registry, "plain")
    plain = HttpClient(f"http://{secret._address.netloc}", "plain")
    plain.push(LAYER, tag="v1", config=CONFIG)
    plain.close()
    assert len(files_with(tmp_path, SENTENCE[:20])) == 2  # so the search finds what is there


def test_the_manifest_is_encrypted_in_the_database(secret, world):
    pushed = secret.push(LAYER, tag="v1", config=CONFIG)

    with world.store.read() as db:
        (stored,) = db.execute("SELECT manifest FROM image").fetchone()
    assert json.loads(stored.partition(b"\n")[0])["key"] == KEY
    assert digest_of(LAYER).encode() not in stored
    assert secret.find(pushed.digest).digest == pushed.digest


def test_the_same_layer_under_two_keys_is_two_files_and_under_one_key_one(secret, world, registry):
    for name, settings in (("same-key", ENCRYPTED), ("other-key", ENCRYPTED_OTHERWISE), ("no-key", None)):
        repositories.create(registry, name, settings)
        client = HttpClient(f"http://{secret._address.netloc}", name)
        client.push(LAYER, config=CONFIG)
        client.close()
    secret.push(LAYER, config=CONFIG)

    stored = {name: world.blobs.path(name).read_bytes() for name in world.blobs if digest_of(LAYER) in name}
    assert len(stored) == len(set(stored.values())) == 3
    assert stored[digest_of(LAYER)] == LAYER
    assert secret._v2("GET", f"blobs/{digest_of(LAYER)}")[1] == LAYER


def test_a_file_goes_with_the_last_repository_that_has_its_key(secret, world, registry):
    repositories.create(registry, "same-key", ENCRYPTED)
    client = HttpClient(f"http://{secret._address.netloc}", "same-key")
    for one in (secret, client):
        one.push(LAYER, tag="v1", config=CONFIG)
    kept = set(world.blobs)

    client.aws("DeleteRepository", repositoryName="same-key", force=True)
    client.close()
    assert set(world.blobs) == kept
    assert secret._v2("GET", f"blobs/{digest_of(LAYER)}")[1] == LAYER
    secret.delete(tag="v1")
    world.collector.collect(grace=False)
    assert set(world.blobs) == set()


def test_a_disabled_key_refuses_push_and_pull_and_nothing_else(secret, kms):
    pushed = secret.push(LAYER, tag="v1", config=CONFIG)
    kms.disabled.add(KEY)
    call = {"repositoryName": "secret"}

    for refused in (
        lambda: secret._v2("GET", f"blobs/{digest_of(LAYER)}"),
        lambda: secret._v2("GET", "manifests/v1"),
        lambda: secret._v2("POST", "blobs/uploads/"),
        lambda: secret.aws("InitiateLayerUpload", **call),
    ):
        with pytest.raises(Refused):
            refused()
    failure = secret.aws("BatchGetImage", **call, imageIds=[{"imageTag": "v1"}])["failures"][0]
    assert failure["failureCode"] == "KmsError"
    described = secret.aws("DescribeImages", **call, imageIds=[{"imageTag": "v1"}])["imageDetails"][0]
    assert described["imageDigest"] == pushed.digest

    kms.disabled.clear()
    assert secret._v2("GET", f"blobs/{digest_of(LAYER)}")[1] == LAYER


def test_a_flipped_bit_is_an_error_and_never_wrong_bytes(secret, world):
    secret.push(LAYER, tag="v1", config=CONFIG)
    (name,) = [name for name in world.blobs if name.startswith(digest_of(CONFIG))]
    path = world.blobs.path(name)
    stored = bytearray(path.read_bytes())
    stored[-20] ^= 4
    path.write_bytes(stored)

    with pytest.raises(Refused) as refused:
        secret._v2("GET", f"blobs/{digest_of(CONFIG)}")
    assert refused.value.status == 500
    call = {"repositoryName": "secret", "layerDigest": digest_of(CONFIG)}
    with pytest.raises(HTTPError) as failed:
        urllib.request.urlopen(secret.aws("GetDownloadUrlForLayer", **call)["downloadUrl"])
    assert failed.value.code == 500 and digest_of(CONFIG) in failed.value.read().decode()


def test_a_flipped_bit_in_the_middle_ends_the_download_before_it(secret, world):
    body = LAYER * 3
    secret.push(body, tag="v1", config=CONFIG)
    (name,) = [name for name in world.blobs if name.startswith(digest_of(body))]
    path = world.blobs.path(name)
    stored = bytearray(path.read_bytes())
    stored[len(stored) // 2] ^= 4
    path.write_bytes(stored)

    secret._connection.request("GET", f"/v2/secret/blobs/{digest_of(body)}", headers=secret._login)
    answer = secret._connection.getresponse()
    with pytest.raises(IncompleteRead) as ended:
        answer.read()
    assert ended.value.partial and body.startswith(ended.value.partial)


def test_an_encrypted_image_is_scanned_like_any_other(secret, registry, kms):
    repositories.create(registry, "plain")
    plain = HttpClient(f"http://{secret._address.netloc}", "plain")
    for one in (secret, plain):
        one.push(OLD, tag="v1", config=json.dumps({"architecture": "amd64", "os": "linux"}).encode())
        one.aws("StartImageScan", repositoryName=one.name, imageId={"imageTag": "v1"})

    found = [
        one.aws("DescribeImageScanFindings", repositoryName=one.name, imageId={"imageTag": "v1"})["imageScanFindings"]
        for one in (secret, plain)
    ]
    plain.close()
    assert found[0]["findings"] and found[0]["findings"] == found[1]["findings"]


def test_a_scan_without_the_key_fails_and_succeeds_later(secret, kms):
    secret.push(OLD, tag="v1", config=json.dumps({"architecture": "amd64", "os": "linux"}).encode())
    asked = {"repositoryName": "secret", "imageId": {"imageTag": "v1"}}
    kms.disabled.add(KEY)
    secret.aws("StartImageScan", **asked)
    status = secret.aws("DescribeImageScanFindings", **asked)["imageScanStatus"]
    assert status["status"] == "FAILED" and "is disabled" in status["description"]

    kms.disabled.clear()
    assert secret.aws("DescribeImageScanFindings", **asked)["imageScanFindings"]["findings"]


def test_what_a_snapshot_needs_stays_and_can_be_pulled_again(secret, world):
    secret.push(LAYER, tag="v1", config=CONFIG)
    before = snapshots.take(world)
    secret.aws("DeleteRepository", repositoryName="secret", force=True)
    snapshots.put_back(world, before)

    assert secret._v2("GET", "manifests/v1")[0] == 200
    assert secret._v2("GET", f"blobs/{digest_of(LAYER)}")[1] == LAYER
    secret.delete(tag="v1")
    world.collector.collect(grace=False)
    assert secret._v2("GET", "tags/list")[0] == 200


def test_referrers_and_storage_class_of_an_encrypted_image(secret):
    image = secret.push(LAYER, tag="v1", config=CONFIG)
    subject = {"mediaType": image.media_type, "digest": image.digest, "size": 1}
    document = json.loads(Client.manifest(secret, LAYER, config=CONFIG).body)
    about = secret.put(manifest.parse(json.dumps({**document, "subject": subject, "annotations": {"a": "b"}}).encode()))

    [found] = json.loads(secret._v2("GET", f"referrers/{image.digest}")[1])["manifests"]
    assert found["digest"] == about.digest and found["annotations"] == {"a": "b"}
    changed = {"repositoryName": "secret", "imageId": {"imageTag": "v1"}, "targetStorageClass": "ARCHIVE"}
    assert secret.aws("UpdateImageStorageClass", **changed)["imageStatus"] == "ARCHIVED"
