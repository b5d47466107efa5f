"""The table of who may do what: each cell is what a real call ends in."""

import json
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

import ecrlab
from tests.simulator.accounts import TRUST, document

ENTER = "OrganizationAccountAccessRole"
HOME, STAGING, OTHER = "123456789012", "222233334444", "333333333333"
CALLS: dict[str, dict[str, Any]] = {
    "ecr:BatchGetImage": {"imageIds": [{"imageTag": "v1"}]},
    "ecr:ListImages": {},
    "ecr:DescribeImages": {},
    "ecr:GetRepositoryPolicy": {},
    "ecr:GetAuthorizationToken": {},
}
"""Action -> what its call has besides the repository."""


@pytest.fixture
def lab():
    with ecrlab.start() as lab:
        boto3.client("ecr").create_repository(repositoryName="my-app")
        yield lab


def make(account, name: str, *policies: str, kind: str = "role") -> str:
    """Make a user or a role with these policies; give its ARN."""
    iam, word = account.client("iam"), kind.title()
    trust = {"AssumeRolePolicyDocument": TRUST} if kind == "role" else {}
    made = getattr(iam, f"create_{kind}")(**{f"{word}Name": name}, **trust)
    for number, policy in enumerate(policies):
        getattr(iam, f"put_{kind}_policy")(**{f"{word}Name": name}, PolicyName=f"p{number}", PolicyDocument=policy)
    arn: str = made[word]["Arn"]
    return arn


def outcome(ecr: Any, action: str) -> str | None:
    """The reason of a denial, or None if the call was allowed."""
    operation = action.removeprefix("ecr:")
    method = next(name for name, api in ecr.meta.method_to_api_mapping.items() if api == operation)
    where = {} if action == "ecr:GetAuthorizationToken" else {"registryId": HOME, "repositoryName": "my-app"}
    try:
        getattr(ecr, method)(**where, **CALLS[action])
    except ClientError as error:
        if error.response["Error"]["Code"] == "AccessDeniedException":
            return error.response["Error"]["Message"].split(" on resource: ")[1].split(" ", 1)[1]
    return None


def test_a_role_is_judged_as_the_session_that_is_asked_about(lab):
    make(lab.account(STAGING), "deploy", document("ecr:*", Resource="*"))
    one = {"AWS": f"arn:aws:sts::{STAGING}:assumed-role/deploy/learner"}
    policy = document("ecr:BatchGetImage", Principal=one)
    boto3.client("ecr").set_repository_policy(repositoryName="my-app", policyText=policy)

    def allowed(**session: str) -> bool:
        found = lab.who_can("my-app", "ecr:BatchGetImage", **session).set_index("principal")
        return bool(found.loc[f"arn:aws:iam::{STAGING}:role/deploy", "allowed"])

    assert allowed()
    assert not allowed(session="another")


def test_each_cell_is_what_a_real_call_ends_in(lab):
    home, staging = lab.account(HOME), lab.account(STAGING)
    everything = document("ecr:*", Resource="*")
    ann = make(home, "ann", kind="user")
    reader = make(home, "reader", everything)
    make(home, "nobody")
    deploy = make(staging, "deploy", everything)
    make(staging, "silent")
    make(lab.account(OTHER), "stranger", everything)
    statements = [
        {"Sid": "Staging", "Effect": "Allow", "Principal": {"AWS": STAGING}, "Action": "ecr:BatchGetImage"},
        {"Effect": "Allow", "Principal": {"AWS": ann}, "Action": "ecr:ListImages"},
        {"Sid": "NotReader", "Effect": "Deny", "Principal": {"AWS": reader}, "Action": "ecr:DescribeImages"},
        {"Effect": "Allow", "Principal": {"AWS": deploy}, "Action": "ecr:ListImages"},
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "ecr:BatchGetImage"},
    ]
    policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
    boto3.client("ecr").set_repository_policy(repositoryName="my-app", policyText=policy)
    boto3.client("ecr").put_registry_policy(
        policyText=document("ecr:GetRepositoryPolicy", effect="Deny", Principal={"AWS": OTHER}, Resource="*")
    )
    key = home.client("iam").create_access_key(UserName="ann")["AccessKey"]

    table = lab.who_can("my-app", *CALLS)

    def client(principal: str) -> Any:
        if principal == ann:
            keys = {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}
            return boto3.client("ecr", **keys)
        kind, _, name = principal.split(":")[5].partition("/")
        return lab.account(principal.split(":")[4], role=None if kind == "user" or name == ENTER else name).client(
            "ecr"
        )

    people = table[table.principal != "lambda.amazonaws.com"]
    assert len(people) == 9 * len(CALLS)
    for principal, rows in people.groupby("principal"):
        ecr = client(principal)
        for row in rows.itertuples():
            assert (row.allowed, row.reason or None) == ((said := outcome(ecr, row.action)) is None, said), row
    decided = {(row.principal, row.action): (row.policy, row.statement) for row in table.itertuples()}
    assert decided[ann, "ecr:ListImages"] == ("repository policy", "statement 2")
    assert decided[reader, "ecr:DescribeImages"] == ("repository policy", "NotReader")
    assert decided[reader, "ecr:ListImages"] == ("identity policy", "statement 1")
    assert decided[deploy, "ecr:BatchGetImage"] == ("repository policy", "Staging")
    assert decided[deploy, "ecr:DescribeImages"] == ("", "")
    assert decided[f"arn:aws:iam::{OTHER}:role/stranger", "ecr:GetRepositoryPolicy"] == (
        "registry policy",
        "statement 1",
    )
    assert decided["lambda.amazonaws.com", "ecr:BatchGetImage"] == ("repository policy", "statement 5")


