"""Replication backfills: copies of the images that are older than the rules, to one destination.

    PREPARING ── collect ──► IN_PROGRESS ── copy each image and tag ──► COMPLETE or FAILED
        └────────── stop ─────────┴──► STOPPING ──► STOPPED

The images are those of the repositories that the rules replicate to the destination (botocore model,
StartReplicationBackfill; AWS user guide, replication backfill). Each pair of image and tag, and each untagged image,
counts as one replication. A backfill is FAILED when half of its replications or more failed, once 100 are done.
"""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from ecrlab.registry import replication, settings
from ecrlab.registry.errors import (
    InvalidParameterException,
    LimitExceededException,
    ReplicationBackfillInProgressException,
    ReplicationBackfillInvalidStatusException,
    ReplicationBackfillNotFoundException,
)
from ecrlab.registry.replication import COMPLETE, FAILED, IN_PROGRESS
from ecrlab.registry.world import Change, Registry, World

PREPARING, STOPPING, STOPPED = "PREPARING", "STOPPING", "STOPPED"

MOST_RUNNING = 10
"""Backfills of a registry that run at a time."""

JUDGED_FROM = 100
"""Replications that are done before failures can end a backfill."""

KEPT = timedelta(days=90)
"""The time after its end that a backfill is kept."""

_RUNNING = "status IN ('PREPARING', 'IN_PROGRESS', 'STOPPING')"


@dataclass(frozen=True, slots=True)
class Progress:
    """Counts of a backfill's replications, and the different codes of its failures."""

    total: int
    completed: int
    failed: int
    failure_codes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Backfill:
    """A backfill as it was when it was looked up; instants in seconds since 1970."""

    number: int
    id: str
    source: Registry
    destination: Registry
    status: str
    failure: str | None
    started_at: float
    ended_at: float | None
    progress: Progress | None
    """None before the images are collected."""

    @property
    def is_over(self) -> bool:
        """Whether nothing will change any more."""
        return self.ended_at is not None


@dataclass(frozen=True, slots=True)
class Result:
    """One replication of a backfill."""

    place: int
    repository_name: str
    digest: str
    tag: str | None
    is_index: bool
    status: str
    failure: str | None


def start(registry: Registry, destination: Registry) -> Backfill:
    """Begin a backfill.

    Raises `InvalidParameterException` for a destination that no rule names, `ReplicationBackfillInProgressException`
    while another one to its Region runs, `LimitExceededException`.
    """
    rules = settings.replication(registry)["rules"]
    there = {"registryId": destination.account_id, "region": destination.region}
    if not any(there == one for rule in rules for one in rule["destinations"]):
        # UNSURE: the class and the text are not public.
        raise InvalidParameterException("destination", "The destination is not in the replication configuration")
    with registry.world.change() as change:
        running = change.db.execute(
            f"SELECT to_region FROM replication_backfill WHERE account_id = ? AND region = ? AND {_RUNNING}",
            (registry.account_id, registry.region),
        ).fetchall()
        if any(row["to_region"] == destination.region for row in running):
            raise ReplicationBackfillInProgressException(destination.region)
        if len(running) >= MOST_RUNNING:
            # UNSURE: the exact text is not public.
            raise LimitExceededException(
                f"A registry can have at most {MOST_RUNNING} replication backfills in progress"
            )
        backfill_id = registry.world.new_id()
        change.db.execute(
            "INSERT INTO replication_backfill (id, account_id, region, to_account, to_region, status, started_at) "
            "VALUES (?, ?, ?, ?, ?, 'PREPARING', ?)",
            (
                backfill_id,
                registry.account_id,
                registry.region,
                destination.account_id,
                destination.region,
                change.at,
            ),
        )
    return find(registry, backfill_id)


