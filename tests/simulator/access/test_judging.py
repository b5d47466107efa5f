"""Users, roles and sessions made with IAM and STS, judged by the AWS face of a real server."""

import datetime
import json
import threading

import pytest

from ecrlab.simulator.access.callers import identify, session_of
from ecrlab.simulator.aws.calls import OPERATIONS
from ecrlab.simulator.aws.operations import load
from ecrlab.simulator.aws.shapes import service_model
from tests.simulator.accounts import ABROAD, HOME, NO_IDENTITY, NO_RESOURCE, arn_of, denial, document
from tests.simulator.client import client_of, refusal
from tests.simulator.requests import Raw, sound

load()


@pytest.fixture
def raw(server):
    return Raw(server)


def test_a_new_user_may_do_nothing_and_is_told_so(home):
    name, _, ecr = home.user()

    assert refusal(ecr.list_images, repositoryName="app") == denial(
        f"arn:aws:iam::{HOME}:user/{name}", "ecr:ListImages", arn_of(home.region), NO_IDENTITY
    )


DIGEST = "sha256:" + "0" * 64
ASKED = {
    "GetAuthorizationToken": ({}, "ecr:GetAuthorizationToken", "*"),
    "DescribeRegistry": ({}, "ecr:DescribeRegistry", "*"),
    "PutRegistryPolicy": ({"policyText": "{}"}, "ecr:PutRegistryPolicy", "*"),
    "DescribeRepositories": ({}, "ecr:DescribeRepositories", "repository/*"),
    "CreateRepository": ({"repositoryName": "new"}, "ecr:CreateRepository", "repository/new"),
    "DeleteRepository": ({"repositoryName": "app"}, "ecr:DeleteRepository", "repository/app"),
    "ListImages": ({"repositoryName": "missing"}, "ecr:ListImages", "repository/missing"),
    "PutImage": ({"repositoryName": "app", "imageManifest": "{}"}, "ecr:PutImage", "repository/app"),
    "BatchGetImage": (
        {"repositoryName": "app", "imageIds": [{"imageTag": "v1"}]},
        "ecr:BatchGetImage",
        "repository/app",
    ),
    "ListImageReferrers": (
        {"repositoryName": "app", "subjectId": {"imageDigest": DIGEST}},
        "ecr:BatchGetImage",
        "repository/app",
    ),
    "InitiateLayerUpload": ({"repositoryName": "app"}, "ecr:InitiateLayerUpload", "repository/app"),
    "SetRepositoryPolicy": (
        {"repositoryName": "app", "policyText": "{}"},
        "ecr:SetRepositoryPolicy",
        "repository/app",
    ),
}


@pytest.mark.parametrize("operation", ASKED)
def test_an_operation_asks_for_its_action_on_its_resource(home, operation):
    request, action, resource = ASKED[operation]
    resource = arn_of(home.region, resource.removeprefix("repository/")) if resource != "*" else "*"
    name, key, _ = home.user()
    client = home.client(key)
    method = getattr(client, next(one for one, api in client.meta.method_to_api_mapping.items() if api == operation))

    assert refusal(method, **request) == denial(f"arn:aws:iam::{HOME}:user/{name}", action, resource, NO_IDENTITY)


def test_each_of_several_repositories_and_the_one_of_an_arn_is_asked_for(home):
    home.ecr.create_repository(repositoryName="other")
    _, _, ecr = home.user(document("ecr:*", Resource=arn_of(home.region)))

    assert len(ecr.describe_repositories(repositoryNames=["app"])["repositories"]) == 1
    _, text = refusal(ecr.describe_repositories, repositoryNames=["app", "other"])
    assert arn_of(home.region, "other") in text
    assert ecr.list_tags_for_resource(resourceArn=arn_of(home.region))["tags"] == []
    code, _ = refusal(ecr.list_tags_for_resource, resourceArn=arn_of(home.region, "other"))
    assert code == "AccessDeniedException"


