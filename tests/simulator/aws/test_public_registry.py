"""DescribeRegistries and GetAuthorizationToken of ECR Public: an account's registry, its alias, and the way in."""

import base64
import json
import re
from datetime import timedelta
from typing import Any

import pytest

from ecrlab.registry import names, tokens
from ecrlab.registry.errors import InvalidParameterException, RegistryNotFoundException
from ecrlab.registry.public import registry_of_alias
from ecrlab.registry.world import World
from tests.simulator.accounts import NO_IDENTITY, Account, denial, document
from tests.simulator.client import client_of, refusal

HOME, OTHER = "123456789012", "210987654321"
MANAGED = "arn:aws:iam::aws:policy"


@pytest.mark.operation("ecr-public:DescribeRegistries")
def test_the_first_repository_gives_its_registry_an_alias_for_good(public: Any) -> None:
    [before] = public.describe_registries()["registries"]
    assert (before["registryId"], before["verified"], before["aliases"]) == (HOME, False, [])
    public.create_repository(repositoryName="app")
    [registry] = public.describe_registries()["registries"]
    [alias] = registry["aliases"]
    assert re.fullmatch("([a-z][0-9]){4}", alias["name"])
    assert alias["status"] == "ACTIVE"
    assert alias["primaryRegistryAlias"] and alias["defaultRegistryAlias"]
    assert registry["registryUri"] == f"public.ecr.aws/{alias['name']}"
    assert registry["registryArn"] == f"arn:aws:ecr-public::{HOME}:registry/{HOME}"


def test_accounts_have_different_aliases(client: Any, own_world: World) -> None:
    for account in (HOME, OTHER):
        client(account=account).create_repository(repositoryName="app")
    aliases = {names.default_alias(account) for account in (HOME, OTHER, names.DOCKER_ACCOUNT)}
    assert len(aliases) == 3
    found = [registry_of_alias(own_world, one).account_id for one in (names.default_alias(OTHER), OTHER, "docker")]
    assert found == [OTHER, OTHER, names.DOCKER_ACCOUNT]


def test_an_alias_of_nobody(own_world: World) -> None:
    with pytest.raises(RegistryNotFoundException):
        registry_of_alias(own_world, names.default_alias(HOME))


@pytest.mark.parametrize("alias", ["a", "1a", "A1", "a..b", "a1-", "a" * 51, "a1\n", "12345678901"])
def test_what_is_no_alias(own_world: World, alias: str) -> None:
    with pytest.raises(InvalidParameterException):
        registry_of_alias(own_world, alias)


def test_there_is_no_second_page_of_registries(public: Any) -> None:
    assert "nextToken" not in public.describe_registries(maxResults=1)
    assert refusal(public.describe_registries, nextToken="AAAA")[0] == "InvalidParameterException"


@pytest.mark.operation("ecr-public:GetAuthorizationToken")
def test_a_public_token_is_one_and_not_of_a_region(public: Any, own_world: World) -> None:
    data = public.get_authorization_token()["authorizationData"]
    user, _, password = base64.b64decode(data["authorizationToken"]).decode().partition(":")
    token = tokens.check(own_world, password)
    assert user == "AWS"
    assert (token.account_id, token.region) == (HOME, names.PUBLIC)
    assert data["expiresAt"] == own_world.clock.now() + timedelta(hours=12)
    assert data.keys() == {"authorizationToken", "expiresAt"}


def test_a_public_token_requires_a_permission_of_sts_too(home: Account) -> None:
    def asked_by(*policies: str) -> tuple[str, Any]:
        name, key, _ = home.user(*policies)
        return f"arn:aws:iam::{HOME}:user/{name}", client_of(
            home.endpoint, "ecr-public", key=key
        ).get_authorization_token

    def bearer_of(service: str) -> str:
        condition = {"StringEquals": {"sts:AWSServiceName": f"{service}.amazonaws.com"}}
        return document("sts:GetServiceBearerToken", Resource="*", Condition=condition)

    public = document("ecr-public:*", Resource="*")
    for policies, action in (
        ([public], "sts:GetServiceBearerToken"),
        ([public, bearer_of("codeartifact")], "sts:GetServiceBearerToken"),
        ([bearer_of("ecr-public")], "ecr-public:GetAuthorizationToken"),
    ):
        ann, asked = asked_by(*policies)
        assert refusal(asked) == denial(ann, action, "*", NO_IDENTITY)
    _, asked = asked_by(public, bearer_of("ecr-public"))
    assert asked()["authorizationData"]
    name, key, _ = home.user()
    home.iam.attach_user_policy(UserName=name, PolicyArn=f"{MANAGED}/AmazonElasticContainerRegistryPublicReadOnly")
    reader = client_of(home.endpoint, "ecr-public", key=key)
    assert reader.get_authorization_token()["authorizationData"]
    assert refusal(reader.create_repository, repositoryName="mine")[0] == "AccessDeniedException"


def test_calls_of_ecr_public_are_in_the_trail_of_us_east_1(client: Any, public: Any) -> None:
    public.create_repository(repositoryName="app")
    [event] = client("cloudtrail").lookup_events(
        LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": "CreateRepository"}]
    )["Events"]
    record = json.loads(event["CloudTrailEvent"])
    assert (record["eventSource"], record["awsRegion"]) == ("ecr-public.amazonaws.com", "us-east-1")
    arn = f"arn:aws:ecr-public::{HOME}:repository/app"
    assert record["resources"] == [{"ARN": arn, "accountId": HOME, "type": "AWS::ECR::PublicRepository"}]
    assert record["responseElements"]["repository"]["repositoryArn"] == arn
