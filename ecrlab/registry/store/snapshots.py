"""Snapshots: a whole registry as it was at one moment, to be restored later, or saved for another process.

A snapshot is a copy of the database in memory; the bytes of layers are not copied but stay on the disk as long as the
world is open, whatever is deleted meanwhile. Restoring it replaces the registries of every account and Region, but not
the time: a clock that went back would let two events have the same instant, and make expired tokens valid. The nights
that have passed stay past.

A saved snapshot may come from a stranger: it is read as data, and refused unless its tables are exactly ours.
"""

import contextlib
import os
import sqlite3
import weakref
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from ecrlab.errors import EcrLabError
from ecrlab.registry.store.blob_names import NAME, stored_blobs
from ecrlab.registry.store.directory import DATABASE
from ecrlab.registry.world import World


class SnapshotError(EcrLabError):
    """What should be restored is no snapshot of this world."""


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Snapshot:
    """The state of a world's registries `at` a moment. Made by `take`."""

    at: datetime
    world: World = field(repr=False)
    kept: sqlite3.Connection = field(repr=False, compare=False)


def take(world: World) -> Snapshot:
    """Return a snapshot of a world. Open uploads are not part of it."""
    # Opened here, used wherever `put_back` is called.
    kept = sqlite3.connect(":memory:", check_same_thread=False)
    with world.store.exclusively(), world.store.read(one=True) as db:
        world.trail.flush()
        db.backup(kept)
        world.blobs.keep(stored_blobs(kept))
    snapshot = Snapshot(world.clock.now(), world, kept)
    weakref.finalize(snapshot, kept.close)
    return snapshot


def put_back(world: World, snapshot: Snapshot) -> None:
    """Restore a snapshot; open uploads are dropped. A snapshot can be restored more than once.

    Raises `SnapshotError` for another object or another world's snapshot, `ServerException` when the disk is full.
    """
    if not isinstance(snapshot, Snapshot):
        raise SnapshotError(f"a snapshot must come from snapshot(), got {type(snapshot).__name__}")
    if snapshot.world is not world:
        raise SnapshotError("this snapshot was taken in another lab; a lab goes back only to what it was itself")
    _replace(world, snapshot.kept)


def save(world: World, folder: Path) -> None:
    """Write a snapshot of a world into a folder: its database, and links to the files of its blobs."""
    with world.store.exclusively(), closing(sqlite3.connect(folder / DATABASE)) as saved:
        world.trail.flush()
        with world.store.read(one=True) as db:
            db.backup(saved)
        for name in stored_blobs(saved):
            _link(world.blobs.path(name), folder / name)


def load(world: World, folder: Path) -> None:
    """Replace the contents of a world by a saved snapshot. Raises `SnapshotError` for anything else.

    `immutable`: SQLite opens no file beside the database, such as a log or a lock that is a link to elsewhere.
    """
    try:
        with closing(sqlite3.connect(f"{(folder / DATABASE).absolute().as_uri()}?immutable=1", uri=True)) as saved:
            saved.row_factory = sqlite3.Row
            saved.execute("PRAGMA trusted_schema = OFF")
            with world.store.read(one=True) as db:
                if _tables(saved) != _tables(db):
                    raise SnapshotError(f"{folder} holds another database")
            if saved.execute("PRAGMA quick_check").fetchone()[0] != "ok":
                raise SnapshotError(f"{folder} holds a damaged database")
            for name in stored_blobs(saved):
                if NAME.fullmatch(name):
                    _link(folder / name, world.blobs.path(name))
            _replace(world, saved)
    except (sqlite3.Error, ValueError) as error:
        raise SnapshotError(f"{folder} holds no snapshot: {error}") from error


def _tables(db: sqlite3.Connection) -> list[tuple[str, ...]]:
    rows = db.execute("SELECT type, name, tbl_name, sql FROM main.sqlite_master ORDER BY name")
    return [(*map(str, row), str(db.execute("PRAGMA user_version").fetchone()[0])) for row in rows.fetchall()]


def _link(source: Path, target: Path) -> None:
    """Link a file, which may be absent; only a regular file is one."""
    if source.is_file() and not source.is_symlink():
        target.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):
            os.link(source, target)


def _replace(world: World, kept: sqlite3.Connection) -> None:
    with world.store.exclusively(), closing(sqlite3.connect(":memory:")) as staged:
        kept.backup(staged)
        for name, instant in (("clock", world.clock.now()), ("next night", world.nights.next)):
            staged.execute("UPDATE meta SET value = ? WHERE name = ?", (instant.isoformat(), name))
        staged.commit()
        world.uploads.end_all()
        world.trail.flush()
        with world.store.read(one=True) as db:
            before = stored_blobs(db)
        world.store.replace(staged)
        world.collector.begin_anew(before)
