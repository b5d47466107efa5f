"""A state directory: only an empty folder or its own is used, what is lost is said, and a refusal changes nothing."""

import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from ecrlab.registry import images, repositories
from ecrlab.registry.store.directory import StateError
from ecrlab.registry.store.verify import verify
from ecrlab.registry.world import World
from tests.registry.kms import KEY

ROOT = Path(__file__).parents[3]

PUSH_AND_DIE = """
import os, signal, sys
from pathlib import Path
from ecrlab.registry import repositories
from ecrlab.registry.world import World
from tests.registry.conftest import Client
world = World(Path(sys.argv[1]))
registry = world.registry("123456789012", "us-east-1")
repositories.create(registry, "killed")
client = Client(registry, "killed")
for number in range(30):
    client.push(b"%d" % number, tag=f"v{number}")
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def kept(tmp_path, client_for):
    """A closed registry with a pushed image."""
    directory = tmp_path / "kept"
    world = World(directory)
    registry = world.registry("123456789012", "us-east-1")
    repositories.create(registry, "app")
    client_for(registry).push(b"a layer", tag="v1")
    world.close()
    return directory


@pytest.fixture
def killed(kept):
    """The same registry after a kill -9: its last changes are in the log."""
    done = subprocess.run([sys.executable, "-c", PUSH_AND_DIE, str(kept)], cwd=ROOT, check=False)
    assert done.returncode == -signal.SIGKILL
    return kept


def contents(directory):
    """Every file with its bytes, but of the log's index, which each look at a log makes anew."""
    return {
        path: path.read_bytes() if path.is_file() and path.name != "registry.sqlite-shm" else None
        for path in directory.rglob("*")
    }


def refuse(directory, match):
    """A start and doctor refuse a folder, with these words, and change nothing in it."""
    before = contents(directory)
    with pytest.raises(StateError, match=match):
        World(directory)
    with pytest.raises(StateError):
        list(verify(directory))
    assert contents(directory) == before


@pytest.mark.parametrize(
    "place", ["notes.txt", "uploads/thesis.txt", "blobs/sha256/ab/photo.jpg", "registry.state.txt"]
)
def test_a_folder_that_holds_something_else_is_refused(tmp_path, place):
    path = tmp_path / "home" / place
    path.parent.mkdir(parents=True)
    path.write_text("years of work")

    refuse(tmp_path / "home", "is not empty and holds no registry")


def test_what_somebody_puts_into_a_registrys_folder_stays(kept):
    theirs = [kept / "uploads" / "thesis.txt", kept / "uploads" / "folder" / "x", kept / "blobs" / "sha256" / "notes"]
    for path in theirs:
        path.parent.mkdir(exist_ok=True)
        path.write_text("years of work")

    world = World(kept)
    world.collector.collect(grace=False)
    world.close()

    assert all(path.exists() for path in theirs)


@pytest.mark.parametrize("name", ["registry.sqlite", "registry.sqlite-wal"])
@pytest.mark.parametrize("damage", ["lost", "cut short", "empty", "replaced"])
def test_a_part_that_is_lost_or_cut_short_is_said(killed, name, damage):
    path = killed / name
    if damage == "lost":
        path.unlink()
    elif damage == "replaced":
        path.write_bytes(os.urandom(path.stat().st_size))
    else:
        os.truncate(path, 0 if damage == "empty" else path.stat().st_size // 2)

    refuse(killed, "restore registry.sqlite|is no registry's database")


def test_a_database_that_is_lost_is_said_without_its_log_and_state_as_well(kept):
    for name in ("registry.sqlite", "registry.state"):
        (kept / name).unlink()

    refuse(kept, "is lost, and the files of 2 blobs are there")


def test_a_new_database_beside_blobs_is_refused(kept, tmp_path):
    World(tmp_path / "new").close()
    shutil.copy(tmp_path / "new" / "registry.sqlite", kept)

    refuse(kept, "is a new database, or another registry's")
    (kept / "registry.state").unlink()
    # the id alone does not tell now, but that it knows no layer does
    with sqlite3.connect(kept / "registry.sqlite") as db:
        db.execute("DELETE FROM meta WHERE name = 'registry'")
    db.close()
    refuse(kept, "is a new database, or another registry's")


def test_a_log_that_is_lost_can_be_gone_on_without(killed):
    (killed / "registry.sqlite-wal").unlink()
    (killed / "registry.state").unlink()

    world = World(killed)
    world.collector.collect(grace=False)
    world.close()

    assert len(list((killed / "blobs").glob("*/*/*"))) == 32


def test_a_killed_registry_goes_on(killed):
    before = len(list((killed / "blobs").glob("*/*/*")))
    world = World(killed)
    assert repositories.find(world.registry("123456789012", "us-east-1"), "killed")
    world.close()
    assert len(list((killed / "blobs").glob("*/*/*"))) == before
    assert [problem for problem in verify(killed) if not problem.passes] == []


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("PRAGMA user_version = 99", "layout 99, of a newer ecrlab"),
        ("INSERT OR REPLACE INTO meta VALUES ('clock', 'yesterday')", "its clock is no instant: 'yesterday'"),
        ("INSERT OR REPLACE INTO meta VALUES ('next night', 7)", "its next night is no instant: 7"),
    ],
)
def test_a_database_that_cannot_be_used_is_said(kept, statement, said):
    db = sqlite3.connect(kept / "registry.sqlite")
    db.execute(statement)
    db.commit()
    db.close()

    refuse(kept, re.escape(said))


