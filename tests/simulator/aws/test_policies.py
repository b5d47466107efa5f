"""Policies of repositories and registries, as they are set and given back."""

import json
from typing import Any

import pytest

from ecrlab.registry.iam.actions import ACTIONS
from ecrlab.simulator.aws.shapes import service_model
from ecrlab.simulator.server import Server
from tests.simulator.client import Repository, client_of, refusal

ALLOW = {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::210987654321:root"}, "Action": "ecr:BatchGetImage"}
SOUND = json.dumps({"Version": "2012-10-17", "Statement": [ALLOW]})
REFUSED = "Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Invalid {} policy provided'"


def policy(**changes: Any) -> str:
    """A policy of one statement, changed so; None removes."""
    statement = {name: value for name, value in (ALLOW | changes).items() if value is not None}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.mark.operation("ecr:SetRepositoryPolicy")
def test_a_policy_is_laid_out_as_aws_does(app: Repository) -> None:
    text = json.dumps({"Statement": [{"Sid": "pull", "Effect": "Allow", "Principal": "*", "Action": ["ecr:Get*"]}]})
    assert app.set_repository_policy(policyText=text)["policyText"] == (
        '{\n  "Statement" : [ {\n    "Sid" : "pull",\n    "Effect" : "Allow",\n'
        '    "Principal" : "*",\n    "Action" : [ "ecr:Get*" ]\n  } ]\n}'
    )


@pytest.mark.operation("ecr:GetRepositoryPolicy")
def test_a_repository_has_the_policy_set_last(app: Repository) -> None:
    assert refusal(app.get_repository_policy) == (
        "RepositoryPolicyNotFoundException",
        "Repository policy does not exist for the repository with name 'app' in the registry with id '123456789012'",
    )
    app.set_repository_policy(policyText=policy(Action="ecr:*"))
    app.set_repository_policy(policyText=SOUND)
    answer = app.get_repository_policy()
    assert json.loads(answer["policyText"]) == json.loads(SOUND)
    assert (answer["registryId"], answer["repositoryName"]) == ("123456789012", "app")


@pytest.mark.operation("ecr:DeleteRepositoryPolicy")
def test_a_policy_is_deleted(app: Repository) -> None:
    app.set_repository_policy(policyText=SOUND)
    assert json.loads(app.delete_repository_policy()["policyText"]) == json.loads(SOUND)
    assert refusal(app.get_repository_policy)[0] == "RepositoryPolicyNotFoundException"
    assert refusal(app.delete_repository_policy)[0] == "RepositoryPolicyNotFoundException"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no JSON",
        "[]",
        "{}",
        '{"Statement": []}',
        SOUND.replace("2012", "2013"),
        SOUND.replace("{", '{"Version": "2012-10-17", ', 1),
        SOUND.replace("Statement", "Statements"),
        policy(Effect="allow"),
        policy(Effect=None),
        policy(Principal=None),
        policy(Principal="everyone"),
        policy(Principal={"AWS": "arn:aws:iam::210987654321:*"}),
        policy(Principal={"AWS": []}),
        policy(Principal={"Aws": "*"}),
        policy(NotPrincipal="*"),
        policy(Action=None),
        policy(Action=[]),
        policy(Action="BatchGetImage"),
        policy(Action="s3:GetObject"),
        policy(Action="ecr:GetAuthorizationToken"),
        policy(Action=["ecr:BatchGetImage", "ecr:getauthorizationtoken"]),
        policy(Action="ecr:GetAuth*"),
        policy(Action="ecr:CreateRepository"),
        policy(Action="ecr:PullEverything"),
        policy(Action=None, NotAction="ecr:PullEverything"),
        policy(Resource="arn:aws:s3:::bucket"),
        policy(Resource="*"),
        policy(Resource="arn:aws:ecr:us-east-1:123456789012:repository/app"),
        policy(NotResource="*"),
        policy(Condition="x"),
        policy(Condition={"StringEquals": "x"}),
        policy(Condition={"StringEquals": {"aws:SourceIp": {}}}),
        policy(Sid=7),
        policy(Comment="x"),
        "[" * 10_000,
        '{"Statement": NaN}',
        policy(Sid="\ud800"),
        policy(Sid="a").replace('"a"', '"a", "\\udfff": 1'),
        policy(Condition={"NumericEquals": {"aws:x": 777}}).replace("777", "1e999"),
        policy(Condition={"NumericEquals": {"aws:x": 777}}).replace("777", "9" * 5_000),
    ],
)
def test_what_is_no_policy_is_refused_and_changes_nothing(app: Repository, text: str) -> None:
    app.set_repository_policy(policyText=SOUND)
    assert refusal(app.set_repository_policy, policyText=text) == (
        "InvalidParameterException",
        REFUSED.format("repository"),
    )
    assert json.loads(app.get_repository_policy()["policyText"]) == json.loads(SOUND)


