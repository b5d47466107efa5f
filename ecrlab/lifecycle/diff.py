"""Two policies on the same images: which images the new one takes, which it keeps, and by which rules."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from ecrlab.lifecycle.evaluation import Evaluation
from ecrlab.lifecycle.image import Image
from ecrlab.lifecycle.policy import Policy
from ecrlab.lifecycle.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Change:
    """One image that two policies treat differently."""

    image: Image
    old: Verdict
    new: Verdict


@dataclass(frozen=True, slots=True)
class Difference:
    """The changes from an old policy to a new one, oldest images first, and both evaluations."""

    old: Evaluation
    new: Evaluation
    newly_going: tuple[Change, ...]
    newly_kept: tuple[Change, ...]
    going_otherwise: tuple[Change, ...]
    """Images that both policies take, but with another action or by another rule."""


def diff(old: Policy, new: Policy, images: Iterable[Image], now: datetime) -> Difference:
    """Compare two policies on the same images at the same instant."""
    images = tuple(images)
    before, after = Evaluation(old, images, now), Evaluation(new, images, now)
    going, kept, otherwise = [], [], []
    for position in after.by_age:
        was, becomes = before.acts(position), after.acts(position)
        if was is None and becomes is None:
            continue
        change = Change(images[position], before.verdict_at(position), after.verdict_at(position))
        if was is None:
            going.append(change)
        elif becomes is None:
            kept.append(change)
        elif (was.rule_priority, was.action) != (becomes.rule_priority, becomes.action):
            otherwise.append(change)
    return Difference(before, after, tuple(going), tuple(kept), tuple(otherwise))
