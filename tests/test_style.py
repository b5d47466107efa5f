"""The habits that tools can hold: one format, no lint, types that agree."""

import subprocess

import pytest

from ecrlab.machine.bootstrap import CHECKOUT


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(["ruff", "check", "."], id="lint", marks=pytest.mark.client("ruff")),
        pytest.param(["ruff", "format", "--check", "."], id="format", marks=pytest.mark.client("ruff")),
        pytest.param(["mypy"], id="types", marks=pytest.mark.client("mypy")),
    ],
)
def test_the_tools_have_nothing_to_say(command: list[str]) -> None:
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
