"""Identities: the policies of a caller's user or role, read from moto's IAM and STS.

    user     inline and attached policies, and those of its groups
    session  inline and attached policies of the role, its permissions boundary, and the policy passed to AssumeRole

Every call looks them up by name, so a change applies at once. A deleted principal has no policies. moto stores no
permissions boundary for users.
"""

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from ecrlab.machine.environment import MEMBER_ROLE
from ecrlab.registry.iam import Identity, Policy, PolicyError, Principal, Request, parse
from ecrlab.simulator.access.callers import DEFAULT_ACCOUNT, LEARNER_ARN, Caller, backends, session_of

ADMINISTRATOR = parse(
    '{"Version": "2012-10-17", "Statement": '
    '{"Sid": "AdministratorAccess", "Effect": "Allow", "Action": "*", "Resource": "*"}}'
)
NOTHING = Policy(())

_PERSON = re.compile(r"arn:aws[a-z-]*:(?:iam|sts)::([0-9]{12}):(user|role|assumed-role)/(.+)")


def exists(principal: str) -> bool:
    """Tell whether a principal of a policy exists. Every account exists, and every service; users and roles may not."""
    found = _PERSON.fullmatch(principal)
    if found is None or principal == LEARNER_ARN:
        return True
    account_id, kind, name = found.groups()
    iam = _iam(account_id)
    if kind == "user":
        return iam is not None and any(one.arn == principal for one in list(iam.users.values()))
    if kind == "assumed-role":
        name = name.partition("/")[0]
        principal = f"arn:aws:iam::{account_id}:role/{name}"
    if name == MEMBER_ROLE and account_id != DEFAULT_ACCOUNT:
        return True
    return iam is not None and any(
        # A session's ARN lacks the path of its role.
        one.arn == principal or (kind == "assumed-role" and one.name == name)
        for one in list(iam.roles.values())
    )


def role_arn(account_id: str, name: str) -> str | None:
    """Return the ARN of a role in an account's IAM, or None if there is no such role."""
    iam = _iam(account_id)
    return next((str(role.arn) for role in list(iam.roles.values()) if role.name == name), None) if iam else None


def trusts(role_arn: str, service: str, source_arn: str = "") -> bool:
    """Tell whether a role exists, and lets a service assume it for the resource `source_arn`."""
    account_id = role_arn.split(":")[4] if role_arn.count(":") > 4 else ""
    iam = _iam(account_id)
    found = next((role for role in list(iam.roles.values()) if role.arn == role_arn), None) if iam else None
    if found is None:
        return False
    asking = _service(Caller("", service, "", source_arn=source_arn))
    request = Request(asking.principal, "sts:AssumeRole", role_arn, account_id, asking.context)
    policy = _read(found.assume_role_policy_document)
    return policy.allows(request) is not None and policy.denies(request) is None


def identity_of(caller: Caller) -> Identity:
    """Return the caller with its policies and boundaries."""
    if caller.is_administrator:
        return _administrator(caller)
    if not caller.account_id:
        return _service(caller)
    identity = _session(caller) if ":assumed-role/" in caller.arn else _user(caller)
    controls = _controls(caller.account_id)
    return replace(identity, controls=controls) if controls else identity


def _administrator(caller: Caller) -> Identity:
    principal = Principal(caller.arn, caller.account_id)
    context = _about(principal, "User", caller.arn) | {"aws:username": (_last(caller.arn),)}
    return Identity(principal, (ADMINISTRATOR,), context=context)


def _service(caller: Caller) -> Identity:
    """Return a service, such as lambda.amazonaws.com, that acts for the resource `caller.source_arn`."""
    context: dict[str, tuple[str, ...]] = {
        "aws:principalisawsservice": ("true",),
        "aws:principalservicename": (caller.arn,),
        "aws:principaltype": ("Service",),
    }
    if caller.source_arn:
        account_id = caller.source_arn.split(":")[4]
        context |= {"aws:sourcearn": (caller.source_arn,), "aws:sourceaccount": (account_id,)}
        if (organization := organization_of(account_id)) is not None:
            context["aws:sourceorgid"] = (str(organization.org.id),)
    return Identity(Principal(caller.arn, ""), context=context)


