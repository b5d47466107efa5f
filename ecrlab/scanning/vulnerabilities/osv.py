"""One advisory in the Open Source Vulnerability format, and the version ranges it says are affected.

A record names packages, each with ranges of events (introduced, fixed, last_affected, limit) and perhaps a list of
single versions. Here each package becomes one `Advisory` with its `Interval`s. A range that cannot be understood is
kept with the reason: a package it might concern must not pass as clean. See the OSV schema, "Evaluation".

GitHub has no event for the end of a range whose fix never came to the package's registry. It writes that end into
`database_specific.last_known_affected_version_range` (github/advisory-database#470), and it is read here.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cmp_to_key, partial
from typing import Any, TypeGuard

from ecrlab.scanning import versions
from ecrlab.scanning.errors import AdvisoriesError
from ecrlab.scanning.vulnerabilities import severity

_CVE = re.compile(r"(?:[A-Z]+-)?(CVE-\d{4}-\d{4,})")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_KEPT = ("id", "aliases", "upstream", "published", "severity", "database_specific")
_KEPT_OF_PACKAGE = ("package", "ranges", "versions", "severity", "ecosystem_specific", "database_specific")
_KINDS = ("introduced", "fixed", "last_affected", "limit")
_LAST_KNOWN = "last_known_affected_version_range"


@dataclass(frozen=True)
class Interval:
    """Affected versions: from `introduced` ("0": the first ever) to before `fixed`, or to `last_affected`
    inclusive; without either, all later ones. All of them are before `limit`, which fixes nothing.
    """

    introduced: str
    fixed: str | None = None
    last_affected: str | None = None
    limit: str | None = None

    def contains(self, ecosystem: str, version: str) -> bool:
        """Tell whether a version lies inside; raises versions.VersionError when that cannot be told."""
        if self.introduced != "0" and versions.compare(ecosystem, version, self.introduced) < 0:
            return False
        if self.limit is not None and versions.compare(ecosystem, version, self.limit) >= 0:
            return False
        if self.fixed is not None:
            return versions.compare(ecosystem, version, self.fixed) < 0
        return self.last_affected is None or versions.compare(ecosystem, version, self.last_affected) <= 0


@dataclass(frozen=True)
class Advisory:
    """What one record says of one package.

    `id` is the CVE where there is one, `aliases` every other name; `package` is the source or origin name in
    distributions; `published` is None where the record has no date; `exploit` is "kev" (known to be exploited) or
    "poc" (code is public) where the database says so; `broken` says why the ranges cannot be evaluated.
    """

    id: str
    aliases: tuple[str, ...]
    ecosystem: str
    package: str
    intervals: tuple[Interval, ...]
    exact_versions: tuple[str, ...] = ()
    severity: str = "UNDEFINED"
    score: float | None = None
    vector: str | None = None
    published: datetime | None = None
    exploit: str | None = None
    broken: str | None = None

    def affects(self, version: str) -> Interval | None:
        """Return the interval that holds a version, or None; raises versions.VersionError."""
        for interval in self.intervals:
            if interval.contains(self.ecosystem, version):
                return interval
        if version in self.exact_versions:
            return Interval(version, last_affected=version)
        if self.broken is not None:
            raise versions.VersionError(self.broken)
        return None


def canonical_name(ecosystem: str, package: str) -> str:
    """Spell a package's name as advisories are looked up by: PyPI by PEP 503, all others as they are."""
    return re.sub(r"[-_.]+", "-", package).lower() if ecosystem == "PyPI" else package


def split(record: object) -> Iterator[tuple[str, str, str]]:
    """Split a record into what is kept for each of its packages: ecosystem, name, and a record of that one alone.

    Raises AdvisoriesError for what is no OSV record at all.
    """
    record = _checked(record)
    if record.get("withdrawn"):
        return
    kept = {key: record[key] for key in _KEPT if key in record}
    for ecosystem, name, affected in _packages(record):
        one = {key: affected[key] for key in _KEPT_OF_PACKAGE if key in affected}
        yield ecosystem, name, json.dumps({**kept, "affected": [one]}, separators=(",", ":"))


def ecosystems(record: object) -> set[str]:
    """Return the ecosystems that a record names, withdrawn or not, of those whose versions can be compared."""
    return {ecosystem for ecosystem, _, _ in _packages(_checked(record))}


def last_change(record: object) -> str:
    """Return the day of a record's last change (YYYY-MM-DD), or of its publication; empty where it has no date."""
    stamps = (_checked(record).get(key) for key in ("modified", "published"))
    return max((stamp[:10] for stamp in stamps if isinstance(stamp, str) and _DAY.match(stamp)), default="")


def read_record(record: object) -> Iterator[Advisory]:
    """Read one OSV record into an advisory for each package whose ecosystem has a known order.

    A withdrawn record has none. Raises AdvisoriesError for what is no OSV record at all.
    """
    record = _checked(record)
    if record.get("withdrawn"):
        return
    name, aliases = _names(record)
    published = _instant(record.get("published"))
    for ecosystem, package, affected in _packages(record):
        intervals, broken = _intervals(ecosystem, affected)
        exact = tuple(_texts(affected.get("versions")))
        if not isinstance(affected.get("versions"), list | None):
            broken = "its versions are no list"
        if not intervals and not exact and broken is None:
            broken = "it names neither a range nor a version"
        words, facts = _mapping(affected, "ecosystem_specific"), _mapping(affected, "database_specific")
        level, score, vector = severity.judge(
            _objects(affected.get("severity")) or _objects(record.get("severity")),
            distribution=words.get("urgency"),
            database=facts.get("severity") or _mapping(record, "database_specific").get("severity"),
            score=facts.get("score"),
        )
        yield Advisory(
            name, aliases, ecosystem, package, intervals, exact, level, score,
            vector, published, _word(facts.get("exploit")), f"advisory {record['id']}: {broken}" if broken else None,
        )  # fmt: skip


