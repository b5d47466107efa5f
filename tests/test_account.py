"""Other accounts, as a notebook and its shell cells meet them."""

import os
import subprocess
import urllib.request

import boto3
import pytest

import ecrlab
from tests.simulator.accounts import TRUST, document
from tests.simulator.client import Repository, refusal

HOME, STAGING = "123456789012", "222233334444"
PULLING = ("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")


@pytest.fixture
def lab():
    with ecrlab.start() as lab:
        yield lab


def shell(command: str) -> str:
    ran = subprocess.run(["bash", "-c", f"set -o pipefail; {command}"], capture_output=True, text=True, check=False)
    return ran.stdout.strip() if ran.returncode == 0 else f"failed: {ran.stderr.strip()}"


ASK = "aws sts get-caller-identity --query Arn --output text"
MEMBER = f"arn:aws:sts::{STAGING}:assumed-role/OrganizationAccountAccessRole/learner"


def test_an_account_has_clients_a_profile_and_an_environment(lab):
    staging = lab.account(STAGING, name="staging")

    staging.client("ecr", region_name="eu-west-1").create_repository(repositoryName="theirs")

    assert staging.client("sts").get_caller_identity()["Arn"] == MEMBER
    assert staging.host == f"{STAGING}.dkr.ecr.us-east-1.amazonaws.com"
    assert shell(f"{ASK} --profile staging") == MEMBER
    with staging.environment():
        assert shell(ASK) == MEMBER
        found = boto3.client("ecr", region_name="eu-west-1").describe_repositories()["repositories"]
    assert [one["repositoryUri"] for one in found] == [f"{STAGING}.dkr.ecr.eu-west-1.amazonaws.com/theirs"]
    assert boto3.client("ecr", region_name="eu-west-1").describe_repositories()["repositories"] == []
    assert shell(ASK) == f"arn:aws:iam::{HOME}:user/learner"


def test_the_environment_comes_back_after_an_error(lab):
    before = dict(os.environ)
    with pytest.raises(ZeroDivisionError), lab.account(STAGING).environment():
        assert os.environ["AWS_PROFILE"] == STAGING
        raise ZeroDivisionError
    assert dict(os.environ) == before


def test_a_role_of_an_account_has_its_own_permissions(lab):
    iam = lab.account(STAGING).client("iam")
    iam.create_role(RoleName="deploy", Path="/ci/", AssumeRolePolicyDocument=TRUST)

    deploy = lab.account(STAGING, role="deploy")

    assert deploy.client("sts").get_caller_identity()["Arn"] == f"arn:aws:sts::{STAGING}:assumed-role/deploy/learner"
    assert shell(f"{ASK} --profile {STAGING}-deploy").endswith(":assumed-role/deploy/learner")
    code, text = refusal(deploy.client("ecr").describe_registry)
    assert (code, text.rpartition("because ")[2]) == (
        "AccessDeniedException",
        "no identity-based policy allows the ecr:DescribeRegistry action",
    )
    learner = lab.account(HOME, name="me")
    assert learner.client("sts").get_caller_identity()["Arn"] == f"arn:aws:iam::{HOME}:user/learner"


@pytest.mark.parametrize(
    ("account", "settings"),
    [
        ("22223333444", {}),
        ("staging", {}),
        (222233334444, {}),
        (STAGING, {"name": "my staging"}),
        (STAGING, {"name": "x]\n[default"}),
        (STAGING, {"name": "default"}),
        (STAGING, {"role": "nobody"}),
    ],
)
def test_what_is_no_account_is_refused_in_plain_words(lab, account, settings):
    with pytest.raises(ecrlab.EcrLabError):
        lab.account(account, **settings)
    assert shell(ASK) == f"arn:aws:iam::{HOME}:user/learner"


PUSHING = ("BatchCheckLayerAvailability", "InitiateLayerUpload", "UploadLayerPart", "CompleteLayerUpload", "PutImage")
PUBLIC = "public.ecr.aws/docker/library/alpine:3.22.6"
IMAGE = f"{HOME}.dkr.ecr.us-east-1.amazonaws.com/my-app"


