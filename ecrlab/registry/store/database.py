"""The registry's memory: one SQLite database in the state directory, one writer, many readers.

A change is one transaction: it happened whole or not at all, also after `kill -9` (SQLite's write-ahead log).
Writers queue at one lock; readers see the last whole state and never wait. Connections are pooled, not kept
by thread, because HTTP servers make a thread for a request; a forked child opens its own, because a
connection must not pass a fork.
"""

import contextlib
import math
import os
import sqlite3
import threading
import weakref
from collections.abc import Iterator
from pathlib import Path

from ecrlab.registry.errors import ServerException
from ecrlab.registry.store import disk

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
    images INTEGER NOT NULL DEFAULT 0, -- how many use it: an index by layer would cost each put a page for each layer
    media_type TEXT, -- what the newest of them calls it
    has_bytes INTEGER NOT NULL DEFAULT 1, -- 0: it came with a history (backfill.py), and nobody has pushed it since
    UNIQUE (repository_id, digest)
);
CREATE INDEX IF NOT EXISTS layer_by_digest ON layer (digest);

CREATE TABLE IF NOT EXISTS image (
    id INTEGER PRIMARY KEY, -- in the order of the pushes; that of a deleted last image may come again
    repository_id INTEGER NOT NULL REFERENCES repository ON DELETE CASCADE,
    digest TEXT NOT NULL,
    media_type TEXT NOT NULL,
    artifact_type TEXT,
    subject TEXT,
    size INTEGER NOT NULL,
    pushed_at REAL NOT NULL,
    pulled_at REAL,
    archived INTEGER NOT NULL DEFAULT 0, -- see archive.py
    archived_at REAL,
    activated_at REAL, -- when its last restore is over
    orphaned_at REAL, -- when its subject was deleted
    layers TEXT NOT NULL, -- the ids of those it uses, as JSON: a table of them would cost each put a page
    manifest BLOB NOT NULL,
    UNIQUE (repository_id, digest)
);
CREATE INDEX IF NOT EXISTS image_by_subject ON image (repository_id, subject) WHERE subject IS NOT NULL;
CREATE INDEX IF NOT EXISTS image_once_archived ON image (repository_id) WHERE archived_at IS NOT NULL;
CREATE INDEX IF NOT EXISTS image_orphaned ON image (orphaned_at) WHERE orphaned_at IS NOT NULL;

