"""The registry's database: one SQLite file in the state directory, one writer, many readers.

A change is one transaction: it happens as a whole or not at all, also with `kill -9` (SQLite's write-ahead log).
Writers queue at one lock; readers see the last committed state and never wait. Connections are pooled, not kept by
thread, because HTTP servers make a thread for a connection.

Each change reports the scopes that it touches. Triggers do that, so that no change can omit it: what `Cache` stores
about a scope is valid until a change touches that scope.
"""

import contextlib
import sqlite3
import threading
from collections import Counter
from collections.abc import Hashable, Iterator
from pathlib import Path

from ecrlab.registry.errors import ServerException
from ecrlab.registry.store import disk
from ecrlab.registry.store.schema import SCHEMA, TOUCHES

VERSION, IN_CLEAR = 3, 2
"""`PRAGMA user_version` of this layout, and of the one before, which has the same tables but did not encrypt
repositories with a KMS key.
"""

IDLE_READERS = 8
"""The number of idle connections to keep. Threads that read at once open more, and close them afterwards."""


class Store:
    """The database of one state directory.

    Use `with store.write() as db:` for a change and `with store.read() as db:` for a consistent look; `db` is a
    `sqlite3.Connection` whose rows can be read by column name. An error inside `write` undoes the change; a full disk
    raises `ServerException`. `durable` is for a directory that outlives the process.
    """

    _writer: sqlite3.Connection | None

    def __init__(self, path: Path, *, durable: bool = True) -> None:
        self.path = path
        self._durable = durable
        self._is_closed = False
        self._is_tight = False  # from the first change that the disk refused
        self._write_lock = threading.RLock()
        self._changing: int | None = None  # the thread that makes a change
        self._pool_lock = threading.Lock()
        self._readers: list[sqlite3.Connection] = []
        self._touched: set[tuple[Hashable, ...]] = set()
        self._touches: Counter[tuple[Hashable, ...]] = Counter()
        self._replaced = 0
        _keep_private(path)
        writer = self._writer = self._connect()
        try:
            version = writer.execute("PRAGMA user_version").fetchone()[0]
            if version not in (0, IN_CLEAR, VERSION):
                raise sqlite3.DatabaseError(f"{path} has layout {version}; this ecrlab reads layout {VERSION}")
            writer.executescript(SCHEMA)
            writer.execute(f"PRAGMA user_version = {VERSION}")
            self._watch(writer)
        except BaseException:
            self.close()
            raise

    def exclusively(self) -> contextlib.AbstractContextManager[object]:
        """Exclude other writers for a change and the files that it frees, or a change and its tick."""
        return self._write_lock

    @contextlib.contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """Make one change, as a whole or not at all. Raises `ServerException` when the disk accepts no more."""
        with self._write_lock:
            self._check_open()
            try:
                db = self._write_connection()
                db.execute("BEGIN IMMEDIATE")
                self._touched.clear()
                self._changing = threading.get_ident()
                try:
                    yield db
                    db.execute("COMMIT")
                except BaseException as error:
                    self._undo(db, error)
                    raise
                finally:
                    self._changing = None
                self._touches.update(self._touched)
                if self._is_tight:
                    # The change is made; the next one folds the log if this one cannot.
                    with contextlib.suppress(sqlite3.OperationalError):
                        self._fold(db)
            except sqlite3.OperationalError as error:
                if refused := disk.refusal(error):
                    raise refused from error
                raise

    def version(self, *scopes: tuple[Hashable, ...]) -> tuple[int, ...]:
        """Return the version of some scopes (see `TOUCHES`); it differs after each change that touches one of them."""
        return (self._replaced, *[self._touches[scope] for scope in scopes])

    @property
    def changes(self) -> tuple[int, int]:
        """A value that differs after each change of any scope."""
        with self._write_lock:
            return (self._replaced, self._touches.total())

    def change_under_way(self) -> sqlite3.Connection | None:
        """Return the connection of the change that this thread is making, or None."""
        return self._writer if self._changing == threading.get_ident() else None

    @contextlib.contextmanager
    def read(self, *, one: bool = False) -> Iterator[sqlite3.Connection]:
        """Read one state: all statements inside see the same. `one` is for a single statement that is read to its end:
        it needs no transaction, and takes a third less time.
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
        """Replace all contents by those of another database, in one change. Raises `ServerException` on a full disk."""
        with self._write_lock:
            self._check_open()
            db = self._write_connection()
            try:
                other.backup(db)
                self._replaced += 1
            except sqlite3.OperationalError as error:
                if refused := disk.refusal(error):
                    raise refused from error
                raise

    def close(self) -> None:
        """Close the database; the write-ahead log is folded into it. It cannot be opened again."""
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

    def _write_connection(self) -> sqlite3.Connection:
        if self._writer is None:
            self._writer = self._connect()
            self._watch(self._writer)
        return self._writer

    def _watch(self, writer: sqlite3.Connection) -> None:
        """Record the scopes that changes of this connection touch."""
        writer.create_function("touches", -1, lambda *scope: self._touched.add(scope))
        writer.executescript(TOUCHES)

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
        # By default SQLite makes a file for each statement that changes several rows and may fail half way.
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
            # Closing a connection that cannot undo undoes the change; the next change opens another.
            self._writer = None
            db.close()

    def _fold(self, db: sqlite3.Connection) -> None:
        """Copy the log into the database, so that the log starts over in its own file: freeing space needs space."""
        db.execute("PRAGMA wal_checkpoint(PASSIVE)")

    def _put_back(self, db: sqlite3.Connection) -> None:
        with self._pool_lock:
            if len(self._readers) < IDLE_READERS and not self._is_closed:
                self._readers.append(db)
                return
        db.close()


def _keep_private(database: Path) -> None:
    """Let only its owner read the database, which holds the key of the tokens, in any folder.

    SQLite makes the files beside it (`-wal`, `-shm`) with the same mode.
    """
    database.touch(mode=0o600)
    for file in (database, *database.parent.glob(f"{database.name}-*")):
        file.chmod(0o600)
