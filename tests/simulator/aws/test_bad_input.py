"""Whatever is sent to the AWS face, it answers in AWS's form, at once, and is as it was."""

import contextlib
import json
from typing import Any

import hypothesis
import pytest
from botocore.model import Shape
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecrlab.oci.manifest import LARGEST
from ecrlab.oci.media_types import MANIFESTS
from ecrlab.registry import images, manifest, names, pushes, repositories
from ecrlab.registry.errors import InvalidParameterException
from ecrlab.registry.world import World
from ecrlab.simulator.aws import pages
from ecrlab.simulator.aws.calls import OPERATIONS
from ecrlab.simulator.aws.operations import load
from ecrlab.simulator.aws.shapes import service_model
from ecrlab.simulator.server import Server
from tests.simulator.client import CONFIG, LAYER, OCI_INDEX, OCI_MANIFEST, digest_of
from tests.simulator.requests import SAMPLES, Raw

load()
quickly = settings(max_examples=150, suppress_health_check=list(HealthCheck))

scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20), st.sampled_from(SAMPLES)
)
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
)


def values(shape: Shape) -> st.SearchStrategy[Any]:
    """Mostly what a shape asks for, sometimes anything."""
    kinds: dict[str, Any] = {
        "structure": lambda shape: st.fixed_dictionaries(
            {}, optional={name: values(member) for name, member in shape.members.items()}
        ),
        "list": lambda shape: st.lists(values(shape.member), max_size=3),
        "map": lambda shape: st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=2),
        "string": lambda shape: st.sampled_from((*(shape.enum or ()), *SAMPLES)) | st.text(max_size=30),
        "integer": lambda shape: st.integers(-2, 2000),
        "long": lambda shape: st.integers(-2, 2**65),
        "timestamp": lambda shape: st.integers(-2, 2**65) | st.floats(allow_nan=False, allow_infinity=False),
        "boolean": lambda shape: st.booleans(),
        "blob": lambda shape: st.sampled_from(["", "AAAA", "AA", "é", "A" * 1000]),
    }
    fitting = kinds[shape.type_name](shape)
    return st.one_of(fitting, fitting, fitting, anything)


@st.composite
def requests(draw: Any) -> tuple[str, Any]:
    """An operation and a request for it."""
    service, name = draw(st.sampled_from(sorted(OPERATIONS)))
    shape: Any = service_model(service).operation_model(name).input_shape
    return name, draw(values(shape))


@pytest.fixture(scope="module")
def raw(server: Server) -> Raw:
    return Raw(server)


@quickly
@given(request=requests())
def test_any_request_of_any_operation_is_answered(raw: Raw, request: tuple[str, Any]) -> None:
    name, members = request
    status, _ = raw.post("ecr", name, json.dumps(members).encode())
    assert status in (200, 400)


@quickly
@given(request=requests(), cut=st.floats(0, 1), noise=st.binary(max_size=3))
def test_a_request_cut_short_or_garbled_is_answered(
    raw: Raw, request: tuple[str, Any], cut: float, noise: bytes
) -> None:
    name, members = request
    body = json.dumps(members).encode()
    status, _ = raw.post("ecr", name, body[: int(len(body) * cut)] + noise)
    assert status in (200, 400)


descriptors = st.fixed_dictionaries(
    {
        "mediaType": st.sampled_from([CONFIG, LAYER, OCI_MANIFEST]) | anything,
        "digest": st.sampled_from([digest_of(b"{}"), "sha256:zz", ""]) | anything,
        "size": st.integers() | anything,
    }
)
manifests = st.fixed_dictionaries(
    {"schemaVersion": st.just(2) | anything},
    optional={
        "mediaType": st.sampled_from(MANIFESTS) | anything,
        "config": descriptors | anything,
        "layers": st.lists(descriptors | anything, max_size=3) | anything,
        "manifests": st.lists(descriptors | anything, max_size=3) | anything,
        "subject": descriptors | anything,
        "artifactType": anything,
        "annotations": anything,
        "": anything,
    },
)


@quickly
@given(document=manifests, said=st.sampled_from([None, *MANIFESTS, "text/plain"]))
def test_a_manifest_is_understood_or_refused(document: dict[str, Any], said: str | None) -> None:
    body = json.dumps(document).encode()
    try:
        parsed = manifest.parse(body, said)
    except InvalidParameterException:
        return
    assert parsed.digest == digest_of(body)
    assert parsed.media_type in MANIFESTS


@quickly
@given(body=st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_bytes_that_are_no_manifest_are_refused(body: bytes) -> None:
    with pytest.raises(InvalidParameterException):
        manifest.parse(body, OCI_INDEX)


@settings(quickly, max_examples=40)
@given(name=st.from_regex(names.REPOSITORY, fullmatch=True), tag=st.from_regex(names.TAG, fullmatch=True))
def test_every_sound_name_and_tag_is_taken(world: World, name: str, tag: str) -> None:
    hypothesis.assume(2 <= len(name) <= 256)
    registry = world.registry("123456789012", "lab-names-1")
    repositories.create(registry, name)
    pushed = manifest.parse(json.dumps({"schemaVersion": 2, "manifests": []}).encode(), OCI_INDEX)
    pushes.put(registry, name, pushed, tag=tag)
    assert images.tags(registry, name) == [tag]
    repositories.delete(registry, name, force=True)


@quickly
@given(token=st.text(max_size=60) | st.binary(max_size=60).map(lambda raw: raw.decode("latin-1")))
def test_no_token_can_be_made_up(world: World, token: str) -> None:
    with pytest.raises(InvalidParameterException):
        pages.position(world, "ListImages", token)


@quickly
@given(scope=st.text(max_size=20), position=st.integers() | st.text(max_size=20), flip=st.integers(0, 10_000))
def test_a_token_leads_to_where_it_was_made_for_and_nowhere_else(
    world: World, scope: str, position: int | str, flip: int
) -> None:
    token = pages.token(world, scope, position)
    assert pages.position(world, scope, token) == position
    at = flip % len(token)
    spoilt = token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :]
    with contextlib.suppress(InvalidParameterException):
        # Not refused is only a bit of the base64 that means nothing.
        assert pages.position(world, scope, spoilt) == position
    with pytest.raises(InvalidParameterException):
        pages.position(world, scope + "!", token)


@pytest.mark.parametrize("size", [LARGEST + 1, 8 * 1024 * 1024])
def test_a_manifest_of_more_than_4_mib_is_refused(raw: Raw, size: int) -> None:
    body = json.dumps({"repositoryName": "app", "imageManifest": "x" * size}).encode()
    status, answer = raw.post("ecr", "PutImage", body)
    assert (status, answer["__type"]) == (400, "InvalidParameterException")


def test_a_request_that_is_far_too_large_is_refused(raw: Raw) -> None:
    status, _ = raw.post("ecr", "PutImage", b" " * (33 * 1024 * 1024))
    assert status == 413
