"""Users, roles and sessions made with IAM and STS, judged on both faces of a real server."""

import base64
import datetime
import functools
import json
import os
import subprocess
import threading
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from ecrlab.simulator.callers import identify, session_of
from tests.simulator.client import CONFIG, LAYER, OCI_MANIFEST, client_of, digest_of, manifest, refusal

HOME, ABROAD = "123456789012", "333333333333"
TRUST = json.dumps({"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Principal": "*", "Action": "sts:*"}})
NO_IDENTITY = "because no identity-based policy allows the {} action"
NO_RESOURCE = "because no resource-based policy allows the {} action"


def document(*actions: str, effect: str = "Allow", **elements) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": effect, "Action": list(actions), **elements}]})


@functools.cache
def cached_client(endpoint: str, service: str, **key: str):
    return client_of(endpoint, service, **key)


class Account:
    """Makes principals of one account with IAM and STS, and ECR clients for them."""

    def __init__(self, endpoint: str, region: str, key: str | None = None) -> None:
        self.endpoint, self.region = endpoint, region
        given = {} if key is None else {"key": key}
        self.iam, self.sts = (cached_client(endpoint, service, **given) for service in ("iam", "sts"))
        self.ecr = client_of(endpoint, region=region, **given)

    def client(self, key: str):
        return client_of(self.endpoint, region=self.region, key=key)

    def user(self, *policies: str) -> tuple[str, str, object]:
        """Name, access key and ECR client of a new user."""
        name = f"ann-{self.region}-{len(self.iam.list_users()['Users'])}"
        self.iam.create_user(UserName=name)
        for number, policy in enumerate(policies):
            self.iam.put_user_policy(UserName=name, PolicyName=f"p{number}", PolicyDocument=policy)
        key = self.iam.create_access_key(UserName=name)["AccessKey"]["AccessKeyId"]
        return name, key, self.client(key)

    def role(self, *policies: str, **settings) -> str:
        """The ARN of a new role."""
        name = f"ci-{self.region}-{len(self.iam.list_roles()['Roles'])}"
        made = self.iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST, **settings)["Role"]
        for number, policy in enumerate(policies):
            self.iam.put_role_policy(RoleName=name, PolicyName=f"p{number}", PolicyDocument=policy)
        return made["Arn"]

    def assume(self, role_arn: str, **settings) -> tuple[str, object]:
        """Access key and ECR client of a session of a role."""
        answer = self.sts.assume_role(RoleArn=role_arn, RoleSessionName="build-7", **settings)
        key = answer["Credentials"]["AccessKeyId"]
        return key, self.client(key)


@pytest.fixture
def home(server, region) -> Account:
    """The learner's account, with the repository `app`."""
    account = Account(server.endpoint, region)
    account.ecr.create_repository(repositoryName="app")
    return account


@pytest.fixture
def abroad(home) -> Account:
    """A second account, entered by the role that AWS Organizations makes in it."""
    key, _ = home.assume(f"arn:aws:iam::{ABROAD}:role/OrganizationAccountAccessRole")
    return Account(home.endpoint, home.region, key)


def arn_of(region: str, repository: str = "app", account: str = HOME) -> str:
    return f"arn:aws:ecr:{region}:{account}:repository/{repository}"


def denial(principal: str, action: str, resource: str, tail: str) -> tuple[str, str]:
    text = f"User: {principal} is not authorized to perform: {action} on resource: {resource} {tail}"
    return "AccessDeniedException", text.format(action)


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
    finally:
        organizations.remove_account_from_organization(AccountId=member)
        organizations.delete_organization()


def test_a_lock_out_must_be_forced(home):
    all_but_one = {"NotPrincipal": {"AWS": f"arn:aws:iam::{HOME}:user/somebody"}}
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


def password(ecr) -> str:
    token = ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]
    return base64.b64decode(token).decode().partition(":")[2]


