"""The exercises as a learner meets them: unsolved helps, wrong is named, every right way passes."""

import pytest

import ecrlab
from ecrlab.lessons.exercises import NotYet


@pytest.fixture
def lab(monkeypatch, tmp_path):
    monkeypatch.setenv("ECRLAB_PROGRESS", str(tmp_path / "progress.json"))
    with ecrlab.start() as lab:
        yield lab


def test_an_unknown_exercise_names_the_nearest(lab):
    with pytest.raises(ecrlab.EcrLabError, match="push-a-second-tag"):
        lab.check("push-second-tag")


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
