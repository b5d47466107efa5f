"""Patterns: against the plainest reading of `*` and `?`, and against the ones meant to hang."""

from hypothesis import given
from hypothesis import strategies as st

from ecrlab.registry.iam.patterns import like

letters = "ab[]!-*?\n"


def plainly(pattern: str, text: str) -> bool:
    if not pattern:
        return not text
    if pattern[0] == "*":
        return any(plainly(pattern[1:], text[start:]) for start in range(len(text) + 1))
    return bool(text) and pattern[0] in ("?", text[0]) and plainly(pattern[1:], text[1:])


@given(st.text(letters, max_size=6), st.text(letters, max_size=6))
def test_a_star_is_any_characters_and_a_question_mark_is_one(pattern, text):
    assert like(pattern, text) is plainly(pattern, text)


@given(st.text(letters, max_size=6), st.text(letters, max_size=6))
def test_what_a_variable_brings_in_is_no_pattern(value, text):
    assert like("${aws:username}", text, {"aws:username": (value,)}) is (value == text)


def test_a_pattern_of_many_stars_comes_to_an_end():
    assert not like("*a" * 2_000 + "b", "a" * 3_000)
