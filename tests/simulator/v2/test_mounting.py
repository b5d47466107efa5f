"""Layers are mounted only where the account says so, and between repositories that are encrypted alike."""

import hashlib

import pytest

from ecrlab.registry import repositories, settings
from ecrlab.registry.repositories import Settings

LAYER = b"a layer"
DIGEST = "sha256:" + hashlib.sha256(LAYER).hexdigest()
MOUNT = f"/v2/team/app/blobs/uploads/?mount={DIGEST}&from=source"


@pytest.fixture
def registry(world):
    return world.registry("123456789012", "us-east-1")


def test_a_registry_that_mounts_nothing_asks_for_the_upload(ask, registry):
    repositories.create(registry, "source")
    ask("POST", f"/v2/source/blobs/uploads/?digest={DIGEST}", LAYER)
    settings.put_account_setting(registry, "BLOB_MOUNTING", "DISABLED")
    refused = ask("POST", MOUNT)
    settings.put_account_setting(registry, "BLOB_MOUNTING", "ENABLED")

    assert refused.status_code == 202
    assert ask("POST", MOUNT).status_code == 201


def test_a_new_registry_mounts_nothing(world):
    assert not settings.blob_mounting(world.registry("999999999999", "us-east-1"))


def test_repositories_encrypted_differently_share_no_layers(ask, registry):
    repositories.create(registry, "source", Settings(encryption_type="KMS", kms_key="arn:aws:kms:x"))
    ask("POST", f"/v2/source/blobs/uploads/?digest={DIGEST}", LAYER)

    assert ask("POST", MOUNT).status_code == 202
