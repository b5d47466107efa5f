"""Enhanced scanning: Amazon Inspector scans an image first, and then watches it.

Under continuous scanning an image is judged again whenever an advisory appears, for 14 days after its push or its last
use (Inspector user guide, scanning ECR container images). API calls show what is known now; events and Security Hub
receive it in the following night.
"""

import time
from datetime import UTC, datetime
from typing import Any

from ecrlab.registry import images, scan_rules, scans
from ecrlab.registry.errors import DamagedObject, ImageNotFoundException, KmsException
from ecrlab.registry.images import Image, ImageId
from ecrlab.registry.repositories import Repository
from ecrlab.registry.scan_rules import CONTINUOUS_SCAN, ENHANCED
from ecrlab.registry.world import Registry
from ecrlab.simulator.jobs.scans import events, inspector, security_hub, verdicts

AT_ONCE_SECONDS = 5.0
"""How long turning on continuous scanning may take; the remaining images are scanned on request, or at midnight."""


def scan(registry: Registry, repository: Repository, image: Image, *, at: datetime) -> None:
    """Scan an image for the first time, or again because it was pushed again, and announce the findings."""
    frequency = scan_rules.applied(scan_rules.configuration(registry), repository).frequency
    verdict = verdicts.judge_enhanced(
        verdicts.read(registry, repository, image), at, at, is_watched=frequency == CONTINUOUS_SCAN
    )
    found = _findings(registry, repository, image, verdict)
    with registry.world.change(at=at) as change:
        scans.note(change, registry, repository.name, image, ENHANCED)
        counts = verdicts.severity_counts(finding["severity"] for finding in found)
        if verdict.is_judged:
            change.events.append(events.initial_scan(registry, repository, image, counts, change.at))
        change.events += [events.finding(registry, one, change.at) for one in found]
    security_hub.send(registry, found)


def ensure(registry: Registry, repository: Repository, image: Image, now: datetime) -> None:
    """Scan an image that was pushed before continuous scanning was turned on, unless it was scanned."""
    if scans.is_image(image) and scans.last(registry, image, ENHANCED) is None:
        scan(registry, repository, image, at=now)


def begin(registry: Registry, at: float) -> None:
    """Scan what was pushed before continuous scanning was turned on, as long as that does not take too long."""
    started, now = time.monotonic(), datetime.fromtimestamp(at, UTC)
    for repository, image in scans.continuously_scanned(registry, now):
        if time.monotonic() - started > AT_ONCE_SECONDS:
            return
        ensure(registry, repository, image, now)


def night(registry: Registry, midnight: datetime) -> datetime | None:
    """Send the new findings of the watched images; return the next night that may have new findings."""
    watched: set[str] = set()
    ends: list[float] = []
    for repository, image in scans.continuously_scanned(registry, midnight):
        end = scans.watched_until(image)
        if end <= midnight.timestamp():
            _close(registry, repository, image, midnight, end)
        else:
            ends.append(end)
            watched.add(inspector.image_arn(repository, image))
            _tell_news(registry, repository, image, midnight)
    security_hub.archive_all_but(registry, watched, midnight.timestamp())
    upcoming = [date for date in verdicts.publications() if date > midnight][:1]
    return min([*upcoming, *(datetime.fromtimestamp(end, UTC) for end in ends)], default=None) if ends else None


def _tell_news(registry: Registry, repository: Repository, image: Image, midnight: datetime) -> None:
    last = scans.last(registry, image, ENHANCED)
    if last is None:
        ensure(registry, repository, image, midnight)
        return
    verdict = verdicts.judge_enhanced(
        verdicts.read(registry, repository, image), datetime.fromtimestamp(last.at, UTC), midnight, is_watched=True
    )
    found = _findings(registry, repository, image, verdict)
    news = [finding for finding in found if finding["firstObservedAt"] > last.told_until]
    if news:
        with registry.world.change(at=midnight) as change:
            scans.note_announced(change, image, ENHANCED)
            change.events += [events.finding(registry, finding, change.at) for finding in news]
    if security_hub.is_listening(registry):
        security_hub.send(registry, found)


def _close(registry: Registry, repository: Repository, image: Image, midnight: datetime, end: float) -> None:
    """Close the findings of an image that is no longer watched."""
    last = scans.last(registry, image, ENHANCED)
    if last is None or last.told_until >= end:
        return
    verdict = verdicts.judge_enhanced(
        verdicts.read(registry, repository, image),
        datetime.fromtimestamp(last.at, UTC),
        datetime.fromtimestamp(end, UTC),
        is_watched=True,
    )
    closed = [
        {**finding, "status": "CLOSED", "updatedAt": midnight.timestamp()}
        for finding in _findings(registry, repository, image, verdict)
    ]
    with registry.world.change(at=midnight) as change:
        scans.note_announced(change, image, ENHANCED)
        change.events += [events.finding(registry, finding, change.at) for finding in closed]


def _findings(
    registry: Registry, repository: Repository, image: Image, verdict: verdicts.Verdict
) -> list[dict[str, Any]]:
    if not verdict.is_judged:
        return []
    if image.body is None:
        try:
            image = images.find(registry, repository.name, ImageId(image.digest))
        except ImageNotFoundException:
            return []
        except (KmsException, DamagedObject):
            pass  # the findings lack what the image's configuration tells
    return inspector.findings(registry, repository, image, verdict)
