"""The five operations on rules, the secrets that rules name, and private registries upstream."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from ecrlab import gallery
from ecrlab.registry import creation_templates, repositories, settings
from ecrlab.registry.names import PUBLIC
from ecrlab.registry.repositories import Settings
from ecrlab.simulator import stand_ins
from tests.registry.conftest import Client, digest_of
from tests.simulator.accounts import document
from tests.simulator.cached import ABROAD, EUROPE, HOME, HUB, SECRET, Caches

MISSING = "arn:aws:secretsmanager:us-east-1:123456789012:secret:ecr-pullthroughcache/nothing-abcdef"
ALPINE = gallery.manifest("docker/library/alpine", "3.22.6")
assert ALPINE is not None
DENIED = (
    "The authentication to the upstream registry failed. Verify that the credentials provided in the pull through "
    "cache rule are correct, and try again."
)


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Caches]:
    lab = Caches(tmp_path / "state")
    yield lab
    lab.close()


@pytest.mark.operation("ecr:CreatePullThroughCacheRule")
def test_a_rule_is_created_with_its_role(lab: Caches) -> None:
    answer = lab.rule("team/quay/")
    created = answer.pop("createdAt")
    assert created == lab.clock.now().timestamp()
    assert answer == {
        "ecrRepositoryPrefix": "team/quay/",
        "upstreamRegistryUrl": "quay.io",
        "registryId": "123456789012",
        "upstreamRegistry": "quay",
        "upstreamRepositoryPrefix": "ROOT",
    }
    again = lab.rule("team/quay")
    assert again["__type"] == "PullThroughCacheRuleAlreadyExistsException"
    from moto.iam.models import iam_backends

    [role] = [one for one in iam_backends["123456789012"]["aws"].get_roles() if "PullThroughCache" in one.name]
    assert role.name == "AWSServiceRoleForECRPullThroughCache"
    assert "pullthroughcache.ecr.amazonaws.com" in role.assume_role_policy_document
    assert [policy.name for policy in role.managed_policies.values()] == ["AWSECRPullThroughCache_ServiceRolePolicy"]


@pytest.mark.operation("ecr:UpdatePullThroughCacheRule")
def test_a_rule_gets_another_secret(lab: Caches) -> None:
    first, second = lab.secret(lab.hub.credentials), lab.secret(lab.hub.credentials, SECRET + "2")
    lab.rule("docker-hub", HUB, credentialArn=first)
    answer = lab.aws("UpdatePullThroughCacheRule", ecrRepositoryPrefix="docker-hub", credentialArn=second)
    assert (answer["credentialArn"], answer["updatedAt"]) == (second, lab.clock.now().timestamp())
    refused = lab.aws("UpdatePullThroughCacheRule", ecrRepositoryPrefix="docker-hub", credentialArn=MISSING)
    assert refused["__type"] == "SecretNotFoundException"
    [rule] = lab.aws("DescribePullThroughCacheRules")["pullThroughCacheRules"]
    assert (rule["credentialArn"], rule["createdAt"] < rule["updatedAt"]) == (second, True)


@pytest.mark.operation("ecr:DeletePullThroughCacheRule")
def test_a_rule_is_deleted(lab: Caches) -> None:
    made = lab.rule()
    gone = lab.aws("DeletePullThroughCacheRule", ecrRepositoryPrefix="quay")
    assert gone == {name: value for name, value in made.items() if name != "upstreamRegistry"}
    for operation in ("Delete", "Update", "Validate"):
        answer = lab.aws(f"{operation}PullThroughCacheRule", ecrRepositoryPrefix="quay")
        assert answer["__type"] == "PullThroughCacheRuleNotFoundException"


@pytest.mark.operation("ecr:DescribePullThroughCacheRules")
def test_rules_are_listed_by_prefix_in_pages(lab: Caches) -> None:
    for prefix in ("cc", "aa", "bb"):
        lab.rule(prefix)
    first = lab.aws("DescribePullThroughCacheRules", maxResults=2)
    second = lab.aws("DescribePullThroughCacheRules", maxResults=2, nextToken=first["nextToken"])
    pages = [[one["ecrRepositoryPrefix"] for one in page["pullThroughCacheRules"]] for page in (first, second)]
    assert (pages, "nextToken" in second) == ([["aa", "bb"], ["cc"]], False)
    some = lab.aws("DescribePullThroughCacheRules", ecrRepositoryPrefixes=["cc", "aa"])["pullThroughCacheRules"]
    assert [(one["ecrRepositoryPrefix"], one["registryId"]) for one in some] == [
        ("cc", "123456789012"),
        ("aa", "123456789012"),
    ]
    unknown = lab.aws("DescribePullThroughCacheRules", ecrRepositoryPrefixes=["cc", "dd"])
    assert unknown["__type"] == "PullThroughCacheRuleNotFoundException"


@pytest.mark.operation("ecr:ValidatePullThroughCacheRule")
def test_a_rule_is_validated_by_a_login(lab: Caches) -> None:
    arn = lab.secret(lab.hub.credentials)
    lab.rule("docker-hub", HUB, credentialArn=arn)
    assert lab.aws("ValidatePullThroughCacheRule", ecrRepositoryPrefix="docker-hub") == {
        "ecrRepositoryPrefix": "docker-hub",
        "registryId": "123456789012",
        "upstreamRegistryUrl": HUB,
        "upstreamRepositoryPrefix": "ROOT",
        "credentialArn": arn,
        "isValid": True,
        "failure": "",
    }
    lab.rule()
    assert lab.aws("ValidatePullThroughCacheRule", ecrRepositoryPrefix="quay")["isValid"] is True
    lab.hub.down()
    answer = lab.aws("ValidatePullThroughCacheRule", ecrRepositoryPrefix="docker-hub")
    assert (answer["isValid"], "unavailable" in answer["failure"]) == (False, True)


@pytest.mark.parametrize(
    "value",
    [
        "no json",
        "[]",
        {"username": "learner"},
        {"username": "x", "accessToken": "y"},
        pytest.param("[" * 9000, id="deep"),
    ],
)
def test_a_wrong_secret_is_found_by_validation_and_by_a_pull(lab: Caches, value: object) -> None:
    arn = lab.secret(value)
    lab.rule("docker-hub", HUB, credentialArn=arn)
    answer = lab.aws("ValidatePullThroughCacheRule", ecrRepositoryPrefix="docker-hub")
    assert (answer["isValid"], answer["failure"]) == (False, DENIED)
    name = "docker-hub/library/alpine"
    assert lab.pull(name, "3.22.6") == (403, f"DENIED: {DENIED}")
    assert lab.names() == []
    right = json.dumps(lab.hub.credentials)
    lab.aws("PutSecretValue", "secretsmanager", SecretId=SECRET, SecretString=right)
    assert lab.pull(name, "3.22.6") == (200, ALPINE.digest)
    lab.aws("PutSecretValue", "secretsmanager", SecretId=SECRET, SecretString="{}")
    assert lab.pull(name, "3.22.6") == (200, ALPINE.digest)
    failed = lab.aws("BatchGetImage", repositoryName=name, imageIds=[{"imageTag": "3.21.8"}])["failures"]
    assert [(one["failureCode"], one["failureReason"]) for one in failed] == [("UpstreamAccessDenied", DENIED)]


def test_docker_hub_does_not_tell_a_missing_repository_from_a_private_one(lab: Caches) -> None:
    lab.rule("docker-hub", HUB, credentialArn=lab.secret(lab.hub.credentials))
    for name in ("docker-hub/alpine", "docker-hub/library/percona/operator"):
        assert lab.pull(name, "3.22.6") == (403, f"DENIED: {DENIED}")
    assert lab.names() == []


def test_a_secret_must_be_readable_by_ecr(lab: Caches) -> None:
    def create(arn: str) -> str:
        return str(lab.rule("docker-hub", HUB, credentialArn=arn).get("__type"))

    arn = lab.secret(lab.hub.credentials)
    statement = {"Effect": "Deny", "Principal": "*", "Action": "secretsmanager:GetSecretValue", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    lab.aws("PutResourcePolicy", "secretsmanager", SecretId=SECRET, ResourcePolicy=policy)
    assert create(arn) == "UnableToAccessSecretException"
    lab.aws("DeleteResourcePolicy", "secretsmanager", SecretId=SECRET)
    assert create(lab.secret("{}", SECRET + "2", KmsKeyId="alias/mine")) == "UnableToDecryptSecretValueException"
    assert create(MISSING) == "SecretNotFoundException"
    assert lab.aws("DescribePullThroughCacheRules")["pullThroughCacheRules"] == []
    assert create(arn) == "None"
    lab.aws("DeleteSecret", "secretsmanager", SecretId=SECRET)
    assert create(arn) == "UnableToAccessSecretException"
    status, said = lab.pull("docker-hub/library/alpine", "3.22.6")
    assert (status, "unable to be accessed" in said) == (403, True)


PULL = ("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "ecr:BatchImportUpstreamImage")
SERVICE = {"Service": "pullthroughcache.ecr.amazonaws.com"}
ROLE = f"arn:aws:iam::{HOME}:role/pull"


@pytest.fixture
def theirs(lab: Caches) -> Client:
    """A repository in another account's registry of the same Region."""
    registry = lab.registry(ABROAD)
    return Client(registry, repositories.create(registry, "team/app").name)


