"""What is looked up again and again is remembered, and never for longer than it is true."""

import contextlib
import sqlite3
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ecrlab.registry.settings
import ecrlab.registry.store.cache
from ecrlab.errors import EcrLabError
from ecrlab.registry import archive, deletions, images, layers, repositories, scan_rules
from ecrlab.registry.store import snapshots
from ecrlab.registry.store.cache import Cache
from ecrlab.registry.store.database import Store
from ecrlab.registry.world import Registry, World
from ecrlab.simulator.access import judging
from tests.registry.conftest import ACCOUNT, REGION, Client, digest_of

SCOPE = (ACCOUNT, REGION)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = Store(tmp_path / "registry.sqlite")
    yield store
    store.close()


@pytest.fixture
def remembered(store: Store) -> Callable[..., object]:
    memory = Cache(store)
    return lambda key, look_up: memory(key, look_up, of=(SCOPE,))


def write(store: Store, value: str, region: str = REGION) -> None:
    with store.write() as db:
        db.execute("INSERT OR REPLACE INTO registry_setting VALUES (?, ?, 'word', ?)", (ACCOUNT, region, value))


def looker(store: Store) -> Callable[[], str | None]:
    def look() -> str | None:
        with store.read(one=True) as db:
            row = db.execute("SELECT value FROM registry_setting WHERE region = ?", (REGION,)).fetchone()
        return None if row is None else row[0]

    return look


def never() -> str:
    raise AssertionError("looked up again")


def test_it_is_looked_up_once(store, remembered):
    write(store, "one")

    assert remembered("word", looker(store)) == "one"
    assert remembered("word", never) == "one"


def test_a_change_of_its_scope_touches_it(store, remembered):
    write(store, "one")
    remembered("word", looker(store))

    write(store, "two")

    assert remembered("word", looker(store)) == "two"


def test_a_change_of_another_scope_leaves_it_remembered(store, remembered):
    write(store, "one")
    remembered("word", looker(store))

    write(store, "elsewhere", region="eu-west-1")

    assert remembered("word", never) == "one"


def test_what_is_not_there_is_looked_up_again(store, remembered):
    assert remembered("word", looker(store)) is None

    write(store, "new")

    assert remembered("word", looker(store)) == "new"


def test_a_look_that_a_change_overtook_is_not_remembered(store, remembered):
    write(store, "one")

    def slow_look() -> str | None:
        found = looker(store)()
        write(store, "two")
        return found

    assert remembered("word", slow_look) == "one"
    assert remembered("word", looker(store)) == "two"


def test_an_undone_change_was_none(store, remembered):
    write(store, "one")
    remembered("word", looker(store))

    with pytest.raises(sqlite3.OperationalError), store.write() as db:
        db.execute("UPDATE registry_setting SET value = 'two'")
        db.execute("no SQL")

    assert remembered("word", looker(store)) == "one"


def test_a_new_connection_for_changes_says_what_they_touch_as_well(store, remembered):
    write(store, "one")
    remembered("word", looker(store))

    store._writer.close()
    store._writer = None
    write(store, "two")

    assert remembered("word", looker(store)) == "two"


def test_it_does_not_grow_for_ever(store, remembered, monkeypatch):
    monkeypatch.setattr(ecrlab.registry.store.cache, "MOST", 3)

    for number in range(10):
        assert remembered(number, lambda number=number: number) == number

    assert len(remembered.__closure__[0].cell_contents._found) <= 3


REPOSITORY = (ACCOUNT, REGION, "app")
POLICY = (
    '{"Version": "2012-10-17", "Statement": '
    '{"Sid": "%s", "Effect": "Allow", "Principal": "*", "Action": "ecr:BatchGetImage"%s}}'
)


EVERYWHERE = ', "Resource": "*"'


@pytest.mark.parametrize(
    ("statement", "touched"),
    [
        ("INSERT INTO repository VALUES (2, '123456789012', 'us-east-1', 'new', 0, '{}', NULL)", (*SCOPE, "new")),
        ("UPDATE repository SET settings = '{}'", REPOSITORY),
        ("UPDATE repository SET policy = '{}'", REPOSITORY),
        ("DELETE FROM repository", REPOSITORY),
        ("DELETE FROM repository", (1,)),
        ("INSERT OR REPLACE INTO registry_setting VALUES ('123456789012', 'us-east-1', 'policy', '{}')", SCOPE),
        ("UPDATE registry_setting SET value = 'x'", SCOPE),
        ("DELETE FROM registry_setting", SCOPE),
        ("UPDATE layer SET size = 1", (1,)),
        ("UPDATE layer SET media_type = 'x'", (1,)),
        ("UPDATE layer SET has_bytes = 0", (1,)),
        ("DELETE FROM layer", (1,)),
        ("UPDATE image SET archived = 1", (1,)),
        ("UPDATE image SET archived_at = 1", (1,)),
        ("UPDATE image SET activated_at = 1", (1,)),
        ("DELETE FROM image", (1,)),
    ],
)
def test_every_change_of_what_is_remembered_touches_its_scope(app, statement, touched):
    app.push(b"base", tag="v1")
    ecrlab.registry.settings.put_policy(app.registry, POLICY % ("s", EVERYWHERE))
    store = app.registry.world.store
    before = store.version(touched)

    with store.write() as db:
        db.execute(statement)

    assert store.version(touched) != before


def test_a_push_touches_nothing(app, monkeypatch):
    first = app.push(b"base", tag="v1")
    found = [repositories.find(app.registry, "app"), layers.find(app.registry, "app", digest_of(b"base"))]
    for name in ("repositories.get", "layers._get"):
        monkeypatch.setattr(f"ecrlab.registry.{name}", lambda *_: never())

    app.put(app.manifest(b"base", annotations={"a": "b"}), tag="v1")

    assert [repositories.find(app.registry, "app"), layers.find(app.registry, "app", digest_of(b"base"))] == found
    assert first.digest


