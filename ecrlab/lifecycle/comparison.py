"""Our verdicts against AWS's own preview: where they differ, and whether AWS's documents would let us know
better.

A difference that rests on a point AWS does not document (`doubt`) is told, but is no failure of either side.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from ecrlab.lifecycle.age_order import standing_since, unused_since
from ecrlab.lifecycle.evaluation import Evaluation
from ecrlab.lifecycle.policy import PULLED, Rule
from ecrlab.lifecycle.preview import action

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Disagreement:
    """One image about which AWS says otherwise. `ours` and `theirs` name an action and a rule, or "keep"."""

    image_digest: str
    ours: str
    theirs: str
    doubt: str
    """The undocumented point that the difference rests on, or nothing."""


def compare(evaluation: Evaluation, results: Iterable[Mapping[str, Any]]) -> list[Disagreement]:
    """Hold an evaluation against the `previewResults` of GetLifecyclePolicyPreview, by digest."""
    theirs = {result["imageDigest"]: _told(result["action"], result["appliedRulePriority"]) for result in results}
    found = []
    for position in evaluation.line:
        digest = evaluation.images[position].image_digest
        rule = evaluation.acts(position)
        ours = _told(action(rule.action), rule.rule_priority) if rule else "keep"
        there = theirs.pop(digest, "keep")
        if ours != there:
            found.append(Disagreement(digest, ours, there, doubt(evaluation, position)))
    for digest, there in theirs.items():
        found.append(Disagreement(digest, "not seen", there, "the image was pushed after the images were read"))
    return found


def doubt(evaluation: Evaluation, position: int) -> str:
    """The first undocumented point that the verdict on an image rests on, or nothing."""
    image = evaluation.images[position]
    if evaluation.holding(position):
        return "whether the preview lists what an index still holds"
    if position in evaluation.ties.subjects or image.subject_digest:
        return "when a referrer goes, and by which rule"
    rules = evaluation.selecting(position)
    if not rules:
        return "what happens to an image that is being restored" if image.storage_class == "activating" else ""
    if rules[0].selection.counts:
        return "the order of images pushed at the same instant" if _is_tied(evaluation, rules[0], position) else ""
    return _doubt_of_age(evaluation, rules[0], position)


def _is_tied(evaluation: Evaluation, rule: Rule, position: int) -> bool:
    """Whether another image of the same instant stands on the other side of a rule's bound."""
    since, marked = standing_since(evaluation.images[position]), evaluation.marks(rule, position)
    tied = (there for there, other in enumerate(evaluation.images) if standing_since(other) == since)
    return any(rule in evaluation.selecting(there) and evaluation.marks(rule, there) != marked for there in tied)


def _doubt_of_age(evaluation: Evaluation, rule: Rule, position: int) -> str:
    image = evaluation.images[position]
    since = unused_since(image) if rule.selection.count_type == PULLED else standing_since(image)
    if image.last_activated_at == since:
        return "whether a restore counts as a push for the age of an image"
    # A calendar day begins up to a day before or after the same moment of a period of 24 hours.
    if abs(evaluation.now - since - _DAY * rule.selection.count_number) < _DAY:
        return "whether days are periods of 24 hours or days of the calendar"
    return ""


def _told(deed: Mapping[str, str], priority: int | None) -> str:
    return f"{deed['type'].lower()} by rule {priority}"