def test_a_token_needs_a_policy_on_star_and_no_repository_can_grant_it(home):
    name, _, ecr = home.user(document("ecr:*", Resource=arn_of(home.region)))
    home.ecr.put_registry_policy(policyText=document("ecr:*", Principal="*", Resource="*"))

    assert refusal(ecr.get_authorization_token) == denial(
        f"arn:aws:iam::{HOME}:user/{name}", "ecr:GetAuthorizationToken", "*", NO_IDENTITY
    )
    home.iam.put_user_policy(
        UserName=name, PolicyName="login", PolicyDocument=document("ecr:GetAuthorizationToken", Resource="*")
    )
    assert ecr.get_authorization_token()["authorizationData"]


def test_policies_of_groups_and_managed_policies_count_in_their_default_version(home):
    name, _, ecr = home.user()
    code, _ = refusal(ecr.list_images, repositoryName="app")

    home.iam.create_group(GroupName=name)
    home.iam.add_user_to_group(GroupName=name, UserName=name)
    home.iam.put_group_policy(GroupName=name, PolicyName="p", PolicyDocument=document("ecr:ListImages", Resource="*"))
    assert code == "AccessDeniedException"
    assert ecr.list_images(repositoryName="app")["imageIds"] == []

    policy = home.iam.create_policy(PolicyName=name, PolicyDocument=document("ecr:DescribeImages", Resource="*"))
    arn = policy["Policy"]["Arn"]
    home.iam.attach_user_policy(UserName=name, PolicyArn=arn)
    assert ecr.describe_images(repositoryName="app")["imageDetails"] == []
    home.iam.create_policy_version(PolicyArn=arn, PolicyDocument=document("s3:*", Resource="*"), SetAsDefault=True)
    assert refusal(ecr.describe_images, repositoryName="app")[0] == "AccessDeniedException"


def test_the_policies_that_aws_manages_can_be_attached(home):
    role = home.role()
    home.iam.attach_role_policy(
        RoleName=role.rpartition("/")[2], PolicyArn="arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryReadOnly"
    )
    _, ecr = home.assume(role)

    assert ecr.describe_images(repositoryName="app")["imageDetails"] == []
    assert ecr.get_authorization_token()["authorizationData"]
    name = role.rpartition("/")[2]
    assert refusal(ecr.initiate_layer_upload, repositoryName="app") == denial(
        f"arn:aws:sts::{HOME}:assumed-role/{name}/build-7", "ecr:InitiateLayerUpload", arn_of(home.region), NO_IDENTITY
    )


def test_a_session_is_bounded_by_its_roles_boundary_and_by_its_own_policy(home):
    reading, all_of_it = document("ecr:Describe*", Resource="*"), document("ecr:*", Resource="*")
    boundary = home.iam.create_policy(PolicyName=f"b-{home.region}", PolicyDocument=reading)["Policy"]["Arn"]
    bounded = home.role(all_of_it, PermissionsBoundary=boundary)
    free = home.role(all_of_it)

    for _, ecr in (home.assume(bounded), home.assume(free, Policy=reading)):
        assert ecr.describe_images(repositoryName="app")["imageDetails"] == []
    tails = [
        refusal(ecr.list_images, repositoryName="app")[1].partition(arn_of(home.region))[2]
        for _, ecr in (home.assume(bounded), home.assume(free, Policy=reading))
    ]
    assert tails == [
        " because no permissions boundary allows the ecr:ListImages action",
        " because no session policy allows the ecr:ListImages action",
    ]


@pytest.mark.parametrize("role", ["of-nobody", "OrganizationAccountAccessRole"])
def test_a_session_of_a_role_that_nobody_made_may_do_nothing(home, role):
    _, ecr = home.assume(f"arn:aws:iam::{HOME}:role/{role}")

    assert refusal(ecr.list_images, repositoryName="app") == denial(
        f"arn:aws:sts::{HOME}:assumed-role/{role}/build-7", "ecr:ListImages", arn_of(home.region), NO_IDENTITY
    )