def role(lab: Caches, *actions: str, trusted: object = SERVICE) -> None:
    trust = document("sts:AssumeRole", Principal=trusted)
    lab.iam("CreateRole", RoleName="pull", AssumeRolePolicyDocument=trust)
    lab.iam("PutRolePolicy", RoleName="pull", PolicyName="p", PolicyDocument=document(*actions, Resource="*"))


def let_in(theirs: Client, *actions: str, where: str = "registry") -> None:
    principal = {"AWS": f"arn:aws:iam::{HOME}:root"}
    if where == "registry":
        settings.put_policy(theirs.registry, document(*actions, Principal=principal, Resource="*"))
    else:
        repositories.set_policy(theirs.registry, theirs.name, document(*actions, Principal=principal))


def test_another_region_of_the_account_is_cached_without_a_role(lab: Caches) -> None:
    there = lab.registry(region=EUROPE)
    upstream = Client(there, repositories.create(there, "team/app").name)
    one, other = upstream.push(b"one", tag="v1"), upstream.push(b"other")
    index = upstream.push_index(one, other, tag="all")
    lab.rule("eu", there.host)
    assert lab.pull("eu/team/app", "v1") == (200, one.digest)
    assert lab.pull("eu/team/app", "all") == (200, index.digest)
    assert lab.held("eu/team/app") == {one.digest: {"v1"}, other.digest: set(), index.digest: {"all"}}
    assert lab.pull("eu/team/app", "v9") == (404, "MANIFEST_UNKNOWN: Requested image not found")
    assert lab.pull("eu/team/web", "v1")[0] == 404
    moved = upstream.push(b"two", tag="v1")
    assert lab.pull("eu/team/app", "v1") == (200, one.digest)
    lab.clock.advance(days=1)
    assert lab.pull("eu/team/app", "v1") == (200, moved.digest)


