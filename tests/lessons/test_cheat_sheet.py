"""The cheat sheet: its commands run in order, its rules are the language's, its errors are explained by `lab.why`."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

import ecrlab
from ecrlab.lessons.explanations.lookup import find
from ecrlab.lifecycle import policy
from tests.lifecycle.builders import rule, text

CHECKOUT = Path(__file__).parents[2]
PAGE = (CHECKOUT / "docs/cheatsheet.md").read_text(encoding="utf-8")
[COMMANDS] = re.findall(r"```bash\n(.*?)```", PAGE, re.DOTALL)
RULES, ERRORS = PAGE.partition("## Lifecycle rules")[2].split("## Errors")


def test_its_commands_run_one_after_the_other(tmp_path):
    with ecrlab.start():
        shutil.copytree(CHECKOUT / "notebooks/apps/my-app", tmp_path / "app")
        (tmp_path / "app/policy.json").write_text(text(rule(1, keep=1)))
        subprocess.run(
            ["bash", "-euo", "pipefail", "-c", COMMANDS], cwd=tmp_path / "app", check=True, capture_output=True
        )


def test_it_names_every_value_of_the_lifecycle_language():
    constants = ("TAGGED", "UNTAGGED", "ANY", "COUNT", "PUSHED", "PULLED", "TRANSITIONED", "EXPIRE", "TRANSITION")
    assert {getattr(policy, name) for name in constants} <= set(re.findall(r"`(\w+)`", RULES))


@pytest.mark.parametrize("row", [row for row in ERRORS.splitlines() if row.startswith("| `")])
def test_lab_why_explains_its_errors(row):
    for error in re.findall(r"`([^`]+)`", row.split("|")[1]):
        assert find(error) is not None, error


def test_it_fits_on_a_page():
    assert len(PAGE.splitlines()) <= 75
    assert max(map(len, PAGE.splitlines())) <= 150
