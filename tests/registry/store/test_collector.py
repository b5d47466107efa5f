"""Bytes lie on the disk exactly as long as an image, or a client in the middle of a push, needs them."""

import hashlib
import threading
from types import SimpleNamespace

import pytest

import ecrlab.registry.store.collector
from ecrlab.registry import images, layers, repositories
from ecrlab.registry.errors import ServerException
from ecrlab.registry.world import World


@pytest.fixture
def impatient(monkeypatch):
    """Every grace is over at once, and the collector comes only when it is called."""
    monkeypatch.setattr(ecrlab.registry.store.collector, "GRACE_SECONDS", 0.0)
    monkeypatch.setattr(ecrlab.registry.store.collector.Collector, "_look_again_later", lambda collector: None)


def size_on_disk(world):
    return sum(world.blobs.path(digest).stat().st_size for digest in world.blobs)


def test_deleting_an_image_frees_its_bytes_at_once(app, world):
    app.push(b"base", b"one", tag="one")
    app.push(b"base", b"two", tag="two")

    assert app.delete(tag="one") == []

    assert size_on_disk(world) == len(b"{}" + b"base" + b"two")


def test_a_layer_just_pushed_outlives_a_collection(app, world):
    layer = app.layer(b"soon to be used")

    world.collector.collect()

    assert layers.find(app.registry, "app", layer.digest) is not None


def test_a_layer_that_no_image_ever_used_goes_when_its_grace_is_over(app, world, impatient):
    layer = app.layer(b"never used")

    world.collector.collect()

    assert layers.find(app.registry, "app", layer.digest) is None
    assert list(world.blobs) == []


def test_the_collector_comes_by_itself(app, world, monkeypatch):
    came = threading.Event()
    monkeypatch.setattr(ecrlab.registry.store.collector, "GRACE_SECONDS", 0.01)
    monkeypatch.setattr(world.collector, "collect", came.set)

    app.layer(b"never used")
    ecrlab.registry.store.collector.Collector.collect(world.collector)

    assert came.wait(10)


def test_a_layer_a_client_was_told_of_is_kept_while_it_uploads_the_rest(app, world, impatient):
    layer = app.layer(b"first of two")
    upload = layers.begin_upload(app.registry, "app")

    world.collector.collect()
    assert layers.find(app.registry, "app", layer.digest) is not None

    world.uploads.end(upload)
    world.collector.collect()
    assert layers.find(app.registry, "app", layer.digest) is None


def test_a_client_that_left_out_a_layer_can_push_though_the_last_image_goes_meanwhile(app, world):
    old = app.push(b"shared", tag="old")
    pushed = app.manifest(b"shared", config=b'{"new": 1}')
    assert layers.reserve(app.registry, "app", pushed.blobs[1].digest) is not None
    app.layer(b'{"new": 1}')

    assert app.delete(digest=old.digest) == []
    app.put(pushed, "new")

    assert list(app.images.values()) == [("new",)]


def test_a_look_that_is_no_push_keeps_nothing(app, world):
    image = app.push(b"shared")
    digest = app.manifest(b"shared").blobs[1].digest
    layers.find(app.registry, "app", digest)

    app.delete(digest=image.digest)

    assert layers.find(app.registry, "app", digest) is None


def test_bytes_that_another_repository_holds_stay(app, world, client_for):
    repositories.create(app.registry, "other")
    mine = app.push(b"shared")
    client_for(app.registry, "other").push(b"shared")

    app.delete(digest=mine.digest)
    assert size_on_disk(world) == len(b"{}" + b"shared")

    repositories.delete(app.registry, "other", force=True)
    assert size_on_disk(world) == 0


def test_a_disk_too_full_to_collect_is_looked_at_again(app, world, impatient, monkeypatch):
    layer = app.layer(b"never used")

    def full():
        raise ServerException("full")

    with monkeypatch.context() as patched:
        patched.setattr(world.store, "write", full)
        with pytest.raises(ServerException):
            world.collector.collect()
    assert layers.find(app.registry, "app", layer.digest) is not None

    world.collector.collect()
    assert layers.find(app.registry, "app", layer.digest) is None


def test_a_file_that_is_about_to_be_known_is_not_forgotten(app, world):
    writer = world.blobs.writer(SimpleNamespace(id=1, kms_key=None), "arriving")
    digest = writer.digest()

    with world.collector.awaiting(digest):
        world.blobs.adopt(writer, digest)
        world.collector.forget([digest])
        assert digest in world.blobs

    world.collector.forget([digest])
    assert digest not in world.blobs


def test_a_file_whose_layer_goes_before_its_upload_is_over_is_removed(app, world):
    # given a layer that is known, while its upload has not yet ended
    layer = app.layer(b"about to go")
    with world.collector.awaiting(layer.digest):
        # when its repository goes at this moment
        repositories.delete(app.registry, "app", force=True)
    # then nobody else will remove the file
    assert layer.digest not in world.blobs


def test_what_is_not_known_after_all_is_removed(world):
    writer = world.blobs.writer(SimpleNamespace(id=1, kms_key=None), "arriving")
    digest = writer.digest()

    with pytest.raises(ZeroDivisionError), world.collector.awaiting(digest):
        world.blobs.adopt(writer, digest)
        raise ZeroDivisionError

    assert digest not in world.blobs


def test_a_start_deletes_nothing_and_lets_unused_layers_have_their_grace(tmp_path, client_for, impatient):
    world = World(tmp_path / "kept")
    registry = world.registry("123456789012", "us-east-1")
    repositories.create(registry, "app")
    app = client_for(registry)
    image, unused = app.push(b"used"), app.layer(b"unused")
    stray = put_aside(world, b"what a killed server had put in place")
    foreign = put_aside(world, b"somebody else's", name="ab" * 32)
    world.close()
    before = files(world)

    again = World(tmp_path / "kept")
    registry = again.registry("123456789012", "us-east-1")
    assert files(again) == before
    assert layers.find(registry, "app", unused.digest) is not None
    again.collector.collect(grace=False)
    assert layers.find(registry, "app", unused.digest) is None
    assert images.find(registry, "app", images.ImageId(image.digest)).digest == image.digest
    assert not stray.exists()
    assert foreign.exists()
    again.close()


def test_a_database_older_than_its_blobs_lets_them_all_stay(tmp_path, client_for):
    # given a copy of the database from before the last push
    kept = tmp_path / "kept"
    world = World(kept)
    registry = world.registry("123456789012", "us-east-1")
    repositories.create(registry, "app")
    world.close()
    older = (kept / "registry.sqlite").read_bytes()
    world = World(kept)
    client_for(world.registry("123456789012", "us-east-1")).push(b"newer")
    world.close()
    before = files(world)
    (kept / "registry.sqlite").write_bytes(older)
    # when it is used, in this run and in the next
    for _ in range(2):
        again = World(kept)
        again.collector.collect(grace=False)
        again.close()
    # then a better copy of the database finds every blob
    assert files(again) == before


def put_aside(world, body, name=None):
    """A file among the blobs that no layer names."""
    digest = name or hashlib.sha256(body).hexdigest()
    path = world.blobs.path(f"sha256:{digest}")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(body)
    return path


def files(world):
    return {path for path in (world.directory / "blobs").rglob("*") if path.is_file()}
