"""A past that is recorded is what pushing and pulling would have left, but for the bytes of the layers."""

import json

import pytest

from ecrlab.oci.media_types import OCI
from ecrlab.registry import backfill, images, layers, manifest, pushes, repositories, tag_history
from ecrlab.registry.backfill import HistoryError, Pulled, Pushed
from ecrlab.registry.errors import (
    ImageNotFoundException,
    ImageTagAlreadyExistsException,
    InvalidParameterException,
    LayersNotFoundException,
    ReferencedImagesNotFoundException,
    RepositoryAlreadyExistsException,
    RepositoryNotFoundException,
)
from ecrlab.registry.repositories import Settings
from ecrlab.registry.store.verify import verify
from ecrlab.registry.world import World
from tests.registry.conftest import ACCOUNT, REGION, Client, digest_of

DAY = 86_400.0
APP = {"app": Settings()}


def before(world, days):
    return world.clock.now().timestamp() - days * DAY


def index(*children):
    listed = [{"mediaType": c.media_type, "digest": c.digest, "size": len(c.body)} for c in children]
    document = {"schemaVersion": 2, "mediaType": OCI.index, "manifests": listed}
    return manifest.parse(json.dumps(document).encode())


def signature_of(client, about):
    subject = {"mediaType": about.media_type, "digest": about.digest, "size": len(about.body)}
    return client.manifest(b"signature", artifactType="application/vnd.example", subject=subject)


@pytest.fixture
def client(registry):
    """Makes manifests for the repository `app`, which is not there yet."""
    return Client(registry)


def life(world, client):
    """A small life: moved tags, a second tag, an index, a signature, pulls."""
    one, two, three = (client.manifest(b"base", body) for body in (b"one", b"two", b"three"))
    pushed = [
        (one, ("latest", "v1")),
        (two, ("latest",)),
        (three, ()),
        (index(one, three), ("all",)),
        (signature_of(client, two), ()),
        (two, ("v2",)),
        (three, ("latest",)),
    ]
    return [(before(world, 90 - number), *event) for number, event in enumerate(pushed)]


def state(registry, name="app"):
    """All that is known of a repository but instants and row ids."""
    found = images.describe(registry, name)
    with registry.world.store.read() as db:
        held = db.execute("SELECT digest, size, images, media_type FROM layer ORDER BY digest").fetchall()
        children = db.execute(
            "SELECT parent.digest, child.digest FROM image_child JOIN image AS parent ON parent.id = image_id "
            "JOIN image AS child ON child.id = child_id ORDER BY 1, 2"
        ).fetchall()
    return (
        [(i.digest, i.tags, i.media_type, i.artifact_type, i.subject, i.size) for i in found],
        [images.find(registry, name, images.ImageId(i.digest)).body for i in found],
        [tuple(row) for row in held],
        [tuple(row) for row in children],
        [(e.repository, e.what, e.tag, e.before, e.after, e.by) for e in tag_history.of(registry)],
    )


def test_a_recorded_past_is_what_pushing_would_have_left(world, client, tmp_path):
    lived = World(tmp_path / "lived", seed="test", durable=False)
    other = Client(lived.registry(ACCOUNT, REGION))
    repositories.create(other.registry, "app")
    for _, pushed, tags in life(lived, other):
        for body in (b"{}", b"base", b"one", b"two", b"three", b"signature"):
            other.layer(body)
        for tag in tags or (None,):
            pushes.put(other.registry, "app", pushed, tag=tag, again=True, by="ci")

    backfill.record(client.registry, APP, [Pushed(at, "app", *event) for at, *event in life(world, client)], by="ci")

    assert state(client.registry) == state(other.registry)
    lived.close()


def test_recording_takes_no_time_and_keeps_the_instants(world, client):
    now = world.clock.now()
    events = [Pushed(at, "app", *event) for at, *event in life(world, client)]

    backfill.record(client.registry, APP, events)

    assert world.clock.now() == now
    assert repositories.find(client.registry, "app").created_at == events[0].at
    assert [image.pushed_at for image in images.describe(client.registry, "app")] == [e.at for e in events[:5]]
    assert [event.at for event in tag_history.of(client.registry)][:3] == [events[0].at, events[0].at, events[1].at]


