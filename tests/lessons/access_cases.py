"""Cases of the exercises on other accounts: policies as a learner might write them."""

from tests.lessons.case import Case

CELLS = """
import json
from contextlib import suppress

PULL = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
PUSH = ["ecr:BatchCheckLayerAvailability", "ecr:InitiateLayerUpload", "ecr:UploadLayerPart"]
PUSH += ["ecr:CompleteLayerUpload", "ecr:PutImage"]
STAGING = {"AWS": "arn:aws:iam::222233334444:root"}
ROLE = {"AWS": "arn:aws:iam::222233334444:role/deploy"}
LAMBDA = {"Service": "lambda.amazonaws.com"}


def policy(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def functions(account):
    return {"Condition": {"StringLike": {"aws:sourceArn": f"arn:aws:lambda:*:{account}:function:*"}}}


def allow(principal, actions, **more):
    return {"Effect": "Allow", "Principal": principal, "Action": actions, **more}


def put(repository, *statements):
    with suppress(ecr.exceptions.RepositoryAlreadyExistsException):
        ecr.create_repository(repositoryName=repository)
    ecr.set_repository_policy(repositoryName=repository, policyText=policy(*statements))


lab.account("444455556666").client("sts").get_caller_identity()
iam = lab.account("222233334444").client("iam")
trust = policy({"Effect": "Allow", "Principal": STAGING, "Action": "sts:AssumeRole"})
own = {"Effect": "Allow", "Action": "ecr:*", "Resource": "*"}
iam.create_role(RoleName="deploy", AssumeRolePolicyDocument=trust)
iam.put_role_policy(RoleName="deploy", PolicyName="ecr", PolicyDocument=policy(own))
put("my-app", allow(STAGING, PULL + PUSH))
"""


def cell(exercise, code):
    """The code, and the check, which tells that it is Python."""
    return f"{code}\nlab.check({exercise!r})"


def shop(*statements):
    return cell("only-deploy-pulls", f"put('shop', {', '.join(statements)})")


def my_app(*statements):
    return cell("freeze", f"put('my-app', {', '.join(statements)})")


def tools(*statements):
    return cell("tools-for-staging", f"put('tools', {', '.join(statements)})")


FREEZE = '{"Effect": "Deny", "Principal": "*", "Action": %s}'
PEOPLE, FUNCTIONS = "allow(STAGING, PULL)", "allow(LAMBDA, PULL, **functions('222233334444'))"

CASES = {
    "only-deploy-pulls": Case(
        scene="true",
        cells=CELLS,
        wrong={
            "there is no repository named shop; there is my-app": "true",
            "role deploy may not call ecr:BatchGetImage in shop": "aws ecr create-repository --repository-name shop",
            "role deploy may not call ecr:GetDownloadUrlForLayer": shop("allow(ROLE, PULL[:1])"),
            "only one session of staging's role deploy may call ecr:BatchGetImage in shop": shop(
                'allow({"AWS": "arn:aws:sts::222233334444:assumed-role/deploy/learner"}, PULL)'
            ),
            "OrganizationAccountAccessRole may call ecr:BatchGetImage in shop, too": shop("allow(STAGING, PULL)"),
            "444455556666.* may call ecr:BatchGetImage in shop, too": shop('allow({"AWS": "*"}, PULL)'),
            "role/deploy may call ecr:PutImage in shop; it should only pull": shop(
                "allow(ROLE, PULL + ['ecr:PutImage'])"
            ),
        },
        right=(
            shop("allow(ROLE, PULL[:1])", "allow(ROLE, PULL[1:])"),
            shop(
                "allow(STAGING, PULL)",
                '{"Effect": "Deny", "NotPrincipal": {"AWS": [ROLE["AWS"], STAGING["AWS"], '
                '"arn:aws:iam::123456789012:root", "arn:aws:iam::123456789012:user/learner"]}, "Action": "ecr:*"}',
                '{"Effect": "Deny", "Principal": "*", "Action": PULL, "Condition": {"ArnLike": {"aws:PrincipalArn": '
                '"arn:aws:iam::222233334444:role/Organization*"}}}',
            ),
        ),
    ),
    "freeze": Case(
        scene="true",
        cells=CELLS,
        wrong={
            "user/learner and .*role/deploy may call ecr:InitiateLayerUpload": "true",
            "123456789012:user/learner may call ecr:InitiateLayerUpload": my_app("allow(STAGING, PULL)"),
            "layers can still be uploaded: deny ecr:InitiateLayerUpload": my_app(
                "allow(STAGING, PULL)", FREEZE % "PUSH[4:]"
            ),
            "can still be pushed: deny ecr:PutImage, too": my_app("allow(STAGING, PULL + PUSH)", FREEZE % "PUSH[:4]"),
            "role/deploy may not call ecr:BatchGetImage in my-app; a freeze": my_app(FREEZE % "PUSH"),
            "role/OrganizationAccountAccessRole may not call ecr:BatchGetImage": my_app(
                "allow(ROLE, PULL)", FREEZE % "PUSH"
            ),
            "there is no repository named my-app": "aws ecr delete-repository --repository-name my-app",
        },
        right=(my_app("allow(STAGING, PULL + PUSH)", FREEZE % "['ecr:InitiateLayerUpload', 'ecr:PutImage']"),),
    ),
    "tools-for-staging": Case(
        scene="true",
        cells=CELLS,
        wrong={
            "there is no repository named tools; there is my-app": "true",
            "staging's administrator may not call ecr:BatchGetImage": tools(FUNCTIONS),
            "Lambda may not call ecr:BatchGetImage in tools for a function of staging": tools(PEOPLE),
            "also for a function of 444455556666": tools(PEOPLE, "allow(LAMBDA, PULL)"),
            "444455556666:role/.* may call ecr:BatchGetImage in tools, and is not of staging": tools(
                'allow("*", PULL)', FUNCTIONS
            ),
            "may call ecr:PutImage in tools; it should only pull": tools(PEOPLE, "allow(STAGING, PUSH[4:])", FUNCTIONS),
            "lambda.amazonaws.com may call ecr:BatchDeleteImage": tools(
                PEOPLE, "allow(LAMBDA, PULL + ['ecr:BatchDeleteImage'], **functions('222233334444'))"
            ),
        },
        right=(
            tools(
                PEOPLE,
                'allow(LAMBDA, PULL, Condition={"StringEquals": {"aws:SourceAccount": "222233334444"}})',
            ),
            "organizations = lab.account('222233334444').client('organizations')\n"
            "ours = organizations.create_organization(FeatureSet='ALL')['Organization']['Id']\n"
            + tools(
                'allow("*", PULL, Condition={"StringEquals": {"aws:PrincipalOrgID": ours}})',
                FUNCTIONS,
            ),
        ),
    ),
}
