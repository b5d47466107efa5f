"""Create-, Update-, Delete-, Describe- and ValidatePullThroughCacheRule(s)."""

from typing import Any

from ecrlab.registry import pull_through_cache
from ecrlab.registry.pull_through_cache import ROLE, SERVICE, Rule
from ecrlab.registry.pull_through_errors import UnableToGetUpstreamImageException
from ecrlab.simulator import upstreams
from ecrlab.simulator.aws import pages
from ecrlab.simulator.aws.calls import Call, operation
from ecrlab.simulator.moto import seams, secrets

PAGE = 100
"""Results on a page without `maxResults`."""

_NAMING = ("ecrRepositoryPrefix", "upstreamRepositoryPrefix", "credentialArn", "customRoleArn")
_CREATED = (*_NAMING, "upstreamRegistryUrl", "createdAt")


@operation("CreatePullThroughCacheRule")
def create_pull_through_cache_rule(call: Call) -> dict[str, Any]:
    """Store a new rule. The first call makes the service-linked role in IAM."""
    members = {name: value for name, value in call.request.items() if name != "registryId"}
    rule = pull_through_cache.checked(call.registry, members)
    _check_secret(call, rule)
    made = pull_through_cache.create(call.registry, rule)
    seams.add_service_linked_role(
        call.world, call.registry.account_id, ROLE, SERVICE, "AWSECRPullThroughCache_ServiceRolePolicy"
    )
    return _shown(call, made, *_CREATED, "upstreamRegistry")


@operation("UpdatePullThroughCacheRule")
def update_pull_through_cache_rule(call: Call) -> dict[str, Any]:
    """Change the secret or the role of a rule."""
    prefix = call.request["ecrRepositoryPrefix"]
    before = pull_through_cache.find(call.registry, prefix)
    logins = ("credentialArn", "customRoleArn")
    members = {name: call.request[name] for name in logins if name in call.request}
    pull_through_cache.check_login(call.registry, before["upstreamRegistryUrl"], before | members)
    _check_secret(call, members)
    return _shown(call, pull_through_cache.update(call.registry, prefix, members), *_NAMING, "updatedAt")


@operation("DeletePullThroughCacheRule")
def delete_pull_through_cache_rule(call: Call) -> dict[str, Any]:
    """Delete a rule, and return it; what is cached stays."""
    return _shown(call, pull_through_cache.delete(call.registry, call.request["ecrRepositoryPrefix"]), *_CREATED)


@operation("DescribePullThroughCacheRules")
def describe_pull_through_cache_rules(call: Call) -> dict[str, Any]:
    """Return pages of rules in the order of their prefixes, or the rules of `ecrRepositoryPrefixes`."""
    request = call.request
    wanted = request.get("ecrRepositoryPrefixes")
    if wanted is None:
        found = pull_through_cache.describe(call.registry)
    else:
        found = [pull_through_cache.find(call.registry, prefix) for prefix in dict.fromkeys(wanted)]
    scope = f"{call.operation} {call.registry.account_id} {call.region} {wanted}"
    start = pages.position(call.world, scope, request.get("nextToken")) or 0
    end = start + request.get("maxResults", PAGE)
    answer: dict[str, Any] = {
        "pullThroughCacheRules": [{**rule, "registryId": call.registry.account_id} for rule in found[start:end]]
    }
    if end < len(found):
        answer["nextToken"] = pages.token(call.world, scope, end)
    return answer


@operation("ValidatePullThroughCacheRule")
def validate_pull_through_cache_rule(call: Call) -> dict[str, Any]:
    """Log in to the upstream of a rule, and tell whether that worked; `failure` is empty if it did."""
    rule = pull_through_cache.find(call.registry, call.request["ecrRepositoryPrefix"])
    try:
        upstreams.connect(call.registry, rule)
        failure = ""
    except UnableToGetUpstreamImageException as refusal:
        # UNSURE: the sentences of failures; here those that a pull is refused with.
        failure = refusal.message
    return _shown(call, rule, *_NAMING, "upstreamRegistryUrl") | {"isValid": not failure, "failure": failure}


def _check_secret(call: Call, members: Rule) -> None:
    """Check that ECR can read the secret. Raises the errors of `secrets.read`."""
    if "credentialArn" in members:
        secrets.read(call.registry, members["credentialArn"])


def _shown(call: Call, rule: Rule, *names: str) -> dict[str, Any]:
    """Return some members of a rule, and its registry."""
    return {"registryId": call.registry.account_id} | {name: rule[name] for name in names if name in rule}
