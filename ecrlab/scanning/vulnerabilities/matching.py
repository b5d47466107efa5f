"""From packages and advisories to findings.

An advisory concerns a package when it names its ecosystem, release and source (or origin), and the source's version
lies in an affected interval; so a fix that a distribution carried back into an older version counts as a fix. Several
records of one CVE on one package are one finding. Versions that cannot be compared are set apart, never passed over.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cmp_to_key, partial

from ecrlab.scanning.packages.distribution import Distribution
from ecrlab.scanning.packages.inventory import Package
from ecrlab.scanning.versions import VersionError, compare
from ecrlab.scanning.vulnerabilities import severity
from ecrlab.scanning.vulnerabilities.advisories import Advisories
from ecrlab.scanning.vulnerabilities.osv import Advisory, Interval


@dataclass(frozen=True)
class Finding:
    """One vulnerability of one package (of a distribution: one source package) in an image.

    `id` is the CVE where there is one; `package` and `version` are the source's or origin's, and `packages`
    those installed from it; `fixed_version` is None where no fix is known; `score` is a CVSS base score;
    `layer_index` and `layer_digest` are of the lowest layer that brought any of the packages.
    """

    id: str
    aliases: tuple[str, ...]
    ecosystem: str
    package: str
    version: str
    fixed_version: str | None
    severity: str
    score: float | None
    vector: str | None
    published: datetime | None
    exploit: str | None
    layer_index: int
    layer_digest: str
    packages: tuple[Package, ...]


@dataclass(frozen=True)
class Unresolved:
    """An advisory that may or may not apply to a package in the image, and why that is open."""

    id: str
    package: str
    version: str
    reason: str


def match(
    packages: Iterable[Package],
    distribution: Distribution | None,
    advisories: Advisories,
    now: datetime | None = None,
) -> tuple[tuple[Finding, ...], tuple[Unresolved, ...]]:
    """Match packages with advisories: the findings, worst first, and what could not be compared.

    `now` leaves out advisories published later; undated ones are always known.
    """
    # UNSURE: whether ECR's basic scan names the binary or the source package; a finding here is of the source, once,
    # as advisories are, and carries the binaries along.
    installed: dict[tuple[str, str, str], list[Package]] = {}
    for package in packages:
        installed.setdefault((package.ecosystem, package.source_name, package.source_version), []).append(package)
    findings: list[Finding] = []
    unresolved: list[Unresolved] = []
    for (ecosystem, name, version), group in installed.items():
        if distribution is not None and ecosystem == distribution.ecosystem:
            ecosystem = distribution.advisory_ecosystem
        applying: dict[str, list[tuple[Advisory, Interval]]] = {}
        for advisory in advisories.about(ecosystem, name):
            if now is not None and advisory.published is not None and advisory.published > now:
                continue
            try:
                interval = advisory.affects(version)
            except VersionError as cause:
                unresolved.append(Unresolved(advisory.id, name, version, str(cause)))
                continue
            if interval is not None:
                applying.setdefault(advisory.id, []).append((advisory, interval))
        findings += [_finding(ecosystem, name, version, group, records) for records in applying.values()]
    findings.sort(key=lambda one: (-severity.rank(one.severity), -(one.score or 0), one.package, one.id, one.version))
    return tuple(findings), tuple(unresolved)


def _finding(
    ecosystem: str,
    name: str,
    version: str,
    group: Sequence[Package],
    records: Sequence[tuple[Advisory, Interval]],
) -> Finding:
    advisory, _ = max(records, key=lambda record: (severity.rank(record[0].severity), record[0].score or 0))
    aliases = {alias for record, _ in records for alias in record.aliases}
    fixes = [interval.fixed for _, interval in records if interval.fixed is not None]
    dates = [record.published for record, _ in records if record.published is not None]
    exploits = [record.exploit for record, _ in records if record.exploit is not None]
    lowest = min(group, key=lambda package: package.layer_index)
    return Finding(
        id=advisory.id,
        aliases=tuple(sorted(aliases - {advisory.id})),
        ecosystem=ecosystem,
        package=name,
        version=version,
        fixed_version=max(fixes, key=cmp_to_key(partial(compare, ecosystem))) if fixes else None,
        severity=advisory.severity,
        score=advisory.score,
        vector=advisory.vector,
        published=min(dates, default=None),
        exploit=min(exploits, default=None),
        layer_index=lowest.layer_index,
        layer_digest=lowest.layer_digest,
        packages=tuple(group),
    )
