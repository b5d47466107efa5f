"""All of ECR that one lab holds: every account and Region, one memory, one clock.

    World ── registry(account, Region) ──► Registry ── the verbs of repositories, images, layers, tokens
      ├ store      what is known (SQLite)
      ├ blobs      what was pushed (files)
      ├ clock      when it is
      └ listeners  callbacks that hear what happens, and that may supply what is absent

A registry is one account in one Region, as on AWS; registries share nothing but the disk.
"""

import contextlib
import hashlib
import itertools
import os
import sqlite3
import threading
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ecrlab.clock import Clock, LabClock
from ecrlab.registry import names
from ecrlab.registry.errors import InvalidParameterException, ServerException
from ecrlab.registry.listeners import Listeners, Suppliers
from ecrlab.registry.nights import DAY, Nights
from ecrlab.registry.service_event import ServiceEvent
from ecrlab.registry.store.blobs import BlobStore
from ecrlab.registry.store.cache import Cache
from ecrlab.registry.store.collector import Collector
from ecrlab.registry.store.database import Store
from ecrlab.registry.store.directory import DATABASE, StateDirectory, StateError
from ecrlab.registry.store.keys import KeyService
from ecrlab.registry.store.uploads import Uploads
from ecrlab.registry.trail import Trail

if TYPE_CHECKING:
    from ecrlab.registry.images import Image, ImageId
    from ecrlab.registry.repositories import Repository
    from ecrlab.registry.wanted import Wanted


@dataclass(slots=True)
class Change:
    """A change under way: the open transaction and the instant it will carry (seconds since 1970).

    Set `happened` to False when there is nothing to do: then no time passes. The world's listeners receive `events`
    after the commit.
    """

    db: sqlite3.Connection
    at: float
    happened: bool = True
    events: list[ServiceEvent] = field(default_factory=list)


