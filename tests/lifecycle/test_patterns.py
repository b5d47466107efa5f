"""Tag patterns, with regular expressions as a witness."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecrlab.lifecycle.patterns import TagPattern

PATTERN = st.text("ab*", max_size=6)
TAG = st.text("ab", max_size=6)


@pytest.mark.parametrize(
    ("pattern", "tag", "fits"),
    [
        ("prod*", "prod", True),
        ("prod*", "prod1", True),
        ("prod*", "production-team1", True),
        ("*prod*", "repo-production", True),
        ("*prod*", "prod-team", True),
        ("prod*", "my-prod", False),
        ("latest", "latest", True),
        ("latest", "latest-1", False),
        ("Prod*", "prod", False),
        ("ab*ba", "aba", False),
    ],
)
def test_a_star_is_any_run_of_characters(pattern: str, tag: str, fits: bool) -> None:
    assert TagPattern.from_pattern(pattern).matches(tag) is fits


@given(PATTERN, TAG)
def test_matching_agrees_with_a_regular_expression(pattern: str, tag: str) -> None:
    expression = ".*".join(map(re.escape, pattern.split("*")))

    assert TagPattern.from_pattern(pattern).matches(tag) is bool(re.fullmatch(expression, tag))


@given(PATTERN, PATTERN, TAG)
def test_a_pattern_matches_whatever_a_pattern_it_covers_matches(wide: str, narrow: str, tag: str) -> None:
    one, other = TagPattern.from_pattern(wide), TagPattern.from_pattern(narrow)

    if one.covers(other) and other.matches(tag):
        assert one.matches(tag)


@given(PATTERN)
def test_a_pattern_covers_itself_and_everything_covers_it(pattern: str) -> None:
    one = TagPattern.from_pattern(pattern)

    assert one.covers(one)
    assert TagPattern.from_pattern("*").covers(one)


def test_a_star_in_a_prefix_is_an_ordinary_character() -> None:
    assert not TagPattern.from_prefix("v*").matches("v1")
    assert TagPattern.from_prefix("v").matches("v1")


def test_a_hostile_tag_costs_no_more_than_its_length() -> None:
    pattern, tag = TagPattern.from_pattern("*a*a*a*b"), "a" * 1_000_000

    # A matcher that goes back and forth would not come to an end here.
    assert not pattern.matches(tag)