def test_across_accounts_both_sides_must_allow(home, abroad):
    role = abroad.role()
    name = role.rpartition("/")[2]
    _, ecr = home.assume(role)
    who = f"arn:aws:sts::{ABROAD}:assumed-role/{name}/build-7"
    call = {"registryId": HOME, "repositoryName": "app"}

    assert refusal(ecr.list_images, **call) == denial(who, "ecr:ListImages", arn_of(home.region), NO_IDENTITY)
    abroad.iam.put_role_policy(
        RoleName=name, PolicyName="pull", PolicyDocument=document("ecr:ListImages", Resource="*")
    )
    assert refusal(ecr.list_images, **call) == denial(who, "ecr:ListImages", arn_of(home.region), NO_RESOURCE)
    home.ecr.set_repository_policy(
        repositoryName="app", policyText=document("ecr:ListImages", Principal={"AWS": ABROAD})
    )
    assert ecr.list_images(**call)["imageIds"] == []
    abroad.iam.delete_role_policy(RoleName=name, PolicyName="pull")
    assert refusal(ecr.list_images, **call) == denial(who, "ecr:ListImages", arn_of(home.region), NO_IDENTITY)


HAS_REGISTRY_ID = sorted(
    name
    for service, name in OPERATIONS
    if service == "ecr" and "registryId" in service_model("ecr").operation_model(name).input_shape.members
)


@pytest.mark.parametrize("operation", HAS_REGISTRY_ID)
def test_an_operation_with_registry_id_is_about_that_registry(raw, operation):
    request = sound(service_model("ecr").operation_model(operation).input_shape) | {"registryId": ABROAD}

    status, answer = raw.post("ecr", operation, json.dumps(request).encode())

    assert (status, answer["__type"]) == (400, "AccessDeniedException")
    assert answer["message"].rpartition(" because ")[2].startswith("no resource-based policy allows")


def test_the_learner_is_an_administrator_at_home_and_a_stranger_abroad(home, abroad):
    abroad.ecr.create_repository(repositoryName="theirs")
    call = {"registryId": ABROAD, "repositoryName": "theirs"}
    resource = arn_of(home.region, "theirs", ABROAD)
    learner = f"arn:aws:iam::{HOME}:user/learner"

    assert refusal(home.ecr.list_images, **call) == denial(learner, "ecr:ListImages", resource, NO_RESOURCE)
    everything = arn_of(home.region, "*", ABROAD)
    assert refusal(home.ecr.describe_repositories, registryId=ABROAD) == denial(
        learner, "ecr:DescribeRepositories", everything, NO_RESOURCE
    )
    abroad.ecr.set_repository_policy(
        repositoryName="theirs", policyText=document("ecr:ListImages", Principal={"AWS": HOME})
    )
    assert home.ecr.list_images(**call)["imageIds"] == []


def test_a_repository_policy_alone_lets_in_a_user_of_its_own_account(home):
    name, _, ecr = home.user()
    arn = f"arn:aws:iam::{HOME}:user/{name}"
    home.ecr.set_repository_policy(repositoryName="app", policyText=document("ecr:ListImages", Principal={"AWS": arn}))

    assert ecr.list_images(repositoryName="app")["imageIds"] == []


def test_a_deny_of_the_repository_holds_for_the_learner_who_can_still_take_it_back(home):
    home.ecr.set_repository_policy(
        repositoryName="app", policyText=document("ecr:*", effect="Deny", Principal="*"), force=True
    )

    assert refusal(home.ecr.list_images, repositoryName="app") == denial(
        f"arn:aws:iam::{HOME}:user/learner",
        "ecr:ListImages",
        arn_of(home.region),
        "with an explicit deny in a resource-based policy",
    )
    home.ecr.delete_repository_policy(repositoryName="app")
    assert home.ecr.list_images(repositoryName="app")["imageIds"] == []


