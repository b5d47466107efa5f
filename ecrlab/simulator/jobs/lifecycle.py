"""Lifecycle policies at work: each midnight every repository's policy is evaluated, and acts.

    registry rows ── shelf ──► lifecycle.Image … ── evaluate ──► verdicts ──► deleted or archived, and recorded

ECR acts within 24 hours after an image meets a rule (AWS user guide, lifecycle policies); here at 00:00 UTC of the
world's clock, one transaction for each repository, with the registry's own deletion: layers are cleaned up, the history
and EventBridge have the events, and an image that an index lists is refused and recorded as such.
"""

import functools
import logging
import sqlite3
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from ecrlab import lifecycle
from ecrlab.lifecycle import Evaluation, Policy, Rule
from ecrlab.lifecycle.forecast import next_change
from ecrlab.lifecycle.image import ACTIVATING
from ecrlab.lifecycle.policy import ARCHIVE, EXPIRE, STANDARD
from ecrlab.registry import archive, deletions, images, lifecycle_policies, referrers, repositories, trail
from ecrlab.registry.deletions import Deletion
from ecrlab.registry.images import Failure, ImageId
from ecrlab.registry.repositories import Repository
from ecrlab.registry.world import Change, Registry, World, moment
from ecrlab.simulator.jobs import lifecycle_record
from ecrlab.simulator.jobs.lifecycle_record import ImageAction

BY = "ecr.amazonaws.com"
"""The caller of a policy's deletions in the history: ECR itself."""

_CLASSES = {"ACTIVE": STANDARD, "ARCHIVED": ARCHIVE, "ACTIVATING": ACTIVATING}

log = logging.getLogger("ecrlab.lifecycle")

read = functools.lru_cache(maxsize=256)(lifecycle.parse)
"""Parse the text of a stored policy."""


@dataclass(frozen=True, slots=True)
class LifecycleRuns:
    """The nightly job that runs policies, and deletes and archives referrers after their subjects."""

    world: World

    def __call__(self, midnight: datetime) -> datetime | None:
        """Do the night's work. A failure is logged: the request that comes first after midnight is not its cause."""
        wanted = []
        try:
            wanted.append(referrers.follow_subjects(self.world, midnight, by=BY))
        except Exception:
            log.exception("referrers could not follow their subjects")
        for registry, name in lifecycle_policies.holders(self.world):
            try:
                wanted.append(run(registry, name, midnight))
            except Exception:
                log.exception("the lifecycle policy of %s failed", name)
        return min((instant for instant in wanted if instant is not None), default=None)


def run(registry: Registry, name: str, midnight: datetime) -> datetime | None:
    """Run the policy of one repository; return the instant of its next possible action."""
    with registry.world.change(at=midnight) as change:
        repository = repositories.get(change.db, registry, name)
        kept = lifecycle_policies.get_in(change.db, registry, repository)
        policy = read(kept.text)
        seen = all_images(change.db, repository, midnight)
        evaluation = lifecycle.evaluate(policy, seen, midnight)
        actions, deletion = _act(change, registry, repository, evaluation)
        refused = " ".join(
            f"{action.image.image_digest} {action.rule.rule_priority}" for action in actions if action.failure
        )
        # UNSURE: whether a run that did nothing is recorded, and a failure again each night; neither, so that nights
        # can be passed over.
        done = [action for action in actions if action.failure is None]
        if done or (actions and refused != kept.refused):
            told = lifecycle_record.Policy.of(kept, policy)
            for document in lifecycle_record.execution(registry, name, midnight, told, actions):
                trail.record(change, registry, name, document)
        lifecycle_policies.note_evaluated(change, repository, refused)
        if done:
            # A deleted index releases the images that it listed: then there is work the night after.
            evaluation = lifecycle.evaluate(policy, _left(seen, done, midnight), midnight)
    deletions.finish(registry, repository, deletion)
    return midnight if evaluation.expiring or evaluation.transitioning else next_change(evaluation)


