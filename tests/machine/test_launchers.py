"""A lab's `aws`: the kit's own AWS CLI, or else the installed one, and never the user's home."""

import subprocess
from pathlib import Path

import pytest

from ecrlab.machine import launchers


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a lab of a kit without the extra `aws`."""
    monkeypatch.setattr(launchers.util, "find_spec", lambda name: None)
    (tmp_path / "lab" / "bin").mkdir(parents=True)
    return tmp_path / "lab"


def aws(lab: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([lab / "bin" / "aws", *arguments], capture_output=True, text=True)


def test_an_installed_aws_is_used_with_the_home_of_the_lab(lab: Path, tmp_path: Path) -> None:
    # given
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "aws").write_text('#!/bin/sh\necho "$HOME: $*"\n')
    (tmp_path / "bin" / "aws").chmod(0o755)
    # when
    launchers.write_launchers(lab, search=str(tmp_path / "bin"))
    # then
    assert aws(lab, "ecr", "describe-repositories").stdout == f"{lab}/home: ecr describe-repositories\n"


def test_without_any_aws_the_line_that_installs_it_is_told(lab: Path, tmp_path: Path) -> None:
    launchers.write_launchers(lab, search=str(tmp_path))
    said = aws(lab, "ecr", "describe-repositories")
    assert said.returncode == 127
    assert said.stderr == "aws: the AWS CLI is not installed here: pip install 'ecrlab[aws]'\n"
