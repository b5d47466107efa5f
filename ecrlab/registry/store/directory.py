"""The state directory: it stores one registry, and its parts are checked at each start.

    registry.sqlite (-wal, -shm)   names, manifests, settings; nothing else has a copy of them
    registry.state                 which registry this is, and the run that opened it last, as JSON
    blobs/ALGORITHM/AB/AB…         the bytes of layers and configs, each under its own digest
    blobs/ALGORITHM/AB/AB….KEY     the same encrypted with a KMS key (blob_names.py)
    uploads/ID                     layers that a client is uploading

A registry starts only in a folder that is empty or its own, and a start deletes nothing. With a lost, truncated or
foreign database, every blob would look unused. So a start rejects such a folder and lists the remedies.
"""

import contextlib
import fcntl
import json
import os
import sqlite3
import struct
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ecrlab.errors import EcrLabError
from ecrlab.registry.store.blob_names import NAME
from ecrlab.registry.store.database import IN_CLEAR, VERSION, Store

DATABASE, STATE = "registry.sqlite", "registry.state"
LOG, INDEX = f"{DATABASE}-wal", f"{DATABASE}-shm"
FILES = frozenset((DATABASE, STATE, LOG, INDEX, "lock"))  # the lock of earlier versions may still lie there

RESTORE = (
    "restore {} from a copy made with this folder, or name another folder for a new registry. Names and manifests live "
    "in the database alone, so the files in blobs/ cannot bring it back; they are left as they are"
)


class StateError(EcrLabError):
    """A state directory that cannot be used."""


class StateDirectory:
    """A folder that one registry holds until `release`.

    Raises `StateError` if another process holds it, it is not a registry's, or a part of the registry is lost; then
    the folder is unchanged. With `durable`, what it writes is synced to the disk.
    """

    def __init__(self, path: Path, *, durable: bool = True) -> None:
        self.path = path
        self._durable = durable
        try:
            # Only its owner may read the key of the tokens.
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock: int | None = claim(path)
            try:
                self._state, self._is_new = examine(path)
            except BaseException:
                self.release()
                raise
        except OSError as error:
            raise StateError(f"cannot keep a registry in {path}: {error.strerror or error}") from error
        self.run = uuid.uuid4().hex
        """The id of this run."""
        self.run_before: str | None = None
        """The id of the previous run, if the database is its last state: then a file without a row is a leftover."""

    def begin_run(self, store: Store) -> None:
        """Note in the database and in the folder which run of which registry this is."""
        with store.write() as db:
            kept = dict(
                db.execute("SELECT name, value FROM meta WHERE name IN ('registry', 'run', 'older than blobs')")
            )
            follows = "run" in kept and kept["run"] in (self._state.get("run"), self._state.get("before"))
            if "older than blobs" not in kept and (self._is_new or follows):
                self.run_before = kept.get("run")
            else:
                # Never removed: a better copy of the database may know blobs that this one does not.
                db.execute("INSERT OR REPLACE INTO meta VALUES ('older than blobs', '1')")
            registry = kept.get("registry") or uuid.uuid4().hex
            db.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", [("registry", registry), ("run", self.run)])
            # Until the change is committed, the database may be of either run.
            self._state = {"registry": registry, "run": self.run, "before": kept.get("run"), "open": True}
            self._write()
        del self._state["before"]
        self._write()

    def close(self) -> None:
        """Note that the database is closed in order: from then on it needs no log."""
        with contextlib.suppress(OSError):
            self._state["open"] = False
            self._write()

    def release(self) -> None:
        """Unlock the folder for other processes."""
        if self._lock is not None:
            # Closing alone keeps the lock if a child process has the descriptor too.
            fcntl.flock(self._lock, fcntl.LOCK_UN)
            os.close(self._lock)
            self._lock = None

    def _write(self) -> None:
        beside = self.path / f"{STATE}.new"
        beside.touch(mode=0o600)
        beside.write_text(json.dumps(self._state))
        if self._durable:
            with beside.open("rb") as file:
                os.fsync(file.fileno())
        beside.replace(self.path / STATE)


def claim(directory: Path) -> int:
    """Lock a state directory for this process, and return the descriptor that holds the lock.

    The folder itself is locked, because a lock file could be deleted. Raises `StateError` if the folder is in use.
    """
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        if not isinstance(error, BlockingIOError):
            raise
        raise StateError(
            f"another ecrlab server is using {directory}; stop it first, or name another directory"
        ) from error
    return descriptor


