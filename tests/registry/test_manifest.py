"""A manifest is kept as it came; reading it finds what it refers to, or says what is wrong with it."""

import json
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecrlab.oci.manifest import LARGEST
from ecrlab.oci.media_types import DOCKER, MANIFESTS, OCI
from ecrlab.registry.errors import InvalidParameterException
from ecrlab.registry.manifest import parse

ONE, TWO = "sha256:" + "1" * 64, "sha256:" + "2" * 64
CONFIG = {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": ONE, "size": 2}
LAYER = {"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "digest": TWO, "size": 10}
FOREIGN = {**LAYER, "mediaType": "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"}
IMAGE = {"schemaVersion": 2, "mediaType": OCI.manifest, "config": CONFIG, "layers": [LAYER]}
INDEX = {"schemaVersion": 2, "mediaType": OCI.index, "manifests": [{**LAYER, "mediaType": OCI.manifest}]}

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=10,
)


def body(**changes):
    document = {**IMAGE, **changes}
    return json.dumps({name: value for name, value in document.items() if value is not ...}).encode()


def test_the_digest_is_that_of_the_bytes_as_they_came():
    compact, spacious = json.dumps(IMAGE, separators=(",", ":")).encode(), json.dumps(IMAGE, indent=3).encode()

    assert parse(compact).digest == "sha256:" + sha256(compact).hexdigest()
    assert parse(spacious).digest == "sha256:" + sha256(spacious).hexdigest()
    assert parse(spacious).body == spacious


def test_an_image_refers_to_its_config_and_layers():
    read = parse(body())

    assert [blob.digest for blob in read.blobs] == [ONE, TWO] and read.children == ()
    assert read.artifact_type == CONFIG["mediaType"] and not read.is_index


def test_an_index_refers_to_manifests():
    read = parse(json.dumps(INDEX).encode())

    assert [child.digest for child in read.children] == [TWO] and read.blobs == ()
    assert read.is_index


@pytest.mark.parametrize("media_type", [DOCKER.manifest, OCI.manifest])
def test_the_client_may_say_what_it_is_instead(media_type):
    assert parse(body(mediaType=...), media_type).media_type == media_type


@pytest.mark.parametrize("media_type", [DOCKER.index, OCI.index])
def test_so_it_may_for_an_index(media_type):
    document = {"schemaVersion": 2, "manifests": []}
    assert parse(json.dumps(document).encode(), media_type).is_index


def test_an_artifact_says_its_type_and_subject():
    read = parse(body(artifactType="application/spdx+json", subject={**LAYER, "mediaType": OCI.manifest}, layers=...))

    assert (read.artifact_type, read.subject) == ("application/spdx+json", TWO)


@pytest.mark.parametrize(
    "bad",
    [
        b"",
        b"\xff",
        b"[]",
        b"null",
        b"{",
        b'{"schemaVersion": NaN}',
        b'{"a": 1, "a": 2}',
        b"[" * 100_000,
        b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
        b'{"schemaVersion": ' + b"9" * 10_000 + b"}",
        body(note="\ud800"),
        body(schemaVersion=1),
        body(schemaVersion=True),
        body(schemaVersion=...),
        body(mediaType=...),
        body(mediaType="text/html"),
        body(mediaType=["a"]),
        body(config=...),
        body(config="x"),
        body(layers={}),
        body(layers=[None]),
        body(layers=[{**LAYER, "digest": "sha256:../../etc/passwd"}]),
        body(layers=[{**LAYER, "digest": "sha1:" + "0" * 40}]),
        body(layers=[{**LAYER, "size": -1}]),
        body(layers=[{**LAYER, "size": 2**63}]),
        body(layers=[{**LAYER, "size": 1.5}]),
        body(layers=[{**LAYER, "mediaType": ""}]),
        body(layers=[{**FOREIGN, "size": 2**62}, {**FOREIGN, "size": 2**62}]),
        body(layers=[{**LAYER, "size": 2**63 - 1}]),
        body(layers=[{**LAYER, "platform": "linux"}]),
        body(layers=[{**LAYER, "annotations": {"a": 1}}]),
        body(size=10**30),
        body(note="a").replace(b'"a"', b"1e400"),
        body().decode().encode("utf-16"),
        b"\xef\xbb\xbf" + body(),
        body(subject=[]),
        body(artifactType=3),
        body(annotations={"a": 1}),
        body(annotations=[]),
        body(mediaType=DOCKER.manifest, layers=...),
        body(mediaType=OCI.index),
    ],
)
def test_what_is_no_manifest_is_refused(bad):
    with pytest.raises(InvalidParameterException):
        parse(bad)


def test_the_client_and_the_manifest_must_agree():
    with pytest.raises(InvalidParameterException, match="Invalid JSON syntax"):
        parse(body(), DOCKER.manifest)


def test_four_mebibytes_are_enough():
    longest = body(annotations={"a": ""})
    longest = body(annotations={"a": "x" * (LARGEST - len(longest))})

    assert len(parse(longest).body) == LARGEST
    with pytest.raises(InvalidParameterException):
        parse(longest + b" ")


@settings(max_examples=60)
@given(
    st.dictionaries(st.sampled_from([*IMAGE, "manifests", "subject", "annotations", "artifactType"]), JSON),
    st.booleans(),
)
def test_whatever_json_it_is_it_is_read_or_refused(junk, is_index):
    text = json.dumps({**(INDEX if is_index else IMAGE), **junk}).encode()

    try:
        read = parse(text)
    except InvalidParameterException:
        return
    assert read.body == text and read.media_type in MANIFESTS
    assert read.digest == "sha256:" + sha256(text).hexdigest()


@settings(max_examples=50)
@given(st.binary(max_size=200))
def test_whatever_bytes_they_are_they_are_refused(junk):
    with pytest.raises(InvalidParameterException):
        parse(junk, OCI.manifest)
