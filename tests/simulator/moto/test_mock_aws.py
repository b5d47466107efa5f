"""`ecrlab.mock_aws()`: the lab's ECR in people's own unit tests, new for each mock, and what does not work there."""

import asyncio
import json
import os
import re
import socket
import subprocess
import sys
import unittest
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
import requests

import ecrlab
from ecrlab.machine.bootstrap import CHECKOUT
from tests.simulator.client import OCI_MANIFEST, Repository, digest_of, refusal

URI = "123456789012.dkr.ecr.us-east-1.amazonaws.com"


@pytest.fixture
def lab() -> Iterator[Any]:
    with ecrlab.mock_aws() as lab:
        yield lab


def repositories(region: str = "us-east-1") -> list[str]:
    found = boto3.client("ecr", region_name=region).describe_repositories()["repositories"]
    return [repository["repositoryName"] for repository in found]


def make(name: str = "app") -> Any:
    ecr = boto3.client("ecr")
    ecr.create_repository(repositoryName=name)
    return Repository(ecr, name)


# --- ECR -------------------------------------------------------------------------------------------------------------


def test_a_push_and_a_pull_without_a_server(lab: Any) -> None:
    app = make()
    digest = app.push(b"layer", tag="v1")
    [image] = app.batch_get_image(imageIds=[{"imageTag": "v1"}])["images"]
    assert digest_of(image["imageManifest"].encode()) == digest
    assert image["imageManifestMediaType"] == OCI_MANIFEST
    url = app.get_download_url_for_layer(layerDigest=digest_of(b"layer"))["downloadUrl"]
    assert requests.get(url, timeout=5).content == b"layer"
    assert refusal(app.describe_images, imageIds=[{"imageTag": "nope"}])[0] == "ImageNotFoundException"


def test_each_mock_begins_with_nothing_at_the_same_time() -> None:
    def steps() -> list[Any]:
        with ecrlab.mock_aws() as lab:
            before = repositories()
            digest, midnight = lab.push("web:v1"), lab.clock.advance(days=1)
            [image] = boto3.client("ecr").describe_images(repositoryName="web")["imageDetails"]
            return [before, digest, midnight, image]

    first, again = steps(), steps()
    assert first == again
    assert first[0] == []


def test_a_pushed_image_has_layers_that_can_be_downloaded(lab: Any) -> None:
    digest = lab.push("team/web:v1")

    web = Repository(boto3.client("ecr"), "team/web")
    [image] = web.batch_get_image(imageIds=[{"imageTag": "v1"}])["images"]
    assert digest_of(image["imageManifest"].encode()) == digest
    named = re.findall(r'"digest":"([^"]+)"', image["imageManifest"])
    assert len(named) == 3
    for layer in named:
        url = web.get_download_url_for_layer(layerDigest=layer)["downloadUrl"]
        assert digest_of(requests.get(url, timeout=5).content) == layer


def test_a_second_push_moves_the_tag_unless_it_is_immutable(lab: Any) -> None:
    first, second = lab.push("web:v1"), lab.push("web:v1")
    assert Repository(boto3.client("ecr"), "web").images() == {first: [], second: ["v1"]}

    boto3.client("ecr").create_repository(repositoryName="kept", imageTagMutability="IMMUTABLE")
    lab.push("kept")
    with pytest.raises(ecrlab.EcrLabError, match="The image tag 'latest' already exists in the 'kept' repository"):
        lab.push("kept:latest")


def test_a_push_goes_to_the_account_and_region_it_names(lab: Any) -> None:
    lab.push("here", region="eu-west-1")
    lab.push("210987654321.dkr.ecr.eu-west-2.amazonaws.com/there:v1")
    assert (repositories("eu-west-1"), repositories("eu-west-2")) == (["here"], [])
    assert in_account("210987654321", "eu-west-2").list_images(repositoryName="there")["imageIds"]