def test_an_upstream_that_cannot_read_its_own_images_is_unavailable(lab: Caches) -> None:
    there = lab.registry(region=EUROPE)
    key = lab.aws("CreateKey", "kms", EUROPE)["KeyMetadata"]["Arn"]
    upstream = Client(there, repositories.create(there, "app", Settings(encryption_type="KMS", kms_key=key)).name)
    image, other = upstream.push(b"one", tag="v1"), upstream.push(b"two", tag="v2")
    lab.rule("eu", there.host)
    assert lab.pull("eu/app", "v1") == (200, image.digest)
    layer = f"eu/app/blobs/{digest_of(b'one')}"
    assert lab.docker(layer).data == b"one"
    lab.aws("DisableKey", "kms", EUROPE, KeyId=key)
    lab.clock.advance(days=1)
    assert (lab.pull("eu/app", "v1"), lab.pull("eu/app", "v2")[0]) == ((200, image.digest), 503)
    lab.aws("EnableKey", "kms", EUROPE, KeyId=key)
    assert lab.pull("eu/app", "v2") == (200, other.digest)


@pytest.mark.parametrize("where", ["registry", "repository"])
def test_another_account_is_cached_with_a_role_that_its_policy_lets_in(lab: Caches, theirs: Client, where: str) -> None:
    image = theirs.push(b"layer", tag="v1")
    role(lab, *PULL)
    lab.rule("theirs", theirs.registry.host, customRoleArn=ROLE)
    assert lab.pull("theirs/team/app", "v1") == (403, f"DENIED: {DENIED}")
    let_in(theirs, *PULL[:2], where=where)
    assert lab.pull("theirs/team/app", "v1")[0] == 403
    let_in(theirs, *PULL, where=where)
    assert lab.pull("theirs/team/app", "v1") == (200, image.digest)
    assert lab.docker(f"theirs/team/app/blobs/{digest_of(b'layer')}").data == b"layer"


