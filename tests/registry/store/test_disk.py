"""A disk that takes no more: one plain answer, nothing half done, and work goes on as soon as there is
room.
"""

import contextlib
import errno
import sqlite3
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from ecrlab.registry import layers, repositories
from ecrlab.registry.errors import ServerException
from ecrlab.registry.store import disk
from ecrlab.registry.store.verify import verify
from ecrlab.registry.world import World
from ecrlab.simulator.control import Control

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_no_room_is_said_with_the_cure(code):
    with pytest.raises(ServerException, match="cannot write to its disk: No room") as caught, disk.writing():
        raise OSError(code, "No room")

    assert "Free some space" in str(caught.value)
    assert caught.value.code == "ServerException" and caught.value.status == 500


def test_a_read_only_disk_is_said_to_be_one():
    with pytest.raises(ServerException, match="Read-only file system") as caught, disk.writing():
        raise OSError(errno.EROFS, "Read-only file system")

    assert "Free some space" not in str(caught.value)


def test_a_missing_file_and_a_mistake_in_sql_are_no_matter_of_the_disk():
    with pytest.raises(FileNotFoundError), disk.writing():
        raise FileNotFoundError(errno.ENOENT, "gone")
    with (
        contextlib.closing(sqlite3.connect(":memory:")) as db,
        pytest.raises(sqlite3.OperationalError, match="syntax") as mistake,
    ):
        db.execute("NONSENSE")
    assert disk.refusal(mistake.value) is None


def test_a_database_without_room_is_the_same_answer():
    db = sqlite3.connect(":memory:")
    db.execute("CREATE TABLE t (a)")
    db.execute("PRAGMA max_page_count = 2")

    with pytest.raises(sqlite3.OperationalError) as full:
        db.execute("INSERT INTO t VALUES (zeroblob(100000))")
    db.close()

    assert "No space left on device" in str(disk.refusal(full.value))


@pytest.mark.parametrize("step", ["sync", "adopt"])
def test_a_disk_that_fails_at_the_last_steps_of_an_upload_leaves_nothing(app, world, monkeypatch, step):
    upload = layers.begin_upload(app.registry, "app")
    layers.grow(app.registry, "app", upload, b"bytes")
    real = getattr(world.blobs, step)

    def full(*arguments):
        real(*arguments)
        with disk.writing():
            raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(world.blobs, step, full)
        with pytest.raises(ServerException):
            layers.complete_upload(app.registry, "app", upload, upload.blob.digest())

    assert list(world.blobs) == [] and list((world.directory / "uploads").iterdir()) == []
    assert layers.find(app.registry, "app", upload.blob.digest()) is None
    app.push(b"bytes", tag="v1")


def test_a_database_that_cannot_grow_undoes_the_change_and_its_files(app, world):
    app.push(b"before", tag="v1")
    before = app.images
    files = sorted(world.blobs)
    with world.store.write() as db:
        pages = db.execute("PRAGMA page_count").fetchone()[0]
    world.store._writer.execute(f"PRAGMA max_page_count = {pages}")

    with pytest.raises(ServerException, match="No space left on device"):
        for number in range(1000):
            repositories.create(app.registry, f"another-{number}")
    with pytest.raises(ServerException, match="No space left on device"):
        for number in range(1000):
            app.layer(b"%d" % number)

    lasting = {row["digest"] for row in world.store._writer.execute("SELECT digest FROM layer")}
    assert set(world.blobs) == lasting and set(files) <= lasting
    assert app.images == before
    assert app.delete(tag="v1") == []

    world.store._writer.execute("PRAGMA max_page_count = 1000000")
    app.push(b"after", tag="v2")
    assert list(app.images.values()) == [("v2",)]


@pytest.mark.parametrize("what", ["layer", "manifests"])
def test_pushing_beyond_a_file_size_limit_is_refused_and_leaves_the_store_sound(tmp_path, what):
    done = subprocess.run(
        [sys.executable, "-m", "tests.registry.push_too_much", tmp_path, what],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert done.returncode == 0, done.stderr
    assert "The lab cannot write to its disk" in done.stdout
    assert "pushed again" in done.stdout
    assert list(verify(tmp_path)) == []


def test_a_change_is_made_even_if_the_log_cannot_be_folded_after_it(app, world, monkeypatch):
    def full(db):
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(world.store, "_is_tight", True)
    monkeypatch.setattr(world.store, "_fold", full)
    before = world.clock.now()

    repositories.create(app.registry, "kept")

    assert repositories.find(app.registry, "kept").name == "kept"
    assert world.clock.now() > before


def test_a_clock_whose_time_cannot_be_kept_does_not_move(tmp_path, monkeypatch):
    world = World(tmp_path / "kept")
    before = world.clock.now()
    control = Control(world, kubernetes=None)
    asked = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/_ecrlab/clock",
        "QUERY_STRING": "seconds=864000",
        "HTTP_X_ECRLAB": "1",
    }

    @contextlib.contextmanager
    def full():
        raise ServerException("The lab cannot write to its disk: No space left on device.")
        yield

    with monkeypatch.context() as patched:
        patched.setattr(world.store, "write", full)
        answer = control.answer(asked)
    assert (answer.status, "No space left on device" in answer.body.decode()) == (500, True)
    assert world.clock.now() == before

    assert control.answer(asked).status == 200
    assert world.clock.now() == before + timedelta(days=10)
    world.close()