@pytest.mark.parametrize("name", ["", "web@sha256:00", "localhost:5000/web:v1"])
def test_what_is_no_name_of_an_image_cannot_be_pushed(lab: Any, name: str) -> None:
    with pytest.raises(ecrlab.EcrLabError, match="not the name of an image"):
        lab.push(name)
    with pytest.raises(ecrlab.EcrLabError, match=r"no image 'alpine:2' to build from; the gallery has alpine:3"):
        lab.push("web", base="alpine:2")
    assert repositories() == []


def test_policies_act_when_the_clock_passes_midnight(lab: Any) -> None:
    for tag in ("v1", "v2", "v3"):
        newest = lab.push(f"web:{tag}")
    selection = {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 1}
    policy = {"rules": [{"rulePriority": 1, "selection": selection, "action": {"type": "expire"}}]}
    boto3.client("ecr").put_lifecycle_policy(repositoryName="web", lifecyclePolicyText=json.dumps(policy))
    web = Repository(boto3.client("ecr"), "web")
    assert len(web.images()) == 3
    lab.clock.advance(days=1)
    assert web.images() == {newest: ["v3"]}


def test_a_scan_finds_what_the_base_image_has(lab: Any) -> None:
    lab.push("web:v1", base="debian:bullseye-20230109-slim")
    lab.push("web:v2")
    web = Repository(boto3.client("ecr"), "web")
    counts = {}
    for tag in ("v1", "v2"):
        web.start_image_scan(imageId={"imageTag": tag})
        findings = web.describe_image_scan_findings(imageId={"imageTag": tag})
        assert findings["imageScanStatus"]["status"] == "COMPLETE"
        counts[tag] = sum(findings["imageScanFindings"]["findingSeverityCounts"].values())
    assert counts["v1"] > counts["v2"]


def test_events_reach_the_rules_of_the_mock(lab: Any) -> None:
    sqs, events = boto3.client("sqs"), boto3.client("events")
    queue = sqs.create_queue(QueueName="pushes")["QueueUrl"]
    events.put_rule(Name="pushes", EventPattern='{"source": ["aws.ecr"]}')
    events.put_targets(
        Rule="pushes", Targets=[{"Id": "1", "Arn": f"arn:aws:sqs:us-east-1:123456789012:{queue.split('/')[-1]}"}]
    )
    digest = lab.push("web:v1")
    [message] = sqs.receive_message(QueueUrl=queue)["Messages"]
    assert digest in message["Body"]


def test_keys_are_those_of_the_mocks_kms(lab: Any) -> None:
    key = boto3.client("kms").create_key()["KeyMetadata"]
    made = boto3.client("ecr").create_repository(
        repositoryName="app", encryptionConfiguration={"encryptionType": "KMS", "kmsKey": key["KeyId"]}
    )
    assert made["repository"]["encryptionConfiguration"]["kmsKey"] == key["Arn"]


def in_account(account_id: str, region: str = "us-east-1") -> Any:
    arn = f"arn:aws:iam::{account_id}:role/nobody-made-it"
    keys = boto3.client("sts").assume_role(RoleArn=arn, RoleSessionName="test")["Credentials"]
    return boto3.client(
        "ecr",
        region_name=region,
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )


def test_other_accounts_are_reached_by_assuming_a_role(lab: Any) -> None:
    there = in_account("210987654321")
    made = there.create_repository(repositoryName="app")["repository"]
    assert made["registryId"] == "210987654321"
    assert repositories() == []


def test_a_role_that_was_made_may_do_what_its_policies_say(lab: Any) -> None:
    boto3.client("iam").create_role(RoleName="nobody-made-it", AssumeRolePolicyDocument="{}")
    assert refusal(in_account("123456789012").describe_repositories)[0] == "AccessDeniedException"


def test_what_is_not_simulated_says_so(lab: Any) -> None:
    code, message = refusal(boto3.client("ecr").get_signing_configuration)
    assert code == "ValidationException"
    assert "ecrlab does not simulate" in message


def test_ecr_public_is_there_too(lab: Any) -> None:
    made = boto3.client("ecr-public").create_repository(repositoryName="web")["repository"]
    assert made["repositoryUri"].startswith("public.ecr.aws/")


