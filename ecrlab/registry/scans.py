"""What a registry scans, and when an image was scanned last.

A registry scans in one of two ways (AWS user guide, image scanning). BASIC looks for packages of the operating system,
when an image is pushed or when asked to, and at most once in 24 hours. ENHANCED is Amazon Inspector's: it also looks
for packages of languages, and goes on looking for as long as an image is young or in use. Rules with filters say which
repositories that holds for. What was found under one way is hidden, not forgotten, while the other is on.

What is in an image is read once and kept here, as the scanner wrote it; what is wrong with it is judged by whoever
asks.
"""

import fnmatch
import json
import sqlite3
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from ecrlab.registry import repositories
from ecrlab.registry.errors import (
    ImageNotFoundException,
    InvalidParameterException,
    LimitExceededException,
    UnsupportedImageTypeException,
)
from ecrlab.registry.events import ServiceEvent
from ecrlab.registry.images import COLUMNS, Image, from_row
from ecrlab.registry.repositories import Repository
from ecrlab.registry.world import Change, Registry, World

BASIC, ENHANCED = "BASIC", "ENHANCED"
SCAN_ON_PUSH, CONTINUOUS_SCAN, MANUAL = "SCAN_ON_PUSH", "CONTINUOUS_SCAN", "MANUAL"

FREQUENCIES = {BASIC: (SCAN_ON_PUSH, MANUAL), ENHANCED: (SCAN_ON_PUSH, CONTINUOUS_SCAN)}
"""Scan type -> the frequencies it knows (botocore model, RegistryScanningRule)."""

ONCE_IN = timedelta(hours=24)
"""How often an image can be scanned the basic way, a scan on push included (botocore model, StartImageScan)."""

WATCHED_FOR = timedelta(days=14)
"""How long an image is watched after its push or its last use (Inspector user guide, scanning ECR container images)."""

