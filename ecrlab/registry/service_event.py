"""Service events: one for each push, deletion, archiving and scan.

AWS sends them to EventBridge (AWS user guide, Amazon ECR events and EventBridge). The lab sends them to the
listeners of `World.events`, after the change is committed.
"""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class ServiceEvent:
    """One event, with EventBridge's fields; `at` is in seconds since 1970."""

    account_id: str
    region: str
    at: float
    detail_type: str
    detail: dict[str, Any]
    resources: tuple[str, ...] = ()
    source: str = "aws.ecr"
