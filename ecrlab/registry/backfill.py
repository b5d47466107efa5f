"""Backfill: store thousands of past pushes and pulls in a registry.

A backfill is one change. It takes no time and sends no events: EventBridge rules, scans and policies see only later
changes. The rules of `pushes` hold, except that the layers have no bytes. A year of them uses no disk, and nobody can
pull them.
"""

import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ecrlab.errors import EcrLabError
from ecrlab.oci.manifest import Descriptor, Manifest
from ecrlab.registry import names, pushes
from ecrlab.registry.errors import (
    ImageNotFoundException,
    InvalidParameterException,
    RepositoryAlreadyExistsException,
    RepositoryNotFoundException,
)
from ecrlab.registry.images import PULL_RECORDED_EVERY
from ecrlab.registry.repositories import Repository, Settings
from ecrlab.registry.store import manifests
from ecrlab.registry.world import Registry


class HistoryError(EcrLabError):
    """A past that cannot have happened."""


@dataclass(frozen=True, slots=True)
class Pushed:
    """A manifest that was pushed at an instant (seconds since 1970), with or without tags."""

    at: float
    repository: str
    manifest: Manifest
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Pulled:
    """An image that was pulled."""

    at: float
    repository: str
    digest: str


def record(
    registry: Registry, repositories: Mapping[str, Settings], events: Iterable[Pushed | Pulled], *, by: str = ""
) -> None:
    """Create repositories, and store what happened in them, from the first event to the last.

    `by` is the caller's ARN, for the history. All or nothing: raises `HistoryError` for events that are out of order or
    in the future, `RepositoryAlreadyExistsException`, and what a push or a pull raises.
    """
    now = registry.world.clock.now()
    with registry.world.change(at=now) as change:
        past = _Past(registry, change.db, by)
        last = float("-inf")
        for event in events:
            if not last <= event.at <= now.timestamp():
                raise HistoryError(f"an event at {event.at} after one at {last}, and it is {now.timestamp()}")
            last = event.at
            repository = past.open.get(event.repository)
            if repository is None:
                settings = repositories.get(event.repository)
                if settings is None:
                    raise RepositoryNotFoundException(event.repository, registry.account_id)
                repository = past.create(event.repository, settings, event.at)
            repository.push(event) if isinstance(event, Pushed) else repository.pull(event)
        for name in repositories.keys() - past.open.keys():
            past.create(name, repositories[name], now.timestamp())
        past.write()


@dataclass(slots=True)
class _Layer:
    """A layer to store."""

    id: int
    size: int
    images: int = 0
    media_type: str = ""


@dataclass(slots=True)
class _Image:
    """An image to store, with its tags and their order."""

    id: int
    manifest: Manifest
    size: int
    pushed_at: float
    layers: list[int]
    children: list[int]
    pulled_at: float | None = None
    tags: dict[str, int] = field(default_factory=dict)


class _Past:
    """The rows to write. They take the next ids, because nothing else writes meanwhile."""

    def __init__(self, registry: Registry, db: sqlite3.Connection, by: str) -> None:
        self.registry, self.db, self.by = registry, db, by
        self.open: dict[str, _PastRepository] = {}
        self.notes: list[tuple[object, ...]] = []
        self.image_id, self.layer_id = (
            db.execute(f"SELECT coalesce(max(id), 0) FROM {table}").fetchone()[0] for table in ("image", "layer")
        )

    def create(self, name: str, settings: Settings, at: float) -> "_PastRepository":
        """Create a repository."""
        names.check_repository_name(name)
        try:
            made = self.db.execute(
                "INSERT INTO repository (account_id, region, name, created_at, settings) VALUES (?, ?, ?, ?, ?)",
                (self.registry.account_id, self.registry.region, name, at, settings.to_json()),
            )
        except sqlite3.IntegrityError as error:
            raise RepositoryAlreadyExistsException(name, self.registry.account_id) from error
        assert made.lastrowid is not None
        registry = self.registry
        made_now = Repository(made.lastrowid, registry.account_id, registry.region, name, at, settings, policy=None)
        repository = self.open[name] = _PastRepository(self, made_now)
        return repository

    def note(self, *what: object) -> None:
        """Note an event for the history: repository, instant, what, tag, digest before, digest after."""
        self.notes.append((self.registry.account_id, self.registry.region, *what, self.by))

    def write(self) -> None:
        """Write all rows."""
        for repository in self.open.values():
            repository.write(self.db)
        self.db.executemany(
            "INSERT INTO history (account_id, region, repository, at, what, tag, before, after, by) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            self.notes,
        )


