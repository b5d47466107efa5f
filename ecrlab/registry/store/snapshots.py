"""Going back: a whole registry as it was at one moment, to be put back later.

A snapshot is a copy of the database in memory; the bytes of layers are not copied but kept on the disk, for as long as
the world lives, whatever is deleted meanwhile. Putting it back replaces everything that the registry knows - of every
account and Region - but not the time: a clock that went back would give two events the same instant, and tokens a
second life. So what is put back is as old as the clock says now, and the nights that were lived through stay lived.
"""

import sqlite3
import weakref
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime

from ecrlab.errors import EcrLabError
from ecrlab.registry.world import World


class SnapshotError(EcrLabError):
    """Something that is no snapshot of this world was to be put back."""


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Snapshot:
    """What a world's registry knew `at` a moment. Made by `take`."""

    at: datetime
    world: World = field(repr=False)
    kept: sqlite3.Connection = field(repr=False, compare=False)


def take(world: World) -> Snapshot:
    """Remember a world's registry as it is now. Uploads under way are no part of it."""
    # Opened here, used wherever `put_back` is called.
    kept = sqlite3.connect(":memory:", check_same_thread=False)
    with world.store.exclusively(), world.store.read(one=True) as db:
        db.backup(kept)
        world.blobs.keep(row[0] for row in kept.execute("SELECT DISTINCT digest FROM layer"))
    snapshot = Snapshot(world.clock.now(), world, kept)
    weakref.finalize(snapshot, kept.close)
    return snapshot


def put_back(world: World, snapshot: Snapshot) -> None:
    """Let a world's registry be what it was; uploads under way are dropped. A snapshot can be put back again and again.

    Raises `SnapshotError` for what is no snapshot, or one of another world; `ServerException` when the disk is full.
    """
    if not isinstance(snapshot, Snapshot):
        raise SnapshotError(f"a snapshot is what snapshot() gives, got {type(snapshot).__name__}")
    if snapshot.world is not world:
        raise SnapshotError("this snapshot was taken in another lab; a lab goes back only to what it was itself")
    with world.store.exclusively(), closing(sqlite3.connect(":memory:")) as staged:
        snapshot.kept.backup(staged)
        for name, instant in (("clock", world.clock.now()), ("next night", world.nights.next)):
            staged.execute("UPDATE meta SET value = ? WHERE name = ?", (instant.isoformat(), name))
        staged.commit()
        world.uploads.end_all()
        world.store.replace(staged)
        world.scanning.clear()
        world.collector.begin_anew()