def stop(registry: Registry, backfill_id: str, *, is_idle: bool) -> Backfill:
    """Stop a backfill: at once if it is idle, else after the copy that is being made.

    Raises `ReplicationBackfillNotFoundException`, `ReplicationBackfillInvalidStatusException`.
    """
    with registry.world.change() as change:
        found = _get(change.db, registry, backfill_id, _earliest(registry))
        if found.status not in (PREPARING, IN_PROGRESS):
            raise ReplicationBackfillInvalidStatusException(backfill_id, found.status)
        if is_idle or found.status == PREPARING:
            _end(change, found, STOPPED)
        else:
            change.db.execute("UPDATE replication_backfill SET status = 'STOPPING' WHERE number = ?", (found.number,))
    return find(registry, backfill_id)


def find(registry: Registry, backfill_id: str) -> Backfill:
    """Return a backfill. Raises `ReplicationBackfillNotFoundException`."""
    with registry.world.store.read() as db:
        return _get(db, registry, backfill_id, _earliest(registry))


def listed(registry: Registry, *, before: int | None = None, most: int = 50) -> list[Backfill]:
    """Return backfills, newest first, up to `most` of those before the one with that `Backfill.number`."""
    # UNSURE: the order.
    with registry.world.store.read() as db:
        rows = db.execute(
            "SELECT * FROM replication_backfill WHERE account_id = ? AND region = ? AND number < ? "
            "AND coalesce(ended_at, 1e18) >= ? ORDER BY number DESC LIMIT ?",
            (registry.account_id, registry.region, before or 1 << 62, _earliest(registry), most),
        ).fetchall()
        return [_from_row(db, registry.world, row) for row in rows]


def results(backfill: Backfill, *, status: str | None = None, after: int = 0, most: int = 1000) -> list[Result]:
    """Return the replications that are done, in their order, after the one with that `Result.place`."""
    some = (status,) if status else (COMPLETE, FAILED)
    return _results(backfill, some, after, most)


def running(world: World) -> list[Backfill]:
    """Return the backfills that are not over, oldest first."""
    with world.store.read() as db:
        rows = db.execute(f"SELECT * FROM replication_backfill WHERE {_RUNNING} ORDER BY number").fetchall()
        return [_from_row(db, world, row) for row in rows]


def waiting(backfill: Backfill, most: int) -> list[Result]:
    """Return up to `most` replications that are to be made."""
    return _results(backfill, (IN_PROGRESS,), 0, most)


def collect(backfill: Backfill) -> bool:
    """Collect the images of a backfill that is PREPARING; return False for one that is not."""
    world, source, there = backfill.source.world, backfill.source, backfill.destination
    with world.change(at=world.clock.now()) as change:
        if _status(change.db, backfill) != PREPARING:
            change.happened = False
            return False
        # UNSURE: whether archived images take part; here they do not.
        rows = change.db.execute(
            "SELECT repository.name, digest, tag.name AS tag, EXISTS (SELECT 1 FROM image_child WHERE image_id = "
            "image.id) AS is_index FROM repository JOIN image ON image.repository_id = repository.id "
            "LEFT JOIN tag ON tag.image_id = image.id WHERE account_id = ? AND region = ? AND NOT archived "
            "ORDER BY repository.name, image.id, place",
            (source.account_id, source.region),
        ).fetchall()
        of = {name: there in replication.destinations(source, name) for name in {row["name"] for row in rows}}
        change.db.executemany(
            "INSERT INTO replication_backfill_result VALUES (?, ?, ?, ?, ?, ?, 'IN_PROGRESS', NULL)",
            [
                (backfill.number, place, row["name"], row["digest"], row["tag"], row["is_index"])
                for place, row in enumerate((row for row in rows if of[row["name"]]), 1)
            ],
        )
        change.db.execute("UPDATE replication_backfill SET status = 'IN_PROGRESS' WHERE number = ?", (backfill.number,))
    return True


def note_result(change: Change, backfill: Backfill, result: Result, failure: str | None) -> None:
    """Note that a replication is done, or the code of its failure."""
    change.db.execute(
        "UPDATE replication_backfill_result SET status = ?, failure = ? WHERE backfill = ? AND place = ?",
        (COMPLETE if failure is None else FAILED, failure, backfill.number, result.place),
    )


