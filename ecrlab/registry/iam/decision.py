"""The decision: what all policies that have a say come to.

    1. A Deny anywhere is the end of it.
    2. Inside an account, the identity's policies or the resource's must allow.
    3. Between accounts both must.
    4. The service control policies of an organization's member must allow, too, on each level.
    5. For a service, only the resource's policies count.
    6. A permissions boundary and a session policy bound what identity policies allow; a grant of the resource to that
       very user or session is not bounded, one to the session's role is.

See the IAM user guide, policy evaluation logic; the words of a refusal are those of its page on access denied messages.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ecrlab.registry.iam.document import Named, Policy, Statement
from ecrlab.registry.iam.request import Principal, Request


@dataclass(frozen=True, slots=True)
class Identity:
    """A principal and what is attached to it; `context` are the condition keys that tell about it.

    `controls` are the service control policies of its account, of each unit above it, and of the organization's root.
    """

    principal: Principal
    policies: tuple[Policy, ...] = ()
    boundary: Policy | None = None
    session: Policy | None = None
    controls: tuple[tuple[Policy, ...], ...] = ()
    context: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether a request is allowed (`refusal` is None, else how AWS ends its message), and what decided it.

    `policy` names the policy: one of the resource's, identity policy, permissions boundary, session policy or service
    control policy. It is empty, and `statement` None, if no statement matches; that denies, too.
    """

    refusal: str | None
    policy: str = ""
    statement: Statement | None = None


def decide(request: Request, identity: Identity, on_resource: Mapping[str, Policy]) -> Decision:
    """Return the decision; `on_resource` are the policies of the resource by name: repository and registry policy."""
    # UNSURE: which policy AWS names when several deny; it names only one.
    denials = (
        *(("an identity-based policy", "identity policy", policy) for policy in identity.policies),
        ("a permissions boundary", "permissions boundary", identity.boundary),
        ("a session policy", "session policy", identity.session),
        *(
            ("a service control policy", "service control policy", policy)
            for level in identity.controls
            for policy in level
        ),
        # UNSURE: whether AWS calls the registry's policy a resource-based one, too.
        *(("a resource-based policy", name, policy) for name, policy in on_resource.items()),
    )
    for kind, name, policy in denials:
        if policy is not None and (statement := policy.denies(request)):
            return Decision(f"with an explicit deny in {kind}", name, statement)
    if not all(any(policy.allows(request) for policy in level) for level in identity.controls):
        return Decision(_no("service control policy", request))
    granted, by_resource = Named.NOT, Decision(_no("resource-based policy", request))
    for name, policy in on_resource.items():
        named, statement = policy.grant(request)
        if named > granted:
            granted, by_resource = named, Decision(None, name, statement)
    principal = identity.principal
    if not principal.account_id or (principal.account_id == request.owner and granted is Named.BY_ITSELF):
        return by_resource
    if principal.account_id == request.owner:
        return _by_identity(request, identity, by_resource if granted is Named.BY_ROLE else None)
    # UNSURE: which of the two AWS names when neither side of two accounts allows.
    by_identity = _by_identity(request, identity)
    return by_identity if by_identity.refusal else by_resource


def _by_identity(request: Request, identity: Identity, instead: Decision | None = None) -> Decision:
    """Return what the identity's own policies decide; the decision `instead` stands in for them, but not for bounds."""
    allowing = (policy.allows(request) for policy in identity.policies)
    found = instead or next(
        (Decision(None, "identity policy", statement) for statement in allowing if statement),
        Decision(_no("identity-based policy", request)),
    )
    for kind, bound in (("permissions boundary", identity.boundary), ("session policy", identity.session)):
        if found.refusal is None and bound is not None and not bound.allows(request):
            return Decision(_no(kind, request))
    return found


def _no(kind: str, request: Request) -> str:
    return f"because no {kind} allows the {request.action} action"
