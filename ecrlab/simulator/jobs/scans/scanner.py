"""An image read once and judged whenever somebody asks, in ECR's words for how a scan can end.

The layers are opened when an image is scanned for the first time; what is installed in it is then kept with the
registry. What is known to be wrong with that depends on when one asks: a basic scan says what was known when it was
made, continuous scanning what is known now. Advisories are those that come with the kit.
"""

import bisect
import functools
import json
import logging
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from ecrlab.registry import images, layers, scan_rules, scans
from ecrlab.registry.images import Image, ImageId
from ecrlab.registry.repositories import Repository
from ecrlab.registry.scan_rules import BASIC, CONTINUOUS_SCAN, ENHANCED
from ecrlab.registry.world import Registry
from ecrlab.scanning import Finding, Inventory, Limits, ScanError, embedded, judge, layers_of, take_inventory
from ecrlab.scanning.packages import inventory_json
from ecrlab.scanning.packages.distribution import support
from ecrlab.scanning.report import Report
from ecrlab.scanning.vulnerabilities.severity import SEVERITIES
from ecrlab.scanning.vulnerabilities.versions import LANGUAGES
from ecrlab.simulator.jobs.scans import events

COMPLETE = "The scan was completed successfully."
ACTIVE = "Continuous scan is selected for image."
EXPIRED = "The configured scan duration has lapsed for this image."
UNSUPPORTED = "UnsupportedImageError: The operating system and/or package manager are not supported."
ARCHIVED = "The image is archived."
UNREAD = ("FAILED", "IMAGE_SIZE_EXCEEDED")
LIMITS = Limits(expanded_total=8 << 30, seconds=30)
"""How much a push waits for; clients give up after a minute."""

log = logging.getLogger("ecrlab.scans")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a scan says of an image: status and description as ECR has them, findings worst first, instants in UTC.

    Where the image could not be judged there are no findings and no instants, which is not the same as no fault.
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
        """Whether the findings are all there is to find."""
        return self.completed_at is not None


def scan_pushed(registry: Registry, repository: Repository, image: Image) -> None:
    """Scan an image because it was pushed; a basic scan at most once in 24 hours, as always."""
    # The image of a second push, under another tag, came long ago.
    now = max(registry.world.clock.now(), datetime.fromtimestamp(image.pushed_at, UTC))
    how = scan_rules.configuration(registry)
    last = scans.last(registry, image, how.scan_type)
    if how.scan_type == ENHANCED:
        from ecrlab.simulator.jobs.scans import watch

        is_watched = scan_rules.applied(how, repository).frequency == CONTINUOUS_SCAN
        is_restored = last is not None and (image.activated_at or 0) > last.at
        if last is None or is_restored or not is_watched:
            watch.scan(registry, repository, image, at=now)
    elif last is None or now.timestamp() - last.at >= scans.ONCE_IN.total_seconds():
        scan(registry, repository, image, at=now)


def scan(registry: Registry, repository: Repository, image: Image, *, at: datetime | None = None) -> None:
    """Make a basic scan: at the instant of what triggered it, or (None) as a change of its own.

    Raises `LimitExceededException`, and `ImageNotFoundException` when the image went meanwhile.
    """
    inventory = read(registry, repository, image)
    with registry.world.change(at=at) as change:
        scans.note(change, registry, repository.name, image, BASIC)
        verdict = _basic(inventory, datetime.fromtimestamp(change.at, UTC))
        change.events.append(events.basic_scan(registry, repository, image, verdict, change.at))


def look(registry: Registry, repository: Repository, image: Image) -> Verdict | None:
    """What is known of an image now, in the way that its registry scans; None when it was never scanned."""
    how = scan_rules.configuration(registry)
    if image.status(registry.world.clock.now().timestamp()) != "ACTIVE":
        return Verdict("IMAGE_ARCHIVED", ARCHIVED)
    if how.scan_type == ENHANCED:
        return _look_enhanced(registry, repository, image)
    last = scans.last(registry, image, BASIC)
    if last is None:
        return None
    return _basic(read(registry, repository, image), datetime.fromtimestamp(last.at, UTC))