def test_the_registry_policy_speaks_for_its_repositories(home):
    home.ecr.put_registry_policy(
        policyText=document("ecr:DeleteRepository", effect="Deny", Principal="*", Resource=arn_of(home.region, "*"))
    )

    _, text = refusal(home.ecr.delete_repository, repositoryName="app")
    assert text.endswith("with an explicit deny in a resource-based policy")
    home.ecr.delete_registry_policy()
    home.ecr.delete_repository(repositoryName="app")


def test_tags_of_resource_and_request_are_conditions(home):
    home.ecr.create_repository(repositoryName="tagged", tags=[{"Key": "Team", "Value": "red"}])
    of_red = {"Condition": {"StringEquals": {"ecr:ResourceTag/Team": "red"}}}
    as_red = {"Condition": {"StringEquals": {"aws:RequestTag/Team": "red"}}}
    _, _, ecr = home.user(
        document("ecr:ListImages", Resource="*", **of_red),
        document("ecr:CreateRepository", "ecr:TagResource", Resource="*", **as_red),
    )

    assert ecr.list_images(repositoryName="tagged")["imageIds"] == []
    assert refusal(ecr.list_images, repositoryName="app")[0] == "AccessDeniedException"
    ecr.create_repository(repositoryName="red", tags=[{"Key": "Team", "Value": "red"}])
    blue = {"repositoryName": "blue", "tags": [{"Key": "Team", "Value": "blue"}]}
    assert refusal(ecr.create_repository, **blue)[0] == "AccessDeniedException"


def test_a_policy_can_let_in_an_organization(home):
    organizations = client_of(home.endpoint, "organizations")
    organization = organizations.create_organization(FeatureSet="ALL")["Organization"]["Id"]
    member = organizations.create_account(Email="x@example.com", AccountName="member")["CreateAccountStatus"][
        "AccountId"
    ]
    _, ecr = home.assume(f"arn:aws:iam::{member}:role/OrganizationAccountAccessRole")
    _, stranger = home.assume(f"arn:aws:iam::{ABROAD}:role/OrganizationAccountAccessRole")

    def let_in(organization_id: str) -> None:
        of_it = {"StringEquals": {"aws:PrincipalOrgID": organization_id}}
        policy = document("ecr:ListImages", Principal="*", Condition=of_it)
        home.ecr.set_repository_policy(repositoryName="app", policyText=policy)

    try:
        let_in("o-another")
        code, _ = refusal(ecr.list_images, registryId=HOME, repositoryName="app")
        let_in(organization)
        assert code == "AccessDeniedException"
        assert ecr.list_images(registryId=HOME, repositoryName="app")["imageIds"] == []
        assert refusal(stranger.list_images, registryId=HOME, repositoryName="app")[0] == "AccessDeniedException"
    finally:
        organizations.remove_account_from_organization(AccountId=member)
        organizations.delete_organization()


def test_service_control_policies_bound_the_members_of_an_organization(home):
    organizations = client_of(home.endpoint, "organizations")
    organizations.create_organization(FeatureSet="ALL")
    made = organizations.create_account(Email="x@example.com", AccountName="member")["CreateAccountStatus"]
    member = made["AccountId"]
    _, ecr = home.assume(f"arn:aws:iam::{member}:role/OrganizationAccountAccessRole")
    who = f"arn:aws:sts::{member}:assumed-role/OrganizationAccountAccessRole/build-7"

    def attach(name: str, text: str, target: str) -> str:
        policy = organizations.create_policy(Name=name, Description="", Type="SERVICE_CONTROL_POLICY", Content=text)[
            "Policy"
        ]["PolicySummary"]["Id"]
        organizations.attach_policy(PolicyId=policy, TargetId=target)
        return policy

    try:
        assert ecr.describe_repositories()["repositories"] == []
        root = organizations.list_roots()["Roots"][0]["Id"]
        deny = attach("no-delete", document("ecr:DescribeRepositories", effect="Deny", Resource="*"), root)
        everything = arn_of(home.region, "*", member)
        assert refusal(ecr.describe_repositories) == denial(
            who, "ecr:DescribeRepositories", everything, "with an explicit deny in a service control policy"
        )
        assert home.ecr.describe_repositories()["repositories"]  # the management account is not bounded
        organizations.detach_policy(PolicyId=deny, TargetId=root)
        attach("only-registry", document("ecr:DescribeRegistry", Resource="*"), member)
        organizations.detach_policy(PolicyId="p-FullAWSAccess", TargetId=member)
        assert ecr.describe_registry()["registryId"] == member
        assert refusal(ecr.describe_repositories) == denial(
            who,
            "ecr:DescribeRepositories",
            everything,
            "because no service control policy allows the {} action",
        )
    finally:
        organizations.remove_account_from_organization(AccountId=member)
        organizations.delete_organization()


