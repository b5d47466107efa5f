"""The decision: what all policies that have a say come to.

    1. A Deny anywhere is the end of it.
    2. Inside an account, the identity's policies or the resource's must allow.
    3. Between accounts both must.
    4. A permissions boundary and a session policy bound what identity policies allow; a grant of the resource to that
       very user or session is not bounded, one to the session's role is.

See the IAM user guide, policy evaluation logic; the words of a refusal are those of its page on access denied messages.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ecrlab.registry.iam.document import Named, Policy
from ecrlab.registry.iam.request import Principal, Request


@dataclass(frozen=True, slots=True)
class Identity:
    """A principal and what is attached to it; `context` are the condition keys that tell about it."""

    principal: Principal
    policies: tuple[Policy, ...] = ()
    boundary: Policy | None = None
    session: Policy | None = None
    context: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def refusal(request: Request, identity: Identity, on_resource: Sequence[Policy]) -> str | None:
    """Why the request is refused, as AWS ends its message, or None if it is allowed.

    `on_resource` are the policies of the resource: that of the repository and that of the registry.
    """
    # UNSURE: which policy AWS names when several deny; it names only one.
    for kind, policies in (
        ("an identity-based policy", identity.policies),
        ("a permissions boundary", _some(identity.boundary)),
        ("a session policy", _some(identity.session)),
        ("a resource-based policy", on_resource),
    ):
        if any(policy.denies(request) for policy in policies):
            return f"with an explicit deny in {kind}"
    granted = max((policy.grant(request) for policy in on_resource), default=Named.NOT)
    if not identity.principal.account_id:
        return None if granted else _no("resource-based policy", request)
    if identity.principal.account_id == request.owner:
        if granted is Named.BY_ITSELF:
            return None
        return _lacking(request, identity, granted=granted is Named.BY_ROLE)
    # UNSURE: which of the two AWS names when neither side of two accounts allows.
    lacking = _lacking(request, identity, granted=False)
    if lacking is None and granted is Named.NOT:
        return _no("resource-based policy", request)
    return lacking


def _lacking(request: Request, identity: Identity, *, granted: bool) -> str | None:
    """What of the identity's own does not allow the request; `granted` stands in for its policies."""
    if not granted and not any(policy.allows(request) for policy in identity.policies):
        return _no("identity-based policy", request)
    for kind, bound in (("permissions boundary", identity.boundary), ("session policy", identity.session)):
        if bound is not None and not bound.allows(request):
            return _no(kind, request)
    return None


def _no(kind: str, request: Request) -> str:
    return f"because no {kind} allows the {request.action} action"


def _some(policy: Policy | None) -> tuple[Policy, ...]:
    return () if policy is None else (policy,)
