"""Policies and tags of public repositories: who may push, and labels."""

import json
from typing import Any

import pytest

from ecrlab.errors import EcrLabError
from ecrlab.registry.world import World
from ecrlab.simulator.access import who_can
from tests.simulator.accounts import NO_RESOURCE, denial
from tests.simulator.client import Repository, refusal

HOME, OTHER = "123456789012", "210987654321"
ARN = f"arn:aws:ecr-public::{HOME}:repository/app"
PUSH = ("BatchCheckLayerAvailability", "PutImage", "InitiateLayerUpload", "UploadLayerPart", "CompleteLayerUpload")
INVALID = (
    "InvalidParameterException",
    "Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Invalid repository policy provided'",
)


def policy(*actions: str, account: str = OTHER, effect: str = "Allow", **elements: Any) -> str:
    principal = {"AWS": f"arn:aws:iam::{account}:root"}
    statement = {"Sid": "a b", "Effect": effect, "Principal": principal, "Action": list(actions), **elements}
    return json.dumps({"Version": "2008-10-17", "Statement": [statement]})


@pytest.fixture
def app(public: Any) -> Repository:
    """The public repository `app` of the learner."""
    public.create_repository(repositoryName="app")
    return Repository(public, "app")


@pytest.mark.operation("ecr-public:SetRepositoryPolicy")
def test_a_policy_lets_another_account_push(client: Any, app: Repository) -> None:
    other = client(account=OTHER)
    there = {"registryId": HOME, "repositoryName": "app"}
    admin = f"arn:aws:iam::{OTHER}:user/admin"
    action = "ecr-public:InitiateLayerUpload"
    assert refusal(other.initiate_layer_upload, **there) == denial(admin, action, ARN, NO_RESOURCE)
    app.set_repository_policy(policyText=policy(*(f"ecr-public:{name}" for name in PUSH)))
    assert other.initiate_layer_upload(**there)["uploadId"]
    # Not more than the policy says.
    assert refusal(other.describe_images, **there) == denial(admin, "ecr-public:DescribeImages", ARN, NO_RESOURCE)
    assert refusal(other.delete_repository, **there)[0] == "AccessDeniedException"


def test_actions_of_private_repositories_are_accepted_and_grant_nothing(client: Any, app: Repository) -> None:
    app.set_repository_policy(policyText=policy("ecr:InitiateLayerUpload", "ecr:BatchGetImage"))
    asked = client(account=OTHER).initiate_layer_upload
    assert refusal(asked, registryId=HOME, repositoryName="app")[0] == "AccessDeniedException"


def test_a_policy_may_deny_its_own_account_a_push(app: Repository) -> None:
    app.set_repository_policy(policyText=policy("ecr-public:PutImage", account=HOME, effect="Deny"))
    code, message = refusal(app.put_image, imageManifest="{}", imageTag="v1")
    assert code == "AccessDeniedException"
    assert message.endswith("with an explicit deny in a resource-based policy")


def test_a_policy_that_locks_out_its_author_needs_force(app: Repository) -> None:
    text = policy("ecr-public:*", account=HOME, effect="Deny")
    assert refusal(app.set_repository_policy, policyText=text) == INVALID
    assert app.set_repository_policy(policyText=text, force=True)["registryId"] == HOME
    # UNSURE, as for private repositories: the administrator may always change policies.
    assert app.delete_repository_policy()["policyText"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        policy("ecr-public:GetAuthorizationToken"),
        policy("ecr-public:CreateRepository"),
        policy("ecr-public:NoSuchThing"),
        policy("s3:GetObject"),
        policy("ecr-public:PutImage", Resource="*"),
        policy("ecr-public:PutImage", Principal={"AWS": "arn:aws:iam::123456789012:role/none"}),
    ],
)
def test_policies_that_ecr_public_does_not_take(app: Repository, text: str) -> None:
    assert refusal(app.set_repository_policy, policyText=text) == INVALID
    assert refusal(app.get_repository_policy)[0] == "RepositoryPolicyNotFoundException"


@pytest.mark.parametrize("kind", ["ecr-public:PutImage", "ecr-public:*"])
def test_a_private_repository_takes_no_policy_about_public_ones(client: Any, kind: str) -> None:
    private = client("ecr")
    private.create_repository(repositoryName="app")
    assert refusal(private.set_repository_policy, repositoryName="app", policyText=policy(kind)) == INVALID


@pytest.mark.operation("ecr-public:GetRepositoryPolicy")
def test_a_policy_is_returned_as_ecr_lays_it_out(app: Repository) -> None:
    assert refusal(app.get_repository_policy) == (
        "RepositoryPolicyNotFoundException",
        "Repository policy does not exist for the repository with name 'app' in the registry with id '123456789012'",
    )
    text = policy("ecr-public:PutImage")
    app.set_repository_policy(policyText=text)
    answer = app.get_repository_policy()
    assert (answer["registryId"], answer["repositoryName"]) == (HOME, "app")
    assert json.loads(answer["policyText"]) == json.loads(text)
    assert answer["policyText"].startswith('{\n  "Version" : ')