def preview(db: sqlite3.Connection, repository: Repository, policy: Policy, at: datetime) -> Evaluation:
    """Return the evaluation of a policy at an instant, without refusals by ECR; call it inside a transaction."""
    return lifecycle.evaluate(policy, all_images(db, repository, at), at)


def all_images(db: sqlite3.Connection, repository: Repository, now: datetime) -> list[lifecycle.Image]:
    """Return all images of a repository as a policy sees them, in the order of their pushes."""
    children: defaultdict[int, list[str]] = defaultdict(list)
    listed = db.execute(
        "SELECT image_child.image_id, child.digest FROM image JOIN image_child ON image_child.image_id = image.id "
        "JOIN image AS child ON child.id = image_child.child_id WHERE image.repository_id = ?",
        (repository.id,),
    )
    for parent, digest in listed:
        children[parent].append(digest)
    rows = db.execute(f"SELECT {images.COLUMNS} FROM image WHERE repository_id = ? ORDER BY id", (repository.id,))
    seconds = now.timestamp()
    return [_as_seen(images.from_row(row), tuple(children.get(row["id"], ())), seconds) for row in rows]


def _as_seen(image: images.Image, children: tuple[str, ...], now: float) -> lifecycle.Image:
    return lifecycle.Image(
        image.digest,
        image.tags,
        datetime.fromtimestamp(image.pushed_at, UTC),
        moment(image.pulled_at),
        _CLASSES[image.status(now)],
        moment(image.archived_at),
        moment(image.activated_at),
        image.subject,
        children,
        image.media_type,
        image.size,
    )


def _left(seen: Sequence[lifecycle.Image], done: Sequence[ImageAction], now: datetime) -> list[lifecycle.Image]:
    """Return the images that a run leaves."""
    expired = {action.image.image_digest for action in done if action.rule.action.type == EXPIRE}
    archived = {action.image.image_digest for action in done} - expired
    return [
        replace(image, storage_class=ARCHIVE, last_archived_at=now) if image.image_digest in archived else image
        for image in seen
        if image.image_digest not in expired
    ]


def _act(
    change: Change, registry: Registry, repository: Repository, evaluation: Evaluation
) -> tuple[list[ImageAction], Deletion]:
    """Delete and archive what a policy selects; return what was done and what failed, and the deletion to finish."""
    # First the images that cannot go, while the index that lists them exists: the refusal is BatchDeleteImage's.
    actions = [_refused(change, repository, image, rule) for image, rule in evaluation.held_back()]
    rules = {rule.rule_priority: rule for rule in evaluation.policy}
    expiring, transitioning = (
        [(one.image, rules[one.rule_priority]) for one in verdicts if one.rule_priority is not None]
        for verdicts in (evaluation.expiring, evaluation.transitioning)
    )
    ids = [ImageId(image.image_digest) for image, _ in expiring]
    deletion = deletions.delete_in(change, registry, repository, ids, by=BY)
    failed = {failure.image_id.digest: failure for failure in deletion.failures}
    actions += [ImageAction(image, rule, failed.get(image.image_digest)) for image, rule in expiring]
    for image, rule in transitioning:
        found = images.find_in(change.db, repository, image.image_digest)
        if found is not None:
            archive.archive_in(change, registry, repository, found)
            actions.append(ImageAction(image, rule))
    return actions, deletion


def _refused(change: Change, repository: Repository, image: lifecycle.Image, rule: Rule) -> ImageAction:
    # UNSURE: whether AWS reports the failures to archive and to delete such an image with the same text.
    found = images.find_in(change.db, repository, image.image_digest)
    parents: Sequence[str] = images.parents_of(change.db, found.id) if found is not None else ()
    reason = images.listed_by(parents)
    return ImageAction(image, rule, Failure(ImageId(image.image_digest), "ImageReferencedByManifestList", reason))