def test_another_programs_database_is_refused(tmp_path):
    db = sqlite3.connect(tmp_path / "registry.sqlite")
    db.execute("CREATE TABLE mine (x)")
    db.close()

    refuse(tmp_path, "is no registry's database")


@pytest.mark.parametrize("text", ["", "{", "[]", json.dumps({"registry": 1})])
def test_a_state_that_cannot_be_read_is_said(kept, text):
    (kept / "registry.state").write_text(text)

    refuse(kept, "registry.state")


def test_a_registry_of_the_layout_before_gets_its_state(kept):
    # given what earlier versions left: no ids, and a file that was the lock
    (kept / "registry.state").unlink()
    db = sqlite3.connect(kept / "registry.sqlite")
    db.execute("DELETE FROM meta WHERE name IN ('registry', 'run')")
    db.commit()
    db.close()
    (kept / "lock").touch()

    World(kept).close()

    assert json.loads((kept / "registry.state").read_text())["open"] is False
    assert list(verify(kept)) == []


def to_the_layout_before(directory, kms_key=None):
    """Make of a closed registry what the ecrlab left that encrypted nothing; its repository may name a KMS key."""
    db = sqlite3.connect(directory / "registry.sqlite")
    if kms_key is not None:
        db.execute("UPDATE repository SET settings = json_set(settings, '$.kms_key', ?)", (kms_key,))
    db.execute("PRAGMA user_version = 2")
    db.commit()
    db.close()


def test_a_registry_of_the_layout_before_goes_on(kept):
    to_the_layout_before(kept)

    world = World(kept)
    image = images.find(world.registry("123456789012", "us-east-1"), "app", images.ImageId(tag="v1"))
    assert b"schemaVersion" in image.body
    world.close()
    db = sqlite3.connect(kept / "registry.sqlite")
    assert db.execute("PRAGMA user_version").fetchone() == (3,)  # the ecrlab before must not read it any more
    db.close()
    assert list(verify(kept)) == []


def test_what_the_layout_before_kept_in_clear_under_a_key_is_said(kept):
    to_the_layout_before(kept, KEY)

    refuse(kept, r"repositories with a KMS key hold \(app\) is in clear.*push their images here again")


def test_an_empty_repository_with_a_key_goes_on(kept):
    to_the_layout_before(kept, KEY)
    db = sqlite3.connect(kept / "registry.sqlite")
    for table in ("tag", "image", "layer"):
        db.execute(f"DELETE FROM {table}")
    db.commit()
    db.close()

    World(kept).close()


def test_no_second_server_starts_though_files_of_the_first_are_deleted(kept):
    world = World(kept)
    (kept / "registry.state").unlink()
    with pytest.raises(StateError, match="another ecrlab server is using"):
        World(kept)
    world.close()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_is_said(kept):
    kept.chmod(0o500)
    try:
        with pytest.raises(StateError, match="is read-only"):
            World(kept)
    finally:
        kept.chmod(0o700)
