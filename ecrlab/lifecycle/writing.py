"""From rules to the text of a policy, the way back from `parse`: what PutLifecyclePolicy takes.

Only what AWS allows with a rule's tag status, count type and action is written (AWS user guide, lifecycle policy
properties): no list of tags for `any`, a `countUnit` for ages only, a storage class where it is not the usual one.
Whether AWS would accept the whole is for `parse` to say.
"""

import json
from collections.abc import Iterable
from typing import Any

from ecrlab.lifecycle.policy import STANDARD, TAGGED, TRANSITION, Rule


def text(rules: Iterable[Rule]) -> str:
    """The policy's JSON as people write it, the rules in the order given."""
    return json.dumps({"rules": [_rule(rule) for rule in rules]}, indent=2, ensure_ascii=False)


def _rule(rule: Rule) -> dict[str, Any]:
    described = {"description": rule.description} if rule.description else {}
    return {"rulePriority": rule.rule_priority, **described, "selection": _selection(rule), "action": _action(rule)}


def _selection(rule: Rule) -> dict[str, Any]:
    chosen = rule.selection
    told: dict[str, Any] = {"tagStatus": chosen.tag_status}
    if chosen.tag_status == TAGGED:
        # With no list at all AWS asks for one; with both it asks for only one.
        lists = {"tagPatternList": chosen.tag_pattern_list, "tagPrefixList": chosen.tag_prefix_list}
        told |= {name: list(entries) for name, entries in lists.items() if entries}
    if chosen.storage_class != STANDARD:
        told["storageClass"] = chosen.storage_class
    told["countType"] = chosen.count_type
    if not chosen.counts:
        told["countUnit"] = "days"
    told["countNumber"] = chosen.count_number
    return told


def _action(rule: Rule) -> dict[str, str]:
    told = {"type": rule.action.type}
    if rule.action.type == TRANSITION and rule.action.target_storage_class:
        told["targetStorageClass"] = rule.action.target_storage_class
    return told
