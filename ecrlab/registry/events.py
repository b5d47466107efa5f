"""What ECR tells the rest of AWS: an event for each push, delete, archiving and scan.

On AWS they go to EventBridge (AWS user guide, Amazon ECR events and EventBridge); who listens here is the simulator's
business. An event is told after the change that it is about is kept, and not at all when the change failed.
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
