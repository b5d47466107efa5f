"""Service events: one for each push, deletion, archiving and scan.

On AWS they go to EventBridge (AWS user guide, Amazon ECR events and EventBridge); here to the listeners of a world's
`events`, after the change that they are about is committed.
"""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class ServiceEvent:
    """One event in EventBridge's terms; `at` in seconds since 1970, `detail` as its JSON."""

    account_id: str
    region: str
    at: float
    detail_type: str
    detail: dict[str, Any]
    resources: tuple[str, ...] = ()
    source: str = "aws.ecr"
