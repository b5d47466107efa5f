"""One thing about a policy that people regret, and its cure."""

from dataclasses import dataclass

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