IMAGE_CONFIGS = ("application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json")
"""Media types of the config of a container image; with any other it is an artifact."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Repositories that pass one of the filters are scanned at this frequency."""

    frequency: str
    filters: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Configuration:
    """How a registry scans."""

    scan_type: str = BASIC
    rules: tuple[Rule, ...] = ()

    def to_json(self) -> str:
        """As kept in the database."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Configuration":
        """Read what `to_json` wrote."""
        kept = json.loads(text)
        return cls(kept["scan_type"], tuple(Rule(one["frequency"], tuple(one["filters"])) for one in kept["rules"]))


@dataclass(frozen=True, slots=True)
class Applied:
    """How often the images of a repository are scanned, and the filters that it passed."""

    frequency: str
    filters: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Scan:
    """The last scan of an image: when it was, and up to when its findings were told; in seconds since 1970."""

    at: float
    told_until: float


def configuration(registry: Registry) -> Configuration:
    """How a registry scans; a new one the basic way, and only what it is told to."""
    key = (registry.account_id, registry.region)
    known = registry.world.scanning.get(key)
    if known is None:
        with registry.world.store.read(one=True) as db:
            row = db.execute(
                "SELECT value FROM registry_setting WHERE account_id = ? AND region = ? AND name = 'scanning'", key
            ).fetchone()
        read = Configuration() if row is None else Configuration.from_json(row["value"])
        # What was put since is newer than what was read.
        known = registry.world.scanning.setdefault(key, read)
    return known


def put_configuration(registry: Registry, new: Configuration) -> float:
    """Scan in another way from now on; give the instant of the change.

    Raises `InvalidParameterException` for a frequency that the scan type does not know, or one that two rules have.
    """
    frequencies = [rule.frequency for rule in new.rules]
    # UNSURE: the exact texts of both refusals.
    for frequency in frequencies:
        if frequency not in FREQUENCIES[new.scan_type]:
            raise InvalidParameterException("scanFrequency", f"{frequency} is not supported for {new.scan_type} scans")
    if len(set(frequencies)) != len(frequencies):
        raise InvalidParameterException("rules", "there can be one rule for each scanFrequency")
    key = (registry.account_id, registry.region)
    with registry.world.store.exclusively():
        before = configuration(registry)
        with registry.world.change() as change:
            change.db.execute(
                "INSERT OR REPLACE INTO registry_setting VALUES (?, ?, 'scanning', ?)", (*key, new.to_json())
            )
            if new.scan_type == ENHANCED:
                change.events += _resource_changes(registry, before, new, change.at)
        registry.world.scanning[key] = new
    return change.at


def _resource_changes(registry: Registry, before: Configuration, now: Configuration, at: float) -> list[ServiceEvent]:
    """What is told when the repositories of a registry are scanned more often or less than before."""
    changed = []
    for repository in repositories.describe(registry, most=-1):
        was, is_now = applied(before, repository).frequency, applied(now, repository).frequency
        if was != is_now:
            changed.append(
                {
                    "repository-name": repository.name,
                    "repository-arn": repository.arn,
                    "scan-frequency": is_now,
                    "previous-scan-frequency": was,
                }
            )
    if not changed:
        return []
    detail = {"action-type": "SCAN_FREQUENCY_CHANGE", "repositories": changed, "resource-type": "REPOSITORY",
        "scan-type": ENHANCED}  # fmt: skip
    return [ServiceEvent(registry.account_id, registry.region, at, "ECR Scan Resource Change", detail)]


def enhanced(world: World) -> list[Registry]:
    """The registries that scan the enhanced way."""
    with world.store.read(one=True) as db:
        rows = db.execute("SELECT account_id, region FROM registry_setting WHERE name = 'scanning'").fetchall()
    told = [Registry(world, row["account_id"], row["region"]) for row in rows]
    return [registry for registry in told if configuration(registry).scan_type == ENHANCED]


def applied(how: Configuration, repository: Repository) -> Applied:
    """How often a registry scans the images of one of its repositories.

    Continuous scanning goes before scanning on push (AWS user guide, filters for image scanning). A repository's own
    `scanOnPush` counts for basic scanning, also where no rule names the repository.
    """
    for frequency in (CONTINUOUS_SCAN, SCAN_ON_PUSH):
        if filters := _passed(how, frequency, repository.name):
            return Applied(frequency, filters)
    if how.scan_type == BASIC and repository.settings.scan_on_push:
        return Applied(SCAN_ON_PUSH)
    return Applied(MANUAL, _passed(how, MANUAL, repository.name))


def _passed(how: Configuration, frequency: str, name: str) -> tuple[str, ...]:
    rules = (rule for rule in how.rules if rule.frequency == frequency)
    return tuple(wildcard for rule in rules for wildcard in rule.filters if passes(name, wildcard))


def passes(name: str, wildcard: str) -> bool:
    """Tell whether a repository's name passes a filter: without `*` it is contained, with one it fits as a whole.

    >>> [name for name in ("prod", "repo-prod", "prod-repo", "prodrepo") if passes(name, "*prod")]
    ['prod', 'repo-prod']
    """
    return fnmatch.fnmatchcase(name, wildcard) if "*" in wildcard else wildcard in name


def is_due_on_push(registry: Registry, repository: Repository) -> bool:
    """Tell whether an image is scanned when it is pushed to a repository."""
    how = configuration(registry)
    if not how.rules and not repository.settings.scan_on_push:
        return False
    return applied(how, repository).frequency != MANUAL


def is_image(image: Image) -> bool:
    """Tell whether it is an image of one platform, and neither an index nor an artifact."""
    return image.artifact_type in IMAGE_CONFIGS


def check_scannable(image: Image) -> None:
    """Return if a scan of an image can be asked for. Raises `UnsupportedImageTypeException`."""
    if not is_image(image):
        raise UnsupportedImageTypeException(image.artifact_type or image.media_type)


def last(registry: Registry, image: Image, scan_type: str) -> Scan | None:
    """The last scan of an image in one of the two ways, or None."""
    with registry.world.store.read(one=True) as db:
        return _last(db, image.id, scan_type)


def check_quota(scan: Scan | None, now: float) -> None:
    """Return if an image can be scanned again by now. Raises `LimitExceededException`."""
    if scan is not None and now - scan.at < ONCE_IN.total_seconds():
        raise LimitExceededException("The scan quota per image has been exceeded. Wait and try again.")


def note(change: Change, registry: Registry, repository_name: str, image: Image, scan_type: str) -> None:
    """Keep that an image is scanned, in a change.

    Raises `ImageNotFoundException` when it is gone, `LimitExceededException` when somebody else scanned it meanwhile.
    """
    there = change.db.execute("SELECT 1 FROM image WHERE id = ? AND digest = ?", (image.id, image.digest)).fetchone()
    if there is None:
        raise ImageNotFoundException(image.digest, None, repository_name, registry.account_id)
    if scan_type == BASIC:
        check_quota(_last(change.db, image.id, scan_type), change.at)
    change.db.execute("INSERT OR REPLACE INTO scan VALUES (?, ?, ?, ?)", (image.id, scan_type, change.at, change.at))


def note_told(change: Change, image: Image, scan_type: str) -> None:
    """Keep that all findings on an image up to the instant of a change were told."""
    change.db.execute(
        "UPDATE scan SET told_until = ? WHERE image_id = ? AND scan_type = ?", (change.at, image.id, scan_type)
    )


def watched_until(image: Image) -> float:
    """Up to when continuous scanning looks at an image, in seconds since 1970."""
    # UNSURE: what counts as use besides the push; here a pull that is recorded.
    return max(image.pushed_at, image.pulled_at or 0) + WATCHED_FOR.total_seconds()


def continuously_scanned(registry: Registry, now: datetime) -> Iterator[tuple[Repository, Image]]:
    """The images that a registry watches or has just ceased to watch, oldest first.

    There are none unless it scans the enhanced way. Images whose time had passed before they were ever scanned are
    left out.
    """
    how = configuration(registry)
    if how.scan_type != ENHANCED:
        return
    since = now.timestamp() - WATCHED_FOR.total_seconds()
    for repository in repositories.describe(registry, most=-1):
        if applied(how, repository).frequency != CONTINUOUS_SCAN:
            continue
        with registry.world.store.read(one=True) as db:
            rows = db.execute(
                f"SELECT {COLUMNS} FROM image WHERE repository_id = ? AND (max(pushed_at, coalesce(pulled_at, 0)) > ? "
                "OR EXISTS (SELECT 1 FROM scan WHERE image_id = image.id AND scan_type = ? AND told_until < "
                "max(pushed_at, coalesce(pulled_at, 0)) + ?)) ORDER BY id",
                (repository.id, since, ENHANCED, WATCHED_FOR.total_seconds()),
            ).fetchall()
        yield from ((repository, image) for image in map(from_row, rows) if is_image(image))


def inventory(registry: Registry, digest: str) -> str | None:
    """What is known to be in an image, as the scanner wrote it; None for an image that was not read yet."""
    with registry.world.store.read(one=True) as db:
        row = db.execute("SELECT contents FROM inventory WHERE digest = ?", (digest,)).fetchone()
    return None if row is None else str(row["contents"])


def keep_inventory(registry: Registry, digest: str, contents: str) -> None:
    """Keep what is in an image: the same digest is the same image, in whichever repository."""
    with registry.world.store.write() as db:
        db.execute("INSERT OR REPLACE INTO inventory VALUES (?, ?)", (digest, contents))


def forget_inventories(world: World) -> None:
    """Let go of what was in images that are gone."""
    with world.store.read(one=True) as db:
        is_any = db.execute("SELECT 1 FROM inventory LIMIT 1").fetchone() is not None
    if is_any:
        with world.store.write() as db:
            db.execute("DELETE FROM inventory WHERE digest NOT IN (SELECT digest FROM image)")


def _last(db: sqlite3.Connection, image_id: int, scan_type: str) -> Scan | None:
    row = db.execute("SELECT at, told_until FROM scan WHERE image_id = ? AND scan_type = ?", (image_id, scan_type))
    found = row.fetchone()
    return None if found is None else Scan(found["at"], found["told_until"])