CREATE TABLE IF NOT EXISTS tag (
    repository_id INTEGER NOT NULL REFERENCES repository ON DELETE CASCADE,
    name TEXT NOT NULL,
    image_id INTEGER NOT NULL REFERENCES image ON DELETE CASCADE,
    place INTEGER NOT NULL, -- tags of an image, in the order in which they came to it
    PRIMARY KEY (repository_id, name)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS tag_by_image ON tag (image_id, place);

CREATE TABLE IF NOT EXISTS image_child (
    image_id INTEGER NOT NULL REFERENCES image ON DELETE CASCADE,
    child_id INTEGER NOT NULL REFERENCES image,
    PRIMARY KEY (image_id, child_id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS image_by_child ON image_child (child_id);

CREATE TABLE IF NOT EXISTS scan ( -- the last of each type; see scans.py
    image_id INTEGER NOT NULL REFERENCES image ON DELETE CASCADE,
    scan_type TEXT NOT NULL,
    at REAL NOT NULL,
    told_until REAL NOT NULL,
    PRIMARY KEY (image_id, scan_type)
) WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS inventory ( -- what is in an image, for all images of this digest
    digest TEXT PRIMARY KEY,
    contents TEXT NOT NULL
);

CREATE TABLE IF NOT EXISTS lifecycle ( -- see lifecycle_policies.py
    repository_id INTEGER PRIMARY KEY REFERENCES repository ON DELETE CASCADE,
    policy TEXT NOT NULL,
    policy_id TEXT NOT NULL,
    policy_version INTEGER NOT NULL,
    evaluated_at REAL,
    refused TEXT NOT NULL DEFAULT '' -- what the last run could not delete
);

CREATE TABLE IF NOT EXISTS lifecycle_preview (
    repository_id INTEGER PRIMARY KEY REFERENCES repository ON DELETE CASCADE,
    policy TEXT NOT NULL,
    at REAL NOT NULL,
    polled INTEGER NOT NULL DEFAULT 0,
    results TEXT NOT NULL,
    summary TEXT NOT NULL
);

CREATE TABLE IF NOT EXISTS trail ( -- see trail.py; like the history it outlives its repositories
    id INTEGER PRIMARY KEY,
    account_id TEXT NOT NULL,
    region TEXT NOT NULL,
    repository TEXT NOT NULL,
    at REAL NOT NULL,
    document TEXT NOT NULL
);

CREATE TABLE IF NOT EXISTS history ( -- see tag_history.py; by name, because it outlives its repositories; without an
    id INTEGER PRIMARY KEY,          -- index, because it is written with each put and read by few
    account_id TEXT NOT NULL,
    region TEXT NOT NULL,
    repository TEXT NOT NULL,
    at REAL NOT NULL,
    what TEXT NOT NULL,
    tag TEXT,
    before TEXT,
    after TEXT,
    by TEXT NOT NULL
);
"""

VERSION = 2
"""What `PRAGMA user_version` says of a database of this layout."""

IDLE_READERS = 8
"""How many connections wait for the next look; more are opened when more look at once, and closed
afterwards.
"""


class Store:
    """The database of one state directory.

    Use `with store.write() as db:` for a change and `with store.read() as db:` for a consistent look; `db` is
    a `sqlite3.Connection` whose rows can be read by column name. Errors inside `write` undo the change; what
    a full disk does to it is a `ServerException`. `durable` is for a directory that outlives the process.
    """

    _writer: sqlite3.Connection | None

    def __init__(self, path: Path, *, durable: bool = True) -> None:
        self.path = path
        self._durable = durable
        self._is_closed = False
        self._is_tight = False  # from the first change that the disk refused
        self.epoch = 0.0
        """Another one after each change that may have touched what is remembered; equal to none, not even itself, in
        a forked child, which does not see what its parent changes.
        """
        self._begin_in_this_process()
        _keep_private(path)
        writer = self._writer = self._connect()
        try:
            version = writer.execute("PRAGMA user_version").fetchone()[0]
            if version not in (0, VERSION):
                raise sqlite3.DatabaseError(f"{path} has layout {version}; this ecrlab reads layout {VERSION}")
            writer.executescript(SCHEMA)
            writer.execute(f"PRAGMA user_version = {VERSION}")
        except BaseException:
            self.close()
            raise
        _stores.add(self)

    def exclusively(self) -> contextlib.AbstractContextManager[object]:
        """Keep other writers out for longer than one change (a change and the files it frees, a change and
        its tick).
        """
        return self._write_lock

    @contextlib.contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """One change: everything inside is kept, or nothing is. Raises `ServerException` when the disk takes
        no more.
        """
        with self._write_lock:
            self._check_open()
            try:
                db = self._writer = self._writer or self._connect()
                db.execute("BEGIN IMMEDIATE")
                self._keeps_remembered = False
                try:
                    yield db
                    db.execute("COMMIT")
                except BaseException as error:
                    self._undo(db, error)
                    raise
                if not self._keeps_remembered:
                    self.epoch += 1
                if self._is_tight:
                    # The change is made; that the log could not be folded is the next one's trouble.
                    with contextlib.suppress(sqlite3.OperationalError):
                        self._fold(db)
            except sqlite3.OperationalError as error:
                if refused := disk.refusal(error):
                    raise refused from error
                raise

    def keep_remembered(self) -> None:
        """Say of the change under way that it touches nothing that is remembered: it only adds, or changes other
        things.
        """
        self._keeps_remembered = True

    @contextlib.contextmanager
    def read(self, *, one: bool = False) -> Iterator[sqlite3.Connection]:
        """One look: every statement inside sees the same state. With `one` there is only one, to its end: then that
        needs no transaction of its own, which is a third of the work.
        """
        with self._pool_lock:
            self._check_open()
            db = self._readers.pop() if self._readers else None
        if db is None:
            db = self._connect()
        try:
            if not one:
                db.execute("BEGIN")
            yield db
            if not one:
                db.execute("COMMIT")
        except sqlite3.Error:
            db.close()
            raise
        except BaseException:
            if not one:
                db.execute("ROLLBACK")
            self._put_back(db)
            raise
        self._put_back(db)

    def replace(self, other: sqlite3.Connection) -> None:
        """Take over all that another database holds, in one change. Raises `ServerException` on a full disk."""
        with self._write_lock:
            self._check_open()
            db = self._writer = self._writer or self._connect()
            try:
                other.backup(db)
                self.epoch += 1
            except sqlite3.OperationalError as error:
                if refused := disk.refusal(error):
                    raise refused from error
                raise

    def close(self) -> None:
        """Let go of the database, for good; the write-ahead log is folded into it."""
        with self._write_lock, self._pool_lock:
            self._is_closed = True
            for reader in self._readers:
                reader.close()
            self._readers.clear()
            if self._writer is not None:
                self._writer.close()
                self._writer = None

    def _check_open(self) -> None:
        if self._is_closed:
            raise ServerException("This lab has been stopped.")

    def _connect(self) -> sqlite3.Connection:
        db = sqlite3.connect(self.path, check_same_thread=False, isolation_level=None, cached_statements=256)
        db.row_factory = sqlite3.Row
        db.execute("PRAGMA journal_mode = WAL")
        # With a write-ahead log, NORMAL survives the death of the process at any moment and keeps the
        # database sound through a power cut; FULL would only add the very last changes before that cut, at an
        # fsync for each.
        db.execute(f"PRAGMA synchronous = {'NORMAL' if self._durable else 'OFF'}")
        db.execute("PRAGMA wal_autocheckpoint = 4000")
        db.execute("PRAGMA foreign_keys = ON")
        db.execute("PRAGMA cache_size = -16384")
        # Else a file is made for each statement that changes several rows and might fail half way.
        db.execute("PRAGMA temp_store = MEMORY")
        return db

    def _undo(self, db: sqlite3.Connection, error: BaseException) -> None:
        """Undo a change that failed. A full disk can have ended the transaction by itself."""
        try:
            if db.in_transaction:
                db.execute("ROLLBACK")
            if isinstance(error, sqlite3.OperationalError):
                self._is_tight = True
                self._fold(db)
        except sqlite3.Error:
            # A connection that cannot even undo is no use; closing it undoes the change, the next one begins
            # afresh.
            self._writer = None
            db.close()

    def _fold(self, db: sqlite3.Connection) -> None:
        """Fold the log into the database, so that it starts over in the room it has: what frees space needs some."""
        db.execute("PRAGMA wal_checkpoint(PASSIVE)")

    def _put_back(self, db: sqlite3.Connection) -> None:
        with self._pool_lock:
            if len(self._readers) < IDLE_READERS and not self._is_closed:
                self._readers.append(db)
                return
        db.close()

    def _begin_in_this_process(self) -> None:
        self._write_lock = threading.RLock()
        self._pool_lock = threading.Lock()
        self._writer = None
        self._readers: list[sqlite3.Connection] = []

    def _leave_to_the_parent(self) -> None:
        # Closing a connection here could take the parent's file locks away, so they are kept and never
        # touched.
        _of_the_parent.extend([*self._readers, self._writer])
        self.epoch = math.nan
        self._begin_in_this_process()


def _keep_private(database: Path) -> None:
    """Let only its owner read the database, which holds the key of the tokens, in whatever folder it lies.

    SQLite makes the files beside it (`-wal`, `-shm`) with the same mode.
    """
    database.touch(mode=0o600)
    for file in (database, *database.parent.glob(f"{database.name}-*")):
        file.chmod(0o600)


_stores: weakref.WeakSet[Store] = weakref.WeakSet()
_of_the_parent: list[sqlite3.Connection | None] = []


def _after_fork() -> None:
    for store in list(_stores):
        store._leave_to_the_parent()


os.register_at_fork(after_in_child=_after_fork)
