"""Lessons as people really walk through them: a cell run twice, a cell skipped, a kernel restarted, a day between.

The rule: a cell works, or its error names what is missing. These errors do:

- an error of AWS, of botocore or of the lab, which names a repository, an image or a lab, or says what to do;
- `NameError` for a name that a skipped cell binds, or a cell that failed for it;
- `FileNotFoundError`, which names the file, and an assertion of the lesson's own with a text;
- the exit status of a shell cell whose programs printed their error, as `aws` and `docker` do.

Every other error, such as an `IndexError`, a `KeyError` or an `AttributeError`, is a puzzle, and so is a traceback that
a cell prints. Cells tagged `raises-exception` may raise anything. Each lesson walks alone, in an empty folder, as if
only the .ipynb had been mailed.

Two lessons at once: `test_anywhere.py` runs them with two workers.
"""

import json
import os
import subprocess
import sys

import nbformat
import pytest

from ecrlab.commands import notebooks
from ecrlab.machine import copies, originals
from tests.notebooks import walking

LESSONS = [path.stem for path in originals.lessons()]

AT_ONCE = {"00-start-here"}
"""The lesson that everybody's tests walk; the others take minutes together, and are part of `test --all`."""


def puzzles(notebook, mode, folder, seed=""):
    """The cells of a walk whose errors say nothing; `twice` and `tomorrow` name every error of a first run."""
    walked = subprocess.run(
        [sys.executable, "-m", walking.__name__, str(notebook), mode],
        cwd=folder,
        env={
            **os.environ,
            "PYTHONPATH": str(originals.folder().parent),
            "MPLBACKEND": "agg",
            "IPYTHONDIR": str(folder),
            "ECRLAB_SEED": seed,
        },
        capture_output=True,
        text=True,
    )
    assert walked.returncode == 0, walked.stderr
    return [json.loads(line) for line in walked.stdout.splitlines()]


@pytest.mark.parametrize(
    "lesson", [pytest.param(name, marks=[] if name in AT_ONCE else pytest.mark.slow) for name in LESSONS]
)
def test_each_cell_can_be_run_twice_in_another_world(lesson, tmp_path):
    assert puzzles(originals.lesson(lesson), "twice", tmp_path, seed="anna") == []


@pytest.mark.long
@pytest.mark.parametrize("mode", ["restarted", "skipping"])
@pytest.mark.parametrize("lesson", LESSONS)
def test_a_cell_says_what_is_missing_without_the_cells_before_it(lesson, mode, tmp_path):
    assert puzzles(originals.lesson(lesson), mode, tmp_path) == []


@pytest.mark.client("bash")
def test_a_registry_that_is_kept_is_there_tomorrow(tmp_path):
    assert puzzles(originals.lesson("00-start-here"), "tomorrow", tmp_path) == []


def found(folder, mode, *sources):
    """The puzzles of a small lesson, whose last cell is tagged as raising: cell and error."""
    cells = [nbformat.v4.new_code_cell(source) for source in (*sources, "[].pop()")]
    cells[-1].metadata["tags"] = ["raises-exception"]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), folder / "lesson.ipynb")
    return [(puzzle["cell"], puzzle["error"][:20]) for puzzle in puzzles(folder / "lesson.ipynb", mode, folder)]


SETUP = "import boto3, ecrlab\nlab = ecrlab.start()\necr = boto3.client('ecr')"
CREATE = "ecr.create_repository(repositoryName='app')"
DELETE = "%%bash\naws ecr delete-repository --repository-name app"


@pytest.mark.slow
def test_a_walk_reports_a_cell_that_cannot_be_repeated_without_a_reason(tmp_path):
    puzzle = ("4, second time", "IndexError: pop from")
    assert found(tmp_path, "twice", SETUP, CREATE, DELETE, "items = [1]", "items.pop()") == [puzzle]


@pytest.mark.slow
def test_a_walk_reports_errors_in_a_restarted_kernel_that_name_nothing(tmp_path):
    clear = ["lab.snapshot()", "assert print(), 'no image v1'", "open('missing.txt')", DELETE]
    puzzling = [
        "assert print()",
        "{}['key']",
        "not_bound_anywhere",
        "%%bash\npython3 -c 1/0",
        "!python3 -c 1/0",
        "%%bash\nfalse",
    ]

    assert found(tmp_path, "restarted", SETUP, *clear, *puzzling) == [
        ("5 in a restarted kernel", "AssertionError: "),
        ("6 in a restarted kernel", "KeyError: 'key'"),
        ("7 in a restarted kernel", "NameError: name 'not"),
        ("8 in a restarted kernel", "prints a traceback: "),
        ("9 in a restarted kernel", "prints a traceback: "),
        ("10 in a restarted kernel", "CalledProcessError: "),
    ]


@pytest.mark.slow
def test_a_walk_reports_what_a_skipped_cell_leaves_behind(tmp_path):
    cells = ["items = []", "one = items", "items.append(1)", "two = one[0]", "two"]
    assert found(tmp_path, "skipping", *cells) == [("3 without 2", "IndexError: list ind")]


@pytest.mark.slow
def test_a_walk_reports_every_error_of_the_next_day(tmp_path):
    again = "if not ecr.describe_repositories()['repositories']:\n    " + CREATE
    assert found(tmp_path, "tomorrow", SETUP, again, CREATE.replace("app", "web")) == [
        ("2, second day", "RepositoryAlreadyExi")
    ]


def texts(notebook):
    """What the code cells of a notebook print, without pictures and colours of the machine."""
    cells = [cell for cell in nbformat.read(notebook, as_version=4).cells if cell.cell_type == "code"]
    return [[output.get("text", output.get("data", {}).get("text/plain")) for output in cell.outputs] for cell in cells]


@pytest.mark.client("bash")
def test_a_learner_s_copy_runs_and_prints_what_the_original_shows(tmp_path):
    copies.bring(tmp_path / "my work")
    copy = tmp_path / "my work" / "02-push-and-pull.ipynb"
    assert not any(texts(copy))

    assert notebooks.execute(copy)

    assert texts(copy) == texts(originals.lesson("02-push-and-pull"))