NAMES = ("app", "web")
BODIES = (b"one", b"two")
DIGESTS = tuple(digest_of(body) for body in BODIES)

Step = Callable[[Registry, str, int], object]


def _archive(registry: Registry, name: str, which: int) -> None:
    for image in images.describe(registry, name)[which : which + 1]:
        archive.update(registry, name, images.ImageId(image.digest), archive.ARCHIVE)


def _restore(registry: Registry, name: str, which: int) -> None:
    for image in images.describe(registry, name, status="ARCHIVED")[:1]:
        archive.update(registry, name, images.ImageId(image.digest), archive.STANDARD)


def _delete_image(registry: Registry, name: str, which: int) -> None:
    ids = [images.ImageId(image.digest) for image in images.describe(registry, name)[which : which + 1]]
    deletions.delete(registry, name, ids)
    registry.world.collector.collect(grace=False)


def _mount(registry: Registry, name: str, which: int) -> None:
    layers.mount(registry, name, DIGESTS[which], NAMES[1 - NAMES.index(name)])


def _go_back(registry: Registry, name: str, which: int) -> None:
    """Put back the state before a repository was made or deleted."""
    world = registry.world
    before = snapshots.take(world)
    with contextlib.suppress(EcrLabError):
        repositories.delete(registry, name, force=True)
        repositories.create(registry, name)
        Client(registry, name).layer(BODIES[which])
    seen(registry)
    snapshots.put_back(world, before)


STEPS: dict[str, Step] = {
    "create": lambda registry, name, which: repositories.create(registry, name),
    "delete": lambda registry, name, which: repositories.delete(registry, name, force=True),
    "settings": lambda registry, name, which: repositories.update(registry, name, scan_on_push=bool(which)),
    "policy": lambda registry, name, which: repositories.set_policy(registry, name, POLICY % (f"s{which}", "")),
    "no policy": lambda registry, name, which: repositories.delete_policy(registry, name),
    "registry policy": lambda registry, name, which: ecrlab.registry.settings.put_policy(
        registry, POLICY % (f"r{which}", EVERYWHERE)
    ),
    "no registry policy": lambda registry, name, which: ecrlab.registry.settings.delete_policy(registry),
    "scanning": lambda registry, name, which: scan_rules.put_configuration(
        registry, scan_rules.Configuration(("BASIC", "ENHANCED")[which])
    ),
    "layer": lambda registry, name, which: Client(registry, name).layer(BODIES[which]),
    "no layer": lambda registry, name, which: layers.delete(registry, name, DIGESTS[which]),
    "mount": _mount,
    "push": lambda registry, name, which: Client(registry, name).push(BODIES[which], tag="v1"),
    "push another": lambda registry, name, which: Client(registry, name).push(*BODIES, config=b"%d" % which),
    "archive": _archive,
    "restore": _restore,
    "delete image": _delete_image,
    "go back": _go_back,
}


def seen(registry: Registry) -> dict[object, object]:
    """All that is remembered, as those who ask get it."""
    found: dict[object, object] = {"scanning": scan_rules.configuration(registry)}
    for name in NAMES:
        wish = judging._about("ecr:BatchGetImage", registry, name)
        found["policies", name] = judging._policies_on(wish)
        try:
            found[name] = repositories.find(registry, name)
        except EcrLabError as error:
            found[name] = type(error)
            continue
        for digest in DIGESTS:
            found[name, digest] = layers.find(registry, name, digest)
    return found


def seen_anew(registry: Registry) -> dict[object, object]:
    """The same, past what is remembered."""
    world = registry.world
    kept, world.cached = world.cached, lambda key, look_up, **_: look_up()
    try:
        return seen(registry)
    finally:
        world.cached = kept


@given(st.lists(st.tuples(st.sampled_from(sorted(STEPS)), st.sampled_from(NAMES), st.integers(0, 1)), max_size=25))
@settings(max_examples=30, deadline=None)
def test_what_is_remembered_is_what_the_database_holds_after_any_changes(steps):
    with tempfile.TemporaryDirectory() as directory:
        world = World(Path(directory) / "state", seed="remembered", durable=False)
        with contextlib.closing(world):
            registry = world.registry(ACCOUNT, REGION)
            for name in NAMES:
                Client(registry, repositories.create(registry, name).name).push(BODIES[0], tag="v1")
            for step, name, which in [("scanning", "app", 0), *steps]:
                with contextlib.suppress(EcrLabError):
                    STEPS[step](registry, name, which)
                assert seen(registry) == seen_anew(registry), step


def test_each_of_these_changes_can_be_made(registry):
    for name in NAMES:
        Client(registry, repositories.create(registry, name).name).push(BODIES[0], tag="v1")
    for step in sorted(STEPS.keys() - {"create", "delete"}, key=list(STEPS).index):
        STEPS[step](registry, "app", 0)


def test_nobody_sees_what_was_before_a_change_that_has_ended(app):
    """Readers look while a writer changes: nothing older than the last change that had ended when they began."""
    rounds, ended, failures = 60, [0], []

    def settings_of_round() -> int:
        return dict(repositories.find(app.registry, "app").settings.resource_tags).get("round", 0)

    def look() -> None:
        while ended[0] < rounds:
            at_least = ended[0]
            if (found := settings_of_round()) < at_least:
                failures.append((found, at_least))

    readers = [threading.Thread(target=look) for _ in range(2)]
    for reader in readers:
        reader.start()
    for number in range(1, rounds + 1):
        repositories.update(app.registry, "app", resource_tags=(("round", number),))
        ended[0] = number
    for reader in readers:
        reader.join()

    assert failures == []