def docker(home: Account, ecr_password: str, method: str, path: str) -> tuple[int, dict]:
    """Status and body of a request of a Docker client."""
    credentials = base64.b64encode(f"AWS:{ecr_password}".encode()).decode()
    request = urllib.request.Request(home.endpoint + path, method=method)
    request.add_header("Authorization", f"Basic {credentials}")
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, json.loads(answer.read() or b"{}")
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read() or b"{}")


def test_docker_clients_are_told_the_same(home):
    name, _, ecr = home.user(document("ecr:GetAuthorizationToken", "ecr:ListImages", Resource="*"))
    token = password(ecr)
    who = f"arn:aws:iam::{HOME}:user/{name}"

    assert docker(home, token, "GET", "/v2/app/tags/list") == (200, {"name": "app", "tags": []})
    status, body = docker(home, token, "POST", "/v2/app/blobs/uploads/")
    _, text = denial(who, "ecr:InitiateLayerUpload", arn_of(home.region), NO_IDENTITY)
    assert (status, body) == (403, {"errors": [{"code": "DENIED", "message": text}]})
    status, body = docker(home, token, "GET", "/v2/_catalog")
    _, text = denial(who, "ecr:DescribeRepositories", arn_of(home.region, "*"), NO_IDENTITY)
    assert (status, body["errors"][0]["message"]) == (403, text)


def test_a_token_outlives_its_key_but_not_its_bearers_policies(home):
    name, key, ecr = home.user(document("ecr:*", Resource="*"))
    token = password(ecr)
    home.iam.delete_access_key(UserName=name, AccessKeyId=key)

    assert docker(home, token, "GET", "/v2/app/tags/list")[0] == 200
    home.iam.delete_user_policy(UserName=name, PolicyName="p0")
    assert docker(home, token, "GET", "/v2/app/tags/list")[0] == 403


def write_layout(folder: Path) -> None:
    """An image of one small layer as an OCI layout, tagged v1."""
    blobs = folder / "blobs" / "sha256"
    blobs.mkdir(parents=True)
    body = manifest(b"layer", config=b"{}")
    for blob in (b"layer", b"{}", body.encode()):
        (blobs / digest_of(blob).removeprefix("sha256:")).write_bytes(blob)
    entry = {
        "mediaType": OCI_MANIFEST,
        "digest": digest_of(body.encode()),
        "size": len(body),
        "annotations": {"org.opencontainers.image.ref.name": "v1"},
    }
    (folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [entry]}))
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    assert CONFIG in body and LAYER in body


@pytest.mark.client("skopeo")
def test_a_push_of_a_role_that_may_only_read_fails_in_the_words_of_ecr(home, tmp_path):
    role = home.role()
    name = role.rpartition("/")[2]
    managed = "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistry{}"
    home.iam.attach_role_policy(RoleName=name, PolicyArn=managed.format("ReadOnly"))
    _, ecr = home.assume(role)
    write_layout(tmp_path / "layout")

    def push() -> subprocess.CompletedProcess[str]:
        there = home.endpoint.removeprefix("http://") + "/app:v1"
        command = [
            "skopeo",
            "copy",
            "--insecure-policy",
            "--dest-tls-verify=false",
            f"--dest-creds=AWS:{password(ecr)}",
        ]
        return subprocess.run(
            [*command, f"oci:{tmp_path / 'layout'}:v1", f"docker://{there}"],
            env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "TMPDIR": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )

    refused = push()
    home.iam.attach_role_policy(RoleName=name, PolicyArn=managed.format("PowerUser"))
    pushed = push()

    who = f"arn:aws:sts::{HOME}:assumed-role/{name}/build-7"
    _, text = denial(who, "ecr:InitiateLayerUpload", arn_of(home.region), NO_IDENTITY)
    assert refused.returncode != 0
    assert f"denied: {text}" in refused.stderr
    assert pushed.returncode == 0, pushed.stderr
    assert home.ecr.list_images(repositoryName="app")["imageIds"][0]["imageTag"] == "v1"
