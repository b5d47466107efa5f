"""All of ECR that one lab holds: every account and Region, one memory, one clock.

    World ── registry(account, Region) ──► Registry ── the verbs of repositories, images, layers, tokens
      ├ store    what is known (SQLite)
      ├ blobs    what was pushed (files)
      └ clock    when it is

A registry is one account in one Region, as on AWS; registries share nothing but the disk.
"""

import contextlib
import fcntl
import hashlib
import itertools
import os
import sqlite3
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ecrlab.clock import Clock, LabClock
from ecrlab.errors import EcrLabError
from ecrlab.registry import names
from ecrlab.registry.errors import InvalidParameterException, ServerException
from ecrlab.registry.events import ServiceEvent
from ecrlab.registry.nights import DAY, Nights
from ecrlab.registry.store.blobs import BlobStore
from ecrlab.registry.store.collector import Collector
from ecrlab.registry.store.database import Store
from ecrlab.registry.store.remembered import Remembered
from ecrlab.registry.store.uploads import Uploads

if TYPE_CHECKING:
    from ecrlab.registry.images import Image
    from ecrlab.registry.repositories import Repository
    from ecrlab.registry.scan_rules import Configuration


class StateError(EcrLabError):
    """A state directory that cannot be used."""


@dataclass(slots=True)
class Change:
    """A change under way: the open transaction and the instant it will carry (seconds since 1970).

    Set `happened` to False when it turns out that there was nothing to do: then no time passes. `events` are told to
    the world's listeners once the change is kept.
    """

    db: sqlite3.Connection
    at: float
    happened: bool = True
    events: list[ServiceEvent] = field(default_factory=list)


