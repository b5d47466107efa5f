"""Which rule selects which images, from the policy alone: does one rule select all that another selects?"""

from ecrlab.lifecycle.patterns import TagPattern
from ecrlab.lifecycle.policy import ANY, STANDARD, TAGGED, UNTAGGED, Policy, Rule

_ALL_IMAGES, _FOR_EVER_IN_DAYS = 1_000, 3_650


def selects_every_tag(rule: Rule) -> bool:
    """Whether a rule selects every tagged image."""
    everything = TagPattern.from_pattern("*")
    return rule.selection.tag_status == TAGGED and all(p.covers(everything) for p in rule.selection.patterns)


def selects_all_of(rule: Rule, other: Rule) -> bool:
    """Whether `rule` selects every image that `other` selects; both are for the same storage class."""
    wide, narrow = rule.selection, other.selection
    if wide.tag_status == ANY:
        return True
    if wide.tag_status != narrow.tag_status:
        return False
    return wide.tag_status == UNTAGGED or all(any(p.covers(q) for q in narrow.patterns) for p in wide.patterns)


def is_shield(rule: Rule) -> bool:
    """Whether a rule only keeps images from later rules, because it practically never acts itself.

    At most one image has a given tag, so no count of it is exceeded; bounds that mean "for ever" are never reached.
    """
    selection = rule.selection
    if not selection.counts:
        return selection.count_number >= _FOR_EVER_IN_DAYS
    return selection.count_number >= _ALL_IMAGES or any(len(p.pieces) == 1 for p in selection.patterns)


def rule_for_all(policy: Policy) -> Rule | None:
    """Return the rule for any image of the standard storage class, if there is one."""
    return next((r for r in policy if r.selection.tag_status == ANY and r.selection.storage_class == STANDARD), None)


def deciding_about(policy: Policy, tag: str) -> Rule | None:
    """Return the rule that decides about a standard image with this tag alone."""
    for rule in policy:
        selection = rule.selection
        if selection.storage_class == STANDARD and (
            selection.tag_status == ANY
            or (selection.tag_status == TAGGED and all(p.matches(tag) for p in selection.patterns))
        ):
            return rule
    return None
