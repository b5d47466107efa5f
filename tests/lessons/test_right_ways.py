"""Every right way to solve an exercise passes, and so does the solution that a learner is shown."""

import pytest

from ecrlab.lessons import catalogue, exercises
from tests.lessons.case import attempt
from tests.lessons.cases import CASES

AT_ONCE = {(lesson.EXERCISES[0].id, -1) for lesson in catalogue.lessons()}
"""The solutions that everybody's tests try: one of each lesson."""


@pytest.mark.parametrize(
    ("exercise", "way"),
    [
        pytest.param(exercise, number, marks=[] if (exercise, number) in AT_ONCE else pytest.mark.slow)
        for exercise, case in CASES.items()
        for number in range(-1, len(case.right))
    ],
)
def test_every_right_way_passes(lab, scene, exercise, way):
    case = CASES[exercise]
    names = scene(case)
    answer = attempt(lab, case.right[way] if way >= 0 else exercises.find(exercise).solution, names)

    lab.check(exercise, answer, strict=True)