def _user(caller: Caller) -> Identity:
    principal = Principal(caller.arn, caller.account_id)
    name = _last(caller.arn)
    context = _about(principal, "User", caller.arn) | {"aws:username": (name,)}
    iam = _iam(caller.account_id)
    user = iam.users.get(name) if iam is not None else None
    if user is None or user.arn != caller.arn:
        return Identity(principal, context=context)
    groups = [group for group in list(iam.groups.values()) if user in list(group.users)]
    policies = [policy for holder in (user, *groups) for policy in _attached(holder)]
    tags = iam.tagger.list_tags_for_resource(user.arn)["Tags"]
    return Identity(principal, tuple(policies), context=context | _tags(tags) | {"aws:userid": (str(user.id),)})


def _session(caller: Caller) -> Identity:
    name = caller.arn.split("/")[1]
    iam = _iam(caller.account_id)
    role = next((role for role in list(iam.roles.values()) if role.name == name), None) if iam else None
    role_arn = str(role.arn) if role is not None else f"arn:aws:iam::{caller.account_id}:role/{name}"
    principal = Principal(caller.arn, caller.account_id, role_arn)
    context = _about(principal, "AssumedRole", role_arn)
    session = session_of(caller.account_id, caller.access_key)
    bound = _read(session.policy) if session is not None and session.policy else None
    # moto creates that role without its AWS policy.
    given = (ADMINISTRATOR,) if name == MEMBER_ROLE and caller.account_id != DEFAULT_ACCOUNT else ()
    if role is None:
        # moto accepts AssumeRole for a role that does not exist; AWS rejects it. Such a session has no permissions.
        return Identity(principal, given, session=bound, context=context)
    boundary = None
    if role.permissions_boundary_arn:
        kept = iam.managed_policies.get(role.permissions_boundary_arn)
        boundary = NOTHING if kept is None else _default_version(kept)
    context |= _tags(role.tags or ()) | {"aws:userid": (f"{role.id}:{_last(caller.arn)}",)}
    return Identity(principal, (*given, *_attached(role)), boundary, bound, context=context)


def _iam(account_id: str) -> Any:
    return next((iam for owner, iam in backends("iam") if owner == account_id), None)


def _attached(holder: Any) -> Iterable[Policy]:
    """Return the inline and managed policies of a user, group or role."""
    yield from (_read(text) for text in list(holder.policies.values()))
    yield from (_default_version(managed) for managed in list(holder.managed_policies.values()))


def _default_version(managed: Any) -> Policy:
    return next((_read(one.document) for one in list(managed.versions) if one.is_default), NOTHING)


def _read(document: str) -> Policy:
    try:
        return parse(document)
    except PolicyError:
        # IAM rejects such a policy. moto checks less, and never checks session policies.
        return NOTHING


def _about(principal: Principal, kind: str, arn: str) -> dict[str, tuple[str, ...]]:
    """Return the condition keys that every principal has."""
    organization = organization_of(principal.account_id)
    about: dict[str, tuple[str, ...]] = {
        "aws:principalarn": (arn,),
        "aws:principalaccount": (principal.account_id,),
        "aws:principaltype": (kind,),
        "aws:principalisawsservice": ("false",),
    }
    if organization is not None:
        about["aws:principalorgid"] = (str(organization.org.id),)
    return about


def organization_of(account_id: str) -> Any | None:
    """Return moto's organization of an account, which is its management account or a member."""
    for _, organization in backends("organizations"):
        if organization.org is not None and any(one.id == account_id for one in list(organization.accounts)):
            return organization
    return None


def _controls(account_id: str) -> tuple[tuple[Policy, ...], ...]:
    """Return the service control policies of a member account, its units and the root; the management account has none.

    See the AWS Organizations user guide, SCP evaluation.
    """
    organization = organization_of(account_id)
    if organization is None or organization.org.master_account_id == account_id:
        return ()
    levels = []
    level = next((one for one in list(organization.accounts) if one.id == account_id), None)
    while level is not None:
        attached = [one for one in list(level.attached_policies) if one.type == "SERVICE_CONTROL_POLICY"]
        levels.append(tuple(_read(one.content) for one in attached))
        parent = getattr(level, "parent_id", None)
        level = next((unit for unit in list(organization.ou) if unit.id == parent), None)
    return tuple(levels)


def _tags(tags: Iterable[dict[str, str]]) -> dict[str, tuple[str, ...]]:
    return {f"aws:principaltag/{tag['Key'].lower()}": (tag["Value"],) for tag in tags}


def _last(arn: str) -> str:
    return arn.rsplit("/", 1)[-1]