def examine(directory: Path) -> tuple[dict[str, Any], bool]:
    """Return the contents of `registry.state`, and whether the folder is new. Changes nothing.

    Raises `StateError` if the folder is not a registry's, or its database or log is lost, truncated or another's.
    """
    if not os.access(directory, os.W_OK | os.X_OK):
        raise StateError(f"{directory} is read-only: make it writable, or name another folder")
    there = {path.name for path in directory.iterdir()}
    kept = _read_state(directory / STATE)
    database = directory / DATABASE
    blobs = [path for path in (directory / "blobs").glob("*/*/*") if NAME.fullmatch(f"{path.parts[-3]}:{path.name}")]
    is_lost = DATABASE not in there or database.stat().st_size == 0
    belong_together = f"the files of {len(blobs)} blobs are there: {RESTORE.format(DATABASE)}"
    if is_lost and (kept or blobs or LOG in there):
        raise StateError(f"{database} is lost, and {belong_together}")
    if is_lost and there - {DATABASE}:
        raise StateError(f"{directory} is not empty and holds no registry: name an empty folder, or a new one")
    if not is_lost:
        with _checked_log(directory, kept):
            registry, holds_layers = _known(database)
        if (kept and registry != kept["registry"]) or (registry is None and blobs and not holds_layers):
            raise StateError(f"{database} is a new database, or another registry's, and {belong_together}")
    return kept, is_lost


def _read_state(path: Path) -> dict[str, Any]:
    try:
        kept = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        raise StateError(f"{path} cannot be read ({error}): {RESTORE.format(STATE)}") from error
    if not isinstance(kept, dict) or not isinstance(kept.get("registry"), str):
        raise StateError(f"{path} names no registry: {RESTORE.format(STATE)}")
    return kept


def _known(database: Path) -> tuple[str | None, bool]:
    """Return the id of a database's registry, and whether the database has layers. It is opened for reading only, so
    an existing log stays, and no new one is made.
    """
    try:
        uri = f"{database.absolute().as_uri()}?{'mode=ro' if database.with_name(LOG).exists() else 'immutable=1'}"
        with contextlib.closing(sqlite3.connect(uri, uri=True)) as db:
            version = db.execute("PRAGMA user_version").fetchone()[0]
            if version not in (0, IN_CLEAR, VERSION):
                newer = ", of a newer ecrlab" if version > VERSION else ""
                raise StateError(f"{database} has layout {version}{newer}; this ecrlab reads layout {VERSION}")
            if not db.execute("SELECT 1 FROM sqlite_master WHERE name = 'meta'").fetchone():
                if db.execute("SELECT 1 FROM sqlite_master").fetchone():
                    raise StateError(f"{database} is no registry's database: name another folder")
                return None, False
            if version == IN_CLEAR:
                _check_nothing_in_clear(database, db)
            kept = dict(db.execute("SELECT name, value FROM meta"))
            for name in ("clock", "next night"):
                _check_instant(database, name, kept.get(name))
            return kept.get("registry"), db.execute("SELECT 1 FROM layer LIMIT 1").fetchone() is not None
    except sqlite3.DatabaseError as error:
        raise StateError(f"{database} cannot be read ({error}): {RESTORE.format(DATABASE)}") from error


def _check_nothing_in_clear(database: Path, db: sqlite3.Connection) -> None:
    """Return if a database of the layout before has no image or layer that had to be encrypted.

    It cannot be encrypted now: the keys lived in the memory of the server that wrote it.
    """
    rows = db.execute(
        "SELECT name FROM repository WHERE json_extract(settings, '$.kms_key') IS NOT NULL AND "
        "(id IN (SELECT repository_id FROM layer) OR id IN (SELECT repository_id FROM image)) ORDER BY name"
    )
    names = [name for (name,) in rows]
    if names:
        raise StateError(
            f"{database} is of an earlier ecrlab, which encrypted nothing: what its repositories with a KMS key hold "
            f"({', '.join(names)}) is in clear, and their keys ended with its server. Delete these repositories with "
            "the ecrlab that wrote the folder (aws ecr delete-repository --force), and push their images here again; "
            "or name another folder"
        )


def _check_instant(database: Path, name: str, kept: object) -> None:
    try:
        if kept is not None:
            datetime.fromisoformat(kept).astimezone(UTC)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError) as error:
        raise StateError(f"{database}: its {name} is no instant: {kept!r}; {RESTORE.format(DATABASE)}") from error


@contextlib.contextmanager
def _checked_log(directory: Path, kept: dict[str, Any]) -> Iterator[None]:
    """Let SQLite read a database with its write-ahead log, and reject a lost, truncated or damaged log; SQLite itself
    continues without an error.

    A database that was not closed has a log beside it, and the log's index says how many of its pages count (SQLite,
    "WAL-mode File Format"). The first reader rebuilds the index from the pages that are complete.
    """
    log, index = directory / LOG, directory / INDEX
    lost = (
        f"{log} is {{}}, and the last changes are in it: {RESTORE.format(LOG)}. To go on without those changes, delete "
        f"{directory / STATE}"
    )
    if kept.get("open") and not log.exists():
        raise StateError(lost.format("lost"))
    before = index.read_bytes() if kept and log.exists() and index.exists() else b""
    yield
    if before and _pages(before) > _pages(index.read_bytes()):
        index.write_bytes(before)
        raise StateError(lost.format("cut short, or damaged"))


def _pages(index: bytes) -> int:
    """Return the number of valid pages in a log; 0 if the index was being written, so that its two headers differ."""
    return struct.unpack_from("=16xI", index)[0] if len(index) >= 96 and index[:48] == index[48:96] else 0