def test_docker_pulls_and_pushes_across_accounts(lab):
    production = boto3.client("ecr")
    production.create_repository(repositoryName="my-app")
    lab.account(STAGING, name="staging")

    def allow(*actions: str) -> None:
        policy = document(*actions, Principal={"AWS": STAGING})
        production.set_repository_policy(repositoryName="my-app", policyText=policy)

    def login(profile: str) -> str:
        return shell(f"aws ecr get-login-password --profile {profile} | docker login -u AWS --password-stdin {IMAGE}")

    def refused(action: str) -> str:
        resource = f"arn:aws:ecr:us-east-1:{HOME}:repository/my-app"
        because = f"because no resource-based policy allows the {action} action"
        return f"denied: User: {MEMBER} is not authorized to perform: {action} on resource: {resource} {because}"

    lab.account(HOME, name="me")
    assert login("me") == "Login Succeeded"
    shell(f"docker pull -q {PUBLIC} && docker tag {PUBLIC} {IMAGE}:v1 && docker tag {PUBLIC} {IMAGE}:v2")
    pushed = shell(f"docker push -q {IMAGE}:v1")
    assert login("staging") == "Login Succeeded"

    assert refused("ecr:BatchGetImage") in shell(f"docker pull {IMAGE}:v1")
    allow("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
    pulled = shell(f"docker rmi {IMAGE}:v1 {PUBLIC} >/dev/null && docker pull -q {IMAGE}:v1")
    assert refused("ecr:InitiateLayerUpload") in shell(f"docker push {IMAGE}:v2")
    allow(*(f"ecr:{action}" for action in PUSHING))
    pushed_by_staging = shell(f"docker push -q {IMAGE}:v2")

    assert (pushed, pulled, pushed_by_staging) == (f"{IMAGE}:v1", f"{IMAGE}:v1", f"{IMAGE}:v2")
    tags = {
        tag for one in production.describe_images(repositoryName="my-app")["imageDetails"] for tag in one["imageTags"]
    }
    assert tags == {"v1", "v2"}


def test_the_api_reads_layers_across_accounts(lab):
    production, staging = boto3.client("ecr"), lab.account(STAGING).client("ecr")
    production.create_repository(repositoryName="my-app")
    mine = Repository(production, "my-app")
    mine.push(b"layer", tag="v1")
    layer = mine.layer(b"layer")
    there = {"registryId": HOME, "repositoryName": "my-app"}

    mine.set_repository_policy(policyText=document("ecr:BatchGetImage", Principal={"AWS": STAGING}))
    image = staging.batch_get_image(**there, imageIds=[{"imageTag": "v1"}])["images"][0]
    code, text = refusal(staging.get_download_url_for_layer, **there, layerDigest=layer)
    mine.set_repository_policy(policyText=document(*PULLING, Principal={"AWS": STAGING}))
    url = staging.get_download_url_for_layer(**there, layerDigest=layer)["downloadUrl"]

    assert image["registryId"] == HOME
    assert code == "AccessDeniedException"
    assert text.endswith("because no resource-based policy allows the ecr:GetDownloadUrlForLayer action")
    with urllib.request.urlopen(url) as answer:
        assert answer.read() == b"layer"


def test_the_labs_docker_pushes_to_a_repository_that_a_template_makes(lab):
    ecr = boto3.client("ecr")
    image = IMAGE.replace("my-app", "team/new")
    shell(f"aws ecr get-login-password | docker login -u AWS --password-stdin {IMAGE}; docker pull -q {PUBLIC}")

    refused = shell(f"docker tag {PUBLIC} {image}:v1 && docker push -q {image}:v1")
    ecr.create_repository_creation_template(
        prefix="team", appliedFor=["CREATE_ON_PUSH"], imageTagMutability="IMMUTABLE"
    )

    assert "name unknown: The repository with name 'team/new' does not exist" in refused
    assert shell(f"docker push -q {image}:v1") == f"{image}:v1"
    assert [one["imageTagMutability"] for one in ecr.describe_repositories()["repositories"]] == ["IMMUTABLE"]
