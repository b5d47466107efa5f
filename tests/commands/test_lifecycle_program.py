"""The lifecycle command as a program of its own."""

import subprocess
import sys
from pathlib import Path

from ecrlab.lifecycle import aws
from tests.commands.test_lifecycle import PREVIEW, folder

__all__ = ["folder"]


def program(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    root = Path(__file__).parents[2]
    return subprocess.run(
        [sys.executable, "-m", "ecrlab", "lifecycle", *words],
        cwd=folder,
        env={"PYTHONPATH": str(root), "PATH": ""},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_program_previews_and_fails_without_a_traceback(folder: Path) -> None:
    good, bad = program(folder, *PREVIEW), program(folder, "lint", "images.json")

    assert (good.returncode, good.stderr) == (0, "")
    assert "2 would expire" in good.stdout
    assert (bad.returncode, bad.stdout) == (2, "")
    assert "Traceback" not in bad.stderr


def test_wrong_use_has_status_2_and_help_names_the_permissions(folder: Path) -> None:
    assert program(folder, "preview").returncode == 2
    shown = program(folder, "preview", "--help")
    assert shown.returncode == 0
    for permission in (*aws.ACTIONS, *aws.PREVIEW_ACTIONS):
        assert permission in shown.stdout
