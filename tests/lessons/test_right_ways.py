"""Every right way to solve an exercise passes; test_not_by_accident.py tries the solutions that learners are shown."""

import pytest

from ecrlab.lessons import catalogue
from tests.lessons.case import attempt
from tests.lessons.cases import CASES


@pytest.mark.slow
@pytest.mark.parametrize(
    ("exercise", "way"), [(exercise, way) for exercise, case in CASES.items() for way in range(len(case.right))]
)
def test_every_right_way_passes(lab, scene, exercise, way):
    names = scene(CASES[exercise])
    answer = attempt(lab, CASES[exercise].right[way], names)

    lab.check(exercise, answer, strict=True)


@pytest.mark.parametrize("exercise", [lesson.EXERCISES[0] for lesson in catalogue.lessons()], ids=lambda one: one.id)
def test_the_first_solution_of_a_lesson_passes(lab, scene, exercise):
    names = scene(CASES[exercise.id])
    answer = attempt(lab, exercise.solution, names)

    lab.check(exercise.id, answer, strict=True)