@pytest.mark.parametrize(
    "text",
    [
        policy(Principal="*"),
        policy(Principal={"AWS": ["210987654321", "arn:aws:iam::210987654321:root"]}),
        policy(Principal={"Service": "lambda.amazonaws.com"}),
        policy(Action=["ecr:Batch*", "ecr:GetDownloadUrlForLayer"]),
        policy(Action=None, NotAction="ecr:DeleteRepository"),
        policy(Action=["*", "ecr:*", "ECR:BATCHGETIMAGE", "ecr:Get*"]),
        policy(Condition={"StringLike": {"aws:PrincipalOrgID": ["o-1", "o-2"]}, "Bool": {"aws:SecureTransport": True}}),
        json.dumps({"Version": "2008-10-17", "Id": "mine", "Statement": ALLOW}),
    ],
)
def test_sound_policies(app: Repository, text: str) -> None:
    assert json.loads(app.set_repository_policy(policyText=text)["policyText"]) == json.loads(text)


def test_a_policy_has_at_most_10240_characters(app: Repository) -> None:
    assert refusal(app.set_repository_policy, policyText=SOUND + " " * 10_240)[0] == "InvalidParameterException"
    app.set_repository_policy(policyText=SOUND.ljust(10_240))


@pytest.mark.parametrize(
    "principal", ["*", {"AWS": "123456789012"}, {"AWS": ["arn:aws:iam::123456789012:user/learner"]}]
)
def test_locking_oneself_out_takes_force(app: Repository, principal: object) -> None:
    text = policy(Effect="Deny", Principal=principal, Action="ecr:Set*")
    assert refusal(app.set_repository_policy, policyText=text) == (
        "InvalidParameterException",
        REFUSED.format("repository"),
    )
    assert app.set_repository_policy(policyText=text, force=True)["policyText"]


def test_denying_others_takes_no_force(app: Repository) -> None:
    app.set_repository_policy(policyText=policy(Effect="Deny", Action="ecr:*"))
    app.set_repository_policy(policyText=policy(Effect="Deny", Principal="*", Action="ecr:BatchDeleteImage"))


def test_what_merely_omits_the_owner_takes_no_force(app: Repository) -> None:
    app.set_repository_policy(policyText=policy(Principal={"AWS": "210987654321"}))


@pytest.mark.parametrize("kind", ["user", "role"])
def test_users_and_roles_must_exist(server: Server, ecr: Any, app: Repository, region: str, kind: str) -> None:
    iam = client_of(server.endpoint, "iam")
    name = f"{kind}-{region}"
    settings = {"AssumeRolePolicyDocument": "{}"} if kind == "role" else {}
    make = getattr(iam, f"create_{kind}")
    arn = f"arn:aws:iam::123456789012:{kind}/ci/{name}"
    of_repository = {"policyText": policy(Principal={"AWS": ["210987654321", arn]})}
    of_registry = {"policyText": policy(Principal={"AWS": arn}, Resource="*")}

    assert refusal(app.set_repository_policy, **of_repository)[1] == REFUSED.format("repository")
    assert refusal(ecr.put_registry_policy, **of_registry)[1] == REFUSED.format("registry")
    make(**{f"{kind.title()}Name": name}, Path="/ci/", **settings)
    app.set_repository_policy(**of_repository)
    ecr.put_registry_policy(**of_registry)
    abroad = arn.replace("123456789012", "210987654321")
    assert refusal(app.set_repository_policy, policyText=policy(Principal={"AWS": abroad}))[1] == REFUSED.format(
        "repository"
    )


