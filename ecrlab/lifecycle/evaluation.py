"""What a policy does to the images of a repository: one verdict for each, in the order that AWS documents.

    ECR evaluates every rule on every image; then the first rule that selects an image decides about it

A rule *selects* an image of its storage class that has its tag status and its tags. It *marks* a selected image that
is past its bound: a rank by age, or an age. Only the selecting rule with the lowest priority number may act on an
image, and it acts if it marked the image. So a rule shields what it selects from all later rules, and an image that an
earlier rule takes still counts in a later one (AWS user guide, lifecycle policies and their examples).

All rules share one order of age, so the images are sorted once.
"""

from array import array
from bisect import bisect_left
from collections.abc import Container, Iterable, Iterator
from datetime import datetime
from functools import cached_property
from itertools import compress
from math import inf

from ecrlab.lifecycle.bounds import cuts, earliest
from ecrlab.lifecycle.candidates import Candidates
from ecrlab.lifecycle.errors import LifecycleError
from ecrlab.lifecycle.image import Image, aged_since, oldest_first, unused_since
from ecrlab.lifecycle.policy import (
    ARCHIVE,
    EXPIRE,
    PULLED,
    STANDARD,
    TRANSITION,
    Policy,
    Rule,
)
from ecrlab.lifecycle.relations import Relations, relations_of
from ecrlab.lifecycle.verdict import Reason, Verdict, Verdicts


