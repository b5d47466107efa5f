"""`python3 -m ecrlab test`: what it runs, and that nothing run is nothing known."""

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from ecrlab.commands.test import EVERY_CLIENT, plan, surroundings
from ecrlab.machine.bootstrap import CHECKOUT
from tests import conftest


def run_tests(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    base = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST") and name != "CI"}
    command = [sys.executable, "-m", "ecrlab", "test", *arguments]
    return subprocess.run(command, cwd=CHECKOUT, env=base | variables, capture_output=True, text=True)


def test_a_newcomer_s_run_has_package_tests_and_notebooks_but_drives_no_other_program() -> None:
    arguments = plan([], everything=False)
    assert arguments[-3:] == ["ecrlab", "tests", "notebooks"]
    assert "--nbval" in arguments
    assert "not long and not client and not browser and not slow" in arguments


def test_the_whole_suite_leaves_out_what_takes_many_minutes_alone() -> None:
    arguments = plan([], everything=True)
    assert arguments[:2] == ["-m", "not long"]


def test_one_s_own_arguments_replace_the_plan() -> None:
    assert plan(["tests/lifecycle", "-k", "age"], everything=False)[-3:] == ["tests/lifecycle", "-k", "age"]


def test_tests_see_no_aws_of_the_user_s_and_keep_compiled_modules(tmp_path: Path) -> None:
    base = {"PATH": "/bin", "AWS_PROFILE": "work", "PYTHONDONTWRITEBYTECODE": "1"}
    variables = surroundings(tmp_path, everything=True, base=base)
    assert "AWS_PROFILE" not in variables and "PYTHONDONTWRITEBYTECODE" not in variables
    assert EVERY_CLIENT in variables
    assert EVERY_CLIENT not in surroundings(tmp_path, everything=False, base=base)


@pytest.mark.slow
def test_the_run_ends_with_pytest_s_own_line() -> None:
    done = run_tests("--", "tests/commands/test_test.py", "-k", "leaves_out")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in done.stdout.splitlines()[-1]


def test_a_run_without_a_test_fails() -> None:
    done = run_tests("--", "tests/commands/test_test.py", "-k", "no_such_test")
    assert done.returncode != 0
    assert "no test ran" in done.stderr


@pytest.mark.parametrize("asked", [EVERY_CLIENT, "CI"])
def test_a_missing_program_fails_the_test_when_all_were_asked_for(monkeypatch: pytest.MonkeyPatch, asked: str) -> None:
    item = SimpleNamespace(iter_markers=lambda name: [pytest.mark.client("no-such-program").mark])
    # given: nobody asked for all
    monkeypatch.delenv(EVERY_CLIENT, raising=False)
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="no-such-program is not installed"):
        conftest.pytest_runtest_setup(item)  # type: ignore[arg-type]
    # when
    monkeypatch.setenv(asked, "true")
    # then
    with pytest.raises(pytest.fail.Exception, match="no-such-program is not installed"):
        conftest.pytest_runtest_setup(item)  # type: ignore[arg-type]
