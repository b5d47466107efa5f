"""Each promise of docs/state.md names a test that is there."""

import re

import pytest

from ecrlab.machine.bootstrap import CHECKOUT

PAGE = (CHECKOUT / "docs" / "state.md").read_text()
NAMED = re.findall(r"\[([^\]]+)\]\(\.\./(tests/[\w/]+\.py)\)", PAGE)


def test_every_promise_names_a_test():
    promises = PAGE.partition("## Promises")[2].count("\n| ") - 2
    assert len(NAMED) == promises > 8


@pytest.mark.parametrize(("sentence", "file"), NAMED)
def test_the_test_that_a_promise_names_is_there(sentence, file):
    assert f"def test_{sentence.replace(' ', '_').replace('-', '_')}(" in (CHECKOUT / file).read_text()