class _PastRepository:
    """One repository of a past, as it stands at some instant."""

    def __init__(self, past: _Past, repository: Repository) -> None:
        self._past, self._repository = past, repository
        self._id, self._name, self._settings = repository.id, repository.name, repository.settings
        self._layers: dict[str, _Layer] = {}
        self._images: dict[str, _Image] = {}
        self._holders: dict[str, _Image] = {}

    def push(self, event: Pushed) -> None:
        """Store a manifest and move its tags to it."""
        digest = event.manifest.digest
        image, what = self._images.get(digest), "tagged"
        if image is None:
            image, what = self._insert(event), "pushed"
            if not event.tags:
                self._past.note(self._name, event.at, what, None, None, digest)
        for tag in event.tags:
            before = self._point(tag, image)
            self._past.note(self._name, event.at, what, tag, before, digest)
            what = "tagged"

    def pull(self, event: Pulled) -> None:
        """Store when an image was pulled, as exactly as ECR does."""
        image = self._images.get(event.digest)
        if image is None:
            raise ImageNotFoundException(event.digest, None, self._name, self._past.registry.account_id)
        if image.pulled_at is None or event.at - image.pulled_at >= PULL_RECORDED_EVERY.total_seconds():
            image.pulled_at = event.at

    def write(self, db: sqlite3.Connection) -> None:
        """Write layers, images, tags and what indexes list."""
        db.executemany(
            "INSERT INTO layer (id, repository_id, digest, size, images, media_type, has_bytes) "
            "VALUES (?, ?, ?, ?, ?, ?, 0)",
            [(one.id, self._id, digest, one.size, one.images, one.media_type) for digest, one in self._layers.items()],
        )
        db.executemany(
            "INSERT INTO image (id, repository_id, digest, media_type, artifact_type, subject, size, pushed_at, "
            "pulled_at, layers, manifest) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [self._row(image) for image in self._images.values()],
        )
        db.executemany(
            "INSERT INTO image_child VALUES (?, ?)",
            [(image.id, child) for image in self._images.values() for child in image.children],
        )
        db.executemany(
            "INSERT INTO tag VALUES (?, ?, ?, ?)",
            [(self._id, tag, image.id, image.tags[tag]) for tag, image in self._holders.items()],
        )

    def _row(self, image: _Image) -> tuple[object, ...]:
        manifest = image.manifest
        return (
            image.id,
            self._id,
            manifest.digest,
            manifest.media_type,
            manifest.artifact_type,
            manifest.subject,
            image.size,
            image.pushed_at,
            image.pulled_at,
            json.dumps(image.layers),
            manifests.to_stored(self._past.registry.world.keys, self._repository, manifest.digest, manifest.body),
        )

    def _insert(self, event: Pushed) -> _Image:
        manifest, past = event.manifest, self._past
        pushes.check_listed(past.registry, self._name, manifest, self._images)
        children = [self._images[digest] for digest in dict.fromkeys(child.digest for child in manifest.children)]
        blobs = {blob.digest: blob for blob in manifest.blobs}
        used = [self._hold(blob) for blob in blobs.values() if not blob.is_foreign]
        stored = {digest: blob.size for digest, blob in blobs.items() if not blob.is_foreign}
        size = pushes.size_of(manifest, stored, (child.size for child in children))
        past.image_id += 1
        image = self._images[manifest.digest] = _Image(
            past.image_id, manifest, size, event.at, [one.id for one in used], [one.id for one in children]
        )
        return image

    def _hold(self, blob: Descriptor) -> _Layer:
        layer = self._layers.get(blob.digest)
        if layer is None:
            self._past.layer_id += 1
            layer = self._layers[blob.digest] = _Layer(self._past.layer_id, blob.size)
        elif layer.size != blob.size:
            raise InvalidParameterException(
                "ImageManifest", f"the layer {blob.digest} has {layer.size} bytes, not {blob.size}"
            )
        layer.images += 1
        layer.media_type = blob.media_type
        return layer

    def _point(self, tag: str, image: _Image) -> str | None:
        """Move a tag to an image and return the digest of its former image."""
        names.check_tag(tag)
        holder = self._holders.get(tag)
        if holder is not None:
            pushes.check_may_move(self._settings, tag, self._name)
            del holder.tags[tag]
        image.tags[tag] = max(image.tags.values(), default=0) + 1
        self._holders[tag] = image
        return None if holder is None else holder.manifest.digest