def test_a_role_needs_permissions_and_the_trust_of_the_service(lab: Caches, theirs: Client) -> None:
    image = theirs.push(b"layer", tag="v1")
    let_in(theirs, *PULL)
    lab.rule("theirs", theirs.registry.host, customRoleArn=ROLE)

    def is_valid() -> object:
        return lab.aws("ValidatePullThroughCacheRule", ecrRepositoryPrefix="theirs")["isValid"]

    assert (is_valid(), lab.pull("theirs/team/app", "v1")[0]) == (False, 403)
    role(lab, "ecr:DescribeImages", trusted={"Service": "ecs-tasks.amazonaws.com"})
    assert (is_valid(), lab.pull("theirs/team/app", "v1")[0]) == (False, 403)
    lab.iam("UpdateAssumeRolePolicy", RoleName="pull", PolicyDocument=document("sts:AssumeRole", Principal=SERVICE))
    assert (is_valid(), lab.pull("theirs/team/app", "v1")[0]) == (True, 403)
    lab.iam("PutRolePolicy", RoleName="pull", PolicyName="p", PolicyDocument=document(*PULL, Resource="*"))
    assert lab.pull("theirs/team/app", "v1") == (200, image.digest)


def test_public_registries_are_cached_the_gallery_and_the_learners_own(lab: Caches) -> None:
    lab.rule("ecr-public", "public.ecr.aws")
    assert lab.pull("ecr-public/docker/library/alpine", "3.22.6") == (200, ALPINE.digest)
    uri = lab.aws("CreateRepository", "ecr-public", repositoryName="app")["repository"]["repositoryUri"]
    name = uri.removeprefix("public.ecr.aws/")
    image = Client(lab.registry(region=PUBLIC), "app").push(b"mine", tag="v1")
    assert lab.pull(f"ecr-public/{name}", "v1") == (200, image.digest)
    for missing in ("ecr-public/nobody/app", "ecr-public/x/y", f"ecr-public/{HOME}/app", f"ecr-public/{name}2"):
        assert lab.pull(missing, "v1") == (404, "MANIFEST_UNKNOWN: Requested image not found")
    stand_ins.of(lab.world)["ecr-public"].down()
    assert lab.pull(f"ecr-public/{name}", "v2")[0] == 503


def test_a_repository_with_a_kms_key_caches_what_it_encrypts(lab: Caches) -> None:
    key = lab.aws("CreateKey", "kms")["KeyMetadata"]["Arn"]
    template = {
        "prefix": "quay",
        "appliedFor": ["PULL_THROUGH_CACHE"],
        "encryptionConfiguration": {"encryptionType": "KMS"},
    }
    creation_templates.create(lab.registry(), template | {"keyArn": key, "customRoleArn": ROLE})
    lab.rule()
    name = "quay/library/alpine"
    assert lab.pull(name, "3.22.6") == (200, ALPINE.digest)
    body = lab.docker(f"{name}/manifests/{ALPINE.children[0].digest}").json
    [layer] = body["layers"]
    assert lab.docker(f"{name}/blobs/{layer['digest']}").data == gallery.blob("docker/library/alpine", layer["digest"])
    lab.aws("DisableKey", "kms", KeyId=key)
    before = lab.held(name)
    assert lab.pull(name, "3.21.8")[0] == 403
    assert lab.held(name) == before
