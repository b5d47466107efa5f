"""Set-, Get-, DeleteRepositoryPolicy and Put-, Get-, DeleteRegistryPolicy.

These operations store and return resource policies; `ecrlab.simulator.access` applies them. A policy that denies its
author to set another one needs `force` (API reference, SetRepositoryPolicy).
"""

from typing import Any

from ecrlab.registry import repositories, settings
from ecrlab.registry.iam import parse, resource_policy
from ecrlab.simulator.access import identities
from ecrlab.simulator.access.judging import would_lock_out
from ecrlab.simulator.aws.calls import PUBLIC, Call, operation


@operation("SetRepositoryPolicy")
@operation("SetRepositoryPolicy", PUBLIC)
def set_repository_policy(call: Call) -> dict[str, Any]:
    """Store a repository's policy. It replaces the previous one."""
    text = call.request["policyText"]
    kind = repositories.policy_kind(call.registry)
    checked(text, kind)
    if not call.request.get("force", False) and would_lock_out(call, text):
        # UNSURE: the text; one public report has ECR's general one.
        raise resource_policy.invalid(kind)
    return {**call.names, "policyText": repositories.set_policy(call.registry, call.repository_name, text)}


@operation("GetRepositoryPolicy")
@operation("GetRepositoryPolicy", PUBLIC)
def get_repository_policy(call: Call) -> dict[str, Any]:
    """Return the policy of a repository."""
    return {**call.names, "policyText": repositories.get_policy(call.registry, call.repository_name)}


@operation("DeleteRepositoryPolicy")
@operation("DeleteRepositoryPolicy", PUBLIC)
def delete_repository_policy(call: Call) -> dict[str, Any]:
    """Delete a repository's policy, and return it."""
    return {**call.names, "policyText": repositories.delete_policy(call.registry, call.repository_name)}


@operation("PutRegistryPolicy")
def put_registry_policy(call: Call) -> dict[str, Any]:
    """Store the registry's policy. It replaces the previous one."""
    text = call.request["policyText"]
    checked(text, settings.registry_policy_kind(call.registry))
    kept = settings.put_policy(call.registry, text)
    return {"registryId": call.registry.account_id, "policyText": kept}


@operation("GetRegistryPolicy")
def get_registry_policy(call: Call) -> dict[str, Any]:
    """Return the policy of the registry."""
    return {"registryId": call.registry.account_id, "policyText": settings.policy(call.registry)}


@operation("DeleteRegistryPolicy")
def delete_registry_policy(call: Call) -> dict[str, Any]:
    """Delete the registry's policy, and return it."""
    return {"registryId": call.registry.account_id, "policyText": settings.delete_policy(call.registry)}


def checked(text: str, of: resource_policy.Kind) -> str:
    """Return a policy as it is stored. Raises `InvalidParameterException`, also for a principal that does not exist."""
    document = resource_policy.check(text, of)
    named = {name for one in parse(text).statements if one.principals for name in one.principals.names}
    if not all(map(identities.exists, named)):
        raise resource_policy.invalid(of)
    return resource_policy.as_stored(document)
