"""Set-, Get-, DeleteRepositoryPolicy and Put-, Get-, DeleteRegistryPolicy.

These operations store and return resource policies; `ecrlab.simulator.access` applies them. A policy that prevents
its author from setting another one needs `force` (API reference, SetRepositoryPolicy).
"""

from typing import Any

from ecrlab.registry import repositories, settings
from ecrlab.registry.errors import InvalidParameterException
from ecrlab.registry.iam import resource_policy
from ecrlab.simulator.access.judging import would_lock_out
from ecrlab.simulator.aws.calls import Call, operation


@operation("SetRepositoryPolicy")
def set_repository_policy(call: Call) -> dict[str, Any]:
    """Store a repository's policy. It replaces the previous one."""
    text = call.request["policyText"]
    resource_policy.check(text)
    if not call.request.get("force", False) and would_lock_out(call, text):
        # UNSURE: the exact text is not public.
        raise InvalidParameterException(
            "PolicyText", "The policy would prevent you from setting another policy; use force to set it"
        )
    return {**call.names, "policyText": repositories.set_policy(call.registry, call.repository_name, text)}


@operation("GetRepositoryPolicy")
def get_repository_policy(call: Call) -> dict[str, Any]:
    """Return the policy of a repository."""
    return {**call.names, "policyText": repositories.get_policy(call.registry, call.repository_name)}


@operation("DeleteRepositoryPolicy")
def delete_repository_policy(call: Call) -> dict[str, Any]:
    """Delete a repository's policy, and return it."""
    return {**call.names, "policyText": repositories.delete_policy(call.registry, call.repository_name)}


@operation("PutRegistryPolicy")
def put_registry_policy(call: Call) -> dict[str, Any]:
    """Store the registry's policy. It replaces the previous one."""
    kept = settings.put_policy(call.registry, call.request["policyText"])
    return {"registryId": call.registry.account_id, "policyText": kept}


@operation("GetRegistryPolicy")
def get_registry_policy(call: Call) -> dict[str, Any]:
    """Return the policy of the registry."""
    return {"registryId": call.registry.account_id, "policyText": settings.policy(call.registry)}


@operation("DeleteRegistryPolicy")
def delete_registry_policy(call: Call) -> dict[str, Any]:
    """Delete the registry's policy, and return it."""
    return {"registryId": call.registry.account_id, "policyText": settings.delete_policy(call.registry)}