def _look_enhanced(registry: Registry, repository: Repository, image: Image) -> Verdict | None:
    from ecrlab.simulator.jobs.scans import watch

    frequency = scan_rules.applied(scan_rules.configuration(registry), repository).frequency
    now = registry.world.clock.now()
    if frequency == CONTINUOUS_SCAN:
        if scans.watched_until(image) <= now.timestamp():
            return Verdict("SCAN_ELIGIBILITY_EXPIRED", EXPIRED)
        watch.ensure(registry, repository, image, now)
    last = scans.last(registry, image, ENHANCED)
    # UNSURE: what is said of an image whose repository no rule names any more; here it counts as never scanned.
    if last is None or frequency == scan_rules.MANUAL:
        return None
    until = now.timestamp() if frequency == CONTINUOUS_SCAN else last.told_until
    return judge_enhanced(
        read(registry, repository, image),
        datetime.fromtimestamp(last.at, UTC),
        datetime.fromtimestamp(until, UTC),
        is_watched=frequency == CONTINUOUS_SCAN,
    )


def judge_enhanced(inventory: Inventory, scanned_at: datetime, now: datetime, *, is_watched: bool) -> Verdict:
    """Judge an image in the enhanced way, as known `now`; `is_watched` under continuous scanning."""
    reason = _why_unsupported(inventory, now)
    if inventory.status in UNREAD:
        return Verdict(inventory.status, inventory.reason or "")
    if reason is not None:
        return Verdict("UNSUPPORTED_IMAGE", f"{UNSUPPORTED} ({reason})")
    report = _judged(inventory, _known_at(now))
    last = max((one.published for one in report.findings if one.published is not None), default=scanned_at)
    # UNSURE: the status of what is scanned on push only; COMPLETE, for nothing more comes of it.
    status, description = ("ACTIVE", ACTIVE) if is_watched else ("COMPLETE", COMPLETE)
    return Verdict(
        status, description + _remarks(report), report.findings, scanned_at, max(scanned_at, last), _known_at(now),
        inventory,
    )  # fmt: skip


def _basic(inventory: Inventory, at: datetime) -> Verdict:
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
    """How many findings there are of each severity, worst first; only of those that occur.

    >>> severity_counts(["LOW", "UNTRIAGED", "CRITICAL", "LOW"])
    {'CRITICAL': 1, 'LOW': 2, 'UNTRIAGED': 1}
    """
    counts = Counter(severities)
    return {name: counts[name] for name in (*reversed(SEVERITIES), "UNTRIAGED") if counts[name]}


def worst_by_id(findings: tuple[Finding, ...]) -> dict[str, tuple[str, list[Finding]]]:
    """Findings of one vulnerability together, as Inspector counts them: id -> the worst severity, and all of them."""
    groups: dict[str, tuple[str, list[Finding]]] = {}
    for finding in findings:  # worst first
        groups.setdefault(finding.id, (finding.severity, []))[1].append(finding)
    return groups


def read(registry: Registry, repository: Repository, image: Image) -> Inventory:
    """What is in an image: from the registry's memory, or else from its layers, whatever they hold."""
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
        return take_inventory(layers_of(json.loads(body), registry.world.blobs.open), limits=LIMITS)
    except ScanError as problem:
        return Inventory("UNSUPPORTED_IMAGE", str(problem))
    except Exception:
        log.exception("%s could not be scanned", image.digest)
        return Inventory("FAILED", "the scanner itself failed; the lab's log says why")


def _of_the_system(inventory: Inventory) -> Inventory:
    packages = tuple(one for one in inventory.packages if one.ecosystem not in LANGUAGES)
    return Inventory(inventory.status, inventory.reason, inventory.distribution, packages)


def _why_unsupported(inventory: Inventory, now: datetime) -> str | None:
    """Why ECR would not judge an image that can be read, or None when it would."""
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
    """What else must be said so that nothing passes as clean that was not judged; empty for most images."""
    unread = [f"{one.kind}: {one.path}" for one in report.not_inventoried]
    open_questions = [f"{one.id} of {one.package} {one.version}" for one in report.unresolved]
    said = (("Not looked into", unread), ("Cannot be told", open_questions))
    return "".join(f" {what}: {'; '.join(items)}." for what, items in said if items)


@functools.lru_cache(maxsize=32)
def _judged(inventory: Inventory, known_at: datetime) -> Report:
    return judge(inventory, now=known_at)


def _known_at(now: datetime) -> datetime:
    """When the youngest advisory that is known by now was published: until the next one, nothing changes."""
    dates = publications()
    place = bisect.bisect_right(dates, now)
    return dates[place - 1] if place else now


@functools.cache
def publications() -> tuple[datetime, ...]:
    """The instants at which advisories were published, in order."""
    return tuple(sorted({advisory.published for advisory in embedded() if advisory.published is not None}))