class World:
    """The ECR of one lab, kept in `directory`.

    With a `seed`, ids repeat from run to run; without one they are random. The key of tokens is random and kept in the
    directory. `durable` syncs blobs to the disk. Raises `StateError` when another lab uses the directory, or it holds
    something else.
    """

    def __init__(
        self, directory: Path, clock: Clock | None = None, *, seed: str | None = None, durable: bool = True
    ) -> None:
        self.directory = directory
        self._durable = durable
        self.clock: Clock = clock or LabClock()
        self._seed = seed if seed is not None else os.urandom(16).hex()
        self._ids = itertools.count(1)
        self.id_key = hashlib.sha256(f"token {self._seed}".encode()).digest()  # of ids that depend on what they name
        self.copying = threading.RLock()  # held by the thread that replicates
        self.events: Listeners[ServiceEvent] = Listeners()
        self.after_push: Listeners[Registry, Repository, Image] = Listeners()
        self.before_deletion: Listeners[[]] = Listeners()
        self.after_deletion: Listeners[Registry, Repository, Sequence[str]] = Listeners()
        self.time_passes: Listeners[[]] = Listeners()
        self.repository_wanted: Suppliers[[Wanted], Repository] = Suppliers()
        self.image_wanted: Suppliers[[Wanted, Repository, ImageId], Image] = Suppliers()
        with contextlib.ExitStack() as undo:
            try:
                self._state_directory = StateDirectory(directory, durable=durable)
                undo.callback(self._state_directory.release)
                self.store = Store(directory / DATABASE, durable=durable)
                undo.callback(self.store.close)
                self.cached = Cache(self.store)
                self.trail = Trail(self.store)
                self._state_directory.begin_run(self.store)
                self.blobs = BlobStore(directory, durable=durable, run=self._state_directory.run)
                self.uploads = Uploads(self.blobs)
                self.collector = Collector(self.store, self.blobs, self.uploads)
                self.token_key = self._kept_key()
                self._resume_clock()
                self.nights = Nights(self._last_night())
                self.collector.begin(self._state_directory.run_before)
            except (OSError, sqlite3.Error, ServerException) as error:
                raise StateError(f"cannot keep a registry in {directory}: {error}") from error
            undo.pop_all()
        if isinstance(self.clock, LabClock):
            self.clock.on_the_way = self._live_through
            if durable:
                self.clock.before_moving = self._keep_time

    def registry(self, account_id: str, region: str) -> "Registry":
        """Return the registry of one account in one Region, or its public one (`names.PUBLIC`).

        Raises `InvalidParameterException` for a bad number.
        """
        if not names.ACCOUNT.fullmatch(account_id):
            raise InvalidParameterException("registryId", f"must satisfy regular expression '{names.ACCOUNT.pattern}'")
        return Registry(self, account_id, region)

    def new_id(self) -> str:
        """Return a new id in UUID form; with a seed, every run has the same sequence."""
        return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{self._seed} {next(self._ids)}"))

    @contextlib.contextmanager
    def change(self, *, at: datetime | None = None) -> Iterator[Change]:
        """Make one change: a transaction, then one tick of the clock. A change that fails changes nothing.

        `at` is for jobs of the registry, such as a policy's run: the change carries that instant and takes no time.
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
            self.events.tell(event)

    @property
    def keys(self) -> KeyService:
        """The KMS that encrypts objects of repositories with a KMS key; see `ecrlab.registry.store.keys`."""
        return self.blobs.keys

    @keys.setter
    def keys(self, keys: KeyService) -> None:
        self.blobs.keys = keys

    @property
    def is_behind(self) -> bool:
        """Whether midnights have passed whose jobs have not run."""
        return self.clock.now() >= self.nights.next

    def skip_to(self, instant: datetime) -> None:
        """Move the clock without the nights on the way: a snapshot has what they did."""
        self.nights.skip(instant)
        self.clock.settle(instant)

    def check_is_there(self) -> None:
        """Raise `ServerException` if the directory was deleted, as tidying of temporary files may do."""
        if not self.store.path.exists():
            raise ServerException(f"The files of this lab were deleted ({self.directory}): start a new lab.")

    def keep_up(self) -> None:
        """Run the jobs of the nights since the last request; call it at the beginning of each request.

        Raises `ServerException` if the directory was deleted.
        """
        self.check_is_there()
        if self.is_behind:
            self._live_through(self.clock.now())

    def close(self) -> None:
        """Release the directory; open uploads are dropped."""
        if isinstance(self.clock, LabClock):
            self.clock.on_the_way = lambda there: None
            self.clock.before_moving = lambda there: None
        self.collector.stop()
        self.uploads.end_all()
        with contextlib.suppress(ServerException):
            self.trail.flush()
        self._state_directory.close()
        self.store.close()
        self._state_directory.release()

    def _live_through(self, there: datetime) -> None:
        self.time_passes.tell()
        first = self.nights.next
        self.nights.live_through(there, self.clock.settle)
        if self._durable and self.nights.next != first:
            with self.store.write() as db:
                db.execute("INSERT OR REPLACE INTO meta VALUES ('next night', ?)", (self.nights.next.isoformat(),))

    def _last_night(self) -> datetime:
        with self.store.read() as db:
            kept = db.execute("SELECT value FROM meta WHERE name = 'next night'").fetchone()
        return self.clock.now() if kept is None else datetime.fromisoformat(kept[0]) - DAY

    def _keep_time(self, there: datetime) -> None:
        """Remember where the lab's clock is about to be moved by hand."""
        with self.store.write() as db:
            _keep_time(db, self.clock, there)

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
    """One account's registry in one Region, or its public registry: then `region` is `names.PUBLIC`."""

    world: World
    account_id: str
    region: str

    @property
    def is_public(self) -> bool:
        """Whether it is a registry of Amazon ECR Public."""
        return self.region == names.PUBLIC

    @property
    def aws_region(self) -> str:
        """The Region of its API and of its records: of a public registry us-east-1."""
        return names.PUBLIC_REGION if self.is_public else self.region

    @property
    def host(self) -> str:
        """The host name that Docker clients use."""
        return names.registry_host(self.account_id, self.region)


def moment(seconds: float | None) -> datetime | None:
    """Convert a stored instant (seconds since 1970) to a UTC datetime."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def _keep_time(db: sqlite3.Connection, clock: Clock, instant: datetime) -> None:
    if isinstance(clock, LabClock):
        db.execute("INSERT OR REPLACE INTO meta VALUES ('clock', ?)", (instant.isoformat(),))
