"""Scans of images: the last scan of each, and its contents.

An image can have one basic scan in 24 hours. Enhanced scanning watches an image for a while after its push or its last
use. The registry hides, and does not delete, the findings of the scan type that is off.

The contents of an image are read once and kept here, as the scanner wrote them; its vulnerabilities are judged on each
request.
"""

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from ecrlab.oci.media_types import CONFIGS
from ecrlab.registry import repositories
from ecrlab.registry.errors import (
    ImageArchivedException,
    ImageNotFoundException,
    LimitExceededException,
    UnsupportedImageTypeException,
)
from ecrlab.registry.images import COLUMNS, Image, from_row
from ecrlab.registry.repositories import Repository
from ecrlab.registry.scan_rules import BASIC, CONTINUOUS_SCAN, ENHANCED, applied, configuration
from ecrlab.registry.world import Change, Registry, World

ONCE_IN = timedelta(hours=24)
"""How often an image can be scanned the basic way, a scan on push included (botocore model, StartImageScan)."""

WATCHED_FOR = timedelta(days=14)
"""How long an image is watched after its push or its last use (Inspector user guide, scanning ECR container images)."""


@dataclass(frozen=True, slots=True)
class Scan:
    """The last scan of an image: its instant, and up to when its findings were announced; in seconds since 1970."""

    at: float
    told_until: float


def is_image(image: Image) -> bool:
    """Tell whether it is an image of one platform, and neither an index nor an artifact."""
    return image.artifact_type in CONFIGS


def check_scannable(registry: Registry, repository_name: str, image: Image) -> None:
    """Return if a scan of an image can be asked for.

    Raises `UnsupportedImageTypeException`, and `ImageArchivedException` until it is restored.
    """
    if not is_image(image):
        raise UnsupportedImageTypeException(image.artifact_type or image.media_type)
    if image.status(registry.world.clock.now().timestamp()) != "ACTIVE":
        raise ImageArchivedException(image.digest, repository_name, registry.account_id)


def last(registry: Registry, image: Image, scan_type: str) -> Scan | None:
    """Return the last scan of an image in one of the two ways, or None."""
    with registry.world.store.read(one=True) as db:
        return _last(db, image.id, scan_type)


def check_quota(scan: Scan | None, now: float) -> None:
    """Return if an image can be scanned again by now. Raises `LimitExceededException`."""
    if scan is not None and now - scan.at < ONCE_IN.total_seconds():
        raise LimitExceededException("The scan quota per image has been exceeded. Wait and try again.")


def note(change: Change, registry: Registry, repository_name: str, image: Image, scan_type: str) -> None:
    """Store, in a change, that an image is scanned.

    Raises `ImageNotFoundException` when it was deleted, `LimitExceededException` when another scan came first.
    """
    there = change.db.execute("SELECT 1 FROM image WHERE id = ? AND digest = ?", (image.id, image.digest)).fetchone()
    if there is None:
        raise ImageNotFoundException(image.digest, None, repository_name, registry.account_id)
    if scan_type == BASIC:
        check_quota(_last(change.db, image.id, scan_type), change.at)
    change.db.execute("INSERT OR REPLACE INTO scan VALUES (?, ?, ?, ?)", (image.id, scan_type, change.at, change.at))


def note_announced(change: Change, image: Image, scan_type: str) -> None:
    """Store that the findings on an image are announced up to the instant of a change."""
    change.db.execute(
        "UPDATE scan SET told_until = ? WHERE image_id = ? AND scan_type = ?", (change.at, image.id, scan_type)
    )


def watched_until(image: Image) -> float:
    """Return until when continuous scanning covers an image, in seconds since 1970."""
    if image.is_archived:
        return image.archived_at or 0
    # UNSURE: what counts as use besides a push and a restore from the archive; here a recorded pull.
    return max(image.pushed_at, image.pulled_at or 0, image.activated_at or 0) + WATCHED_FOR.total_seconds()


def continuously_scanned(registry: Registry, now: datetime) -> Iterator[tuple[Repository, Image]]:
    """Yield the images that a registry watches or has just stopped watching, oldest first.

    It yields none without enhanced scanning. It skips images whose time ended before their first scan.
    """
    how = configuration(registry)
    if how.scan_type != ENHANCED:
        return
    for repository in repositories.describe(registry, most=-1):
        if applied(how, repository).frequency != CONTINUOUS_SCAN:
            continue
        with registry.world.store.read(one=True) as db:
            rows = db.execute(
                f"SELECT {COLUMNS} FROM image LEFT JOIN scan ON image_id = image.id AND scan_type = ? "
                f"WHERE repository_id = ? AND ({_END} > ? OR told_until < {_END}) ORDER BY image.id",
                (ENHANCED, repository.id, now.timestamp()),
            ).fetchall()
        yield from ((repository, image) for image in map(from_row, rows) if is_image(image))


_END = (
    "CASE WHEN archived THEN archived_at ELSE max(pushed_at, coalesce(pulled_at, 0), coalesce(activated_at, 0)) "
    f"+ {WATCHED_FOR.total_seconds()} END"
)
"""`watched_until`, in SQL."""


def inventory(registry: Registry, digest: str) -> str | None:
    """Return the contents of an image, as the scanner wrote them; None for an image that was not read yet."""
    with registry.world.store.read(one=True) as db:
        row = db.execute("SELECT contents FROM inventory WHERE digest = ?", (digest,)).fetchone()
    return None if row is None else str(row["contents"])


def keep_inventory(registry: Registry, digest: str, contents: str) -> None:
    """Store the contents of an image: the same digest is the same image in every repository."""
    with registry.world.store.write() as db:
        db.execute("INSERT OR REPLACE INTO inventory VALUES (?, ?)", (digest, contents))


def forget_inventories(world: World) -> None:
    """Delete the contents of images that are gone."""
    with world.store.read(one=True) as db:
        is_any = db.execute("SELECT 1 FROM inventory LIMIT 1").fetchone() is not None
    if is_any:
        with world.store.write() as db:
            db.execute("DELETE FROM inventory WHERE digest NOT IN (SELECT digest FROM image)")


def _last(db: sqlite3.Connection, image_id: int, scan_type: str) -> Scan | None:
    row = db.execute("SELECT at, told_until FROM scan WHERE image_id = ? AND scan_type = ?", (image_id, scan_type))
    found = row.fetchone()
    return None if found is None else Scan(found["at"], found["told_until"])
