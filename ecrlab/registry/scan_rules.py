"""Which repositories a registry scans, how, and how often.

A registry scans in one of two ways (AWS user guide, image scanning). BASIC looks for packages of the operating system,
when an image is pushed or on request. ENHANCED is Amazon Inspector's: it also looks for packages of languages, and
continues while an image is young or in use. Rules with filters select the repositories.
"""

import fnmatch
import json
from dataclasses import asdict, dataclass

from ecrlab.registry import repositories
from ecrlab.registry.errors import InvalidParameterException
from ecrlab.registry.repositories import Repository
from ecrlab.registry.service_event import ServiceEvent
from ecrlab.registry.world import Registry, World

BASIC, ENHANCED = "BASIC", "ENHANCED"
SCAN_ON_PUSH, CONTINUOUS_SCAN, MANUAL = "SCAN_ON_PUSH", "CONTINUOUS_SCAN", "MANUAL"

FREQUENCIES = {BASIC: (SCAN_ON_PUSH, MANUAL), ENHANCED: (SCAN_ON_PUSH, CONTINUOUS_SCAN)}
"""Scan type -> its frequencies (botocore model, RegistryScanningRule)."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A scan frequency, and the filters for repository names; one matching filter is enough."""

    frequency: str
    filters: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Configuration:
    """How a registry scans."""

    scan_type: str = BASIC
    rules: tuple[Rule, ...] = ()

    def to_json(self) -> str:
        """Return the configuration as the database stores it."""
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


def configuration(registry: Registry) -> Configuration:
    """Return how a registry scans; a new registry uses basic scanning on request."""
    key = (registry.account_id, registry.region)

    def look_up() -> Configuration:
        with registry.world.store.read(one=True) as db:
            row = db.execute(
                "SELECT value FROM registry_setting WHERE account_id = ? AND region = ? AND name = 'scanning'", key
            ).fetchone()
        return Configuration() if row is None else Configuration.from_json(row["value"])

    return registry.world.cached(("scanning", *key), look_up, of=(key,))


def put_configuration(registry: Registry, new: Configuration) -> float:
    """Set how a registry scans from now on; return the instant of the change.

    Raises `InvalidParameterException` for a frequency that the scan type does not have, or that two rules have.
    """
    frequencies = [rule.frequency for rule in new.rules]
    for frequency in frequencies:
        if frequency not in FREQUENCIES[new.scan_type]:
            raise InvalidParameterException(None, f"Invalid scan frequency for scanType {new.scan_type}: {frequency}")
    twice = sorted({frequency for frequency in frequencies if frequencies.count(frequency) > 1})
    if twice:
        # UNSURE: whether AWS's text has a prefix.
        raise InvalidParameterException(
            None, f"Invalid input. Contains duplicate scan frequencies: [{', '.join(twice)}]"
        )
    key = (registry.account_id, registry.region)
    with registry.world.store.exclusively():
        before = configuration(registry)
        with registry.world.change() as change:
            change.db.execute(
                "INSERT OR REPLACE INTO registry_setting VALUES (?, ?, 'scanning', ?)", (*key, new.to_json())
            )
            if new.scan_type == ENHANCED:
                change.events += _resource_changes(registry, before, new, change.at)
    return change.at


def _resource_changes(registry: Registry, before: Configuration, now: Configuration, at: float) -> list[ServiceEvent]:
    """Return the events about repositories whose scan frequency changes."""
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
    """Return the registries with enhanced scanning."""
    with world.store.read(one=True) as db:
        rows = db.execute("SELECT account_id, region FROM registry_setting WHERE name = 'scanning'").fetchall()
    configured = [Registry(world, row["account_id"], row["region"]) for row in rows]
    return [registry for registry in configured if configuration(registry).scan_type == ENHANCED]


def applied(how: Configuration, repository: Repository) -> Applied:
    """Return how often a registry scans the images of one of its repositories.

    Continuous scanning takes precedence over scanning on push (AWS user guide, filters for image scanning). A
    repository's own `scanOnPush` counts for basic scanning, also where no rule names the repository.
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
    """Tell whether a repository's name passes a filter: without `*` the name contains it, with `*` the whole
    name matches it.

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
