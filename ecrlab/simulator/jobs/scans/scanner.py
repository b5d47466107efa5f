"""Scans on request: by a push, by StartImageScan, and by the operations that show findings."""

from datetime import UTC, datetime

from ecrlab.registry import scan_rules, scans
from ecrlab.registry.images import Image
from ecrlab.registry.repositories import Repository
from ecrlab.registry.scan_rules import BASIC, CONTINUOUS_SCAN, ENHANCED
from ecrlab.registry.world import Registry
from ecrlab.simulator.jobs.scans import events, verdicts, watch
from ecrlab.simulator.jobs.scans.verdicts import Verdict

EXPIRED = "The configured scan duration has lapsed for this image."
ARCHIVED = "The image is archived."


def scan_pushed(registry: Registry, repository: Repository, image: Image) -> None:
    """Scan an image because it was pushed; a basic scan at most once in 24 hours, as always."""
    # The image of a second push, under another tag, may be old.
    now = max(registry.world.clock.now(), datetime.fromtimestamp(image.pushed_at, UTC))
    how = scan_rules.configuration(registry)
    last = scans.last(registry, image, how.scan_type)
    if how.scan_type == ENHANCED:
        is_watched = scan_rules.applied(how, repository).frequency == CONTINUOUS_SCAN
        is_restored = last is not None and (image.activated_at or 0) > last.at
        if last is None or is_restored or not is_watched:
            watch.scan(registry, repository, image, at=now)
    elif last is None or now.timestamp() - last.at >= scans.ONCE_IN.total_seconds():
        scan(registry, repository, image, at=now)


def scan(registry: Registry, repository: Repository, image: Image, *, at: datetime | None = None) -> None:
    """Make a basic scan: at the instant of its cause, or (None) as a change of its own.

    Raises `LimitExceededException`, and `ImageNotFoundException` when the image was deleted meanwhile.
    """
    inventory = verdicts.read(registry, repository, image)
    with registry.world.change(at=at) as change:
        scans.note(change, registry, repository.name, image, BASIC)
        verdict = verdicts.judge_basic(inventory, datetime.fromtimestamp(change.at, UTC))
        change.events.append(events.basic_scan(registry, repository, image, verdict, change.at))


def look(registry: Registry, repository: Repository, image: Image) -> Verdict | None:
    """Return what is known of an image now, in the way that its registry scans; None if it was never scanned."""
    how = scan_rules.configuration(registry)
    if image.status(registry.world.clock.now().timestamp()) != "ACTIVE":
        return Verdict("IMAGE_ARCHIVED", ARCHIVED)
    if how.scan_type == ENHANCED:
        return _look_enhanced(registry, repository, image)
    last = scans.last(registry, image, BASIC)
    if last is None:
        return None
    return verdicts.judge_basic(verdicts.read(registry, repository, image), datetime.fromtimestamp(last.at, UTC))


def _look_enhanced(registry: Registry, repository: Repository, image: Image) -> Verdict | None:
    frequency = scan_rules.applied(scan_rules.configuration(registry), repository).frequency
    now = registry.world.clock.now()
    if frequency == CONTINUOUS_SCAN:
        if scans.watched_until(image) <= now.timestamp():
            return Verdict("SCAN_ELIGIBILITY_EXPIRED", EXPIRED)
        watch.ensure(registry, repository, image, now)
    last = scans.last(registry, image, ENHANCED)
    # UNSURE: the status of an image whose repository no rule selects any more; here it counts as never scanned.
    if last is None or frequency == scan_rules.MANUAL:
        return None
    until = now.timestamp() if frequency == CONTINUOUS_SCAN else last.told_until
    return verdicts.judge_enhanced(
        verdicts.read(registry, repository, image),
        datetime.fromtimestamp(last.at, UTC),
        datetime.fromtimestamp(until, UTC),
        is_watched=frequency == CONTINUOUS_SCAN,
    )
