"""Replication between repositories with different KMS keys encrypts again, or copies nothing."""

import pytest

from ecrlab.registry import images, layers, replication_copies, repositories
from ecrlab.registry.errors import KmsException
from ecrlab.registry.images import ImageId
from ecrlab.registry.store.blob_names import blob_name
from tests.registry.conftest import ACCOUNT, Client, digest_of
from tests.registry.kms import ENCRYPTED, ENCRYPTED_OTHERWISE, OTHER_KEY, Kms

LAYER = b"what is copied " * 10_000
PLAIN = repositories.Settings()


@pytest.fixture
def kms(world):
    world.keys = Kms()
    return world.keys


@pytest.fixture
def europe(world):
    return world.registry(ACCOUNT, "eu-west-1")


def copy(registry, europe, image):
    replication_copies.make(registry, "app", image.digest, ["all"], europe, lambda change: None)


@pytest.mark.parametrize(
    ("here", "there"),
    [(ENCRYPTED, PLAIN), (PLAIN, ENCRYPTED), (ENCRYPTED, ENCRYPTED_OTHERWISE), (ENCRYPTED, ENCRYPTED)],
    ids=["to plain", "from plain", "to another key", "under the same key"],
)
def test_a_copy_is_stored_under_the_key_of_its_repository(world, kms, registry, europe, here, there):
    repositories.create(registry, "app", here)
    repositories.create(europe, "app", there)
    app, copied = Client(registry), Client(europe)
    one, other = app.push(LAYER, tag="one"), app.push(LAYER, b"another")
    index = app.push_index(one, other, tag="all")

    copy(registry, europe, index)

    assert set(copied.images) == {one.digest, other.digest, index.digest}
    found, failures = images.pull(europe, "app", [ImageId(one.digest), ImageId(tag="all")])
    assert [image.body for image in found] == [app.find(digest).body for digest in (one.digest, index.digest)]
    assert failures == []
    for digest in app.images:
        app.delete(digest=digest)
    app.delete(digest=one.digest)
    app.delete(digest=other.digest)
    world.collector.collect(grace=False)
    assert layers.find(registry, "app", digest_of(LAYER)) is None
    with world.blobs.open(repositories.find(europe, "app"), digest_of(LAYER)) as file:
        assert file.read() == LAYER
    assert {name for name in world.blobs if name.startswith(digest_of(LAYER))} == {
        blob_name(digest_of(LAYER), there.kms_key)
    }


def test_a_copy_that_cannot_be_encrypted_leaves_nothing(world, kms, registry, europe):
    repositories.create(registry, "app", ENCRYPTED)
    repositories.create(europe, "app", ENCRYPTED_OTHERWISE)
    image = Client(registry).push(LAYER, tag="one")
    before = set(world.blobs)
    kms.disabled.add(OTHER_KEY)

    with pytest.raises(KmsException):
        copy(registry, europe, image)

    assert set(world.blobs) == before
    assert Client(europe).images == {}


def test_files_of_a_copy_that_fails_late_are_removed(world, kms, registry, europe):
    repositories.create(registry, "app", ENCRYPTED)
    repositories.create(europe, "app", ENCRYPTED_OTHERWISE)
    image = Client(registry).push(LAYER, tag="one")
    before = set(world.blobs)

    def fail(change):
        assert set(world.blobs) > before  # the files are there by now
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        replication_copies.make(registry, "app", image.digest, [], europe, fail)

    assert set(world.blobs) == before
    assert Client(europe).images == {}