def test_nobody_is_told_of_the_past(world, client):
    told = []
    world.listeners.append(told.append)

    backfill.record(client.registry, APP, [Pushed(before(world, 1), "app", client.manifest(b"one"), ("v1",))])

    assert told == []


def test_pulls_are_remembered_as_exactly_as_ecr_does(world, client):
    one = client.manifest(b"one")
    pulls = [Pulled(before(world, days), "app", one.digest) for days in (8, 7.5, 6.9, 6.1)]

    backfill.record(client.registry, APP, [Pushed(before(world, 9), "app", one), *pulls])

    [image] = images.describe(client.registry, "app")
    assert image.pulled_at == pulls[2].at


def test_a_history_joins_what_is_there(world, client, app):
    mine = app.push(b"base", b"mine", tag="v1")
    world.clock.advance(days=10)

    backfill.record(
        client.registry,
        {"shop": Settings(), "empty": Settings()},
        [Pushed(before(world, 5), "shop", client.manifest(b"base"))],
    )

    assert app.find(mine.digest).tags == ("v1",)
    assert [one.name for one in repositories.describe(client.registry)] == ["app", "empty", "shop"]
    assert app.push(b"base", b"more", tag="v2").id > images.describe(client.registry, "shop")[0].id


IMPOSSIBLE = {
    "repository": (RepositoryNotFoundException, lambda w, c: [Pushed(before(w, 1), "other", c.manifest(b"one"))]),
    "name": (InvalidParameterException, lambda w, c: [Pushed(before(w, 1), "UPPER", c.manifest(b"one"))]),
    "child": (
        ReferencedImagesNotFoundException,
        lambda w, c: [Pushed(before(w, 1), "app", index(c.manifest(b"one")))],
    ),
    "tag": (InvalidParameterException, lambda w, c: [Pushed(before(w, 1), "app", c.manifest(b"one"), ("-",))]),
    "moved": (
        ImageTagAlreadyExistsException,
        lambda w, c: [Pushed(before(w, 1), "fixed", c.manifest(body), ("v1",)) for body in (b"one", b"two")],
    ),
    "pull": (ImageNotFoundException, lambda w, c: [Pulled(before(w, 1), "app", digest_of(b"?"))]),
    "order": (HistoryError, lambda w, c: [Pushed(before(w, days), "app", c.manifest(b"one")) for days in (1, 2)]),
    "future": (HistoryError, lambda w, c: [Pushed(before(w, -1), "app", c.manifest(b"one"))]),
    "size": (
        InvalidParameterException,
        lambda w, c: [
            Pushed(before(w, 1), "app", c.manifest(b"one")),
            Pushed(before(w, 1), "app", other_size(c.manifest(b"one"))),
        ],
    ),
}


def other_size(one):
    return manifest.parse(one.body.replace(b'"size": 3', b'"size": 4'))


@pytest.mark.parametrize("why", IMPOSSIBLE)
def test_a_past_that_cannot_have_been_changes_nothing(world, client, why):
    error, events = IMPOSSIBLE[why]
    fine = Pushed(before(world, 3), "app", client.manifest(b"fine"), ("fine",))
    shelves = {**APP, "fixed": Settings("IMMUTABLE")} | ({"UPPER": Settings()} if why == "name" else {})

    with pytest.raises(error):
        backfill.record(client.registry, shelves, [fine, *events(world, client)])

    assert repositories.describe(client.registry) == []
    assert tag_history.of(client.registry) == []


def test_a_name_that_is_taken_is_refused(client, app):
    with pytest.raises(RepositoryAlreadyExistsException):
        backfill.record(client.registry, {"fine": Settings(), "app": Settings()}, [])

    assert [one.name for one in repositories.describe(client.registry)] == ["app"]


