"""CreateRepository of `ecr-public`. The other operations on repositories are those of `ecr`."""

from typing import Any

from ecrlab.registry import catalog
from ecrlab.registry.repositories import Settings
from ecrlab.simulator.aws.calls import PUBLIC, Call, operation
from ecrlab.simulator.aws.operations import public_catalog, resource_tags
from ecrlab.simulator.aws.operations.repositories import shown


@operation("CreateRepository", PUBLIC)
def create_public_repository(call: Call) -> dict[str, Any]:
    """Create a public repository."""
    settings = Settings(resource_tags=resource_tags.checked(call.request.get("tags", [])))
    made, data = catalog.create(call.registry, call.repository_name, settings, call.request.get("catalogData", {}))
    return {"repository": shown(made), "catalogData": public_catalog.shown(call, data)}
