"""Put- and GetRepositoryCatalogData, Put- and GetRegistryCatalogData: what the ECR Public Gallery shows."""

from typing import Any

from ecrlab.registry import catalog
from ecrlab.registry.catalog import Catalog
from ecrlab.simulator.aws.calls import PUBLIC, Call, operation

LOGOS = "/gallery/logo/"
"""The beginning of the paths of logos, on the lab's own port."""


@operation("PutRepositoryCatalogData", PUBLIC)
def put_repository_catalog_data(call: Call) -> dict[str, Any]:
    """Replace the catalog data of a repository."""
    stored = catalog.put(call.registry, call.repository_name, call.request["catalogData"])
    return {"catalogData": shown(call, stored)}


@operation("GetRepositoryCatalogData", PUBLIC)
def get_repository_catalog_data(call: Call) -> dict[str, Any]:
    """Return the catalog data of a repository."""
    return {"catalogData": shown(call, catalog.of(call.registry, call.repository_name))}


@operation("PutRegistryCatalogData", PUBLIC)
def put_registry_catalog_data(call: Call) -> dict[str, Any]:
    """Set the display name of the caller's registry."""
    # UNSURE: what a request without a name does; here it deletes the name.
    catalog.put_display_name(call.registry, call.request.get("displayName"))
    return get_registry_catalog_data(call)


@operation("GetRegistryCatalogData", PUBLIC)
def get_registry_catalog_data(call: Call) -> dict[str, Any]:
    """Return the display name of the caller's registry."""
    name = catalog.display_name(call.registry)
    return {"registryCatalogData": {} if name is None else {"displayName": name}}


def shown(call: Call, data: Catalog) -> dict[str, Any]:
    """Return catalog data as the API describes it: the logo by an address in this lab."""
    members = {name: value for name, value in data.items() if name != "logoId"}
    if "logoId" in data:
        members["logoUrl"] = f"http://{call.host}{LOGOS}{data['logoId']}.png"
    return members
