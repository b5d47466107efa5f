"""What repositories, tags and digests may be called."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecrlab.registry import names
from ecrlab.registry.errors import InvalidParameterException


@pytest.mark.parametrize("name", ["ab", "team-a/my-app", "a.b_c__d--e", "0/1", "a" * 256])
def test_a_good_repository_name_is_given_back(name):
    assert names.check_repository_name(name) == name


@pytest.mark.parametrize(
    "name", ["a", "a" * 257, "A", "a_", "a..b", "a___b", "/a", "a/", "a//b", "a b", "a\n", "é", "a._b", ".."]
)
def test_a_bad_repository_name_is_refused_with_its_parameter(name):
    with pytest.raises(InvalidParameterException, match="Invalid parameter at 'repositoryName'"):
        names.check_repository_name(name)


@pytest.mark.parametrize("name", ["a-" * 127 + "!", "a" * 10_000_000])
def test_a_hostile_name_is_refused_and_not_pondered(name):
    with pytest.raises(InvalidParameterException):
        names.check_repository_name(name)


@pytest.mark.parametrize("tag", ["v1", "_", "V1.2-3_4", "a" * 128])
def test_a_good_tag_is_given_back(tag):
    assert names.check_tag(tag) == tag


@pytest.mark.parametrize("tag", ["", "-v1", ".v1", "v 1", "v/1", "a" * 129, "v1\n", "é"])
def test_a_bad_tag_is_refused(tag):
    with pytest.raises(InvalidParameterException, match="Invalid parameter at 'imageTag'"):
        names.check_tag(tag)


@settings(max_examples=60)
@given(st.text(max_size=80) | st.from_regex(r"sha(256|512):[0-9a-fA-F]{60,130}", fullmatch=True))
def test_a_digest_is_an_algorithm_and_its_exact_length_in_lower_case(text):
    try:
        names.check_digest(text)
    except InvalidParameterException:
        assert not re.fullmatch(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}", text)
    else:
        algorithm, _, digits = text.partition(":")
        assert len(digits) == {"sha256": 64, "sha512": 128}[algorithm] and int(digits, 16) >= 0
        assert digits == digits.lower()
