"""Set-, Get-, DeleteRepositoryPolicy and Put-, Get-, DeleteRegistryPolicy: resource policies as kept.

What they permit is judged where calls come in; here they are stored and given back. A policy that would keep its
author from ever setting another needs `force` (API reference, SetRepositoryPolicy).
"""

from fnmatch import fnmatchcase
from typing import Any

from ecrlab.registry import policies, repositories, settings
from ecrlab.registry.errors import InvalidParameterException
from ecrlab.simulator.calls import Call, operation


@operation("SetRepositoryPolicy")
def set_repository_policy(call: Call) -> dict[str, Any]:
    """Give a repository a policy, in place of the one it had."""
    text = call.request["policyText"]
    if not call.request.get("force", False):
        _refuse_lock_out(call, policies.check(text))
    return {**call.names, "policyText": repositories.set_policy(call.registry, call.repository_name, text)}


@operation("GetRepositoryPolicy")
def get_repository_policy(call: Call) -> dict[str, Any]:
    """The policy of a repository."""
    return {**call.names, "policyText": repositories.get_policy(call.registry, call.repository_name)}


@operation("DeleteRepositoryPolicy")
def delete_repository_policy(call: Call) -> dict[str, Any]:
    """Take a repository's policy away; the answer shows what it was."""
    return {**call.names, "policyText": repositories.delete_policy(call.registry, call.repository_name)}


@operation("PutRegistryPolicy")
def put_registry_policy(call: Call) -> dict[str, Any]:
    """Give the registry a policy, in place of the one it had."""
    kept = settings.put_policy(call.registry, call.request["policyText"])
    return {"registryId": call.registry.account_id, "policyText": kept}


@operation("GetRegistryPolicy")
def get_registry_policy(call: Call) -> dict[str, Any]:
    """The policy of the registry."""
    return {"registryId": call.registry.account_id, "policyText": settings.policy(call.registry)}


@operation("DeleteRegistryPolicy")
def delete_registry_policy(call: Call) -> dict[str, Any]:
    """Take the registry's policy away; the answer shows what it was."""
    return {"registryId": call.registry.account_id, "policyText": settings.delete_policy(call.registry)}


def _refuse_lock_out(call: Call, policy: dict[str, Any]) -> None:
    """Raise `InvalidParameterException` if the policy denies its author, without a condition, to set another."""
    statements = policy["Statement"]
    for statement in statements if isinstance(statements, list) else [statements]:
        actions = _listed(statement.get("Action", []))
        locks = any(fnmatchcase("ecr:setrepositorypolicy", action.lower()) for action in actions)
        if statement["Effect"] == "Deny" and locks and "Condition" not in statement and _names(call, statement):
            # UNSURE: the exact text, and what AWS looks at besides explicit denials.
            raise InvalidParameterException(
                "PolicyText", "The policy would prevent you from setting another policy; use force to set it"
            )


def _names(call: Call, statement: dict[str, Any]) -> bool:
    """Whether a statement is about the caller."""
    principal = statement.get("Principal", {})
    named = ["*"] if principal == "*" else _listed(principal.get("AWS", []))
    account_id = call.caller.account_id
    return any(one in ("*", account_id, f"arn:aws:iam::{account_id}:root", call.caller.arn) for one in named)


def _listed(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]