def test_a_session_exists_as_its_role_does(server: Server, app: Repository, region: str) -> None:
    arn = f"arn:aws:sts::123456789012:assumed-role/{region}/build-7"
    text = policy(Principal={"AWS": arn})

    assert refusal(app.set_repository_policy, policyText=text)[0] == "InvalidParameterException"
    client_of(server.endpoint, "iam").create_role(RoleName=region, Path="/ci/", AssumeRolePolicyDocument="{}")
    app.set_repository_policy(policyText=text)


REGISTRY = policy(Action="ecr:ReplicateImage", Resource="arn:aws:ecr:us-east-1:123456789012:repository/*")


@pytest.mark.operation("ecr:PutRegistryPolicy")
def test_a_registry_takes_a_policy_that_names_its_resources(ecr: Any) -> None:
    answer = ecr.put_registry_policy(policyText=REGISTRY)
    assert answer["registryId"] == "123456789012"
    assert json.loads(answer["policyText"]) == json.loads(REGISTRY)
    assert refusal(ecr.put_registry_policy, policyText=SOUND) == (
        "InvalidParameterException",
        REFUSED.format("registry"),
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"Action": "ecr:GetAuthorizationToken"},
        {"Action": "ecr:CreatePullThroughCacheRule"},
        {"Action": "ecr:PullEverything"},
        {"Resource": "arn:aws:s3:::bucket"},
        {"Sid": "\ud800"},
        {"Principal": None},
    ],
)
def test_a_registry_refuses_what_its_policy_cannot_say(ecr: Any, changes: dict[str, Any]) -> None:
    ecr.put_registry_policy(policyText=REGISTRY)
    text = policy(**{"Action": "ecr:ReplicateImage", "Resource": "*"} | changes)
    assert refusal(ecr.put_registry_policy, policyText=text) == (
        "InvalidParameterException",
        REFUSED.format("registry"),
    )
    assert json.loads(ecr.get_registry_policy()["policyText"]) == json.loads(REGISTRY)


@pytest.mark.parametrize(
    "action", ["ecr:CreateRepository", "ecr:BatchImportUpstreamImage", "ecr:DescribeImages", "ecr:*"]
)
def test_a_registry_can_grant_what_needs_no_repository_yet(ecr: Any, action: str) -> None:
    ecr.put_registry_policy(policyText=policy(Action=action, Resource="*"))
    ecr.delete_registry_policy()


@pytest.mark.operation("ecr:GetRegistryPolicy")
def test_a_registry_has_the_policy_it_was_given(ecr: Any) -> None:
    assert refusal(ecr.get_registry_policy) == (
        "RegistryPolicyNotFoundException",
        "Registry policy does not exist in the registry with id '123456789012'",
    )
    ecr.put_registry_policy(policyText=REGISTRY)
    assert json.loads(ecr.get_registry_policy()["policyText"]) == json.loads(REGISTRY)


def test_a_registry_of_scope_v1_is_asked_about_three_actions_only(ecr: Any) -> None:
    denial = policy(
        Effect="Deny", Principal="*", Action=["ecr:DescribeRepositories", "ecr:CreateRepository"], Resource="*"
    )
    ecr.put_registry_policy(policyText=denial)
    assert refusal(ecr.describe_repositories)[0] == "AccessDeniedException"

    ecr.put_account_setting(name="REGISTRY_POLICY_SCOPE", value="V1")

    assert ecr.describe_repositories()["repositories"] == []
    assert refusal(ecr.create_repository, repositoryName="app")[0] == "AccessDeniedException"
    other = policy(Action="ecr:BatchGetImage", Resource="*")
    assert refusal(ecr.put_registry_policy, policyText=other)[1] == REFUSED.format("registry")
    ecr.put_registry_policy(policyText=REGISTRY)
    ecr.put_account_setting(name="REGISTRY_POLICY_SCOPE", value="V2")
    ecr.put_registry_policy(policyText=other)


@pytest.mark.operation("ecr:DeleteRegistryPolicy")
def test_a_registry_loses_its_policy(ecr: Any) -> None:
    ecr.put_registry_policy(policyText=REGISTRY)
    assert json.loads(ecr.delete_registry_policy()["policyText"]) == json.loads(REGISTRY)
    assert refusal(ecr.delete_registry_policy)[0] == "RegistryPolicyNotFoundException"


def test_every_operation_of_ecr_is_an_action() -> None:
    assert {f"ecr:{name}".lower() for name in service_model("ecr").operation_names} <= ACTIONS
