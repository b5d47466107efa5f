"""A scan from layers to report: take the inventory, then judge it by a set of advisories.

The two steps are separate, so an image is read once and judged again when the advisories or the clock change, as
continuous scanning does.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime

from ecrlab.scanning.files.layers import LayerSource, Limits
from ecrlab.scanning.packages.distribution import is_listed, support
from ecrlab.scanning.packages.inventory import Inventory, take_inventory
from ecrlab.scanning.report import Report
from ecrlab.scanning.vulnerabilities.advisories import Advisories, embedded
from ecrlab.scanning.vulnerabilities.allowlist import Exemption
from ecrlab.scanning.vulnerabilities.matching import Finding, Unresolved, match


def scan(
    layers: Sequence[LayerSource],
    *,
    advisories: Advisories | None = None,
    now: datetime | None = None,
    languages: bool = True,
    limits: Limits | None = None,
) -> Report:
    """Scan an image given its layers, lowest first.

    `advisories` defaults to the kit's own; `now` excludes those published later; `languages` False reads only the
    distribution's packages, as ECR's BASIC scanning does. A broken layer never raises: see Report.status.
    """
    return judge(take_inventory(layers, languages=languages, limits=limits), advisories=advisories, now=now)


def judge(inventory: Inventory, *, advisories: Advisories | None = None, now: datetime | None = None) -> Report:
    """Judge an inventory by a set of advisories, as known at `now`.

    An image of a release that the set does not cover is UNSUPPORTED_IMAGE: the absence of findings would prove
    nothing. A set that covers no distribution is for language packages, and a note says so.
    """
    advisories = advisories or embedded()
    status, reason = inventory.status, inventory.reason
    distribution = inventory.distribution
    notes = []
    if distribution is not None:
        if not advisories.covers(distribution.advisory_ecosystem):
            unknown = f"{advisories.origin} ({advisories.date}) know nothing of {distribution.title}"
            if advisories.of_languages_only:
                notes.append(f"Only language packages were judged: {unknown}.")
            elif status == "COMPLETE":
                status, reason = "UNSUPPORTED_IMAGE", unknown
        ecr = support(distribution, now) if is_listed(distribution) else "unlisted"
        if ecr != "supported":
            notes.append(_SUPPORT[ecr].format(distribution.title))
    findings, unresolved = match(inventory.packages, distribution, advisories, now)
    return Report(
        status, reason, inventory, findings, (), unresolved, advisories.origin, advisories.date, advisories.records,
        tuple(notes),
    )  # fmt: skip


def exempt(report: Report, exemptions: Sequence[Exemption], day: date) -> Report:
    """Remove the accepted findings from a report, and note the expired exemptions."""
    held = [one for one in exemptions if one.holds(day)]
    everything: list[Finding | Unresolved] = [*report.findings, *report.unresolved]
    expired = [one for one in exemptions if not one.holds(day) and any(one.covers(found) for found in everything)]
    ignored = tuple(found for found in report.findings if any(one.covers(found) for one in held))
    return replace(
        report,
        findings=tuple(found for found in report.findings if found not in ignored),
        ignored=ignored,
        unresolved=tuple(item for item in report.unresolved if not any(one.covers(item) for one in held)),
        notes=(*report.notes, *(f"The exception for {one.id} expired on {one.until}." for one in expired)),
    )


_SUPPORT = {
    "discontinued": "ECR itself still scans {0}, but calls it discontinued.",
    "unsupported": "ECR itself does not scan {0}.",
    "unlisted": "{0} is not among the operating systems that ECR is documented to scan.",
}
