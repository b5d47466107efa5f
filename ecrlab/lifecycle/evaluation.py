"""What a policy does to a repository's images: one verdict for each, by AWS's order of things.

    every rule is held against every image; then, for each image, the first rule that selects it decides

An image is *selected* by a rule of its storage class whose tag status and tag list it meets, and *marked* by
it when it is past the rule's bound: a place in the line of all selected images, or an age. Only the rule with
the lowest number that selects an image may act on it, and it acts if it marked it; so a rule shields what it
selects from all later rules, and an image that an earlier rule takes still fills its place in the count of a
later one. (AWS user guide, lifecycle policies and their examples.)

All images stand in one line, oldest first. A count and an age since a push, a restore or an archiving are
then the same thing: a cut, and whatever stands before it is past the bound. The line is sorted once for all
rules.
"""

from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import cached_property
from itertools import compress
from math import inf
from typing import overload

from ecrlab.lifecycle.age_order import oldest_first, standing_since, unused_since
from ecrlab.lifecycle.candidates import Candidates
from ecrlab.lifecycle.errors import LifecycleError
from ecrlab.lifecycle.image import Image
from ecrlab.lifecycle.policy import (
    ARCHIVE,
    COUNT,
    EXPIRE,
    PULLED,
    STANDARD,
    TRANSITION,
    Policy,
    Rule,
)
from ecrlab.lifecycle.relations import Ties, ties_of
from ecrlab.lifecycle.verdict import Reason, Verdict

_BEGINNING = datetime.min.replace(tzinfo=UTC)


class Verdicts(Sequence[Verdict]):
    """Verdicts on some of an evaluation's images, each made when it is asked for."""

    def __init__(self, evaluation: "Evaluation", positions: Sequence[int]) -> None:
        self._evaluation = evaluation
        self._positions = positions

    def __len__(self) -> int:
        return len(self._positions)

    @overload
    def __getitem__(self, place: int) -> Verdict: ...
    @overload
    def __getitem__(self, place: slice) -> "Verdicts": ...
    def __getitem__(self, place: int | slice) -> "Verdict | Verdicts":
        if isinstance(place, slice):
            return Verdicts(self._evaluation, self._positions[place])
        return self._evaluation.verdict_at(self._positions[place])


