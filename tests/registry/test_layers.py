"""A layer belongs to the repository it was pushed or mounted into; its bytes lie on the disk once."""

import threading

import pytest

from ecrlab.registry import layers, repositories
from ecrlab.registry.errors import (
    InvalidLayerException,
    InvalidParameterException,
    RepositoryNotFoundException,
    UploadNotFoundException,
)
from tests.registry.kms import ENCRYPTED, ENCRYPTED_OTHERWISE, Kms


def files(world):
    return sorted(world.blobs)


def open_uploads(world):
    return list((world.directory / "uploads").iterdir())


def test_what_was_uploaded_is_a_layer_of_the_repository(app, world):
    layer = app.layer(b"bytes")

    assert layers.find(app.registry, "app", layer.digest) == layer
    assert layer.size == 5
    assert files(world) == [layer.digest] and open_uploads(world) == []


def test_the_same_bytes_in_two_repositories_are_two_layers_and_one_file(app, world, client_for):
    repositories.create(app.registry, "other")

    first, second = app.layer(b"bytes"), client_for(app.registry, "other").layer(b"bytes")

    assert first.digest == second.digest and first.id != second.id
    assert files(world) == [first.digest]


def test_a_wrong_digest_leaves_the_upload_open(app, world):
    upload = layers.begin_upload(app.registry, "app")
    layers.grow(app.registry, "app", upload, b"bytes")

    with pytest.raises(InvalidLayerException):
        layers.complete_upload(app.registry, "app", upload, "sha256:" + "0" * 64)
    with pytest.raises(InvalidParameterException):
        layers.complete_upload(app.registry, "app", upload, "sha256:../../etc/passwd")

    assert files(world) == []
    layers.complete_upload(app.registry, "app", upload, upload.blob.digest())
    assert files(world) == [upload.blob.digest()]


def test_an_upload_can_be_completed_once(app):
    upload = layers.begin_upload(app.registry, "app")
    layers.complete_upload(app.registry, "app", upload, upload.blob.digest())

    with pytest.raises(UploadNotFoundException):
        layers.complete_upload(app.registry, "app", upload, upload.blob.digest())
    with pytest.raises(UploadNotFoundException):
        layers.grow(app.registry, "app", upload, b"late")
    with pytest.raises(UploadNotFoundException):
        layers.find_upload(app.registry, "app", upload.id)


def test_an_upload_into_a_repository_that_goes_meanwhile_leaves_nothing(app, world):
    upload = layers.begin_upload(app.registry, "app")
    layers.grow(app.registry, "app", upload, b"bytes")
    repositories.delete(app.registry, "app")
    repositories.create(app.registry, "app")

    with pytest.raises(UploadNotFoundException):
        layers.complete_upload(app.registry, "app", upload, upload.blob.digest())

    assert files(world) == [] and open_uploads(world) == []


def test_a_repository_deleted_in_the_last_moment_takes_the_layer_with_it(app, world, monkeypatch):
    upload = layers.begin_upload(app.registry, "app")
    layers.grow(app.registry, "app", upload, b"bytes")
    adopt = world.blobs.adopt

    def adopt_then_lose_the_repository(*arguments):
        adopt(*arguments)
        thread = threading.Thread(target=repositories.delete, args=(app.registry, "app"))
        thread.start()
        thread.join(10)
        assert not thread.is_alive(), "deleting waits for the upload, and the upload for the store"

    monkeypatch.setattr(world.blobs, "adopt", adopt_then_lose_the_repository)

    with pytest.raises(RepositoryNotFoundException):
        layers.complete_upload(app.registry, "app", upload, upload.blob.digest())
    assert files(world) == [] and open_uploads(world) == []


def test_a_failed_upload_leaves_the_same_bytes_of_another_repository_alone(app, world, client_for):
    repositories.create(app.registry, "other")
    layer = client_for(app.registry, "other").layer(b"bytes")
    upload = layers.begin_upload(app.registry, "app")
    layers.grow(app.registry, "app", upload, b"bytes")
    with world.store.write() as db:
        db.execute("DELETE FROM repository WHERE name = 'app'")

    with pytest.raises(RepositoryNotFoundException):
        layers.complete_upload(app.registry, "app", upload, layer.digest)

    assert files(world) == [layer.digest]


def test_a_layer_can_be_mounted_from_another_repository(app, client_for):
    repositories.create(app.registry, "other")
    layer = app.layer(b"bytes")

    mounted = layers.mount(app.registry, "other", layer.digest, "app")

    assert (mounted.digest, mounted.size) == (layer.digest, layer.size)
    assert layers.find(app.registry, "other", layer.digest) == mounted
    assert layers.mount(app.registry, "other", layer.digest, "nowhere") is None
    assert layers.mount(app.registry, "other", "sha256:" + "0" * 64, "app") is None


def test_an_upload_does_not_end_in_a_repository_of_the_same_name_that_was_made_meanwhile(
    app, registry, world, monkeypatch
):
    adopt = world.blobs.adopt

    def late(written, digest):
        adopt(written, digest)
        repositories.delete(registry, "app")
        repositories.create(registry, "app")

    monkeypatch.setattr(world.blobs, "adopt", late)
    with pytest.raises(UploadNotFoundException):
        app.layer(b"for the repository before")

    assert files(world) == []


def test_a_layer_is_mounted_between_repositories_with_the_same_key_only(registry, world, client_for):
    world.keys = Kms()
    for name, settings in (("secret", ENCRYPTED), ("same", ENCRYPTED), ("other", ENCRYPTED_OTHERWISE), ("plain", None)):
        repositories.create(registry, name, settings)
    layer = client_for(registry, "secret").layer(b"secret")

    mounted = [name for name in ("same", "other", "plain") if layers.mount(registry, name, layer.digest, "secret")]

    assert mounted == ["same"]
    with world.blobs.open(repositories.find(registry, "same"), layer.digest) as file:
        assert file.read() == b"secret"


def test_a_layer_is_not_mounted_across_accounts_or_regions(app, world):
    layer = app.layer(b"bytes")
    elsewhere = world.registry("210987654321", "us-east-1")
    repositories.create(elsewhere, "other")

    assert layers.mount(elsewhere, "other", layer.digest, "app") is None


def test_only_an_unused_layer_can_be_deleted(app, world):
    app.push(b"used")
    used = layers.find(app.registry, "app", app.layer(b"used").digest)
    unused = app.layer(b"unused")

    assert layers.delete(app.registry, "app", unused.digest)
    assert not layers.delete(app.registry, "app", used.digest)
    assert not layers.delete(app.registry, "app", unused.digest)
    assert unused.digest not in files(world) and used.digest in files(world)


def test_layers_of_a_missing_repository_are_an_error(registry):
    with pytest.raises(RepositoryNotFoundException):
        layers.begin_upload(registry, "nowhere")
    with pytest.raises(RepositoryNotFoundException):
        layers.find(registry, "nowhere", "sha256:" + "0" * 64)