class Evaluation:
    """The result of a policy on images at one instant; `evaluate` returns it."""

    def __init__(self, policy: Policy, images: Iterable[Image], now: datetime) -> None:
        if now.tzinfo is None:
            raise LifecycleError(f"the time of evaluation needs a time zone, got {now.isoformat()}")
        self.policy = policy
        self.now = now
        self.images = tuple(images)
        # Numbers sort and compare faster than dates.
        self._since = array("d", [aged_since(image).timestamp() for image in self.images])
        self.by_age = oldest_first(self.images, self._since)
        """The positions of all images, oldest first."""
        self.relations: Relations = relations_of(self.images)
        candidates = Candidates(policy)
        self._families = candidates.sort_out(self.images)
        self._rules_of = candidates.rules_of
        self._cuts = cuts(policy, self.images, self.by_age, self._families, self._rules_of, now)
        self._acting = self._act()

    # Verdicts

    @cached_property
    def expiring(self) -> Verdicts:
        """Return the images that a rule deletes, oldest first."""
        return self._going(EXPIRE)

    @cached_property
    def transitioning(self) -> Verdicts:
        """Return the images that a rule moves to the archive, oldest first."""
        return self._going(TRANSITION)

    @cached_property
    def kept(self) -> Verdicts:
        """Return the images on which no rule acts, oldest first."""
        return self._where({0})

    def __iter__(self) -> Iterator[Verdict]:
        """Return the verdicts on all images, oldest first."""
        return map(self.verdict_at, self.by_age)

    def verdict(self, digest: str) -> Verdict:
        """Return the verdict on an image. Raises KeyError for an unknown digest."""
        return self.verdict_at(self.position_of(digest))

    def verdict_at(self, position: int) -> Verdict:
        """Return the verdict on the image at a position of `images`."""
        image, rule = self.images[position], self.acts(position)
        attached = position in self.relations.subjects
        if rule:
            reason = Reason.FOLLOWS if attached else Reason.MARKED
            return Verdict(image, rule.action, rule.rule_priority, reason)
        return Verdict(image, None, None, self._reason_to_stay(position, attached))

    def acts(self, position: int) -> Rule | None:
        """Return the rule that acts on the image at a position, if any does."""
        number = self._acting[position]
        return self.policy.rules[number - 1] if number else None

    def held_back(self) -> Iterator[tuple[Image, Rule]]:
        """Return the images that only an index keeps from a rule, oldest first, each with that rule."""
        listed = set(self.relations.listed)
        for position in self.by_age if listed else ():
            if position in listed and not self.acts(position):
                attached = self.relations.subjects.get(position)
                rule = self.deciding(position) if attached is None else self.acts(attached)
                if rule and self._reason_to_stay(position, attached is not None) is Reason.LISTED:
                    yield self.images[position], rule

    # Facts for an explanation; an image is given by its position in `images`

    def position_of(self, digest: str) -> int:
        """Return the position of a digest. Raises KeyError for an unknown one."""
        return self._positions[digest]

    def selecting(self, position: int) -> tuple[Rule, ...]:
        """Return the rules that select an image, by priority: the first decides."""
        return tuple(self.policy.rules[rule] for rule in self._rules_of[self._families[position]])

    def deciding(self, position: int) -> Rule | None:
        """Return the first rule that selects an image, if any does."""
        rules = self._rules_of[self._families[position]]
        return self.policy.rules[rules[0]] if rules else None

    def marks(self, rule: Rule, position: int) -> bool:
        """Whether an image that a rule selects is past the rule's bound."""
        if rule.selection.count_type == PULLED:
            return unused_since(self.images[position]) < earliest(rule, self.now)
        return self._places[position] < self._cuts[self._numbers[rule.rule_priority]]

    def rank(self, rule: Rule, position: int) -> tuple[int, int]:
        """Return an image's rank among those that a rule selects (1 is the newest), and their number."""
        places = self._selected_places.get(rule.rule_priority)
        if places is None:
            places = self._selected_places[rule.rule_priority] = self._select(self._numbers[rule.rule_priority])
        return len(places) - bisect_left(places, self._places[position]), len(places)

    def indexes_of(self, position: int) -> list[str]:
        """Return the digests of the indexes that list an image."""
        return self.relations.indexes.get(self.images[position].image_digest, [])

    def is_released(self, position: int) -> bool:
        """Whether this run removes every index that keeps an image from a rule; the next run may then take it."""
        subject = self.relations.subjects.get(position)
        rule = self.deciding(position) if subject is None else self.acts(subject)
        if rule is None:
            return False
        for holder in map(self.position_of, self.indexes_of(position)):
            acting = self.acts(holder)
            if rule.action.type == TRANSITION and self.images[holder].storage_class == ARCHIVE:
                continue
            if acting is None or (acting.action.type == TRANSITION and rule.action.type == EXPIRE):
                return False
        return True

    def subject_of(self, position: int) -> Image:
        """Return the subject of a referrer."""
        return self.images[self.relations.subjects[position]]

    # The decision

    def _act(self) -> bytearray:
        """Return, for each image, the index of the rule that acts on it, counted from 1, or 0 for none."""
        deciding = [rules[0] if rules else None for rules in self._rules_of]
        number = [0 if rule is None else rule + 1 for rule in deciding]
        cut = [0 if rule is None else self._cuts[rule] for rule in deciding]
        since = [self._since[self.by_age[place]] if place < len(self.by_age) else inf for place in cut]
        # In the given order, not by age: random access to memory would cost more than all else.
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
        """Mark the images before a cut that share the instant of the first kept image."""
        for rule, cut in enumerate(self._cuts):
            for place in range(cut - 1, -1, -1):
                position = self.by_age[place]
                if cut == len(self.by_age) or self._since[position] != self._since[self.by_age[cut]]:
                    break
                if deciding[self._families[position]] == rule:
                    acting[position] = rule + 1

    def _act_on_unused(self, deciding: list[int | None], acting: bytearray) -> None:
        """Mark by the last pull, which the order of age does not tell."""
        bounds = {
            family: (rule + 1, earliest(self.policy.rules[rule], self.now))
            for family, rule in enumerate(deciding)
            if rule is not None and self.policy.rules[rule].selection.count_type == PULLED
        }
        if bounds:
            for position, family in enumerate(self._families):
                if family in bounds:
                    number, instant = bounds[family]
                    acting[position] = number if unused_since(self.images[position]) < instant else 0

    def _hold_children(self, acting: bytearray) -> None:
        """Keep the children of indexes."""
        for position in self.relations.listed:
            if acting[position] and self._is_held(position, acting[position]):
                acting[position] = 0

    def _is_held(self, position: int, number: int) -> bool:
        # UNSURE: an archived index lets rules archive its children, but not delete them; the children of an index
        # that this run removes are free only in the next run.
        digest = self.images[position].image_digest
        return digest in (self.relations.indexes if self._is_expiry(number) else self.relations.active_indexes)

    def _follow_subjects(self, acting: bytearray) -> None:
        """Let referrers expire or move together with their subject, and only then."""
        # UNSURE: no rule takes a referrer for its own age while its subject is here, but counts include it.
        for position, subject in self.relations.subjects.items():
            number = acting[subject]
            archived = self.images[position].storage_class != STANDARD
            is_archived_already = number and archived and not self._is_expiry(number)
            acting[position] = 0 if is_archived_already or self._is_held(position, number) else number

    def _is_expiry(self, number: int) -> bool:
        return self.policy.rules[number - 1].action.type == EXPIRE

    # Lookups

    def _going(self, kind: str) -> Verdicts:
        return self._where({number for number, rule in enumerate(self.policy.rules, 1) if rule.action.type == kind})

    def _where(self, numbers: Container[int]) -> Verdicts:
        """Return the verdicts on the images on which one of these rules acts, counted from 1; 0 means no rule."""
        chosen = bytes(number in numbers for number in range(256))
        return Verdicts(self, list(compress(self.by_age, self._acting_by_place.translate(chosen))))

    @cached_property
    def _acting_by_place(self) -> bytearray:
        return bytearray(map(self._acting.__getitem__, self.by_age))

    def _reason_to_stay(self, position: int, attached: bool) -> Reason:
        if attached:
            number = self._acting[self.relations.subjects[position]]
            if not number:
                return Reason.ATTACHED
            return Reason.LISTED if self._is_held(position, number) else Reason.ARCHIVED
        rules = self.selecting(position)
        if not rules:
            return Reason.UNSELECTED
        return Reason.LISTED if self.marks(rules[0], position) else Reason.WITHIN

    def _select(self, rule: int) -> list[int]:
        """Return the places by age of all images that a rule selects."""
        selected = [rule in rules for rules in self._rules_of]
        return [place for place, position in enumerate(self.by_age) if selected[self._families[position]]]

    @cached_property
    def _numbers(self) -> dict[int, int]:
        return {rule.rule_priority: number for number, rule in enumerate(self.policy.rules)}

    @cached_property
    def _selected_places(self) -> dict[int, list[int]]:
        return {}

    @cached_property
    def _places(self) -> list[int]:
        places = [0] * len(self.by_age)
        for place, position in enumerate(self.by_age):
            places[position] = place
        return places

    @cached_property
    def _positions(self) -> dict[str, int]:
        return {image.image_digest: position for position, image in enumerate(self.images)}


def evaluate(policy: Policy, images: Iterable[Image], now: datetime) -> Evaluation:
    """Evaluate a policy on all images of a repository at an instant (an aware datetime).

    `images` must include every image, also archived ones, because counts, indexes and subjects refer to all of them.
    """
    return Evaluation(policy, images, now)
