"""The images that a rule selects, before any bound: by storage class, tag status, and a tag for every list entry.

Images that the same rules select form a *family*. A repository of a million images has few families, so each later
question ("which rule decides?", "which rules count it?") needs one answer for each family.
"""

from collections.abc import Iterable

from ecrlab.lifecycle.image import Image
from ecrlab.lifecycle.patterns import TagPattern
from ecrlab.lifecycle.policy import ANY, TAGGED, UNTAGGED, Policy, Rule

_NO_TAGS = -1
"""Stands for an image without tags, in place of its set of matched patterns."""


class Candidates:
    """Sorts images into families. `rules_of[family]` holds the indexes of the rules that select it, by priority."""

    def __init__(self, policy: Policy) -> None:
        self.rules_of: list[tuple[int, ...]] = []
        self._rules = policy.rules
        patterns = dict.fromkeys(pattern for rule in policy for pattern in rule.selection.patterns)
        self._bits = {pattern: 1 << position for position, pattern in enumerate(patterns)}
        self._families: dict[tuple[str, int], int] = {}
        # The prefix of a pattern rejects nearly every tag at the cost of one comparison.
        several = [(p, bit) for p, bit in self._bits.items() if len(p.pieces) > 1]
        self._tests = [(p.pieces[0], bit, None if p.is_prefix else p) for p, bit in several]
        self._exact = {p.pieces[0]: bit for p, bit in self._bits.items() if len(p.pieces) == 1}

    def sort_out(self, images: Iterable[Image]) -> list[int]:
        """Return the family of each image, in the order of the images."""
        families, families_of, tests, exact = self._families, [], self._tests, self._exact
        for image in images:
            met = 0 if image.image_tags else _NO_TAGS
            for tag in image.image_tags:
                # A tag is on one image only, so a cache of tags would not help.
                met |= exact.get(tag, 0)
                for head, bit, pattern in tests:
                    if tag.startswith(head) and (pattern is None or pattern.matches(tag)):
                        met |= bit
            family = families.get((image.storage_class, met))
            families_of.append(self._new_family(image.storage_class, met) if family is None else family)
        return families_of

    def _new_family(self, storage_class: str, met: int) -> int:
        family = self._families[storage_class, met] = len(self.rules_of)
        self.rules_of.append(
            tuple(index for index, rule in enumerate(self._rules) if self._selects(rule, storage_class, met))
        )
        return family

    def _selects(self, rule: Rule, storage_class: str, met: int) -> bool:
        selection = rule.selection
        # UNSURE: an image that ECR restores from the archive is of neither class; no rule selects or counts it.
        if selection.storage_class != storage_class:
            return False
        if selection.tag_status == TAGGED:
            return met != _NO_TAGS and all(self._bits[pattern] & met for pattern in selection.patterns)
        return selection.tag_status == ANY or (selection.tag_status == UNTAGGED and met == _NO_TAGS)


def missing_patterns(rule: Rule, image: Image) -> list[TagPattern]:
    """Return the entries of a rule's list that no tag of an image matches."""
    return [p for p in rule.selection.patterns if not any(p.matches(tag) for tag in image.image_tags)]
