"""Authorization for both faces: whether a caller may act on a resource.

Each operation requires the action of its own name on its own resource (service authorization reference, Amazon ECR):

    a repository   arn:aws:ecr:us-east-1:123456789012:repository/my-app
    all of them    arn:aws:ecr:us-east-1:123456789012:repository/*        DescribeRepositories without names
    the registry   *                                                      GetAuthorizationToken, DescribeRegistry …

The same holds for ECR Public, with its own actions (`ecr-public:PutImage`) and ARNs without a Region.

`ecrlab.registry.iam` decides by the policies of the identity, the repository and the registry.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from ecrlab.registry import iam, names, repositories
from ecrlab.registry.errors import AccessDeniedException, RepositoryNotFoundException
from ecrlab.registry.iam.actions import IN_REGISTRY_POLICIES_V1
from ecrlab.registry.images import ImageId
from ecrlab.registry.tokens import Token
from ecrlab.registry.wanted import Wanted
from ecrlab.registry.world import Registry
from ecrlab.simulator.access.callers import Caller, named
from ecrlab.simulator.access.identities import ADMINISTRATOR, identity_of
from ecrlab.simulator.aws.calls import Call
from ecrlab.simulator.aws.shapes import service_model

ACTIONS = {"ListImageReferrers": "ecr:BatchGetImage"}
"""Operations whose IAM action has another name (botocore model, ListImageReferrers)."""

POLICY_ACTIONS = frozenset(
    f"{service}:{verb}{kind}Policy"
    for service in ("ecr", "ecr-public")
    for kind in ("Repository", "Registry")
    for verb in ("Get", "Set", "Put", "Delete")
)
"""Actions that an administrator may always take in the own account: read and change policies."""

BEARER = "sts:GetServiceBearerToken"
"""What a token of ECR Public also requires (ECR Public user guide, registry authentication; fluxcd/pkg#938)."""

_KEPT = (("repository", "repository"), ("registry", "policy"))
_KEPT_SCOPE = "account setting REGISTRY_POLICY_SCOPE"

_ADMINISTERED = iam.Decision(None, "identity policy", ADMINISTRATOR.statements[0])


class Permission(NamedTuple):
    """What a call needs: an action on one resource of a registry, a repository by name, or the ARN's resource."""

    action: str
    resource: str
    registry: Registry
    name: str = ""


def check(call: Call) -> None:
    """Return if the caller may make this call. Raises `AccessDeniedException`."""
    for needed in _permissions(call):
        _judge(call.caller, needed, call.request)


def authorize(token: Token, action: str, registry: Registry, repository_name: str) -> None:
    """Check that the bearer of a registry token may act on a repository (`*` for all of them) under `/v2/`.

    The token names the bearer, so it outlives the key that fetched it. The current policies apply. Raises
    `AccessDeniedException`.
    """
    caller = named(token.account_id, token.principal, token.access_key)
    _judge(caller, _about(action, registry, repository_name), {})


def wanted(call: Call) -> Wanted:
    """Return the action that a call requires on the repository that it names."""
    registry, name = call.registry, call.repository_name
    return Wanted(
        registry,
        name,
        f"{call.service}:{call.operation}",
        call.caller.arn,
        lambda action: _judge(call.caller, _about(action, registry, name), {}),
        tuple(ImageId(one.get("imageDigest"), one.get("imageTag")) for one in call.request.get("imageIds") or ()),
    )


def decide(caller: Caller, action: str, registry: Registry, repository_name: str) -> iam.Decision:
    """Return the decision about an action.

    An action that is not about a repository is about the caller's own registry.
    """
    return _decide(caller, _permission(caller, action, registry, repository_name), {})


def require(caller: Caller, action: str, registry: Registry, repository_name: str) -> None:
    """Return if `decide` allows the action. Raises `AccessDeniedException`."""
    _judge(caller, _permission(caller, action, registry, repository_name), {})


def _permission(caller: Caller, action: str, registry: Registry, repository_name: str) -> Permission:
    if _is_about_repositories(action):
        return _about(action, registry, repository_name)
    return Permission(action, "*", registry.world.registry(caller.account_id or registry.account_id, registry.region))


def _is_about_repositories(action: str) -> bool:
    service, _, operation = action.partition(":")
    model = service_model(service)
    if operation not in model.operation_names:
        # ReplicateImage and BatchImportUpstreamImage are no operations.
        return True
    shape: Any = model.operation_model(operation).input_shape
    return not shape.members.keys().isdisjoint(("repositoryName", "repositoryNames", "resourceArn"))


def named_on(registry: Registry, repository_name: str) -> set[str]:
    """Return the principals that the policies of a repository and its registry name."""
    on_resource = _policies_on(_about("ecr:BatchGetImage", registry, repository_name))
    statements = (one for policy in on_resource.values() for one in policy.statements)
    return {name for one in statements if one.principals for name in one.principals.names}


def would_lock_out(call: Call, policy_text: str) -> bool:
    """Tell whether this policy denies the caller to set another one (see `force` of SetRepositoryPolicy).

    Raises `PolicyError`.
    """
    # UNSURE: whether a policy also locks out a caller whom it merely does not allow; cross-account policies without a
    # word about the owner are AWS's own examples, so it does not.
    needed = _about(f"{call.service}:SetRepositoryPolicy", call.registry, call.repository_name)
    return iam.parse(policy_text).denies(_asked(identity_of(call.caller), needed, call.request)) is not None


def _permissions(call: Call) -> Iterator[Permission]:
    """Yield the actions that a call requires, one resource at a time."""
    request, registry = call.request, call.registry
    action = ACTIONS.get(call.operation, f"{call.service}:{call.operation}")
    name = request.get("repositoryName")
    if name is not None:
        yield _about(action, registry, name)
        if call.operation == "CreateRepository" and request.get("tags"):
            yield _about(f"{call.service}:TagResource", registry, name)
    elif "resourceArn" in request:
        found = names.read_repository_arn(request["resourceArn"])
        # The operation itself rejects any other ARN.
        if found is not None:
            account_id, region, named = found
            yield _about(action, call.world.registry(account_id, region), named)
    elif request.get("repositoryNames"):
        yield from (_about(action, registry, one) for one in request["repositoryNames"])
    elif call.operation == "DescribeRepositories":
        yield _about(action, registry, "*")
    else:
        yield Permission(action, "*", registry)
        if action == "ecr-public:GetAuthorizationToken":
            yield Permission(BEARER, "*", registry)
    if call.operation in ("CreateRepositoryCreationTemplate", "UpdateRepositoryCreationTemplate"):
        # UNSURE: on which resource ECR asks for what a template's author also needs (AWS user guide, IAM permissions
        # for creating repository creation templates); here on all.
        yield Permission("ecr:CreateRepository", "*", registry)
        if request.get("repositoryPolicy"):
            yield Permission("ecr:SetRepositoryPolicy", "*", registry)
        if request.get("lifecyclePolicy"):
            yield Permission("ecr:PutLifecyclePolicy", "*", registry)


def _about(action: str, registry: Registry, name: str) -> Permission:
    return Permission(action, names.repository_arn(registry.account_id, registry.region, name), registry, name)


def _judge(caller: Caller, needed: Permission, request: dict[str, Any]) -> None:
    decision = _decide(caller, needed, request)
    if decision.refusal is not None:
        raise AccessDeniedException(caller.arn, needed.action, needed.resource, decision.refusal)


def _decide(caller: Caller, needed: Permission, request: dict[str, Any]) -> iam.Decision:
    on_resource = _policies_on(needed)
    is_at_home = caller.is_administrator and caller.account_id == needed.registry.account_id
    # UNSURE: on AWS a forced policy can lock out everybody; a lesson must be able to continue.
    if is_at_home and (not on_resource or needed.action in POLICY_ACTIONS):
        return _ADMINISTERED
    identity = identity_of(caller)
    return iam.decide(_asked(identity, needed, request), identity, on_resource)


def _asked(identity: iam.Identity, needed: Permission, request: dict[str, Any]) -> iam.Request:
    circumstances = _circumstances(needed, request) | dict(identity.context)
    return iam.Request(identity.principal, needed.action, needed.resource, needed.registry.account_id, circumstances)


def _policies_on(needed: Permission) -> dict[str, iam.Policy]:
    """Return the policies that the repository and the registry have for an action, by their names."""
    if needed.action == "ecr:GetAuthorizationToken":
        # A token does not belong to one registry, so no registry policy applies.
        return {}
    registry = needed.registry
    where = (registry.account_id, registry.region)

    def look_up() -> dict[str, str]:
        with registry.world.store.read(one=True) as db:
            rows = db.execute(
                "SELECT 'repository', policy FROM repository "
                "WHERE account_id = ? AND region = ? AND name = ? AND policy IS NOT NULL UNION ALL "
                "SELECT name, value FROM registry_setting WHERE account_id = ? AND region = ? "
                "AND name IN ('policy', ?)",
                (*where, needed.name, *where, _KEPT_SCOPE),
            )
            return {row[0]: row[1] for row in rows}

    kept = registry.world.cached(("policies", *where, needed.name), look_up, of=(where, (*where, needed.name)))
    found = {f"{name} policy": iam.parse(kept[key]) for name, key in _KEPT if key in kept}
    if kept.get(_KEPT_SCOPE) == "V1" and needed.action.lower() not in IN_REGISTRY_POLICIES_V1:
        found.pop("registry policy", None)
    return found


def _circumstances(needed: Permission, request: dict[str, Any]) -> dict[str, tuple[str, ...]]:
    """Return the condition keys of a request that do not depend on the caller."""
    registry = needed.registry
    now = registry.world.clock.now()
    keys: dict[str, tuple[str, ...]] = {
        "aws:requestedregion": (registry.aws_region,),
        "aws:resourceaccount": (registry.account_id,),
        "aws:sourceip": ("127.0.0.1",),
        # UNSURE: the lab's HTTP stands for ECR's HTTPS; else the usual Deny of insecure transport denies all requests.
        "aws:securetransport": ("true",),
        "aws:viaawsservice": ("false",),
        "aws:currenttime": (now.isoformat(),),
        "aws:epochtime": (str(int(now.timestamp())),),
    }
    if needed.action == BEARER:
        # AWS security token service, condition keys.
        keys |= {"sts:awsservicename": ("ecr-public.amazonaws.com",), "sts:durationseconds": ("43200",)}
    service = needed.action.partition(":")[0]
    for key, value in _resource_tags(needed):
        keys[f"aws:resourcetag/{key.lower()}"] = keys[f"{service}:resourcetag/{key.lower()}"] = (value,)
    tags = request.get("tags") or []
    for tag in tags:
        keys[f"aws:requesttag/{tag.get('Key', '').lower()}"] = (tag.get("Value", ""),)
    tag_keys = request.get("tagKeys") or [tag.get("Key", "") for tag in tags]
    if tag_keys:
        keys["aws:tagkeys"] = tuple(tag_keys)
    return keys


def _resource_tags(needed: Permission) -> tuple[tuple[str, str], ...]:
    if not needed.name:
        return ()
    try:
        return repositories.find(needed.registry, needed.name).settings.resource_tags
    except RepositoryNotFoundException:
        return ()
