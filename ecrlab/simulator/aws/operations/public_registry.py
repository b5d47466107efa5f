"""DescribeRegistries: the public registry of an account, and its alias."""

from typing import Any

from ecrlab.registry import names, public
from ecrlab.simulator.aws import pages
from ecrlab.simulator.aws.calls import PUBLIC, Call, operation


@operation("DescribeRegistries", PUBLIC)
def describe_registries(call: Call) -> dict[str, Any]:
    """Return the caller's registry, the only one that it has."""
    registry = call.registry
    # There is never a second page, so no token is valid.
    pages.position(call.world, call.operation, call.request.get("nextToken"))
    alias = public.alias(registry)
    aliases = [{"name": alias, "status": "ACTIVE", "primaryRegistryAlias": True, "defaultRegistryAlias": True}]
    return {
        "registries": [
            {
                "registryId": registry.account_id,
                "registryArn": f"arn:aws:ecr-public::{registry.account_id}:registry/{registry.account_id}",
                # UNSURE: what AWS returns before the first repository; here a registry without an alias.
                "registryUri": names.PUBLIC_HOST if alias is None else f"{names.PUBLIC_HOST}/{alias}",
                "verified": False,
                "aliases": [] if alias is None else aliases,
            }
        ]
    }