def goes_on(backfill: Backfill) -> bool:
    """Tell whether a backfill has another replication to make: it was not stopped, and has not failed too often."""
    with backfill.source.world.store.read() as db:
        return _status(db, backfill) == IN_PROGRESS and not _failed_too_often(_progress(db, backfill.number))


def settle(backfill: Backfill) -> bool:
    """End a backfill that has nothing more to do; return False if it is over then."""
    world = backfill.source.world
    with world.change(at=world.clock.now()) as change:
        status, progress = _status(change.db, backfill), _progress(change.db, backfill.number)
        if status == STOPPING:
            _end(change, backfill, STOPPED)
        elif status != IN_PROGRESS:
            change.happened = False
        elif _failed_too_often(progress):
            # UNSURE: the code is not public.
            _end(change, backfill, FAILED, "TooManyReplicationFailures")
        elif progress.completed + progress.failed == progress.total:
            # UNSURE: the end of fewer than 100 replications of which some failed; COMPLETE, with their count.
            _end(change, backfill, COMPLETE)
        else:
            return True
    return False


def _failed_too_often(progress: Progress) -> bool:
    done = progress.completed + progress.failed
    return done >= JUDGED_FROM and 2 * progress.failed >= done


def _end(change: Change, backfill: Backfill, status: str, failure: str | None = None) -> None:
    change.db.execute(
        "UPDATE replication_backfill SET status = ?, failure = ?, ended_at = ? WHERE number = ?",
        (status, failure, change.at, backfill.number),
    )


def _earliest(registry: Registry) -> float:
    return (registry.world.clock.now() - KEPT).timestamp()


def _status(db: sqlite3.Connection, backfill: Backfill) -> str:
    row = db.execute("SELECT status FROM replication_backfill WHERE number = ?", (backfill.number,)).fetchone()
    return str(row["status"])


def _get(db: sqlite3.Connection, registry: Registry, backfill_id: str, earliest: float) -> Backfill:
    row = db.execute(
        "SELECT * FROM replication_backfill WHERE id = ? AND account_id = ? AND region = ? "
        "AND coalesce(ended_at, 1e18) >= ?",
        (backfill_id.lower(), registry.account_id, registry.region, earliest),
    ).fetchone()
    if row is None:
        raise ReplicationBackfillNotFoundException(backfill_id, registry.account_id)
    return _from_row(db, registry.world, row)


def _progress(db: sqlite3.Connection, number: int) -> Progress:
    total, completed, failed = db.execute(
        "SELECT count(*), coalesce(sum(status = 'COMPLETE'), 0), coalesce(sum(status = 'FAILED'), 0) "
        "FROM replication_backfill_result WHERE backfill = ?",
        (number,),
    ).fetchone()
    codes = db.execute(
        "SELECT DISTINCT failure FROM replication_backfill_result WHERE backfill = ? AND failure NOT NULL "
        "ORDER BY failure",
        (number,),
    )
    return Progress(total, completed, failed, tuple(row["failure"] for row in codes))


def _from_row(db: sqlite3.Connection, world: World, row: sqlite3.Row) -> Backfill:
    progress = _progress(db, row["number"])
    # One that was stopped while it was PREPARING has none; one without images has counts of 0.
    is_prepared = row["status"] != PREPARING and (row["status"] != STOPPED or progress.total > 0)
    return Backfill(
        row["number"],
        row["id"],
        Registry(world, row["account_id"], row["region"]),
        Registry(world, row["to_account"], row["to_region"]),
        row["status"],
        row["failure"],
        row["started_at"],
        row["ended_at"],
        progress if is_prepared else None,
    )


def _results(backfill: Backfill, statuses: Sequence[str], after: int, most: int) -> list[Result]:
    with backfill.source.world.store.read() as db:
        rows = db.execute(
            "SELECT place, repository, digest, tag, is_index, status, failure FROM replication_backfill_result "
            f"WHERE backfill = ? AND place > ? AND status IN ({', '.join('?' * len(statuses))}) ORDER BY place LIMIT ?",
            (backfill.number, after, *statuses, most),
        ).fetchall()
    return [Result(*row) for row in rows]
