"""`docs/fidelity.md` is true: it is current, and every operation it calls simulated is missed when taken away."""

import os
import re
import subprocess
import sys

import pytest

from ecrlab.simulator.aws.calls import OPERATIONS, PARTIAL
from ecrlab.simulator.aws.operations import load
from tests.simulator import fidelity
from tests.simulator.conftest import WITHOUT_OPERATIONS


def test_fidelity_page_is_current() -> None:
    page = fidelity.PAGE.read_text()
    assert fidelity.render(page) == page, "run: python -m tests.simulator.fidelity"


def test_every_operation_has_a_test_of_its_own_and_every_mark_an_operation() -> None:
    load()
    marked = {tuple(name.split(":")) for name in fidelity.tests()}
    assert marked == set(OPERATIONS)
    assert set(PARTIAL) <= set(OPERATIONS)


@pytest.mark.slow
def test_every_operation_is_missed_when_it_is_taken_away() -> None:
    named = sorted({f"{path.relative_to(fidelity.ROOT)}::{test}" for path, test in fidelity.tests().values()})
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", *named],
        cwd=fidelity.ROOT,
        env=os.environ | {WITHOUT_OPERATIONS: "1"},
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stdout[-3000:]
    passed = re.search(r"(\d+) passed", ran.stdout)
    assert passed is not None
    assert int(passed[1]) >= len(OPERATIONS)


def test_a_comment_of_doubt_is_found_with_all_its_lines() -> None:
    found = {choice.place: choice for choice in fidelity.choices() if choice.module == "registry.settings"}
    assert found["`ACCOUNT_SETTINGS`"].text
    assert found["`put_account_setting`"].is_wording
    assert not any("UNSURE" in choice.text for choice in fidelity.choices())
