"""A class with nbgrader: the lesson is an assignment as it is, and its locked checks are the points."""

import csv
import os
import re
import subprocess
import sys
from importlib import util
from pathlib import Path

import nbformat
import pytest

import ecrlab
from ecrlab.commands.notebooks import CHECK
from ecrlab.machine import originals
from tests.grading import handed

LESSON = "02-push-and-pull"
DOCS = Path(ecrlab.__file__).parents[1] / "docs" / "grading.md"


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A folder for a course, with the configuration that docs/grading.md shows, and a home of its own."""
    [configuration] = re.findall(r"```python\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    folder = tmp_path / "course"
    (folder / "source" / LESSON).mkdir(parents=True)
    (folder / "nbgrader_config.py").write_text(configuration)
    (folder / "source" / LESSON / f"{LESSON}.ipynb").write_bytes(originals.lesson(LESSON).read_bytes())
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PYTHONPATH", str(originals.folder().parent))
    monkeypatch.delenv("ECRLAB_STRICT", raising=False)
    for name in [name for name in os.environ if name.startswith(("JUPYTER_", "IPYTHON"))]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(folder)
    return folder


def nbgrader(*arguments):
    done = subprocess.run([sys.executable, "-m", "nbgrader", *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
@pytest.mark.skipif(util.find_spec("nbgrader") is None, reason="nbgrader is not installed (the extra teach)")
def test_a_whole_cycle_from_the_assignment_to_feedback(course):
    nbgrader("generate_assignment", LESSON, "--create")
    released = course / "release" / LESSON / f"{LESSON}.ipynb"
    for student in ("right", "fool"):
        path = course / "submitted" / student / LESSON / released.name
        path.parent.mkdir(parents=True)
        lesson = nbformat.read(released, as_version=4)
        if student == "right":
            handed.solve(lesson)
        else:
            checks = [cell for cell in lesson.cells if CHECK.fullmatch(cell.source)]
            for cell in checks:
                cell.source = "print('✓ Solved')"
            lesson.cells = [next(cell for cell in lesson.cells if cell.cell_type == "code"), *checks]
        nbformat.write(lesson, path)
    nbgrader("autograde", LESSON)
    nbgrader("generate_feedback", LESSON)
    nbgrader("export", "--to", "grades.csv")

    rows = csv.DictReader((course / "grades.csv").read_text().splitlines())
    scores = {row["student_id"]: (row["score"], row["max_score"]) for row in rows}
    assert scores == {"right": ("3.0", "3.0"), "fool": ("0.0", "3.0")}
    [page] = (course / "feedback" / "fool" / LESSON).iterdir()
    assert "there is no repository named my-app" in page.read_text()
