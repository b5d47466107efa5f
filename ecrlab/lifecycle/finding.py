"""A finding of the linter: one mistake or risk in a policy that AWS accepts, and its cure."""

from dataclasses import dataclass

from ecrlab.lifecycle.policy import Rule

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


def shield_latest(rule: Rule) -> str:
    """Return the cure for a rule that takes the image tagged `latest`."""
    if LATEST in rule.selection.tag_pattern_list:
        return "use imageCountMoreThan 1 in it, and give it the lowest number"
    return f"put a rule with tagPatternList ['{LATEST}'] and imageCountMoreThan 1 first"