def test_lambda_needs_a_statement_for_the_service_and_its_functions(lab):
    function = f"arn:aws:lambda:us-east-1:{STAGING}:function:web"
    condition = {"StringLike": {"aws:sourceArn": f"arn:aws:lambda:us-east-1:{STAGING}:function:*"}}
    policy = document("ecr:BatchGetImage", Principal={"Service": "lambda.amazonaws.com"}, Condition=condition)
    boto3.client("ecr").set_repository_policy(repositoryName="my-app", policyText=policy)

    def may(source_arn: str) -> tuple[bool, str]:
        table = lab.who_can("my-app", "ecr:BatchGetImage", source_arn=source_arn).set_index("principal")
        return table.allowed["lambda.amazonaws.com"], table.reason["lambda.amazonaws.com"]

    silent = "because no resource-based policy allows the ecr:BatchGetImage action"
    assert may(function) == (True, "")
    assert may(function.replace(STAGING, OTHER)) == (False, silent)
    assert may("") == (False, silent)


def test_a_service_is_let_in_by_the_organization_of_its_resource(lab):
    organizations = boto3.client("organizations")
    organization = organizations.create_organization(FeatureSet="ALL")["Organization"]["Id"]
    condition = {"StringEquals": {"aws:SourceOrgID": organization}}
    policy = document("ecr:BatchGetImage", Principal={"Service": "lambda.amazonaws.com"}, Condition=condition)
    boto3.client("ecr").set_repository_policy(repositoryName="my-app", policyText=policy)

    allowed = [
        lab.who_can("my-app", "ecr:BatchGetImage", source_arn=f"arn:aws:lambda:us-east-1:{account}:function:web")
        .set_index("principal")
        .allowed["lambda.amazonaws.com"]
        for account in (HOME, STAGING)
    ]

    assert allowed == [True, False]


def test_an_organization_adds_its_members_and_no_account_besides(lab):
    organizations = lab.account(STAGING).client("organizations")
    organizations.create_organization(FeatureSet="ALL")
    alone = lab.who_can("my-app", "ecr:BatchGetImage")
    made = organizations.create_account(Email="x@example.com", AccountName="member")["CreateAccountStatus"]
    joined = lab.who_can("my-app", "ecr:BatchGetImage")

    member = f"arn:aws:iam::{made['AccountId']}:role/{ENTER}"
    assert [one.split(":")[4] for one in alone.principal] == [HOME, STAGING]
    assert set(joined.principal) - set(alone.principal) == {member}


@pytest.mark.parametrize(
    ("asked", "settings"),
    [
        (("my-app", "ecr:PullEverything"), {}),
        (("my-app", "BatchGetImage"), {}),
        (("my-app",), {}),
        (("nothing", "ecr:BatchGetImage"), {}),
        (("my-app", "ecr:BatchGetImage"), {"source_arn": "web"}),
    ],
)
def test_a_wrong_question_is_refused_in_plain_words(lab, asked, settings):
    with pytest.raises(ecrlab.EcrLabError):
        lab.who_can(*asked, **settings)
