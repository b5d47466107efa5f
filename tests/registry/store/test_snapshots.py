"""Going back to a snapshot: all of the registry returns, byte for byte, and the time does not."""

import threading
from datetime import timedelta

import pytest

from ecrlab.clock import LabClock
from ecrlab.errors import EcrLabError
from ecrlab.registry import images, layers, repositories, tag_history, trail
from ecrlab.registry.store import snapshots
from ecrlab.registry.store.verify import verify
from ecrlab.registry.world import World
from tests.registry.conftest import ACCOUNT, REGION, Client


def dump(world):
    with world.store.read(one=True) as db:
        return [line for line in db.iterdump() if '"meta"' not in line]


def test_images_come_back_with_their_bytes(app, world):
    image = app.push(b"layer", tag="v1")
    before = dump(world)
    snapshot = snapshots.take(world)
    app.delete(digest=image.digest)
    app.push(b"other", tag="v1")
    repositories.create(world.registry(ACCOUNT, "eu-west-1"), "new")

    snapshots.put_back(world, snapshot)

    assert dump(world) == before
    assert app.images == {image.digest: ("v1",)}
    assert app.find(image.digest).body
    layer = app.manifest(b"layer").blobs[1].digest
    assert world.blobs.path(layer).read_bytes() == b"layer"
    assert app.manifest(b"other").blobs[1].digest not in world.blobs


def test_the_time_does_not_go_back_and_no_night_is_lived_twice(app, world):
    seen = []
    world.nights.add(lambda midnight: seen.append(midnight) or midnight + timedelta(days=1))
    snapshot = snapshots.take(world)
    world.clock.advance(days=2)
    now = world.clock.now()

    snapshots.put_back(world, snapshot)
    assert world.clock.now() == now
    world.keep_up()
    world.clock.advance(days=1)

    assert len(seen) == len(set(seen)) == 3
    assert app.push(b"later").pushed_at > now.timestamp()


def test_a_snapshot_can_be_put_back_again_and_again_in_any_order(app, world):
    empty = snapshots.take(world)
    image = app.push(b"layer", tag="v1")
    full = snapshots.take(world)

    for _ in range(2):
        snapshots.put_back(world, empty)
        assert app.images == {}
        snapshots.put_back(world, full)
        assert app.images == {image.digest: ("v1",)}
        assert world.blobs.path(app.manifest(b"layer").blobs[1].digest).read_bytes() == b"layer"


def test_what_is_pushed_after_going_back_is_like_any_other(app, world):
    snapshot = snapshots.take(world)
    first = app.push(b"layer", tag="v1")
    snapshots.put_back(world, snapshot)

    again = app.push(b"layer", tag="v1")

    assert again.digest == first.digest
    app.delete(tag="v1")
    assert app.manifest(b"layer").blobs[1].digest not in world.blobs


def test_history_and_trail_are_undone_with_the_rest(app, world, registry):
    snapshot = snapshots.take(world)
    app.push(b"layer", tag="v1")
    with world.change() as change:
        trail.record(change, registry, "app", {"eventName": "PolicyExecutionEvent"})

    snapshots.put_back(world, snapshot)

    assert tag_history.of(registry) == trail.of(registry) == []


def test_an_upload_under_way_is_dropped(app, world):
    snapshot = snapshots.take(world)
    upload = layers.begin_upload(app.registry, "app")

    snapshots.put_back(world, snapshot)

    assert world.uploads.find(upload.id, upload.repository_id) is None


def test_only_a_snapshot_of_the_same_world_is_put_back(app, world, tmp_path):
    other = World(tmp_path / "other", seed="other", durable=False)
    foreign = snapshots.take(other)
    other.close()
    app.push(b"layer", tag="v1")
    before = dump(world)

    with pytest.raises(EcrLabError, match="taken in another lab"):
        snapshots.put_back(world, foreign)
    with pytest.raises(EcrLabError, match="got str"):
        snapshots.put_back(world, "yesterday")

    assert dump(world) == before


def test_readers_see_the_old_state_or_the_new_and_nothing_between(app, world):
    one = snapshots.take(world)
    for n in range(20):
        app.push(b"%d" % n, tag=f"v{n}")
    twenty = snapshots.take(world)
    seen, stop = set(), threading.Event()

    def look():
        while not stop.is_set():
            seen.add(len(images.describe(app.registry, "app")))

    readers = [threading.Thread(target=look) for _ in range(3)]
    for reader in readers:
        reader.start()
    for _ in range(10):
        snapshots.put_back(world, one)
        snapshots.put_back(world, twenty)
    stop.set()
    for reader in readers:
        reader.join()

    assert seen <= {0, 20}


def test_what_was_put_back_is_kept(tmp_path):
    world = World(tmp_path / "state", LabClock(), seed="test", durable=True)
    registry = world.registry(ACCOUNT, REGION)
    repositories.create(registry, "app")
    app = Client(registry)
    image = app.push(b"layer", tag="v1")
    snapshot = snapshots.take(world)
    app.delete(tag="v1")
    world.clock.advance(days=3)
    snapshots.put_back(world, snapshot)
    now, night = world.clock.now(), world.nights.next
    world.close()

    assert list(verify(tmp_path / "state")) == []
    again = World(tmp_path / "state", LabClock(), seed="test")
    assert (again.clock.now(), again.nights.next) == (now, night)
    assert Client(again.registry(ACCOUNT, REGION)).images == {image.digest: ("v1",)}
    again.close()
