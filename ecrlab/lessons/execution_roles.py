"""Whether an execution role lets ECS pull from one repository, and do nothing else.

The lab judges the repositories that exist, by all policies. For others the role's own policies are read: they may name
the repository with an asterisk too many. The trust policy must let ecs-tasks.amazonaws.com assume the role.
"""

import json

from ecrlab.lessons.exercises import NotYet, View
from ecrlab.registry import iam
from ecrlab.registry.iam.actions import ACTIONS, SPELLINGS

LOGIN = "ecr:GetAuthorizationToken"
PULLS = frozenset({LOGIN, "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"})
TASKS = "ecs-tasks.amazonaws.com"

ACCOUNT, REGION = "123456789012", "us-east-1"


def only_pulls(view: View, role: str, repository: str) -> None:
    """Raise `NotYet` unless ECS may assume a role that may pull from a repository, and do nothing else in ECR."""
    _trusted(view, role)
    for name in view.repositories():
        answers = view.who_can(name, *sorted(SPELLINGS[one] for one in ACTIONS))
        is_own = answers["principal"].str.contains(rf":role/(?:.+/)?{role}$")
        _compare(view, role, name, set(answers[is_own & answers["allowed"]]["action"]), name == repository)
    policies = _policies(view, role)
    for name in (f"{repository}-2", f"{repository}2", f"{repository}/web", "another"):
        _compare(view, role, name, {SPELLINGS[one] for one in ACTIONS if _allow(policies, one, name)}, False)


def _trusted(view: View, name: str) -> None:
    """Raise `NotYet` unless ECS may assume a role."""
    client = view.client("iam")
    try:
        role = client.get_role(RoleName=name)["Role"]
    except client.exceptions.NoSuchEntityException:
        raise NotYet(f"there is no role {name}") from None
    context = {"aws:sourceaccount": (ACCOUNT,), "aws:sourcearn": (f"arn:aws:ecs:{REGION}:{ACCOUNT}:task/shop/web",)}
    asked = iam.Request(iam.Principal(TASKS, ""), "sts:AssumeRole", role["Arn"], ACCOUNT, context)
    is_trusted = _decides([_read(role["AssumeRolePolicyDocument"])], asked)
    view.require(is_trusted, f"the trust policy of {name} does not let {TASKS} assume it, so no task starts with it")


def _compare(view: View, role: str, repository: str, may: set[str], is_for_it: bool) -> None:
    """Raise `NotYet` if the actions that a role may call on a repository are more than it is to have, or less."""
    wanted = PULLS if is_for_it else {LOGIN}
    many, missing = sorted(may - wanted), sorted(wanted - may if is_for_it else ())
    shown = many if len(many) < 3 else [", ".join(many[:2]), "others"]
    where = repository if repository in view.repositories() else f"a repository {repository}, if somebody makes one"
    view.require(not many, f"{role} may also call {' and '.join(shown)} on {where}")
    view.require(not missing, f"{role} may not call {' and '.join(missing)} on {repository}")


def _policies(view: View, role: str) -> list[iam.Policy]:
    """Return the inline and attached policies of a role."""
    client = view.client("iam")
    documents = [
        client.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        for name in client.list_role_policies(RoleName=role)["PolicyNames"]
    ]
    for attached in client.list_attached_role_policies(RoleName=role)["AttachedPolicies"]:
        arn = attached["PolicyArn"]
        version = client.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        documents.append(client.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"])
    return [_read(one) for one in documents]


def _allow(policies: list[iam.Policy], action: str, repository: str) -> bool:
    """Tell whether policies allow an action on a repository, which need not exist."""
    resource = "*" if SPELLINGS[action] == LOGIN else f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/{repository}"
    return _decides(policies, iam.Request(iam.Principal("", ACCOUNT), action, resource, ACCOUNT))


def _decides(policies: list[iam.Policy], asked: iam.Request) -> bool:
    return any(one.allows(asked) for one in policies) and not any(one.denies(asked) for one in policies)


def _read(document: object) -> iam.Policy:
    """Return a policy; one that IAM would refuse, and moto accepts, allows nothing."""
    try:
        return iam.parse(document if isinstance(document, str) else json.dumps(document))
    except iam.PolicyError:
        return iam.Policy(())
