"""An exercise that is unsolved says what is missing, and a plausible mistake is named."""

import pytest

from ecrlab.lessons.exercises import NotYet
from tests.lessons.case import attempt
from tests.lessons.cases import ALL, CASES


def test_every_exercise_has_a_case():
    assert set(CASES) == set(ALL)


@pytest.mark.parametrize("exercise", ALL)
def test_unsolved_says_what_is_missing(lab, exercise, capsys):
    lab.check(exercise)

    assert capsys.readouterr().out.startswith("✗ Not yet: ")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("exercise", "named"), [(exercise, named) for exercise, case in CASES.items() for named in case.wrong]
)
def test_a_plausible_mistake_is_named(lab, scene, exercise, named):
    case = CASES[exercise]
    answer = attempt(lab, case.wrong[named], scene(case))

    with pytest.raises(NotYet, match=named.replace("(", r"\(")):
        lab.check(exercise, answer, strict=True)
