"""A finding of the linter: one mistake or risk in a policy that AWS accepts, and its cure."""

from dataclasses import dataclass

from ecrlab.lifecycle.policy import STANDARD, Policy, Rule

ERROR, WARNING, NOTE = SEVERITIES = "error", "warning", "note"
"""Certainly wrong or harmful to the given images; possibly wrong; worth knowing."""
LATEST = "latest"


@dataclass(frozen=True, slots=True)
class Finding:
    """One mistake or risk. `rule_priority` is None where it concerns the whole policy."""

    code: str
    severity: str
    rule_priority: int | None
    message: str
    cure: str


def shield_latest(policy: Policy, rule: Rule) -> str:
    """Return the cure for a rule that takes the image tagged `latest`."""
    if rule.selection.storage_class != STANDARD:
        return "restore the image first if anybody needs it: no rule shields an archived image"
    own = next((one for one in policy if is_for_latest_alone(one)), None)
    if own is None:
        return f"put a rule with tagPatternList ['{LATEST}'] and imageCountMoreThan 1 first"
    return f"use imageCountMoreThan 1 in {'it' if own is rule else own.name}, and give it the lowest number"


def is_for_latest_alone(rule: Rule) -> bool:
    """Whether a rule selects by the tag `latest` and no other."""
    return set(rule.selection.tag_pattern_list) == {LATEST}
