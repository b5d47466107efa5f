"""GetAuthorizationToken: the password for Docker."""

import base64
from datetime import timedelta
from typing import Any

import pytest

from ecrlab.registry import tokens
from ecrlab.registry.world import World
from tests.simulator.client import refusal


@pytest.mark.operation("ecr:GetAuthorizationToken")
def test_a_token_lets_its_caller_in_for_twelve_hours(ecr: Any, world: World, region: str) -> None:
    [data] = ecr.get_authorization_token()["authorizationData"]
    user, _, password = base64.b64decode(data["authorizationToken"]).decode().partition(":")
    token = tokens.check(world, password)
    assert user == "AWS"
    assert (token.account_id, token.region) == ("123456789012", region)
    assert token.principal == "arn:aws:iam::123456789012:user/learner"
    assert data["expiresAt"] == world.clock.now() + timedelta(hours=12)
    assert data["proxyEndpoint"] == f"https://123456789012.dkr.ecr.{region}.amazonaws.com"


def test_a_token_is_listed_for_each_registry_asked_for(ecr: Any) -> None:
    data = ecr.get_authorization_token(registryIds=["210987654321", "111111111111"])["authorizationData"]
    assert [one["proxyEndpoint"].split("//")[1][:12] for one in data] == ["210987654321", "111111111111"]


@pytest.mark.parametrize("ids", [[], ["1"], ["210987654321"] * 11])
def test_registries_that_cannot_be(ecr: Any, ids: list[str]) -> None:
    assert refusal(ecr.get_authorization_token, registryIds=ids)[0] == "InvalidParameterException"
