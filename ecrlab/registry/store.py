"""The registry's memory: one SQLite database in the state directory, one writer, many readers.

A change is one transaction: it happened whole or not at all, also after `kill -9` (SQLite's write-ahead log). Writers
queue at one lock; readers see the last whole state and never wait. Connections are pooled, not kept by thread, because
HTTP servers make a thread for a request; they are opened in the process that uses them, because a connection must not
pass a fork.
"""

import contextlib
import os
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (
    name TEXT PRIMARY KEY,
    value BLOB NOT NULL
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS repository (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    account_id TEXT NOT NULL,
    region TEXT NOT NULL,
    name TEXT NOT NULL,
    created_at REAL NOT NULL,
    settings TEXT NOT NULL,
    policy TEXT,
    UNIQUE (account_id, region, name)
);

CREATE TABLE IF NOT EXISTS registry_setting (
    account_id TEXT NOT NULL,
    region TEXT NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (account_id, region, name)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS layer (
    id INTEGER PRIMARY KEY,
    repository_id INTEGER NOT NULL REFERENCES repository ON DELETE CASCADE,
    digest TEXT NOT NULL,
    size INTEGER NOT NULL,
    UNIQUE (repository_id, digest)
);
CREATE INDEX IF NOT EXISTS layer_by_digest ON layer (digest);

CREATE TABLE IF NOT EXISTS image (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    repository_id INTEGER NOT NULL REFERENCES repository ON DELETE CASCADE,
    digest TEXT NOT NULL,
    media_type TEXT NOT NULL,
    artifact_type TEXT,
    subject TEXT,
    size INTEGER NOT NULL,
    pushed_at REAL NOT NULL,
    pulled_at REAL,
    manifest BLOB NOT NULL,
    UNIQUE (repository_id, digest)
);
CREATE INDEX IF NOT EXISTS image_by_subject ON image (repository_id, subject) WHERE subject IS NOT NULL;

CREATE TABLE IF NOT EXISTS tag (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    repository_id INTEGER NOT NULL REFERENCES repository ON DELETE CASCADE,
    name TEXT NOT NULL,
    image_id INTEGER NOT NULL REFERENCES image ON DELETE CASCADE,
    UNIQUE (repository_id, name)
);
CREATE INDEX IF NOT EXISTS tag_by_image ON tag (image_id);

CREATE TABLE IF NOT EXISTS image_layer (
    image_id INTEGER NOT NULL REFERENCES image ON DELETE CASCADE,
    layer_id INTEGER NOT NULL,
    PRIMARY KEY (image_id, layer_id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS image_by_layer ON image_layer (layer_id);

CREATE TABLE IF NOT EXISTS image_child (
    image_id INTEGER NOT NULL REFERENCES image ON DELETE CASCADE,
    child_id INTEGER NOT NULL REFERENCES image,
    PRIMARY KEY (image_id, child_id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS image_by_child ON image_child (child_id);
"""

VERSION = 1
"""What `PRAGMA user_version` says of a database of this layout."""


class Store:
    """The database of one state directory.

    Use `with store.write() as db:` for a change and `with store.read() as db:` for a consistent look; `db` is a
    `sqlite3.Connection` whose rows can be read by column name. Errors inside `write` undo the change.
    `durable` is for a directory that outlives the process.
    """

    def __init__(self, path: Path, *, durable: bool = True) -> None:
        self.path = path
        self._durable = durable
        self._write_lock = threading.RLock()
        self._pool_lock = threading.Lock()
        self._owner = os.getpid()
        self._writer: sqlite3.Connection | None = None
        self._readers: list[sqlite3.Connection] = []
        with self._write_lock:
            writer = self._connect()
            version = writer.execute("PRAGMA user_version").fetchone()[0]
            if version not in (0, VERSION):
                writer.close()
                raise sqlite3.DatabaseError(
                    f"{path} has layout {version}; this ecrlab reads layout {VERSION}"
                )
            writer.executescript(SCHEMA)
            writer.execute(f"PRAGMA user_version = {VERSION}")
            self._writer = writer

    @contextlib.contextmanager
    def exclusively(self) -> Iterator[None]:
        """Keep other writers out for longer than one change (a file and its row, a change and its tick)."""
        with self._write_lock:
            yield

    @contextlib.contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """One change: everything inside is kept, or nothing is."""
        with self._write_lock:
            self._leave_parents_connections()
            if self._writer is None:
                self._writer = self._connect()
            db = self._writer
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
                db.execute("COMMIT")
            except BaseException:
                # A full disk can end the transaction by itself.
                if db.in_transaction:
                    db.execute("ROLLBACK")
                raise

    @contextlib.contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """One look: every statement inside sees the same state."""
        with self._pool_lock:
            self._leave_parents_connections()
            db = self._readers.pop() if self._readers else None
        if db is None:
            db = self._connect()
        db.execute("BEGIN")
        try:
            yield db
        finally:
            db.execute("COMMIT")
            with self._pool_lock:
                self._readers.append(db)

    def close(self) -> None:
        """Let go of the database; the write-ahead log is folded into it."""
        with self._write_lock, self._pool_lock:
            for reader in self._readers:
                reader.close()
            self._readers.clear()
            if self._writer is not None:
                self._writer.close()
                self._writer = None

    def _connect(self) -> sqlite3.Connection:
        db = sqlite3.connect(self.path, check_same_thread=False, isolation_level=None, cached_statements=256)
        db.row_factory = sqlite3.Row
        db.execute("PRAGMA journal_mode = WAL")
        # With a write-ahead log, NORMAL survives the death of the process at any moment and keeps the database sound
        # through a power cut; FULL would only add the very last changes before that cut, at an fsync for each.
        db.execute(f"PRAGMA synchronous = {'NORMAL' if self._durable else 'OFF'}")
        db.execute("PRAGMA wal_autocheckpoint = 4000")
        db.execute("PRAGMA foreign_keys = ON")
        db.execute("PRAGMA cache_size = -65536")
        return db

    def _leave_parents_connections(self) -> None:
        """After a fork, forget (not close: they are the parent's) the connections that came along."""
        if self._owner != os.getpid():
            self._owner = os.getpid()
            self._writer = None
            self._readers = []