@pytest.mark.parametrize("settings", [{"use_fips_endpoint": True}, {"use_dualstack_endpoint": True}])
def test_the_other_endpoints_of_ecr_lead_to_the_same_registry(lab: Any, settings: dict[str, bool]) -> None:
    from botocore.config import Config

    lab.push("web")
    ecr = boto3.client("ecr", config=Config(**settings))
    assert len(ecr.describe_repositories()["repositories"]) == 1


# --- What does not work there ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", [URI, "public.ecr.aws", "ecr-public.aws.com", "123456789012.dkr-ecr.us-east-1.on.aws"])
def test_docker_clients_are_told_where_they_are_answered(lab: Any, host: str) -> None:
    assert boto3.client("ecr").get_authorization_token()["authorizationData"][0]["proxyEndpoint"] == f"https://{URI}"
    for ask in (requests.get, urllib.request.urlopen):
        with pytest.raises((ecrlab.EcrLabError, OSError), match=r"start a lab: ecrlab.start\(\), or .* serve"):
            ask(f"https://{host}/v2/", timeout=5)


@pytest.mark.parametrize("host", ["sts.amazonaws.com", "api.ecr.eu-west-1.amazonaws.com.", b"ecr.us-east-1.api.aws"])
def test_hosts_of_aws_have_no_address(lab: Any, host: str | bytes) -> None:
    with pytest.raises(socket.gaierror, match=r"is out of reach under ecrlab\.mock_aws"):
        socket.getaddrinfo(host, 443)
    assert socket.getaddrinfo("127.0.0.1", 443)


def test_motos_cloudformation_is_told_that_it_makes_no_repositories(lab: Any) -> None:
    from moto.ecr.models import Repository as Resource

    with pytest.raises(ecrlab.EcrLabError, match="CloudFormation makes no repositories here"):
        Resource.create_from_cloudformation_json("web", {"Properties": {}}, "123456789012", "us-east-1")


# --- Decorating ------------------------------------------------------------------------------------------------------


@ecrlab.mock_aws
def test_a_function_can_be_decorated() -> None:
    make()
    assert repositories() == ["app"]


decorating = ecrlab.mock_aws()


@decorating
def test_a_decorated_function_has_the_lab_at_hand() -> None:
    decorating.push("web")
    assert repositories() == ["web"]


def test_a_decorated_coroutine_runs_inside_the_mock() -> None:
    @ecrlab.mock_aws
    async def count() -> int:
        make()
        await asyncio.sleep(0)
        return len(repositories())

    assert asyncio.run(count()) == 1


@pytest.fixture
@ecrlab.mock_aws()
def decorated_fixture() -> Iterator[Any]:
    yield make()


def test_a_decorated_fixture_lasts_as_long_as_the_test(decorated_fixture: Any) -> None:
    assert decorated_fixture.images() == {}


@ecrlab.mock_aws
class TestOfAClass:
    def test_each_method_begins_empty(self) -> None:
        make("one")
        assert repositories() == ["one"]

    def test_each_method_begins_empty_again(self) -> None:
        make("two")
        assert repositories() == ["two"]


@ecrlab.mock_aws
class TestOfUnittest(unittest.TestCase):
    def setUp(self) -> None:
        make("from-set-up")

    def test_what_set_up_made_is_there(self) -> None:
        self.assertEqual(repositories(), ["from-set-up"])

    def test_and_for_each_test_anew(self) -> None:
        make("more")
        self.assertEqual(repositories(), ["from-set-up", "more"])


def test_the_readme_tells_how(tmp_path: Path) -> None:
    section = (CHECKOUT / "README.md").read_text().partition("## In your own unit tests")[2].partition("\n## ")[0]
    [code] = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    (tmp_path / "test_readme.py").write_text(code)
    ended = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_readme.py"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
        capture_output=True,
        text=True,
    )
    assert re.search(r"^[1-9] passed", ended.stdout, re.MULTILINE), ended.stdout
