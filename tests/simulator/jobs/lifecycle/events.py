"""CloudTrail's service events of a registry: what its lifecycle policies did."""

from typing import Any

from ecrlab.registry import trail
from ecrlab.registry.world import Registry


def service_events(registry: Registry, repository: str | None = None) -> list[dict[str, Any]]:
    """The documents of runs and previews, oldest first, without API calls."""
    return [one for one in trail.of(registry, repository) if one["eventType"] == "AwsServiceEvent"]