class TestLayersWithoutBytes:
    @pytest.fixture
    def app(self, world, client):
        """An image of a history."""
        event = Pushed(before(world, 1), "app", client.manifest(b"base", b"one"), ("v1",))
        backfill.record(client.registry, APP, [event])
        return client

    @pytest.fixture
    def digest(self):
        return digest_of(b"base")

    def find(self, app, digest, **how):
        return layers.find(app.registry, "app", digest, **how)

    def test_they_are_there_but_not_for_who_would_leave_them_out_of_a_push(self, app, digest):
        assert self.find(app, digest).has_bytes is False
        assert self.find(app, digest, to_push=True) is None
        assert layers.holders(app.registry, digest) == []
        repositories.create(app.registry, "other")
        assert layers.mount(app.registry, "other", digest, "app") is None

    def test_an_image_cannot_be_built_on_them(self, app):
        with pytest.raises(LayersNotFoundException):
            app.put(app.manifest(b"base", b"one", annotations={"new": "yes"}))

    def test_their_image_can_get_another_tag_and_lose_it(self, app):
        [digest] = app.images
        app.put(app.manifest(b"base", b"one"), tag="again")
        assert app.images == {digest: ("v1", "again")}
        assert app.delete(tag="again") == []
        assert app.images == {digest: ("v1",)}

    def test_pushing_the_bytes_makes_them_whole(self, app, digest, world, tmp_path):
        app.push(b"base", b"mine", tag="mine")

        assert self.find(app, digest, to_push=True).has_bytes is True
        assert world.blobs.path(digest).read_bytes() == b"base"
        assert self.find(app, digest_of(b"one")).has_bytes is False
        app.put(app.manifest(b"base", b"mine", annotations={"new": "yes"}))

    def test_a_layer_that_has_bytes_elsewhere_can_be_mounted(self, app, digest):
        repositories.create(app.registry, "other")
        Client(app.registry, "other").layer(b"base")

        assert layers.mount(app.registry, "app", digest, "other").has_bytes is True

    def test_they_go_with_their_last_image(self, app, digest, world):
        assert app.delete(tag="v1") == []

        assert self.find(app, digest) is None
        assert list(world.blobs) == []

    def test_bytes_outlive_a_history_that_names_them(self, app, digest, world):
        repositories.create(app.registry, "other")
        Client(app.registry, "other").push(b"base", tag="v1")

        repositories.delete(app.registry, "app", force=True)

        assert world.blobs.path(digest).read_bytes() == b"base"

    def test_bytes_go_although_a_history_names_them(self, app, digest, world):
        repositories.create(app.registry, "other")
        Client(app.registry, "other").push(b"base", tag="v1")

        repositories.delete(app.registry, "other", force=True)

        assert digest not in world.blobs
        assert self.find(app, digest).has_bytes is False


@pytest.fixture
def kept(tmp_path):
    """A kept directory that holds a history, and a layer of it that was pushed."""
    world = World(tmp_path / "kept")
    client = Client(world.registry(ACCOUNT, REGION))
    backfill.record(client.registry, APP, [Pushed(at, "app", *event) for at, *event in life(world, client)], by="ci")
    client.push(b"base", b"mine", tag="mine")
    world.close()
    return tmp_path / "kept"


def test_verify_knows_a_history_and_does_not_call_it_damaged(kept):
    assert list(verify(kept)) == []


def test_verify_still_misses_a_layer_that_had_bytes(kept):
    [path] = [path for path in (kept / "blobs").glob("*/*/*") if path.read_bytes() == b"mine"]
    path.unlink()

    assert [str(problem) for problem in verify(kept)] == [f"{digest_of(b'mine')}: a layer without its file"]


def test_a_kept_history_is_there_the_next_time(kept):
    world = World(kept)
    client = Client(world.registry(ACCOUNT, REGION))
    world.collector.collect(grace=False)

    assert len(client.images) == 6
    assert list(verify_after(world, kept)) == []


def verify_after(world, directory):
    world.close()
    return verify(directory)
