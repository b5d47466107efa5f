"""The result of a scan, and its JSON.

The JSON of `python3 -m ecrlab scan --output json` is one object. Keys are never renamed or removed within
schema 1, and every key is always there:

    schema           1
    status           "COMPLETE", "FAILED" (unreadable), "IMAGE_SIZE_EXCEEDED" (beyond the bounds of the scanner) or
                     "UNSUPPORTED_IMAGE" (readable, but it cannot be judged)
    reason           why it is not COMPLETE; null when it is
    os               {id, version_id} as os-release says ("debian", "12"); null where the image has none
    packages         [{name, version, ecosystem, source_name, source_version, purl, path, layer_index, layer_digest}]
                     ecosystem: Debian, Ubuntu, Alpine, Wolfi, Chainguard, PyPI, npm, Maven, as OSV spells them (the
                     release is in os); source_name: what advisories go by (apk: the origin; PyPI: normalised; else
                     the name); path: of the database or manifest, from the image's root, `a.jar!/lib/b.jar` for
                     jars within jars; layer_index: of the layer that first brought it, 0 the lowest
    findings         [{id, aliases, package, version, fixed_version, severity, score, layer_index}]
                     worst first; id: the CVE where there is one; package, version: the source's (join them with
                     source_name and source_version of packages); fixed_version: null where no fix is known; severity:
                     CRITICAL, HIGH, MEDIUM, LOW, INFORMATIONAL or UNDEFINED; score: CVSS base score or null;
                     layer_index: of the lowest layer that brought one of the packages
    ignored          the findings that the allow-list (--ignore) accepts, in the same shape; they are not in findings
    unresolved       [{id, package, version, reason}] advisories that may or may not apply: a broken range or version
    not_inventoried  [{kind, path, count, reason}] present but not read: rpm, go, gem, composer, dotnet, egg, r, and
                     corrupt manifests (python, node, java); path is the first of count
    advisories       {origin, date, records}: the set that was matched, the day of its newest record, its size
    notes            [text] what a reader should know: an end of support, an exception that has expired

`FAILED` and `IMAGE_SIZE_EXCEEDED` have no packages and no findings; `UNSUPPORTED_IMAGE` may have both (language
packages).
"""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from ecrlab.scanning.packages.distribution import Distribution
from ecrlab.scanning.packages.inventory import Inventory, NotInventoried, Package
from ecrlab.scanning.vulnerabilities.matching import Finding, Unresolved
from ecrlab.scanning.vulnerabilities.severity import SEVERITIES

SCHEMA = 1


@dataclass(frozen=True)
class Report:
    """The result of a scan: an inventory, the findings on it, and the facts about the advisories."""

    status: str
    reason: str | None
    inventory: Inventory
    findings: tuple[Finding, ...]
    ignored: tuple[Finding, ...]
    unresolved: tuple[Unresolved, ...]
    advisories_origin: str
    advisories_date: str
    advisories_records: int
    notes: tuple[str, ...]

    @property
    def os(self) -> Distribution | None:
        """The image's distribution."""
        return self.inventory.distribution

    @property
    def packages(self) -> tuple[Package, ...]:
        """The packages installed in the image."""
        return self.inventory.packages

    @property
    def not_inventoried(self) -> tuple[NotInventoried, ...]:
        """The parts of the image that the scanner does not read."""
        return self.inventory.not_inventoried

    @property
    def is_whole(self) -> bool:
        """Whether the scanner read and judged everything in the image, so no finding is missing."""
        return self.status == "COMPLETE" and not self.unresolved and not self.not_inventoried

    @property
    def severity_counts(self) -> dict[str, int]:
        """The number of findings by severity, worst first; only those that occur, as in ECR."""
        counts = Counter(finding.severity for finding in self.findings)
        return {name: counts[name] for name in reversed(SEVERITIES) if counts[name]}

    def to_json(self) -> dict[str, Any]:
        """Return the JSON object that the module describes."""
        return {
            "schema": SCHEMA,
            "status": self.status,
            "reason": self.reason,
            "os": {"id": self.os.id, "version_id": self.os.version_id} if self.os else None,
            "packages": [{key: getattr(package, key) for key in _PACKAGE} for package in self.packages],
            "findings": [_finding(finding) for finding in self.findings],
            "ignored": [_finding(finding) for finding in self.ignored],
            "unresolved": [vars(item) for item in self.unresolved],
            "not_inventoried": [vars(item) for item in self.not_inventoried],
            "advisories": {
                "origin": self.advisories_origin,
                "date": self.advisories_date,
                "records": self.advisories_records,
            },
            "notes": list(self.notes),
        }


_PACKAGE = ("name", "version", "ecosystem", "source_name", "source_version", "purl", "path", "layer_index",
            "layer_digest")  # fmt: skip
_FINDING = ("id", "package", "version", "fixed_version", "severity", "score", "layer_index")


def _finding(finding: Finding) -> dict[str, Any]:
    shown = {key: getattr(finding, key) for key in _FINDING}
    return {"id": shown.pop("id"), "aliases": list(finding.aliases), **shown}
