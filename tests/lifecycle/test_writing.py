"""Policies written from rules: read back they are the same."""

import json
from typing import Any

from hypothesis import given

from ecrlab.lifecycle import parse
from ecrlab.lifecycle.writing import text
from tests.lifecycle.builders import policy, rule
from tests.lifecycle.strategies import policies


@given(policies())
def test_what_is_written_reads_back_as_the_same_rules(rules: list[dict[str, Any]]) -> None:
    read = policy(*rules)

    assert parse(text(read)).rules == read.rules


def test_the_keys_are_those_of_aws_and_none_is_superfluous() -> None:
    rules = [
        rule(1, tagPrefixList=["v"], status="tagged", keep=10) | {"description": "Keep ten"},
        rule(2, ["prod*"], unused=30),
        rule(3, status="any", archived=90),
    ]

    assert json.loads(text(policy(*rules))) == {"rules": rules}
