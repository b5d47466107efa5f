"""The bound of a rule, as a cut in the order of age: the rule marks every image that it selects before the cut.

A count keeps the newest images and an age keeps the young ones, so one cut expresses either. Only `sinceImagePulled`
has no cut, because the last pull follows another order.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from ecrlab.lifecycle.image import Image, aged_since
from ecrlab.lifecycle.policy import COUNT, PULLED, Policy, Rule

_BEGINNING = datetime.min.replace(tzinfo=UTC)


def earliest(rule: Rule, now: datetime) -> datetime:
    """Return the instant before which an image is too old for an age rule."""
    # UNSURE: days are periods of exactly 24 hours back from the evaluation, not calendar days.
    try:
        return now.astimezone(UTC) - timedelta(days=rule.selection.count_number)
    except OverflowError:
        return _BEGINNING


def cuts(
    policy: Policy,
    images: Sequence[Image],
    by_age: Sequence[int],
    families: Sequence[int],
    rules_of: Sequence[tuple[int, ...]],
    now: datetime,
) -> list[int]:
    """Return the cut of each rule: an index into `by_age`, which holds the positions of images, oldest first."""
    found = [0] * len(policy.rules)
    sizes = Counter(families)
    left = {}
    for number, rule in enumerate(policy.rules):
        if rule.selection.count_type == COUNT:
            selected = sum(size for family, size in sizes.items() if number in rules_of[family])
            # A rule that selects no more than it keeps has no cut, and would be counted to the end for nothing.
            if selected > rule.selection.count_number:
                left[number] = rule.selection.count_number
        elif rule.selection.count_type != PULLED:
            found[number] = bisect_left(by_age, earliest(rule, now), key=lambda position: aged_since(images[position]))
    counting = _counting(rules_of, left)
    for place in range(len(by_age) - 1, -1, -1):
        if not left:
            break
        for number in counting[families[by_age[place]]]:
            left[number] -= 1
            if not left[number]:
                found[number] = place
                del left[number]
                counting = _counting(rules_of, left)
    return found


def _counting(rules_of: Sequence[tuple[int, ...]], left: Iterable[int]) -> list[tuple[int, ...]]:
    """Return, for each family of images, the rules that still count it."""
    return [tuple(rule for rule in rules if rule in left) for rules in rules_of]
