"""The AWS face under `moto.mock_aws`: the same operations, a new registry for each mock, and nothing left behind."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
import requests
from moto import mock_aws

from ecrlab.simulator.moto import seams
from tests.simulator.client import OCI_MANIFEST, Repository, digest_of, refusal


@pytest.fixture(autouse=True)
def installed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Our registries where moto has its own, and all as before afterwards."""
    from moto import backend_index
    from moto.ecr.models import ecr_backends

    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    before = ecr_backends.backend, list(backend_index.backend_url_patterns)
    seams.install()
    yield
    ecr_backends.clear()
    ecr_backends.backend, backend_index.backend_url_patterns[:] = before
    sys.modules.pop("moto.ecrpublic", None)


def client(service: str = "ecr", region: str = "us-east-1") -> Any:
    return boto3.client(
        service, region_name=region, aws_access_key_id="AKIATESTTESTTESTTEST", aws_secret_access_key="x"
    )


def test_a_push_and_a_pull_without_a_server() -> None:
    with mock_aws():
        ecr = client()
        ecr.create_repository(repositoryName="app")
        app = Repository(ecr, "app")
        digest = app.push(b"layer", tag="v1")
        [image] = app.batch_get_image(imageIds=[{"imageTag": "v1"}])["images"]
        assert digest_of(image["imageManifest"].encode()) == digest
        assert image["imageManifestMediaType"] == OCI_MANIFEST
        url = app.get_download_url_for_layer(layerDigest=digest_of(b"layer"))["downloadUrl"]
        assert requests.get(url, timeout=5).content == b"layer"
        assert refusal(app.describe_images, imageIds=[{"imageTag": "nope"}])[0] == "ImageNotFoundException"


def test_each_mock_begins_with_nothing() -> None:
    for _ in range(2):
        with mock_aws():
            assert client().describe_repositories()["repositories"] == []
            client().create_repository(repositoryName="app")


def test_a_mock_inside_a_mock_is_the_same_registry() -> None:
    with mock_aws():
        client().create_repository(repositoryName="app")
        with mock_aws():
            assert client().describe_repositories()["repositories"]


def test_regions_are_registries_of_their_own() -> None:
    with mock_aws():
        client(region="eu-west-1").create_repository(repositoryName="app")
        assert client(region="eu-west-2").describe_repositories()["repositories"] == []


def test_no_directory_stays_behind() -> None:
    def directories() -> set[Path]:
        return set(Path(tempfile.gettempdir()).glob("ecrlab-mock-*"))

    before = directories()
    with mock_aws():
        client().create_repository(repositoryName="app")
        assert len(directories() - before) == 1
    with mock_aws():
        # moto begins anew when the next mock starts.
        assert directories() <= before


def test_nothing_stays_behind_when_the_process_ends(tmp_path: Path) -> None:
    script = "from ecrlab.simulator.moto import seams; seams.install(); import boto3, moto; moto.mock_aws().start(); "
    script += "boto3.client('ecr').create_repository(repositoryName='app'); print('made')"
    environment = {name: value for name, value in os.environ.items() if name != "AWS_ENDPOINT_URL"}
    ended = subprocess.run(
        [sys.executable, "-c", script], env=environment | {"TMPDIR": str(tmp_path)}, capture_output=True, text=True
    )
    assert ended.stdout == "made\n", ended.stderr
    assert list(tmp_path.iterdir()) == []


def test_keys_are_those_of_the_mocks_kms() -> None:
    with mock_aws():
        key = client("kms").create_key()["KeyMetadata"]
        made = client().create_repository(
            repositoryName="app", encryptionConfiguration={"encryptionType": "KMS", "kmsKey": key["KeyId"]}
        )
        assert made["repository"]["encryptionConfiguration"]["kmsKey"] == key["Arn"]
        assert client("kms").describe_key(KeyId=key["KeyId"])


def test_what_is_not_simulated_says_so_for_both_registries() -> None:
    with mock_aws():
        for service, call in (("ecr", "describe_pull_through_cache_rules"), ("ecr-public", "describe_registries")):
            code, message = refusal(getattr(client(service), call))
            assert code == "ValidationException"
            assert "ecrlab does not simulate" in message


def test_the_same_steps_give_the_same_answers() -> None:
    def steps() -> list[Any]:
        with mock_aws():
            ecr = client()
            created_at = ecr.create_repository(repositoryName="app")["repository"]["createdAt"]
            return [created_at, ecr.initiate_layer_upload(repositoryName="app")["uploadId"]]

    assert steps() == steps()
