"""A token lets in whom it was made for, for twelve hours, and nobody else."""

import base64
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecrlab.clock import LabClock
from ecrlab.registry import tokens
from ecrlab.registry.tokens import ExpiredToken, InvalidToken
from ecrlab.registry.world import World

CALLER = ("123456789012", "us-east-1", "arn:aws:iam::123456789012:user/ann", "AKIAEXAMPLE")


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    world = World(tmp_path_factory.mktemp("tokens"), LabClock(), seed="test", durable=False)
    yield world
    world.close()


def changed(password, **members):
    token = json.loads(base64.b64decode(password)) | members
    return base64.b64encode(json.dumps(token).encode()).decode()


def test_a_token_tells_whom_it_was_made_for(world):
    password, expires_at = tokens.issue(world, *CALLER)

    token = tokens.check(world, password)

    assert (token.account_id, token.region, token.principal, token.access_key) == CALLER
    assert token.expires_at == expires_at == (world.clock.now() + tokens.LIFETIME).replace(microsecond=0)


def test_a_token_shows_its_expiry_as_ecrs_do(world):
    password, expires_at = tokens.issue(world, *CALLER)

    assert json.loads(base64.b64decode(password))["expiration"] == int(expires_at.timestamp())


def test_after_twelve_hours_it_lets_nobody_in(world):
    password, _ = tokens.issue(world, *CALLER)
    world.clock.advance(hours=12, seconds=-1)
    tokens.check(world, password)

    world.clock.advance(seconds=1)

    with pytest.raises(ExpiredToken):
        tokens.check(world, password)


def test_another_labs_token_lets_nobody_in(world, tmp_path):
    other = World(tmp_path, seed="other", durable=False)
    password, _ = tokens.issue(other, *CALLER)
    other.close()

    with pytest.raises(InvalidToken):
        tokens.check(world, password)


def test_a_longer_life_or_another_account_cannot_be_forged(world):
    password, expires_at = tokens.issue(world, *CALLER)
    mine, _ = tokens.issue(world, "210987654321", *CALLER[1:])
    payload = json.loads(base64.b64decode(mine))["payload"]

    for forged in (
        changed(password, expiration=int(expires_at.timestamp()) + 1),
        changed(password, expiration=1e400),
        changed(password, expiration=None),
        changed(password, expiration=str(int(expires_at.timestamp()))),
        changed(password, payload=json.loads(base64.b64decode(password))["payload"] + "\ud800"),
        changed(password, payload=[payload]),
        changed(password, payload=payload),
        changed(password, datakey="é"),
    ):
        with pytest.raises(InvalidToken):
            tokens.check(world, forged)


@settings(max_examples=40)
@given(
    st.text()
    | st.recursive(st.none() | st.integers(), st.lists).map(lambda v: base64.b64encode(json.dumps(v).encode()).decode())
)
def test_nonsense_is_no_token(world, password):
    with pytest.raises(InvalidToken):
        tokens.check(world, password)
