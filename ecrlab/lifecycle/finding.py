"""One thing about a policy that people regret, and its cure."""

from dataclasses import dataclass

from ecrlab.lifecycle.policy import Rule

ERROR, WARNING, NOTE = SEVERITIES = "error", "warning", "note"
"""Surely wrong, or harm to the images given; maybe wrong; worth knowing."""
LATEST = "latest"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing people regret. `rule_priority` is None where it is about the policy as a whole."""

    code: str
    severity: str
    rule_priority: int | None
    message: str
    cure: str


def shield_latest(rule: Rule) -> str:
    """The cure for a rule that takes the image that `latest` points at."""
    if LATEST in rule.selection.tag_pattern_list:
        return "use imageCountMoreThan 1 in it, and give it the lowest number"
    return f"put a rule with tagPatternList ['{LATEST}'] and imageCountMoreThan 1 first"