def test_a_lock_out_must_be_forced(home):
    name, _, _ = home.user()
    all_but_one = {"NotPrincipal": {"AWS": f"arn:aws:iam::{HOME}:user/{name}"}}
    locks = document("ecr:Set*", effect="Deny", **all_but_one)
    elsewhere = document(
        "ecr:*", effect="Deny", Principal="*", Condition={"StringEquals": {"aws:RequestedRegion": "x"}}
    )

    code, _ = refusal(home.ecr.set_repository_policy, repositoryName="app", policyText=locks)

    assert code == "InvalidParameterException"
    home.ecr.set_repository_policy(repositoryName="app", policyText=locks, force=True)
    home.ecr.set_repository_policy(repositoryName="app", policyText=elsewhere)


def test_tagging_at_creation_is_an_action_of_its_own(home):
    _, _, ecr = home.user(document("ecr:CreateRepository", Resource="*"))

    ecr.create_repository(repositoryName="plain")
    _, text = refusal(ecr.create_repository, repositoryName="red", tags=[{"Key": "Team", "Value": "red"}])
    assert "perform: ecr:TagResource" in text


def test_a_key_counts_only_while_it_is_active(home):
    name, key, ecr = home.user(document("ecr:*", Resource="*"))
    invalid = ("UnrecognizedClientException", "The security token included in the request is invalid.")
    ecr.list_images(repositoryName="app")

    home.iam.update_access_key(UserName=name, AccessKeyId=key, Status="Inactive")
    assert refusal(ecr.list_images, repositoryName="app") == invalid
    home.iam.update_access_key(UserName=name, AccessKeyId=key, Status="Active")
    ecr.list_images(repositoryName="app")
    home.iam.delete_access_key(UserName=name, AccessKeyId=key)
    assert refusal(ecr.list_images, repositoryName="app") == invalid


def test_a_session_that_is_over_is_refused(home):
    key, ecr = home.assume(home.role(document("ecr:*", Resource="*")))
    ecr.list_images(repositoryName="app")

    session_of(HOME, key).expiration -= datetime.timedelta(hours=1)

    code, text = refusal(ecr.list_images, repositoryName="app")
    assert (code, text) == ("ExpiredTokenException", "The security token included in the request is expired")


def test_keys_of_no_iam_are_the_learners(home):
    assert client_of(home.endpoint, region=home.region, key="test").list_images(repositoryName="app")
    assert identify("AKIAIOSFODNN7EXAMPLE").is_administrator


def test_callers_are_known_while_others_are_made(home):
    _, key, _ = home.user()
    seen = []
    lookers = [threading.Thread(target=lambda: seen.extend(identify(key) for _ in range(500))) for _ in range(4)]
    for looker in lookers:
        looker.start()
    for _ in range(5):
        home.user()
        home.assume(f"arn:aws:iam::{HOME}:role/of-nobody")
    for looker in lookers:
        looker.join()

    assert len(seen) == 2000
    assert len(set(seen)) == 1
    assert not seen[0].is_administrator
