"""The Docker face without a server: requests go straight into the WSGI application."""

import base64
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import Client, TestResponse

from ecrlab.clock import LabClock
from ecrlab.registry import repositories, settings, tokens
from ecrlab.registry.world import World
from ecrlab.simulator.v2 import DockerFace

ACCOUNT, REGION = "123456789012", "us-east-1"
HOST = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com"


@pytest.fixture
def clock() -> LabClock:
    return LabClock()


@pytest.fixture
def world(tmp_path: Path, clock: LabClock) -> Iterator[World]:
    world = World(tmp_path / "state", clock, seed="v2", durable=False)
    repositories.create(world.registry(ACCOUNT, REGION), "team/app")
    settings.put_account_setting(world.registry(ACCOUNT, REGION), "BLOB_MOUNTING", "ENABLED")
    yield world
    world.close()


@pytest.fixture
def login(world: World) -> Callable[..., dict[str, str]]:
    """The Authorization header of somebody who has just logged in."""

    def authorization(account_id: str = ACCOUNT, region: str = REGION, who: str = "user/somebody") -> dict[str, str]:
        principal = f"arn:aws:iam::{account_id}:{who}"
        password, _ = tokens.issue(world, account_id, region, principal, "AKIAEXAMPLE")
        return {"Authorization": "Basic " + base64.b64encode(f"AWS:{password}".encode()).decode()}

    return authorization


@pytest.fixture
def ask(world: World, login: Callable[..., dict[str, str]]) -> Callable[..., TestResponse]:
    """One request to a face made with the given settings; by the owner, unless another header says so."""

    def request(
        method: str,
        path: str,
        body: bytes = b"",
        *,
        host: str = HOST,
        headers: dict[str, str] | None = None,
        face: DockerFace | None = None,
        **settings: Any,
    ) -> TestResponse:
        application = face or DockerFace(world, **settings)
        return Client(application).open(
            path, method=method, data=body, base_url=f"http://{host}", headers=headers or login()
        )

    return request
