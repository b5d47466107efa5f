"""The contents of an image, read once and stored, and its vulnerabilities, judged as of any instant.

The layers are opened when an image is scanned for the first time; the registry stores what is installed. The known
vulnerabilities depend on the instant: a basic scan has those that were known when it was made, continuous scanning
those that are known now. Advisories are those of the kit. Statuses and descriptions are ECR's.
"""

import bisect
import functools
import logging
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from ecrlab.oci import manifest
from ecrlab.registry import images, layers, scans
from ecrlab.registry.errors import DamagedObject, KmsException
from ecrlab.registry.images import Image, ImageId
from ecrlab.registry.repositories import Repository
from ecrlab.registry.world import Registry
from ecrlab.scanning import Finding, Inventory, Limits, ScanError, embedded, judge, layers_of, take_inventory
from ecrlab.scanning.packages import inventory_json
from ecrlab.scanning.packages.distribution import support
from ecrlab.scanning.report import Report
from ecrlab.scanning.versions import LANGUAGES
from ecrlab.scanning.vulnerabilities.severity import SEVERITIES

COMPLETE = "The scan was completed successfully."
ACTIVE = "Continuous scan is selected for image."
UNSUPPORTED = "UnsupportedImageError: The operating system and/or package manager are not supported."

UNREAD = ("FAILED", "IMAGE_SIZE_EXCEEDED")
LIMITS = Limits(expanded_total=8 << 30, seconds=30)
"""How much a push waits for; clients give up after a minute."""

log = logging.getLogger("ecrlab.scans")


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of a scan: status and description as ECR has them, findings worst first, instants in UTC.

    An image that could not be judged has no findings and no instants, which does not mean that it has no vulnerability.
    """

    status: str
    description: str
    findings: tuple[Finding, ...] = ()
    scanned_at: datetime | None = None
    completed_at: datetime | None = None
    source_updated_at: datetime | None = None
    inventory: Inventory | None = None

    @property
    def is_judged(self) -> bool:
        """Whether the findings are complete."""
        return self.completed_at is not None


def judge_enhanced(inventory: Inventory, scanned_at: datetime, now: datetime, *, is_watched: bool) -> Verdict:
    """Judge an image in the enhanced way, as known `now`; `is_watched` under continuous scanning."""
    reason = _why_unsupported(inventory, now)
    if inventory.status in UNREAD:
        return Verdict(inventory.status, inventory.reason or "")
    if reason is not None:
        return Verdict("UNSUPPORTED_IMAGE", f"{UNSUPPORTED} ({reason})")
    report = _judged(inventory, _known_at(now))
    last = max((one.published for one in report.findings if one.published is not None), default=scanned_at)
    # UNSURE: the status of an image that is only scanned on push; here COMPLETE, because no scan follows.
    status, description = ("ACTIVE", ACTIVE) if is_watched else ("COMPLETE", COMPLETE)
    return Verdict(
        status, description + _remarks(report), report.findings, scanned_at, max(scanned_at, last), _known_at(now),
        inventory,
    )  # fmt: skip


def judge_basic(inventory: Inventory, at: datetime) -> Verdict:
    """Judge an image in the basic way, which knows the operating system's packages only."""
    if inventory.status in UNREAD:
        return Verdict(inventory.status, inventory.reason or "")
    reason = _why_unsupported(inventory, at)
    if reason is None and inventory.distribution is None:
        reason = "no distribution was found in it"
    if reason is not None:
        # Public reports of 2026 have FAILED here, and UNSUPPORTED_IMAGE for enhanced scanning only.
        return Verdict("FAILED", f"{UNSUPPORTED} ({reason})")
    report = _judged(_of_the_system(inventory), _known_at(at))
    return Verdict("COMPLETE", COMPLETE + _remarks(report), report.findings, at, at, _known_at(at), inventory)