class World:
    """The ECR of one lab, kept in `directory`.

    `seed` makes ids and tokens repeat from run to run; without one they are random, and the token key is kept
    in the directory. `durable` syncs blobs to the disk. Raises `StateError` when another lab uses the
    directory, or it holds something else.
    """

    def __init__(
        self, directory: Path, clock: Clock | None = None, *, seed: str | None = None, durable: bool = True
    ) -> None:
        self.directory = directory
        self._durable = durable
        self.clock: Clock = clock or LabClock()
        self._seed = seed if seed is not None else os.urandom(16).hex()
        self._ids = itertools.count(1)
        self.listeners: list[Callable[[ServiceEvent], None]] = []
        """Who is told of events; they must not raise."""
        self.when_pushed: Callable[[Registry, Repository, Image], None] = lambda registry, repository, image: None
        """What is done after a push that changed something, before it is answered; it must not raise."""
        self.scanning: dict[tuple[str, str], Configuration] = {}
        """How each registry (account, Region) scans, as far as somebody asked; see `scan_rules`."""
        with contextlib.ExitStack() as undo:
            try:
                # Only its owner may read the key of the tokens.
                directory.mkdir(mode=0o700, parents=True, exist_ok=True)
                self._lock: int | None = claim(directory)
                undo.callback(self._let_go)
                self.store = Store(directory / "registry.sqlite", durable=durable)
                undo.callback(self.store.close)
                self.remembered = Remembered(self.store)
                self.blobs = BlobStore(directory, durable=durable)
                self.uploads = Uploads(self.blobs)
                self.collector = Collector(self.store, self.blobs, self.uploads)
                self.token_key = self._kept_key() if seed is None else _seeded_key(seed)
                self._resume_clock()
                self.nights = Nights(self._last_night())
                self.collector.sweep_strays()
            except (OSError, sqlite3.Error, ServerException) as error:
                raise StateError(f"cannot keep a registry in {directory}: {error}") from error
            undo.pop_all()
        if isinstance(self.clock, LabClock):
            self.clock.on_the_way = self._live_through
            if durable:
                self.clock.when_moved = self._keep_time

    def registry(self, account_id: str, region: str) -> "Registry":
        """The registry of one account in one Region; the names are checked."""
        if not names.ACCOUNT.fullmatch(account_id):
            raise InvalidParameterException("registryId", f"must satisfy regular expression '{names.ACCOUNT.pattern}'")
        return Registry(self, account_id, region)

    def new_id(self) -> str:
        """A fresh id of UUID form; with a seed, the same sequence in every run."""
        return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{self._seed} {next(self._ids)}"))

    @contextlib.contextmanager
    def change(self, *, at: datetime | None = None) -> Iterator[Change]:
        """One change of the world: a transaction, then one tick of the clock. What fails changes nothing.

        `at` is for what a registry does by itself, such as a policy's run: it carries that instant and takes no time.
        """
        with self.store.exclusively():
            with self.store.write() as db:
                instant = at or self.clock.after_change()
                change = Change(db, instant.timestamp())
                yield change
                if change.happened and self._durable and at is None:
                    _keep_time(db, self.clock, instant)
            if change.happened and at is None:
                self.clock.settle(instant)
        for event in change.events:
            self.tell(event)

    def tell(self, event: ServiceEvent) -> None:
        """Tell an event to whoever listens."""
        for listen in self.listeners:
            listen(event)

    @property
    def is_behind(self) -> bool:
        """Whether nights have passed that are still to be lived through."""
        return self.clock.now() >= self.nights.next

    def check_is_there(self) -> None:
        """Raise `ServerException` if the directory was deleted, as tidying of temporary files may do."""
        if not self.store.path.exists():
            raise ServerException(f"The files of this lab were deleted ({self.directory}): start a new lab.")

    def keep_up(self) -> None:
        """Live through the nights that have passed since the last request; call it at the beginning of each."""
        self.check_is_there()
        if self.is_behind:
            self._live_through(self.clock.now())

    def close(self) -> None:
        """Let go of the directory; open uploads are dropped."""
        if isinstance(self.clock, LabClock):
            self.clock.on_the_way = lambda there: None
            self.clock.when_moved = lambda: None
        self.collector.stop()
        self.uploads.end_all()
        self.store.close()
        self._let_go()

    def _let_go(self) -> None:
        if self._lock is not None:
            # Unlocked by name: a forked child may have the file open too.
            fcntl.flock(self._lock, fcntl.LOCK_UN)
            os.close(self._lock)
            self._lock = None

    def _live_through(self, there: datetime) -> None:
        first = self.nights.next
        self.nights.live_through(there, self.clock.settle)
        if self._durable and self.nights.next != first:
            with self.store.write() as db:
                db.execute("INSERT OR REPLACE INTO meta VALUES ('next night', ?)", (self.nights.next.isoformat(),))

    def _last_night(self) -> datetime:
        with self.store.read() as db:
            kept = db.execute("SELECT value FROM meta WHERE name = 'next night'").fetchone()
        return self.clock.now() if kept is None else datetime.fromisoformat(kept[0]) - DAY

    def _keep_time(self) -> None:
        """Remember what the lab's clock shows, after it was moved by hand."""
        with self.store.write() as db:
            _keep_time(db, self.clock, self.clock.now())

    def _kept_key(self) -> bytes:
        with self.store.write() as db:
            db.execute("INSERT OR IGNORE INTO meta VALUES ('token key', ?)", (os.urandom(32),))
            key: bytes = db.execute("SELECT value FROM meta WHERE name = 'token key'").fetchone()[0]
            return key

    def _resume_clock(self) -> None:
        with self.store.read() as db:
            kept = db.execute("SELECT value FROM meta WHERE name = 'clock'").fetchone()
        if kept is not None:
            self.clock.settle(datetime.fromisoformat(kept[0]))


@dataclass(frozen=True, slots=True)
class Registry:
    """One account's registry in one Region."""

    world: World
    account_id: str
    region: str

    @property
    def host(self) -> str:
        """The name Docker knows it by."""
        return names.registry_host(self.account_id, self.region)


def moment(seconds: float | None) -> datetime | None:
    """An instant as kept (seconds since 1970), as a UTC datetime."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def _keep_time(db: sqlite3.Connection, clock: Clock, instant: datetime) -> None:
    if isinstance(clock, LabClock):
        db.execute("INSERT OR REPLACE INTO meta VALUES ('clock', ?)", (instant.isoformat(),))


def _seeded_key(seed: str) -> bytes:
    return hashlib.sha256(f"token {seed}".encode()).digest()


def claim(directory: Path) -> int:
    """Lock a state directory for this process: a descriptor to unlock it with. Raises `StateError` when it is
    in use.
    """
    descriptor = os.open(directory / "lock", os.O_RDWR | os.O_CREAT, 0o600)
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