def _checked(record: object) -> Mapping[str, Any]:
    if not isinstance(record, dict) or not isinstance(record.get("id"), str):
        raise AdvisoriesError("an advisory must be a JSON object with an id")
    return record


def _packages(record: Mapping[str, Any]) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Go through the packages whose ecosystem has a known order: ecosystem, canonical name, what is said of it."""
    for affected in _objects(record.get("affected")):
        package = _mapping(affected, "package")
        ecosystem, name = package.get("ecosystem"), package.get("name")
        if _is_text(ecosystem) and _is_text(name) and versions.has_order(ecosystem):
            yield ecosystem, canonical_name(ecosystem, name), affected


def _names(record: Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
    own: str = record["id"]
    names = [own, *_texts(record.get("aliases"))]
    upstream = _texts(record.get("upstream"))
    candidates = names + (upstream if len(upstream) == 1 else [])
    cves = [match[1] for name in candidates if (match := _CVE.fullmatch(name))]
    chosen = cves[0] if cves else own
    return chosen, tuple(dict.fromkeys(name for name in names if name != chosen))


def _intervals(ecosystem: str, affected: Mapping[str, Any]) -> tuple[tuple[Interval, ...], str | None]:
    intervals: list[Interval] = []
    broken = None
    for one in _objects(affected.get("ranges")):
        if one.get("type") == "GIT":
            continue  # Ranges of commits say nothing about a package's versions.
        last_known = _mapping(one, "database_specific").get(_LAST_KNOWN)
        last_known = last_known or _mapping(affected, "database_specific").get(_LAST_KNOWN)
        try:
            intervals += [
                _ended(ecosystem, interval, last_known) for interval in _walk(ecosystem, _objects(one.get("events")))
            ]
        except ValueError as cause:
            broken = str(cause)
    return tuple(intervals), broken


def _ended(ecosystem: str, interval: Interval, last_known: object) -> Interval:
    """End an open interval where GitHub says that it ends: "< 0.19.3", "<= 2.0", "= 1.1", or ">= 1.0, < 1.5"."""
    if interval.fixed is not None or interval.last_affected is not None or not isinstance(last_known, str):
        return interval
    for sign, version in re.findall(r"(?:^|,)\s*(<=|<|=)\s*([^\s,]+)", last_known):
        try:
            versions.compare(ecosystem, version, version)
        except versions.VersionError:
            continue  # the range stays open, for nothing in it may pass as clean
        return replace(interval, limit=version) if sign == "<" else replace(interval, last_affected=version)
    return interval


def _walk(ecosystem: str, events: Sequence[Mapping[str, Any]]) -> Iterator[Interval]:
    """Pair each introduction with the event that ends it, in version order; all before the highest limit."""
    points = [(kind, event[kind]) for event in events for kind in _KINDS if kind in event]
    if not any(kind == "introduced" for kind, _ in points):
        raise ValueError("a range has no introduced event")
    for kind, version in points:
        if not isinstance(version, str):
            raise ValueError(f"the {kind} event holds {version!r}, not a version")
        if (kind, version) != ("limit", "*") and version != "0":
            versions.compare(ecosystem, version, version)

    def order(left: tuple[str, str], right: tuple[str, str]) -> int:
        if left[1] == right[1]:
            # At one version an end comes before the next beginning, save the beginning of all.
            return (left[0] == "introduced") - (right[0] == "introduced") if left[1] != "0" else 0
        if "0" in (left[1], right[1]):
            return -1 if left[1] == "0" else 1
        return versions.compare(ecosystem, left[1], right[1])

    limits = [version for kind, version in points if kind == "limit"]
    limit = max(limits, key=cmp_to_key(partial(versions.compare, ecosystem))) if limits and "*" not in limits else None
    opened: str | None = None
    for kind, version in sorted((point for point in points if point[0] != "limit"), key=cmp_to_key(order)):
        if kind == "introduced":
            opened = version if opened is None else opened
        elif opened is None:
            raise ValueError(f"{kind} {version} comes before anything was introduced")
        else:
            yield Interval(opened, **{kind: version}, limit=limit)
            opened = None
    if opened is not None:
        yield Interval(opened, limit=limit)


def _is_text(value: object) -> TypeGuard[str]:
    """Tell a text from other values; one with half a surrogate pair is none, and has no place in a database."""
    return isinstance(value, str) and value == value.encode(errors="ignore").decode()


def _texts(value: object) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _objects(value: object) -> list[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _mapping(record: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = record.get(key)
    return value if isinstance(value, dict) else {}


def _word(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _instant(text: object) -> datetime | None:
    try:
        instant = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return instant if instant is None or instant.tzinfo else instant.replace(tzinfo=UTC)
