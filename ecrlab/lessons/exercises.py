"""Exercises: a task in a notebook, and a judge that looks at what is in the registry.

A judge does not look at how a learner solved a task. It reads the registry through a boto3 client, and says what is
done or what is still missing. For an unsolved exercise it raises `NotYet`, and nothing else.
"""

import difflib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from numbers import Integral
from typing import TYPE_CHECKING, Any

from ecrlab.clock import Clock
from ecrlab.errors import EcrLabError
from ecrlab.lessons import catalogue, exam, progress, questions

if TYPE_CHECKING:
    import pandas as pd

    from ecrlab.analysis.inventory.snapshot import Snapshot


class NotYet(EcrLabError):
    """What is missing, in a sentence for the learner that names a plausible mistake."""


class NoSuchExercise(EcrLabError):
    """An id that no lesson has; the text names similar ones."""


class LabStopped(EcrLabError):
    """The lab of the exercise runs no more, so there is nothing to look at."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What an exercise accepts as an answer: a name for people, and the Python types."""

    name: str
    types: tuple[type, ...]

    def accept(self, answer: Any) -> None:
        """Raise `NotYet` for a missing answer, and for one of another type."""
        if answer is None or answer is ... or (isinstance(answer, str) and not answer.strip()):
            raise NotYet(f"there is no answer yet; expected {self.name}")
        if isinstance(answer, bool) or not isinstance(answer, self.types):
            raise NotYet(f"expected {self.name}, got {type(answer).__name__!r}")


BYTES = Kind("a whole number of bytes", (Integral,))
DIGEST = Kind("a digest", (str,))
INSTANT = Kind("a time", (datetime, timedelta, str))


@dataclass(frozen=True, slots=True)
class View:
    """What a judge may look at: ECR through a client, the lab's clock, and what the learner handed in, if anything.

    `client` makes clients of other services; `storage` reads what a repository holds without pulling it; `who_can` is
    that of the lab.
    """

    ecr: Any
    clock: Clock
    client: Callable[..., Any]
    storage: "Callable[[str], Snapshot]"
    who_can: "Callable[..., pd.DataFrame]"
    answer: Any = None

    def images(self, repository: str) -> list[dict[str, Any]]:
        """The images of a repository as `describe_images` returns them. Raises `NotYet` without the repository."""
        pages = self.ecr.get_paginator("describe_images").paginate(repositoryName=repository)
        try:
            return [detail for page in pages for detail in page["imageDetails"]]
        except self.ecr.exceptions.RepositoryNotFoundException:
            there = self.repositories()
            others = f"; there is {_listed(there)}" if there else "; the registry is empty"
            raise NotYet(f"there is no repository named {repository}{others}") from None

    def repositories(self) -> list[str]:
        """The names of the repositories."""
        pages = self.ecr.get_paginator("describe_repositories").paginate()
        return [found["repositoryName"] for page in pages for found in page["repositories"]]

    def tags(self, repository: str) -> dict[str, str]:
        """The tags of a repository, each with the digest it points at. Raises `NotYet` if there is no such one."""
        return {tag: image["imageDigest"] for image in self.images(repository) for tag in image.get("imageTags", [])}

    def require(self, reached: object, otherwise: str) -> None:
        """Raise `NotYet` with this text unless something is so."""
        if not reached:
            raise NotYet(otherwise)


@dataclass(frozen=True, slots=True)
class Exercise:
    """One exercise: `judge` returns what was reached, in a sentence, or raises `NotYet`; `solution` is one way."""

    id: str
    task: str
    judge: Callable[[View], str]
    hints: tuple[str, ...]
    solution: str
    answer: Kind | None = None
    """What `lab.check` needs besides the exercise; None if the state of the registry says all."""


class Desk:
    """Checks the exercises of one lab, and remembers which hints it gave.

    `view` returns the view of an answer, and raises `LabStopped` if the lab runs no more.
    """

    def __init__(self, view: Callable[[Any], View]) -> None:
        self._view = view
        self._hints_given: dict[str, int] = {}

    def check(self, exercise_id: str, answer: Any = None, *, strict: bool = False) -> None:
        """Print how the exercise stands. With `strict`, for graders, an unsolved one raises `NotYet`."""
        from botocore.exceptions import BotoCoreError, ClientError

        strict = strict or exam.is_strict()
        try:
            exercise = find(exercise_id)
            view = self._view(answer)
            if exercise.answer is not None:
                exercise.answer.accept(answer)
            reached = _judged(exercise, view)
        except NotYet as missing:
            progress.note_check(exercise_id, solved=False)
            if strict:
                raise
            print(f"✗ Not yet: {missing}.")
            if not exam.is_on():
                print(f'  For a hint: lab.hint("{exercise.id}")')
        except (NoSuchExercise, LabStopped) as failed:
            if strict:
                raise
            print(f"✗ {failed}")
        except (BotoCoreError, ClientError) as refused:
            if strict:
                raise
            print(f"✗ The check could not look into the registry: {refused}")
        else:
            progress.note_check(exercise.id, solved=True)
            print(f"✓ Solved: {reached}.")

    def hint(self, exercise_id: str) -> None:
        """Print the next hint; after the last one, where the solution is."""
        if exam.is_on():
            print(exam.NO_HELP)
            return
        try:
            exercise = find(exercise_id)
        except NoSuchExercise as unknown:
            print(f"✗ {unknown}")
            return
        given = self._hints_given.get(exercise.id, 0)
        self._hints_given[exercise.id] = given + 1
        if given < len(exercise.hints):
            progress.note_hint(exercise.id)
            print(f"Hint {given + 1} of {len(exercise.hints)}: {exercise.hints[given]}")
        else:
            print(f'No more hints. One right way: lab.solution("{exercise.id}")')

    def solution(self, exercise_id: str) -> None:
        """Print one right way."""
        if exam.is_on():
            print(exam.NO_HELP)
            return
        try:
            exercise = find(exercise_id)
        except NoSuchExercise as unknown:
            print(f"✗ {unknown}")
            return
        progress.note_solution(exercise.id)
        print(exercise.solution.strip())


def _judged(exercise: Exercise, view: View) -> str:
    """Return what the judge says; in an exam only whether the exercise is solved."""
    if not exam.is_on():
        return exercise.judge(view)
    try:
        exercise.judge(view)
    except NotYet:
        raise NotYet("the task is not done") from None
    return "the task is done"


def find(exercise_id: str) -> Exercise:
    """The exercise of that id. Raises `NoSuchExercise` that names the nearest ones."""
    exercises: dict[str, Exercise] = {
        exercise.id: exercise for lesson in catalogue.lessons() for exercise in lesson.EXERCISES
    }
    if isinstance(exercise_id, str) and exercise_id in questions.known():
        raise NoSuchExercise(
            f"{exercise_id!r} is a question, which has no hint: write a sentence, and compare it with "
            f'lab.compare("{exercise_id}", sentence)'
        )
    if not isinstance(exercise_id, str) or exercise_id not in exercises:
        raise NoSuchExercise(_unknown(exercise_id, list(exercises)))
    return exercises[exercise_id]


def _unknown(asked: object, names: list[str]) -> str:
    """Return what to say to a name that no exercise has: the nearest one, or where its name stands."""
    where = 'its name stands in the cell lab.check("…") below the task'
    if not isinstance(asked, str) or not asked.strip():
        return f"name the exercise; {where}"
    near = difflib.get_close_matches(asked, names, n=1, cutoff=0.4)
    return f"there is no exercise {asked!r}; {f'did you mean {near[0]}?' if near else where}"


def _listed(names: list[str]) -> str:
    return ", ".join(names)
