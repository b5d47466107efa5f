"""Names of images, and which registries the lab plays."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecrlab.docker.errors import DockerError
from ecrlab.docker.references import parse, require_registry

DIGEST = "sha256:" + "a" * 64


@pytest.mark.parametrize(
    ("text", "domain", "path", "tag", "digest"),
    [
        ("my-app", "docker.io", "library/my-app", "", ""),
        ("team/my-app:v1", "docker.io", "team/my-app", "v1", ""),
        ("localhost:5000/a:b", "localhost:5000", "a", "b", ""),
        ("public.ecr.aws/docker/library/alpine:3.22.6", "public.ecr.aws", "docker/library/alpine", "3.22.6", ""),
        (f"a/b@{DIGEST}", "docker.io", "a/b", "", DIGEST),
        (f"x.y/b:t@{DIGEST}", "x.y", "b", "t", DIGEST),
    ],
)
def test_the_parts_of_a_name(text, domain, path, tag, digest):
    found = parse(text)
    assert (found.domain, found.path, found.tag, found.digest) == (domain, path, tag, digest)


@pytest.mark.parametrize(
    "text", ["", ":v1", "a:", "a b", "a//b", "a@sha256:x", "a:" + "t" * 129, "-a", "a/", "a@", "ä"]
)
def test_bad_names_are_refused(text):
    with pytest.raises(DockerError) as caught:
        parse(text)
    assert str(caught.value) == "invalid reference format"


@settings(max_examples=60)
@given(
    st.from_regex(r"[a-z0-9]{1,4}(/[a-z0-9]{1,4}){0,2}", fullmatch=True),
    st.sampled_from(["", "public.ecr.aws/", "localhost:1/"]),
    st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,5}", fullmatch=True),
)
def test_a_name_is_printed_as_it_was_written(path, host, tag):
    if host or not path.startswith(("library/", "localhost/")):
        assert str(parse(f"{host}{path}:{tag}")) == f"{host}{path}:{tag}"


@pytest.mark.parametrize(
    "host",
    [
        "123456789012.dkr.ecr.us-east-1.amazonaws.com",
        "123456789012.dkr.ecr-fips.us-gov-west-1.amazonaws.com",
        "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn",
        "123456789012.dkr-ecr.eu-central-1.on.aws",
        "public.ecr.aws",
    ],
)
def test_registries_that_the_lab_plays(host):
    require_registry(parse(f"{host}/my-app"))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("123456789012.dkr.ecr.us-east-1.amazonaws.com.evil.example/a", "is not in the lab's world"),
        ("12345.dkr.ecr.us-east-1.amazonaws.com/a", "is not in the lab's world"),
        ("quay.io/a/b", "is not in the lab's world"),
        ("alpine:3.17", "use public.ecr.aws/docker/library/alpine:3.17.1"),
        ("python:3.11-slim", "use public.ecr.aws/docker/library/python:3.11.1-slim"),
        ("node", "use public.ecr.aws/docker/library/node:18-alpine3.16"),
        ("redis:7", "one of the images at public.ecr.aws/docker/library"),
    ],
)
def test_other_registries_are_refused_with_the_name_to_use(name, said):
    with pytest.raises(DockerError) as caught:
        require_registry(parse(name))
    assert said in str(caught.value)
