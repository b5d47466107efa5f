"""An evaluation in the shape of AWS's own preview, and where AWS's preview of the same policy differs from it.

GetLifecyclePolicyPreview lists only the images that expire or move to the archive; `kept` adds the others, each with
its reason. Shapes: botocore model, LifecyclePolicyPreviewResult and LifecyclePolicyPreviewSummary. A difference may
rest on a point that AWS does not document (`doubt`); neither side is then wrong.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from ecrlab.lifecycle.evaluation import Evaluation
from ecrlab.lifecycle.explanation import explain_at
from ecrlab.lifecycle.image import aged_since, unused_since
from ecrlab.lifecycle.policy import PULLED, TRANSITION, Action, Rule
from ecrlab.lifecycle.verdict import Verdict

_DAY = timedelta(days=1)


def results(evaluation: Evaluation) -> list[dict[str, Any]]:
    """Return `previewResults`: the images that expire or move, oldest first; dates are datetimes, as in boto3."""
    return [_result(verdict) for verdict in evaluation if verdict.action]


def summary(evaluation: Evaluation) -> dict[str, Any]:
    """Return `summary`: how many images expire, and how many move to the archive if any does."""
    told: dict[str, Any] = {"expiringImageTotalCount": len(evaluation.expiring)}
    if evaluation.transitioning:
        told["transitioningImageTotalCounts"] = [
            {"targetStorageClass": "ARCHIVE", "imageTotalCount": len(evaluation.transitioning)}
        ]
    return told


def kept(evaluation: Evaluation) -> list[dict[str, Any]]:
    """Return the images that stay, oldest first: `imageDigest`, `imageTags`, `reason`."""
    return [
        {
            "imageDigest": evaluation.images[position].image_digest,
            "imageTags": list(evaluation.images[position].image_tags),
            "reason": explain_at(evaluation, position),
        }
        for position in evaluation.by_age
        if not evaluation.acts(position)
    ]


def _result(verdict: Verdict) -> dict[str, Any]:
    image = verdict.image
    return {
        "imageTags": list(image.image_tags),
        "imageDigest": image.image_digest,
        "imagePushedAt": image.pushed_at,
        "action": action(verdict.action),
        "appliedRulePriority": verdict.rule_priority,
        "storageClass": image.storage_class.upper(),
    }


def action(wanted: Action | None) -> dict[str, str]:
    """Return an action in the words of the preview: in capitals, with a target only for a transition."""
    if wanted is None:
        return {}
    told = {"type": wanted.type.upper()}
    if wanted.type == TRANSITION and wanted.target_storage_class:
        told["targetStorageClass"] = wanted.target_storage_class.upper()
    return told


@dataclass(frozen=True, slots=True)
class Disagreement:
    """One image that AWS's preview treats differently. `ours` and `theirs` name an action and a rule, or "keep"."""

    image_digest: str
    ours: str
    theirs: str
    doubt: str
    """The undocumented point behind the difference, or an empty text."""


def compare(evaluation: Evaluation, results: Iterable[Mapping[str, Any]]) -> list[Disagreement]:
    """Compare an evaluation with the `previewResults` of GetLifecyclePolicyPreview, by digest."""
    theirs = {result["imageDigest"]: _outcome(result["action"], result["appliedRulePriority"]) for result in results}
    found = []
    for position in evaluation.by_age:
        digest = evaluation.images[position].image_digest
        rule = evaluation.acts(position)
        ours = _outcome(action(rule.action), rule.rule_priority) if rule else "keep"
        there = theirs.pop(digest, "keep")
        if ours != there:
            found.append(Disagreement(digest, ours, there, doubt(evaluation, position)))
    for digest, there in theirs.items():
        found.append(Disagreement(digest, "not seen", there, "the image was pushed after the images were read"))
    return found


def doubt(evaluation: Evaluation, position: int) -> str:
    """Return the first undocumented point behind the verdict on an image, or an empty text."""
    image = evaluation.images[position]
    if evaluation.indexes_of(position):
        return "whether the preview lists what an index still holds"
    if position in evaluation.relations.subjects or image.subject_digest:
        return "when a referrer goes, and by which rule"
    rules = evaluation.selecting(position)
    if not rules:
        return "what happens to an image that is being restored" if image.storage_class == "activating" else ""
    if rules[0].selection.counts:
        return "the order of images pushed at the same instant" if _is_tied(evaluation, rules[0], position) else ""
    return _doubt_of_age(evaluation, rules[0], position)


def _is_tied(evaluation: Evaluation, rule: Rule, position: int) -> bool:
    """Whether another image of the same instant is on the other side of a rule's bound."""
    since, marked = aged_since(evaluation.images[position]), evaluation.marks(rule, position)
    tied = (there for there, other in enumerate(evaluation.images) if aged_since(other) == since)
    return any(rule in evaluation.selecting(there) and evaluation.marks(rule, there) != marked for there in tied)


def _doubt_of_age(evaluation: Evaluation, rule: Rule, position: int) -> str:
    image = evaluation.images[position]
    since = unused_since(image) if rule.selection.count_type == PULLED else aged_since(image)
    if image.last_activated_at == since:
        return "whether a restore counts as a push for the age of an image"
    # A calendar day begins up to a day before or after the same moment of a period of 24 hours.
    if abs(evaluation.now - since - _DAY * rule.selection.count_number) < _DAY:
        return "whether days are periods of 24 hours or days of the calendar"
    return ""


def _outcome(wanted: Mapping[str, str], priority: int | None) -> str:
    return f"{wanted['type'].lower()} by rule {priority}"
