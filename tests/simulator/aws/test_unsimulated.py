"""Every operation that AWS publishes is answered: simulated, or refused in AWS's own form."""

import itertools
import json
from typing import Any

import pytest

from ecrlab.registry.world import World
from ecrlab.simulator.aws.calls import OPERATIONS
from ecrlab.simulator.aws.face import TARGETS, AwsFace
from ecrlab.simulator.aws.operations import load
from ecrlab.simulator.aws.shapes import service_model
from ecrlab.simulator.server import Server
from tests.simulator.requests import Raw, headers, places, put, sound

load()
EVERY = [(service, name) for service in TARGETS.values() for name in service_model(service).operation_names]
JUNK = [
    None,
    True,
    0,
    -1,
    10**30,
    1.5,
    "",
    "\x00",
    "☃" * 400,
    "arn:aws:ecr:lab-junk-1:123456789012:repository/☃",
    [],
    [None],
    [[]],
    {},
    {"a": {"b": [1]}},
]


@pytest.fixture
def raw(server: Server) -> Raw:
    return Raw(server)


def test_nothing_is_simulated_that_aws_does_not_have() -> None:
    beside = {("cloudtrail", name) for name in service_model("cloudtrail").operation_names}
    assert OPERATIONS.keys() <= {*EVERY, *beside}


@pytest.mark.parametrize(("service", "name"), [one for one in EVERY if one not in OPERATIONS])
def test_what_is_not_simulated_says_so(raw: Raw, service: str, name: str) -> None:
    shape = service_model(service).operation_model(name).input_shape
    status, answer = raw.post(service, name, json.dumps(sound(shape)).encode())
    assert (status, answer["__type"]) == (400, "ValidationException")
    assert answer["message"] == (f"ecrlab does not simulate {service}:{name} yet; docs/fidelity.md lists what it does")


@pytest.mark.parametrize(("service", "name"), EVERY)
def test_an_empty_body_is_answered(raw: Raw, service: str, name: str) -> None:
    status, _ = raw.post(service, name, b"")
    assert status < 500


@pytest.mark.parametrize(("service", "name"), EVERY)
def test_junk_in_any_member_is_answered(world: World, service: str, name: str) -> None:
    face = AwsFace(world)
    shape: Any = service_model(service).operation_model(name).input_shape
    request = sound(shape)
    for place, junk in itertools.product(places(shape), JUNK):
        answer = face.answer(headers(service, name), json.dumps(put(request, place, junk)).encode())
        assert answer.status in (200, 400), (place, junk)
        assert isinstance(json.loads(answer.body), dict)


@pytest.mark.parametrize(
    "body",
    [b"{", b"[]", b"null", b'"x"', b"\xff", b'{"repositoryName": "\\ud800"}', b"[" * 100_000, b'{"a": NaN}', b"{} {}"],
)
def test_a_body_that_is_no_object_is_refused(raw: Raw, body: bytes) -> None:
    status, answer = raw.post("ecr", "DescribeRepositories", body)
    assert (status, answer["__type"]) == (400, "SerializationException")


def test_an_operation_that_aws_does_not_have(raw: Raw) -> None:
    assert raw.post("ecr", "MakeCoffee", b"{}")[1]["__type"] == "UnknownOperationException"
    assert raw.post("ecr", "", b"{}")[1]["__type"] == "UnknownOperationException"
