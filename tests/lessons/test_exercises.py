"""The exercises as a learner meets them: unsolved helps, wrong is named, every right way passes."""

import pytest

import ecrlab
from ecrlab.lessons.exercises import NoSuchExercise, NotYet


@pytest.fixture
def lab(monkeypatch, tmp_path):
    monkeypatch.setenv("ECRLAB_PROGRESS", str(tmp_path / "progress.json"))
    with ecrlab.start() as lab:
        yield lab


def test_after_the_lab_was_stopped_why_says_so_whatever_went_wrong_before(lab, capsys):
    lab.stop()

    lab.why()

    said = " ".join(capsys.readouterr().out.split())
    assert "may have worked on your own AWS account" in said
    assert "nothing was sent" not in said


@pytest.mark.parametrize("ask", ["check", "hint", "solution"])
def test_an_unknown_exercise_names_the_nearest(lab, ask, capsys):
    getattr(lab, ask)("push-second-tag")

    assert capsys.readouterr().out == "✗ there is no exercise 'push-second-tag'; did you mean push-a-second-tag?\n"


@pytest.mark.parametrize(
    ("named", "said"), [((), "name the exercise"), ((7,), "name the exercise"), (("x",), "there is no exercise 'x'")]
)
@pytest.mark.parametrize("ask", ["check", "hint", "solution"])
def test_without_a_name_or_with_one_like_none_a_sentence_says_where_names_stand(lab, ask, named, said, capsys):
    getattr(lab, ask)(*named)

    assert capsys.readouterr().out == f'✗ {said}; its name stands in the cell lab.check("…") below the task\n'


def test_graders_hear_of_an_unknown_exercise_by_an_exception(lab):
    with pytest.raises(NoSuchExercise, match="push-a-second-tag"):
        lab.check("push-second-tag", strict=True)


def test_a_check_after_the_lab_was_stopped_says_so_and_does_not_raise(lab, capsys):
    lab.stop()

    lab.check("push-a-second-tag")

    assert "✗ This lab was stopped; run lab = ecrlab.start()" in capsys.readouterr().out


def test_an_unsolved_exercise_says_what_is_missing_and_does_not_raise(lab, capsys):
    lab.check("push-a-second-tag")

    said = capsys.readouterr().out
    assert "Not yet: there is no repository named hello; the registry is empty." in said
    assert 'lab.hint("push-a-second-tag")' in said


def test_graders_get_an_exception(lab):
    with pytest.raises(NotYet):
        lab.check("push-a-second-tag", strict=True)


def test_hints_come_one_by_one_and_then_the_solution(lab, capsys):
    for _ in range(3):
        lab.hint("push-a-second-tag")
    lab.solution("push-a-second-tag")

    said = capsys.readouterr().out
    assert (
        said.index("Hint 1 of 2") < said.index("Hint 2 of 2") < said.index("No more hints") < said.index("docker push")
    )