@pytest.mark.operation("ecr-public:DeleteRepositoryPolicy")
def test_a_deleted_policy_no_longer_holds(client: Any, app: Repository) -> None:
    app.set_repository_policy(policyText=policy("ecr-public:DescribeImages"))
    asked = client(account=OTHER).describe_images
    assert asked(registryId=HOME, repositoryName="app")["imageDetails"] == []
    app.delete_repository_policy()
    assert refusal(asked, registryId=HOME, repositoryName="app")[0] == "AccessDeniedException"


def test_who_can_push_to_a_public_repository(app: Repository, own_world: World) -> None:
    app.set_repository_policy(policyText=policy("ecr-public:PutImage"))
    home = own_world.registry(HOME, "us-east-1")
    answers = who_can.answers(home, "app", ["ecr-public:PutImage", "ecr-public:DescribeImages"])
    found = {(one.principal, one.action.partition(":")[2]): one.allowed for one in answers}
    member = f"arn:aws:iam::{OTHER}:role/OrganizationAccountAccessRole"
    assert (found[member, "PutImage"], found[member, "DescribeImages"]) == (True, False)
    with pytest.raises(EcrLabError, match="private or public"):
        who_can.answers(home, "app", ["ecr:PutImage", "ecr-public:PutImage"])


@pytest.mark.operation("ecr-public:TagResource")
def test_a_public_repository_has_fifty_tags_at_most(public: Any) -> None:
    public.create_repository(repositoryName="app", tags=[{"Key": "team", "Value": "a"}])
    public.tag_resource(resourceArn=ARN, tags=[{"Key": "team", "Value": "b"}, {"Key": "empty"}])
    expected = [{"Key": "team", "Value": "b"}, {"Key": "empty", "Value": ""}]
    assert public.list_tags_for_resource(resourceArn=ARN)["tags"] == expected
    for tags, code in (
        ([{"Key": str(number), "Value": ""} for number in range(49)], "TooManyTagsException"),
        ([{"Key": "aws:x", "Value": ""}], "InvalidTagParameterException"),
        ([{"Value": "no key"}], "InvalidTagParameterException"),
        ([{"Key": "x" * 129, "Value": ""}], "InvalidParameterException"),
        ([{"Key": str(number), "Value": ""} for number in range(201)], "InvalidParameterException"),
    ):
        assert refusal(public.tag_resource, resourceArn=ARN, tags=tags)[0] == code
    assert public.list_tags_for_resource(resourceArn=ARN)["tags"] == expected
    many = [{"Key": str(number), "Value": ""} for number in range(51)]
    assert refusal(public.create_repository, repositoryName="new", tags=many)[0] == "TooManyTagsException"
    assert len(public.describe_repositories()["repositories"]) == 1


@pytest.mark.operation("ecr-public:UntagResource")
def test_tags_are_removed_by_their_keys(app: Repository) -> None:
    public = app.ecr
    public.tag_resource(resourceArn=ARN, tags=[{"Key": key, "Value": ""} for key in "ab"])
    public.untag_resource(resourceArn=ARN, tagKeys=["a", "none"])
    assert public.list_tags_for_resource(resourceArn=ARN)["tags"] == [{"Key": "b", "Value": ""}]


@pytest.mark.operation("ecr-public:ListTagsForResource")
def test_a_tag_lets_a_condition_decide(client: Any, app: Repository) -> None:
    public, other = app.ecr, client(account=OTHER)
    condition = {"StringEquals": {"ecr-public:ResourceTag/team": "a"}}
    app.set_repository_policy(policyText=policy("ecr-public:ListTagsForResource", Condition=condition))
    assert refusal(other.list_tags_for_resource, resourceArn=ARN)[0] == "AccessDeniedException"
    public.tag_resource(resourceArn=ARN, tags=[{"Key": "team", "Value": "a"}])
    assert other.list_tags_for_resource(resourceArn=ARN)["tags"] == [{"Key": "team", "Value": "a"}]


def test_an_arn_of_the_other_service_is_no_resource(client: Any, app: Repository) -> None:
    private = client("ecr")
    private.create_repository(repositoryName="app")
    invalid = (
        "InvalidParameterException",
        "Invalid parameter at 'resourceArn' failed to satisfy constraint: 'Invalid ARN'",
    )
    assert refusal(private.list_tags_for_resource, resourceArn=ARN) == invalid
    of_private = f"arn:aws:ecr:us-east-1:{HOME}:repository/app"
    assert refusal(app.ecr.list_tags_for_resource, resourceArn=of_private) == invalid
    assert refusal(app.ecr.list_tags_for_resource, resourceArn=ARN.replace("::", ":us-east-1:")) == invalid
