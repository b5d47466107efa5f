"""Policies, repositories and JSON as hypothesis makes them up."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st

from ecrlab.lifecycle import Image
from tests.lifecycle.builders import NOW, rule

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
TAGS = st.sampled_from(["a", "b", "ab", "ba", "aab", "bab", "latest"])
PATTERNS = st.sampled_from(["a*", "*b", "b*", "*", "a*b", "latest", "*a*", "**", "ab*"])
DIGESTS = [f"d{n}" for n in range(9)]


@st.composite
def repositories(draw: Callable[[Any], Any]) -> list[Image]:
    """A few images with all kinds of ties, on a coarse time line so that instants coincide."""
    days = st.integers(0, 6).map(lambda n: NOW - timedelta(days=n * 30))
    digests = draw(st.lists(st.sampled_from(DIGESTS), unique=True))
    return [
        Image(
            digest,
            tuple(draw(st.lists(TAGS, max_size=2, unique=True))),
            draw(days),
            draw(st.none() | days),
            draw(st.sampled_from(["standard", "standard", "standard", "archive", "activating"])),
            draw(st.none() | days),
            draw(st.none() | st.none() | days),
            draw(st.none() | st.none() | st.sampled_from(DIGESTS)),
            tuple(draw(st.lists(st.sampled_from(DIGESTS), max_size=1))),
        )
        for digest in digests
    ]


@st.composite
def policies(draw: Callable[[Any], Any]) -> list[dict[str, Any]]:
    """Rules that AWS accepts together."""
    tagged = draw(st.lists(st.lists(PATTERNS, min_size=1, max_size=2), max_size=3))
    bound = st.sampled_from([{"keep": 1}, {"keep": 2}, {"keep": 3}, {"pushed": 30}, {"pushed": 60}, {"unused": 30}])
    rules = [(patterns, "tagged", draw(bound)) for patterns in tagged]
    if draw(st.booleans()):
        rules.insert(draw(st.integers(0, len(rules))), (None, "untagged", draw(bound)))
    if draw(st.booleans()):
        rules.insert(draw(st.integers(0, len(rules))), (None, "any", {"archived": 90}))
    if draw(st.booleans()) or not rules:
        rules.append((None, "any", draw(bound)))
    archive = draw(st.booleans())
    return [
        rule(n, patterns, status=status, **limit, archive=archive and n % 2 == 0 and "archived" not in limit)
        for n, (patterns, status, limit) in enumerate(rules, 1)
    ]
