"""Questions answered in a sentence: the model answer is shown beside an answer, and only there."""

import pytest

import ecrlab
from ecrlab.lessons import catalogue

QUESTIONS = [one for lesson in catalogue.lessons() for one in getattr(lesson, "QUESTIONS", ())]


@pytest.fixture(scope="module")
def lab():
    with ecrlab.start() as lab:
        yield lab


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.id)
def test_a_sentence_is_shown_beside_the_model_answer(lab, question, capsys):
    lab.compare(question.id, "Because the registry\n  knows it by its digest.")

    said = capsys.readouterr().out
    assert "Yours: Because the registry knows it by its digest.\n" in said
    assert f"Ours:  {question.model}\n" in said


@pytest.mark.parametrize("answer", [None, ..., "", " \n ", "...", "no", 7, [], b"the digest of the image"], ids=repr)
def test_without_a_sentence_the_model_answer_stays_hidden(lab, answer, capsys):
    question = QUESTIONS[0]
    lab.compare(question.id, answer)

    said = capsys.readouterr().out
    assert said.startswith("✗ Not yet: ")
    assert question.model not in said


@pytest.mark.parametrize("ask", ["check", "hint", "solution"])
@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.id)
def test_a_question_has_no_hint_and_names_no_other_exercise(lab, question, ask, capsys):
    getattr(lab, ask)(question.id)

    said = capsys.readouterr().out
    assert "is a question, which has no hint" in said
    assert f'lab.compare("{question.id}", sentence)' in said


def test_an_unknown_question_names_those_there_are(lab, capsys):
    lab.compare("why", "Because the registry knows it by its digest.")

    assert capsys.readouterr().out.startswith("✗ There is no question 'why'; there are ")


def test_ids_are_unique():
    assert len({one.id for one in QUESTIONS}) == len(QUESTIONS)