def severity_counts(severities: Iterable[str]) -> dict[str, int]:
    """Count the findings of each severity that occurs, worst first.

    >>> severity_counts(["LOW", "UNTRIAGED", "CRITICAL", "LOW"])
    {'CRITICAL': 1, 'LOW': 2, 'UNTRIAGED': 1}
    """
    counts = Counter(severities)
    return {name: counts[name] for name in (*reversed(SEVERITIES), "UNTRIAGED") if counts[name]}


def worst_by_id(findings: tuple[Finding, ...]) -> dict[str, tuple[str, list[Finding]]]:
    """Group findings by vulnerability, as Inspector counts them: id -> the worst severity, and all findings."""
    groups: dict[str, tuple[str, list[Finding]]] = {}
    for finding in findings:  # worst first
        groups.setdefault(finding.id, (finding.severity, []))[1].append(finding)
    return groups


def read(registry: Registry, repository: Repository, image: Image) -> Inventory:
    """Return the contents of an image: as stored, or else from its layers, whatever they hold."""
    known = scans.inventory(registry, image.digest)
    inventory = inventory_json.read(known) if known is not None else None
    if inventory is not None and inventory.status != "FAILED":
        return inventory
    inventory = _open(registry, repository, image)
    scans.keep_inventory(registry, image.digest, inventory_json.write(inventory))
    return inventory


def _open(registry: Registry, repository: Repository, image: Image) -> Inventory:
    if layers.without_bytes(registry, image.id):
        return Inventory("FAILED", f"The image {layers.NO_BYTES}.")
    try:
        body = image.body or images.find(registry, repository.name, ImageId(image.digest)).body or b""
        open_blob = functools.partial(registry.world.blobs.open, repository)
        return take_inventory(layers_of(manifest.read(body, by_members=True), open_blob), limits=LIMITS)
    except ScanError as problem:
        return Inventory("UNSUPPORTED_IMAGE", str(problem))
    except (KmsException, DamagedObject) as error:
        return Inventory("FAILED", error.message)
    except Exception:
        log.exception("%s could not be scanned", image.digest)
        return Inventory("FAILED", "the scanner itself failed; the lab's log says why")


def _of_the_system(inventory: Inventory) -> Inventory:
    packages = tuple(one for one in inventory.packages if one.ecosystem not in LANGUAGES)
    return Inventory(inventory.status, inventory.reason, inventory.distribution, packages)


def _why_unsupported(inventory: Inventory, now: datetime) -> str | None:
    """Return the reason why ECR does not support a readable image, or None."""
    if inventory.status == "UNSUPPORTED_IMAGE":
        return inventory.reason
    distribution = inventory.distribution
    if distribution is None:
        return None
    if support(distribution, now) == "unsupported":
        return f"Amazon ECR does not support {distribution.title}"
    if not embedded().covers(distribution.advisory_ecosystem):
        return f"the lab has no advisories on {distribution.title}"
    return None


def _remarks(report: Report) -> str:
    """Return remarks on what was not judged, so that it does not pass as clean; empty for most images."""
    unread = [f"{one.kind}: {one.path}" for one in report.not_inventoried]
    open_questions = [f"{one.id} of {one.package} {one.version}" for one in report.unresolved]
    said = (("Not looked into", unread), ("Cannot be told", open_questions))
    return "".join(f" {what}: {'; '.join(items)}." for what, items in said if items)


@functools.lru_cache(maxsize=32)
def _judged(inventory: Inventory, known_at: datetime) -> Report:
    return judge(inventory, now=known_at)


def _known_at(now: datetime) -> datetime:
    """Return when the newest advisory known by now was published: until the next one, nothing changes."""
    dates = publications()
    place = bisect.bisect_right(dates, now)
    return dates[place - 1] if place else now


@functools.cache
def publications() -> tuple[datetime, ...]:
    """Return the instants at which advisories were published, in order."""
    return tuple(sorted({advisory.published for advisory in embedded() if advisory.published is not None}))
