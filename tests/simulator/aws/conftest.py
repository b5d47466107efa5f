"""ECR Public in this process: boto3 clients of an empty world, without a port."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse

from ecrlab.machine.environment import ACCESS_KEY_ID
from ecrlab.registry.world import World
from ecrlab.simulator.access.callers import Caller, identify
from ecrlab.simulator.aws.face import AwsFace
from tests.simulator.client import client_of

ClientOf = Callable[..., Any]


class _Raw:
    """The body of an answer, as botocore reads it."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self._body


@pytest.fixture
def own_world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path / "state", seed="test", durable=False)
    yield world
    world.close()


@pytest.fixture
def client(own_world: World) -> ClientOf:
    """Makes clients of the world: `client("ecr", region="eu-west-1", account="210987654321")`."""
    face = AwsFace(own_world, identify=_identify)

    def make(service: str = "ecr-public", region: str = "us-east-1", account: str = ACCESS_KEY_ID) -> Any:
        made = client_of("http://127.0.0.1:1", service, region, key=account)

        def answer(request: Any, **_: Any) -> AWSResponse:
            headers = {
                name: value.decode() if isinstance(value, bytes) else value for name, value in request.headers.items()
            }
            said = face.answer({**headers, "Host": "127.0.0.1:1"}, request.body)
            return AWSResponse(request.url, said.status, said.headers, _Raw(said.body))

        made.meta.events.register("before-send", answer)
        return made

    return make


@pytest.fixture
def public(client: ClientOf) -> Any:
    """A client of the learner's public registry, which is empty."""
    return client()


def _identify(key: str) -> Caller:
    """The learner, or the administrator of the account whose number is the key."""
    if key == ACCESS_KEY_ID:
        return identify(key)
    return Caller(key, f"arn:aws:iam::{key}:user/admin", key, is_administrator=True)
