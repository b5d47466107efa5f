"""Authorization by KMS: whether a caller may use a key.

    an explicit Deny anywhere        refuses
    a grant to the caller            allows
    the key policy names the caller  allows
    the key policy names the account allows what the caller's own policies allow
    anything else                    refuses, the administrator too

See the KMS developer guide, key policies and policy evaluation. A call that ECR makes for its caller has the condition
key `kms:ViaService`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ecrlab.registry import iam
from ecrlab.registry.errors import KmsException
from ecrlab.registry.kms_keys import Grant
from ecrlab.registry.world import World
from ecrlab.simulator.access.callers import Caller
from ecrlab.simulator.access.identities import identity_of


@dataclass(frozen=True, slots=True)
class Use:
    """A call of KMS: its operation, the key it is about (ARN `*`: none), and its condition keys in lower case.

    `encryption_context` is what a grant's constraints are compared with.
    """

    operation: str
    region: str
    owner: str
    key_arn: str = "*"
    conditions: Mapping[str, tuple[str, ...]] | None = None
    encryption_context: Mapping[str, str] | None = None
    via: str = ""

    @property
    def action(self) -> str:
        """Its IAM action."""
        return f"kms:{self.operation}"


def check(world: World, caller: Caller, use: Use, policy: str | None = None, grants: Iterable[Grant] = ()) -> None:
    """Return if the caller may make this call. `policy` is the key's; None: the identity's policies decide alone.

    Raises `KmsException` with the kmsError `AccessDeniedException`.
    """
    tail = _refusal(world, caller, use, policy, grants)
    if tail is None:
        return
    who = f"User: {caller.arn} is not authorized to perform: {use.action}"
    raise KmsException(
        # Across accounts KMS does not tell whether there is such a key.
        f"{who} on resource: {use.key_arn} {tail}" if caller.account_id == use.owner else f"{who} {UNKNOWN_RESOURCE}",
        "AccessDeniedException",
    )


UNKNOWN_RESOURCE = (
    "on this resource because the resource does not exist in this Region, no resource-based policies allow access, "
    "or a resource-based policy explicitly denies access"
)


def unknown(caller: Caller, operation: str) -> KmsException:
    """Return KMS's error for a key of another account that does not exist."""
    return KmsException(
        f"User: {caller.arn} is not authorized to perform: kms:{operation} {UNKNOWN_RESOURCE}", "AccessDeniedException"
    )


def _refusal(world: World, caller: Caller, use: Use, policy: str | None, grants: Iterable[Grant]) -> str | None:
    identity = identity_of(caller)
    circumstances = _circumstances(world, caller, use) | dict(identity.context)
    request = iam.Request(identity.principal, use.action, use.key_arn, use.owner, circumstances)
    if policy is None:
        return iam.decide(request, identity, {}).refusal
    try:
        on_key = iam.parse(policy)
    except iam.PolicyError:
        # moto stores any text; the lab's KMS checks it first, so this is a key of another moto service.
        on_key = iam.Policy(())
    tail = iam.decide(request, identity, {"key policy": on_key}).refusal
    principals = frozenset((identity.principal.arn, identity.principal.role_arn, identity.principal.account_arn))
    is_granted = any(one.allows(principals, use.operation, use.encryption_context or {}) for one in grants)
    if is_granted and (tail is None or "explicit deny" not in tail):
        return None
    if tail is None and not on_key.allows(request):
        return f"because no resource-based policy allows the {use.action} action"
    return tail


def _circumstances(world: World, caller: Caller, use: Use) -> dict[str, tuple[str, ...]]:
    now = world.clock.now()
    keys: dict[str, tuple[str, ...]] = {
        "aws:requestedregion": (use.region,),
        "aws:resourceaccount": (use.owner,),
        "aws:securetransport": ("true",),
        "aws:viaawsservice": ("true" if use.via else "false",),
        "aws:currenttime": (now.isoformat(),),
        "aws:epochtime": (str(int(now.timestamp())),),
        "kms:calleraccount": (caller.account_id,),
        **(use.conditions or {}),
    }
    if use.via:
        keys["kms:viaservice"] = (use.via,)
    else:
        keys["aws:sourceip"] = ("127.0.0.1",)
    context = use.encryption_context or {}
    keys |= {f"kms:encryptioncontext:{name.lower()}": (value,) for name, value in context.items()}
    if context:
        keys["kms:encryptioncontextkeys"] = tuple(context)
    return keys
