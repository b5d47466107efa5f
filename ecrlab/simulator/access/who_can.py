"""Who may do what to a repository: every known principal, judged by the code that decides requests.

principals   the learner; users and roles in the IAM of every account; the role by which the learner enters an
             account; services that the policies of repository and registry name
answer       allowed or not, by which statement of which policy, and AWS's reason
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from ecrlab.errors import EcrLabError
from ecrlab.machine.environment import MEMBER_ROLE
from ecrlab.registry import names, repositories
from ecrlab.registry.iam.actions import SPELLINGS
from ecrlab.registry.world import Registry
from ecrlab.simulator.access import judging
from ecrlab.simulator.access.callers import DEFAULT_ACCOUNT, LEARNER_ARN, Caller, backends, named
from ecrlab.simulator.access.identities import organization_of


class Answer(NamedTuple):
    """Whether a principal may take an action.

    `policy` and `statement` name what decided, and are empty if no statement matches; `reason` is the end of AWS's
    denial, and empty if the principal may. A role is judged as a session of it.
    """

    principal: str
    action: str
    allowed: bool
    policy: str
    statement: str
    reason: str


def answers(
    registry: Registry, repository: str, actions: Sequence[str], source_arn: str = "", session: str = "learner"
) -> list[Answer]:
    """Return an answer for each principal and action; actions of `ecr-public` are about the public repository.

    A role is judged as its session of that name.

    Raises `EcrLabError` for an action that ECR does not have, `RepositoryNotFoundException`.
    """
    for action in actions or [""]:
        if action.lower() not in SPELLINGS:
            raise EcrLabError(f"{action!r} is not an action of ECR; an action is written like ecr:ListImages")
    if source_arn and source_arn.count(":") < 5:
        raise EcrLabError(f"{source_arn!r} is not an ARN, such as arn:aws:lambda:us-east-1:222233334444:function:web")
    services = {action.lower().partition(":")[0] for action in actions}
    if len(services) > 1:
        raise EcrLabError("a repository is private or public: ask about actions of ecr or of ecr-public, not of both")
    if services == {"ecr-public"}:
        registry = registry.world.registry(registry.account_id, names.PUBLIC)
    repositories.find(registry, repository)
    return [
        _answer(registry, repository, SPELLINGS[action.lower()], shown, caller)
        for shown, caller in _principals(registry, repository, source_arn, session).items()
        for action in actions
    ]


def _answer(registry: Registry, repository: str, action: str, shown: str, caller: Caller) -> Answer:
    decision = judging.decide(caller, action, registry, repository)
    statement = decision.statement.name if decision.statement else ""
    return Answer(shown, action, decision.refusal is None, decision.policy, statement, decision.refusal or "")


def _principals(registry: Registry, repository: str, source_arn: str, session: str) -> dict[str, Caller]:
    """Return the principals as policies write them, and as callers."""
    found = {LEARNER_ARN: named(DEFAULT_ACCOUNT, LEARNER_ARN, "")}
    accounts, services = set(), set()
    for name in judging.named_on(registry, repository):
        parts = name.split(":")
        if len(parts) > 4:
            accounts.add(parts[4])
        elif name != "*":
            services.add(name)
    for account_id, iam in sorted(backends("iam")):
        if _is_left_over(account_id, iam):
            continue
        accounts.add(account_id)
        found |= {str(user.arn): named(account_id, str(user.arn), "") for user in list(iam.users.values())}
        roles = [(str(role.arn), role.name) for role in list(iam.roles.values())]
        found |= dict(_sessions(account_id, roles, session))
    accounts |= {account_id for account_id, sts in backends("sts") if sts.assumed_roles}
    for account_id in sorted(accounts - {DEFAULT_ACCOUNT}):
        found |= dict(_sessions(account_id, [(f"arn:aws:iam::{account_id}:role/{MEMBER_ROLE}", MEMBER_ROLE)], session))
    return found | {name: Caller("", name, "", source_arn=source_arn) for name in sorted(services)}


def _is_left_over(account_id: str, iam: Any) -> bool:
    """Tell whether an account is none: moto's CreateOrganization makes the member role under a random number, too."""
    roles = [role.name for role in list(iam.roles.values())]
    return roles == [MEMBER_ROLE] and not iam.users and organization_of(account_id) is None


def _sessions(account_id: str, roles: Iterable[tuple[str, str]], session: str) -> Iterator[tuple[str, Caller]]:
    for arn, name in roles:
        yield arn, named(account_id, f"arn:aws:sts::{account_id}:assumed-role/{name}/{session}", "")
