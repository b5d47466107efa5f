"""An exam: a check says only whether, nothing helps; and strict checks, for graders."""

import pytest

import ecrlab
from ecrlab.lessons import exam, quizzes
from ecrlab.lessons.exercises import Desk, NotYet

SECOND_TAG = "push-a-second-tag"


@pytest.fixture(scope="module")
def lab():
    with ecrlab.start() as lab:
        yield lab


@pytest.fixture
def an_exam(monkeypatch):
    monkeypatch.setenv("ECRLAB_EXAM", "1")


def test_a_check_says_whether_and_not_what_is_missing(lab, an_exam, capsys):
    lab.check(SECOND_TAG)

    assert capsys.readouterr().out == "✗ Not yet: the task is not done.\n"


def test_a_check_says_that_the_task_is_done(an_exam, capsys, monkeypatch):
    monkeypatch.setattr("ecrlab.lessons.exercises.find", lambda _: Solved())

    Desk(lambda answer: None).check(SECOND_TAG)

    assert capsys.readouterr().out == "✓ Solved: the task is done.\n"


class Solved:
    id, answer = SECOND_TAG, None

    @staticmethod
    def judge(view):
        return "the digest is sha256:…"


def test_an_answer_of_a_wrong_type_is_still_told(lab, an_exam, capsys):
    lab.check("expiry-of-a-token")

    assert "expected a time" in capsys.readouterr().out


@pytest.mark.parametrize(
    "help_",
    [
        lambda lab: lab.hint(SECOND_TAG),
        lambda lab: lab.solution(SECOND_TAG),
        lambda lab: lab.why("no basic auth credentials"),
        lambda lab: lab.compare("any", "An answer in a whole sentence, as asked."),
    ],
    ids=["hint", "solution", "why", "compare"],
)
def test_nothing_helps(lab, capsys, monkeypatch, help_):
    help_(lab)
    assert exam.NO_HELP not in capsys.readouterr().out

    monkeypatch.setenv("ECRLAB_EXAM", "1")
    help_(lab)
    assert capsys.readouterr().out == exam.NO_HELP + "\n"


def test_a_card_does_not_say_which_choice_is_right(an_exam):
    [card, *_] = quizzes.quiz("start-here")
    shown = set()
    for number, choice in enumerate(card.card.choices):
        card.choose(number)
        shown.add((card.says, card.buttons[number].icon))
        assert choice.because not in card.says

    assert shown == {("Your choice is recorded. ", "pencil")}


def test_a_grader_can_make_every_check_raise(lab, monkeypatch):
    lab.check(SECOND_TAG)  # prints

    monkeypatch.setenv("ECRLAB_STRICT", "1")
    with pytest.raises(NotYet):
        lab.check(SECOND_TAG)
