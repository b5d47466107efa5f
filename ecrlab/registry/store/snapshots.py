"""Snapshots: a whole registry as it was at one moment, to be restored later.

A snapshot is a copy of the database in memory; the bytes of layers are not copied but stay on the disk as long as the
world is open, whatever is deleted meanwhile. Restoring it replaces the registries of every account and Region, but not
the time: a clock that went back would let two events have the same instant, and make expired tokens valid. The nights
that have passed stay past.
"""

import sqlite3
import weakref
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime

from ecrlab.errors import EcrLabError
from ecrlab.registry.store.blob_names import stored_blobs
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
    with world.store.exclusively(), closing(sqlite3.connect(":memory:")) as staged:
        snapshot.kept.backup(staged)
        for name, instant in (("clock", world.clock.now()), ("next night", world.nights.next)):
            staged.execute("UPDATE meta SET value = ? WHERE name = ?", (instant.isoformat(), name))
        staged.commit()
        world.uploads.end_all()
        world.trail.flush()
        with world.store.read(one=True) as db:
            before = stored_blobs(db)
        world.store.replace(staged)
        world.collector.begin_anew(before)
