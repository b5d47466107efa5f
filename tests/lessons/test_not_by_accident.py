"""No exercise passes by accident: a wrong answer, a stopped lab, another solution, or what it was about is gone.

Each exercise of the catalogue is tried; a new one needs nothing here, but a reason where it is an exception.
"""

import re
from datetime import UTC, datetime

import boto3
import pytest

from tests.lessons.case import attempt, prepare
from tests.lessons.cases import ALL, CASES

WRONG = (
    None,
    ...,
    "",
    "  ",
    0,
    -1,
    7,
    2.5,
    float("nan"),
    True,
    "nothing",
    "sha256:",
    "sha256:" + "0" * 64,
    b"v1",
    [],
    {},
)
WRONG += ([1], {"answer": 1}, object(), object, datetime(2020, 1, 1), datetime.max.replace(tzinfo=UTC), 10**400)


def emptied(ecr, name):
    """Delete all images of a repository, indexes first."""
    while images := ecr.describe_images(repositoryName=name)["imageDetails"]:
        digests = [{"imageDigest": image["imageDigest"]} for image in images]
        ecr.batch_delete_image(repositoryName=name, imageIds=digests[:100])


def deleted(ecr, name):
    """Delete a repository."""
    ecr.delete_repository(repositoryName=name, force=True)


def replaced(ecr, name):
    """Put an empty repository of the same name in its place."""
    deleted(ecr, name)
    ecr.create_repository(repositoryName=name)


DESTRUCTIVE = (emptied, deleted, replaced)
SURVIVES = {
    "expiry-of-a-token": ("a token belongs to no repository", DESTRUCTIVE),
    "log-in-to-ireland": ("a login belongs to no repository", DESTRUCTIVE),
    "scan-prod-and-shop": ("the registry's configuration names repositories, also those to come", DESTRUCTIVE),
    "what-could-not-go": ("the trail keeps what has happened", DESTRUCTIVE),
    "let-some-tags-move": ("the task is a setting of the repository", (emptied,)),
    "a-role-that-pushes": ("the task is a permission, for the repository of that name", (emptied, replaced)),
    "a-role-of-its-own": ("the task is a permission, and a task of ECS that runs", (emptied, replaced)),
    "copy-the-shop": ("the registry's rules name repositories, also those to come", DESTRUCTIVE),
    "keep-what-runs": ("the task is a policy of the repository", (emptied,)),
    "only-deploy-pulls": ("the task is a policy of the repository", (emptied,)),
    "freeze": ("the task is a policy of the repository", (emptied,)),
    "tools-for-staging": ("the task is a policy of the repository", (emptied,)),
    "publish-a-tool": ("a public repository is in another registry", DESTRUCTIVE),
    "tidy-up-web": ("the task is a policy of the repository", (emptied,)),
}
"""Exercises that stay solved after some destruction, and why."""


@pytest.fixture
def rejected(lab, capsys):
    """Check that an exercise does not pass, and that the learner reads one sentence that says why."""

    def judge(exercise, answer, after):
        capsys.readouterr()
        lab.check(exercise, answer)
        said = capsys.readouterr().out
        assert re.match(r"✗ .{15,}[.?]\n(  For a hint: .*\n)?\Z", said), f"after {after}, {exercise} says {said!r}"

    return judge


@pytest.mark.slow
@pytest.mark.parametrize("exercise", ALL)
def test_an_exercise_does_not_pass_by_accident(lab, exercise, rejected, tmp_path, monkeypatch):
    answers = WRONG if ALL[exercise].answer is not None else WRONG[:2]  # the others look at none
    # Nothing is there, and any answer is given.
    for wrong in answers:
        rejected(exercise, wrong, f"{type(wrong).__name__} in an empty lab")
    # The scene of the lesson is there, and any answer is given.
    names = prepare(lab, CASES[exercise], tmp_path / "app", monkeypatch)
    for wrong in answers:
        rejected(exercise, wrong, f"{type(wrong).__name__} as an answer")
    # It is solved; only then does it pass, and no other exercise with it.
    answer = attempt(lab, ALL[exercise].solution, names)
    lab.check(exercise, answer, strict=True)
    if ALL[exercise].answer is not None:
        for wrong in WRONG:
            rejected(exercise, wrong, f"{type(wrong).__name__} as an answer")
    for other in ALL:
        if other != exercise and other not in CASES[exercise].solves_too:
            rejected(other, answer, f"the solution of {exercise}")
    # What it is about is destroyed.
    ecr = boto3.client("ecr")
    names = [repository["repositoryName"] for repository in ecr.describe_repositories()["repositories"]]
    solved = lab.snapshot()
    for destroy in DESTRUCTIVE:
        for name in names:
            destroy(ecr, name)
        if exercise in SURVIVES and destroy in SURVIVES[exercise][1]:
            lab.check(exercise, answer, strict=True)
        else:
            for given in (answer, 0) if ALL[exercise].answer is not None else (answer,):
                rejected(exercise, given, f"{destroy.__name__} repositories")
        lab.restore(solved)
    # The lab is stopped.
    lab.check(exercise, answer, strict=True)
    lab.stop()
    rejected(exercise, answer, "the lab was stopped")


@pytest.mark.long
@pytest.mark.parametrize("exercise", ALL)
def test_the_solution_of_another_exercise_does_not_pass(lab, exercise, rejected, tmp_path, monkeypatch):
    names = prepare(lab, CASES[exercise], tmp_path / "app", monkeypatch)
    before = lab.snapshot()
    for other in ALL:
        if other != exercise and exercise not in CASES[other].solves_too:
            try:
                answer = attempt(lab, ALL[other].solution, dict(names))
            except Exception:
                answer = None  # it needs the scene of its own lesson
            rejected(exercise, answer, f"the solution of {other}")
            lab.restore(before)