class Evaluation:
    """A policy held against images at one instant; made by `evaluate`."""

    def __init__(self, policy: Policy, images: Iterable[Image], now: datetime) -> None:
        if now.tzinfo is None:
            raise LifecycleError(f"the time of evaluation needs a time zone, got {now.isoformat()}")
        self.policy = policy
        self.now = now
        self.images = tuple(images)
        # Numbers sort and compare faster than dates, and lie side by side in memory.
        self._since = array("d", [standing_since(image).timestamp() for image in self.images])
        self.line = oldest_first(self.images, self._since)
        """The positions of all images, the oldest first."""
        self.ties: Ties = ties_of(self.images)
        candidates = Candidates(policy)
        self._families = candidates.sort_out(self.images)
        self._rules_of = candidates.rules_of
        self._cuts = self._cut()
        self._acting = self._act()

    # What was decided

    @cached_property
    def expiring(self) -> Verdicts:
        """The images that are deleted, oldest first."""
        return self._going(EXPIRE)

    @cached_property
    def transitioning(self) -> Verdicts:
        """The images that move to the archive, oldest first."""
        return self._going(TRANSITION)

    @cached_property
    def kept(self) -> Verdicts:
        """The images that stay as they are, oldest first."""
        return self._where({0})

    def __iter__(self) -> Iterator[Verdict]:
        """Go through the verdicts of all images, oldest first."""
        return map(self.verdict_at, self.line)

    def verdict(self, digest: str) -> Verdict:
        """The verdict on one image; KeyError for a digest that is not among the images."""
        return self.verdict_at(self.position_of(digest))

    def verdict_at(self, position: int) -> Verdict:
        """The verdict on one of `images`."""
        image, rule = self.images[position], self.acts(position)
        attached = position in self.ties.subjects
        if rule:
            reason = Reason.FOLLOWS if attached else Reason.MARKED
            return Verdict(image, rule.action, rule.rule_priority, reason)
        return Verdict(image, None, None, self._reason_to_stay(position, attached))

    def acts(self, position: int) -> Rule | None:
        """The rule that acts on one of `images`, if any does."""
        number = self._acting[position]
        return self.policy.rules[number - 1] if number else None

    def hindered(self) -> Iterator[tuple[Image, Rule]]:
        """The images that a rule would act on if no index listed them, oldest first, and that rule."""
        listed = set(self.ties.listed)
        for position in self.line if listed else ():
            if position in listed and not self.acts(position):
                attached = self.ties.subjects.get(position)
                rule = self.deciding(position) if attached is None else self.acts(attached)
                if rule and self._reason_to_stay(position, attached is not None) is Reason.LISTED:
                    yield self.images[position], rule

    # What an explanation needs to know; images go by their position in `images`

    def position_of(self, digest: str) -> int:
        """The position of a digest; KeyError if it is not among the images."""
        return self._positions[digest]

    def selecting(self, position: int) -> tuple[Rule, ...]:
        """The rules that select an image, the one that decides about it first."""
        return tuple(self.policy.rules[rule] for rule in self._rules_of[self._families[position]])

    def deciding(self, position: int) -> Rule | None:
        """The first of the rules that select an image, if any does."""
        rules = self._rules_of[self._families[position]]
        return self.policy.rules[rules[0]] if rules else None

    def marks(self, rule: Rule, position: int) -> bool:
        """Whether an image that a rule selects is past the rule's bound."""
        if rule.selection.count_type == PULLED:
            return unused_since(self.images[position]) < self._earliest(rule)
        return self._places[position] < self._cuts[self._numbers[rule.rule_priority]]

    def rank(self, rule: Rule, position: int) -> tuple[int, int]:
        """An image's number among those that a rule selects, newest first from 1, and how many these are."""
        places = self._selected_places.get(rule.rule_priority)
        if places is None:
            places = self._selected_places[rule.rule_priority] = self._select(self._numbers[rule.rule_priority])
        return len(places) - bisect_left(places, self._places[position]), len(places)

    def holding(self, position: int) -> list[str]:
        """The digests of the indexes that list an image."""
        return self.ties.indexes.get(self.images[position].image_digest, [])

    def is_released(self, position: int) -> bool:
        """Whether every index that keeps an image from a rule goes in this run, so that the next run may take it."""
        subject = self.ties.subjects.get(position)
        rule = self.deciding(position) if subject is None else self.acts(subject)
        if rule is None:
            return False
        for holder in map(self.position_of, self.holding(position)):
            acting = self.acts(holder)
            if rule.action.type == TRANSITION and self.images[holder].storage_class == ARCHIVE:
                continue
            if acting is None or (acting.action.type == TRANSITION and rule.action.type == EXPIRE):
                return False
        return True

    def subject_of(self, position: int) -> Image:
        """The image that a referrer goes with."""
        return self.images[self.ties.subjects[position]]

    # How it is decided

    def _cut(self) -> list[int]:
        """For each rule, the place in the line before which it marks what it selects."""
        cuts = [0] * len(self.policy.rules)
        sizes = Counter(self._families)
        left = {}
        for number, rule in enumerate(self.policy.rules):
            if rule.selection.count_type == COUNT:
                selected = sum(size for family, size in sizes.items() if number in self._rules_of[family])
                # A rule that selects no more than it keeps would be counted to the end of the line for nothing.
                if selected > rule.selection.count_number:
                    left[number] = rule.selection.count_number
            elif rule.selection.count_type != PULLED:
                cuts[number] = bisect_left(
                    self.line, self._earliest(rule), key=lambda position: standing_since(self.images[position])
                )
        counting = self._counting(left)
        for place in range(len(self.line) - 1, -1, -1):
            if not left:
                break
            for number in counting[self._families[self.line[place]]]:
                left[number] -= 1
                if not left[number]:
                    cuts[number] = place
                    del left[number]
                    counting = self._counting(left)
        return cuts

    def _counting(self, left: Iterable[int]) -> list[tuple[int, ...]]:
        """For each family of images, the rules that still count it."""
        return [tuple(rule for rule in rules if rule in left) for rules in self._rules_of]

    def _earliest(self, rule: Rule) -> datetime:
        """The instant before which an image is too old for a rule."""
        # UNSURE: days are periods of exactly 24 hours back from the evaluation, not calendar days.
        try:
            return self.now.astimezone(UTC) - timedelta(days=rule.selection.count_number)
        except OverflowError:
            return _BEGINNING

    def _act(self) -> bytearray:
        """For each image the rule that acts on it, as its place in the policy counted from 1, or 0."""
        deciding = [rules[0] if rules else None for rules in self._rules_of]
        number = [0 if rule is None else rule + 1 for rule in deciding]
        cut = [0 if rule is None else self._cuts[rule] for rule in deciding]
        since = [self._since[self.line[place]] if place < len(self.line) else inf for place in cut]
        # In the order given, not in that of the line: jumping about in memory would cost more than all else.
        acting = bytearray(
            [
                number[family] if instant < since[family] else 0
                for family, instant in zip(self._families, self._since, strict=True)
            ]
        )
        self._act_at_the_cuts(deciding, acting)
        self._act_on_unused(deciding, acting)
        self._hold_children(acting)
        self._follow_subjects(acting)
        return acting

    def _act_at_the_cuts(self, deciding: list[int | None], acting: bytearray) -> None:
        """Mark the images that are of the same instant as the first one kept, but stand before it."""
        for rule, cut in enumerate(self._cuts):
            for place in range(cut - 1, -1, -1):
                position = self.line[place]
                if cut == len(self.line) or self._since[position] != self._since[self.line[cut]]:
                    break
                if deciding[self._families[position]] == rule:
                    acting[position] = rule + 1

    def _act_on_unused(self, deciding: list[int | None], acting: bytearray) -> None:
        """Mark by the last pull, for which the line says nothing."""
        earliest = {
            family: (rule + 1, self._earliest(self.policy.rules[rule]))
            for family, rule in enumerate(deciding)
            if rule is not None and self.policy.rules[rule].selection.count_type == PULLED
        }
        if earliest:
            for position, family in enumerate(self._families):
                if family in earliest:
                    number, instant = earliest[family]
                    acting[position] = number if unused_since(self.images[position]) < instant else 0

    def _hold_children(self, acting: bytearray) -> None:
        """Keep what an index lists."""
        for position in self.ties.listed:
            if acting[position] and self._is_held(position, acting[position]):
                acting[position] = 0

    def _is_held(self, position: int, number: int) -> bool:
        # UNSURE: an archived index lets its children be archived too, but not deleted; and children of an
        # index that goes now are free only in the next run.
        digest = self.images[position].image_digest
        return digest in (self.ties.indexes if self._is_expiry(number) else self.ties.active_indexes)

    def _follow_subjects(self, acting: bytearray) -> None:
        """Let signatures and the like go with what they are about, and only then."""
        # UNSURE: a referrer whose subject is here is never taken for its own age, though it fills a place in
        # counts.
        for position, subject in self.ties.subjects.items():
            number = acting[subject]
            archived = self.images[position].storage_class != STANDARD
            there_already = number and archived and not self._is_expiry(number)
            acting[position] = 0 if there_already or self._is_held(position, number) else number

    def _is_expiry(self, number: int) -> bool:
        return self.policy.rules[number - 1].action.type == EXPIRE

    # How it is told

    def _going(self, kind: str) -> Verdicts:
        return self._where({number for number, rule in enumerate(self.policy.rules, 1) if rule.action.type == kind})

    def _where(self, numbers: Container[int]) -> Verdicts:
        """The verdicts on the images that one of these rules, counted from 1, acts on; 0 stands for none."""
        chosen = bytes(number in numbers for number in range(256))
        return Verdicts(self, list(compress(self.line, self._acting_by_place.translate(chosen))))

    @cached_property
    def _acting_by_place(self) -> bytearray:
        return bytearray(map(self._acting.__getitem__, self.line))

    def _reason_to_stay(self, position: int, attached: bool) -> Reason:
        if attached:
            number = self._acting[self.ties.subjects[position]]
            if not number:
                return Reason.ATTACHED
            return Reason.LISTED if self._is_held(position, number) else Reason.ARCHIVED
        rules = self.selecting(position)
        if not rules:
            return Reason.UNSELECTED
        return Reason.LISTED if self.marks(rules[0], position) else Reason.WITHIN

    def _select(self, rule: int) -> list[int]:
        """The places in the line of all images that a rule selects."""
        selected = [rule in rules for rules in self._rules_of]
        return [place for place, position in enumerate(self.line) if selected[self._families[position]]]

    @cached_property
    def _numbers(self) -> dict[int, int]:
        return {rule.rule_priority: number for number, rule in enumerate(self.policy.rules)}

    @cached_property
    def _selected_places(self) -> dict[int, list[int]]:
        return {}

    @cached_property
    def _places(self) -> list[int]:
        places = [0] * len(self.line)
        for place, position in enumerate(self.line):
            places[position] = place
        return places

    @cached_property
    def _positions(self) -> dict[str, int]:
        return {image.image_digest: position for position, image in enumerate(self.images)}


def evaluate(policy: Policy, images: Iterable[Image], now: datetime) -> Evaluation:
    """Hold a policy against all images of a repository at an instant (an aware datetime).

    The images should be all there are, archived ones too: counts, indexes and subjects look at the whole.
    """
    return Evaluation(policy, images, now)
