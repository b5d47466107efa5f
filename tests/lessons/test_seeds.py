"""Every student works in a world of their own: names stay, and what is asked for differs."""

import os
import subprocess
import sys
from pathlib import Path

import boto3
import pytest

import ecrlab
from ecrlab.analysis.costs import storage
from ecrlab.clock import START
from ecrlab.errors import EcrLabError
from ecrlab.lessons import exercises
from ecrlab.lessons.exercises import NotYet
from tests.lessons.case import attempt, prepare
from tests.lessons.cases import ALL, CASES

NOTEBOOKS = Path(ecrlab.__file__).parents[1] / "notebooks"
LESSONS = sorted(path.stem for path in NOTEBOOKS.glob("*.ipynb"))

SEEDS = ("anna", "bo", "ågot", *range(7))


@pytest.fixture(autouse=True)
def progress(monkeypatch, tmp_path):
    monkeypatch.setenv("ECRLAB_PROGRESS", str(tmp_path / "progress.json"))


def beginning(**settings):
    """What a student finds in an empty lab, as far as others should find it different."""
    with ecrlab.start(**settings) as lab:
        ecr = boto3.client("ecr")
        ecr.create_repository(repositoryName="my-app")
        return lab.clock.now().date(), ecr.initiate_layer_upload(repositoryName="my-app")["uploadId"]


def world(**settings):
    """The same, and of the shop."""
    with ecrlab.start(**settings) as lab:
        lab.load("a-year-of-ci")
        found = lab.client("ecr").describe_images(repositoryName="bike/base", imageIds=[{"imageTag": "bookworm"}])
        shop = found["imageDetails"][0]["imageDigest"], len(lab.storage("bike/stock"))
    return *beginning(**settings), *shop


@pytest.mark.slow
def test_one_seed_makes_the_same_world_again_and_another_one_another():
    first, other = world(seed="anna"), world(seed="bo")

    assert world(seed="anna") == first
    assert all(mine != theirs for mine, theirs in zip(first, other, strict=True))


def test_the_variable_is_the_default_and_an_integer_is_its_digits(monkeypatch):
    monkeypatch.setenv("ECRLAB_SEED", "17")

    assert beginning() == beginning(seed=17) != beginning(seed="")


@pytest.mark.parametrize("variable", [None, ""])
def test_without_a_seed_the_world_is_that_of_the_committed_lessons(monkeypatch, variable):
    if variable is not None:
        monkeypatch.setenv("ECRLAB_SEED", variable)
    with ecrlab.start() as lab:
        assert lab.clock.now() == START


def test_names_are_the_same_in_every_world():
    with ecrlab.start(seed="anna") as lab:
        shop, account = lab.load("a-year-of-ci"), lab.account_id
    with ecrlab.start() as lab:
        usual = lab.load("a-year-of-ci")

    assert (shop.repositories, account) == (usual.repositories, "123456789012")
    assert {task.family for task in shop.tasks} == {task.family for task in usual.tasks}


def test_an_instant_that_is_given_wins():
    with ecrlab.start(seed="anna", at="2026-10-05T09:00") as lab:
        assert lab.clock.now().isoformat() == "2026-10-05T09:00:00+00:00"


@pytest.mark.parametrize(
    ("seed", "says"),
    [
        (1.5, "must be a string or an integer, got 1.5"),
        (True, "must be a string or an integer, got True"),
        (b"anna", "must be a string or an integer, got b'anna'"),
        ("  ", "must be printable text, got ''"),
        ("a\nb", r"must be printable text, got 'a\\nb'"),
        ("\udc80", r"must be printable text, got '\\udc80'"),
        ("a" * 201, "at most 200 characters, got 201"),
        (10**200, "at most 200 characters"),
    ],
)
def test_a_seed_that_is_none_is_rejected_and_a_running_lab_runs_on(seed, says):
    with ecrlab.start() as lab:
        with pytest.raises(EcrLabError, match=says):
            ecrlab.start(seed=seed)

        assert boto3.client("ecr").describe_repositories()["repositories"] == []
        assert "running" in repr(lab)


@pytest.mark.parametrize(
    "seeds", [pytest.param(SEEDS[:2], marks=pytest.mark.slow), pytest.param(SEEDS, marks=pytest.mark.long)], ids=len
)
@pytest.mark.parametrize("exercise", ALL)
def test_the_solution_passes_in_ten_worlds_and_answers_differ(exercise, seeds, tmp_path, monkeypatch):
    answers = []
    for seed in seeds:
        with ecrlab.start(seed=seed) as lab:
            names = prepare(lab, CASES[exercise], tmp_path / f"app {seed}", monkeypatch)
            answer = attempt(lab, exercises.find(exercise).solution, names)
            lab.check(exercise, answer, strict=True)
            if answers and answer is not None:
                with pytest.raises(NotYet):
                    lab.check(exercise, answers[0], strict=True)
            answers.append(answer)

    assert answers[0] is None or len(set(answers)) == len(answers)


def run(lesson, seed):
    """Run the cells of a lesson in order; the exit status is 0 if none fails that is not tagged for it."""
    script = (
        "import sys, nbformat; from nbclient import NotebookClient\n"
        "notebook = nbformat.read(sys.argv[1], as_version=4)\n"
        "NotebookClient(notebook, timeout=120, kernel_name='python3', resources={'metadata': {'path': sys.argv[2]}})"
        ".execute()\n"
    )
    return subprocess.run(
        [sys.executable, "-c", script, NOTEBOOKS / f"{lesson}.ipynb", NOTEBOOKS],
        env={**os.environ, "ECRLAB_SEED": seed},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.long  # test_walks.py runs each in one other world, without a kernel
@pytest.mark.parametrize("seed", ["anna", "2"])
@pytest.mark.parametrize("lesson", LESSONS)
def test_a_lesson_runs_in_another_world(lesson, seed):
    ran = run(lesson, seed)

    assert ran.returncode == 0, ran.stderr[-3000:]


def test_the_exercises_on_a_shop_are_about_the_shop_that_was_loaded():
    with ecrlab.start() as lab:
        lab.load("a-year-of-ci", seed=2)

        with pytest.raises(NotYet, match="book/api has no lifecycle policy"):
            lab.check("save-and-break-nothing", strict=True)
        lab.check("count-the-layers", storage.stored(lab.storage("book/api")).least, strict=True)
