"""Quiz cards: one right answer at least, every wrong one explained, and nothing told by colour alone."""

import pytest

import ecrlab
from ecrlab.lessons import catalogue, progress

CARDS = [card for lesson in catalogue.lessons() for card in lesson.CARDS]


@pytest.fixture(autouse=True)
def kept(monkeypatch, tmp_path):
    monkeypatch.setenv("ECRLAB_PROGRESS", str(tmp_path / "progress.json"))


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.id)
def test_every_card_has_right_and_wrong_choices_and_explains_each(card):
    assert any(choice.right for choice in card.choices)
    assert any(not choice.right for choice in card.choices)
    assert all(len(choice.because) > 20 for choice in card.choices)


@pytest.mark.parametrize("lesson", catalogue.lessons(), ids=lambda lesson: lesson.__name__.rpartition(".")[2])
def test_choosing_the_same_place_every_time_does_not_solve_a_quiz(lesson):
    places = [{n for n, choice in enumerate(card.choices) if choice.right} for card in lesson.CARDS]

    assert not set.intersection(*places)


def test_ids_are_unique():
    assert len({card.id for card in CARDS}) == len(CARDS)


def test_every_click_explains_and_the_first_one_counts():
    card = ecrlab.quiz("start-here")[0]

    card.buttons[0].click()
    wrong = card.says
    card.buttons[1].click()

    assert wrong.startswith("✗ Not quite.")
    assert card.says.startswith("✓ Right.")
    assert progress.solved() == {}
    assert progress.missed() == [card.card.id]


def test_a_card_that_was_missed_is_solved_by_a_right_first_choice_later():
    for choice in (0, 1):
        card = ecrlab.quiz("start-here")[0]
        card.choose(choice)

    assert list(progress.solved()) == [card.card.id]
    assert progress.missed() == []


def questions(topic):
    return [view.question for view in ecrlab.quiz(topic).cards]


def test_a_quiz_opens_with_two_cards_of_earlier_lessons():
    first, second, *own = questions("push-and-pull")

    assert first.startswith("From 00-start-here: ")
    assert second.startswith("From 01-authentication: ")
    assert own == [card.question for card in catalogue.lesson("push-and-pull").CARDS]
    assert questions("start-here") == [card.question for card in catalogue.lesson("start-here").CARDS]


def test_missed_cards_of_earlier_lessons_come_first_and_later_ones_not_at_all():
    always = questions("push-and-pull")[:2]
    progress.note_try("tag-immutability/what", right=False)
    progress.note_try("start-here/where", right=False)
    progress.note_try("authentication/scope", right=False)
    progress.note_try("authentication/scope", right=True)

    missed, kept, *_ = questions("push-and-pull")

    assert "Where do the bytes go?" in missed
    assert kept == always[0]


def test_without_widgets_a_quiz_is_text_with_every_choice():
    quiz = ecrlab.quiz("push-and-pull")
    shown = quiz._repr_mimebundle_()["text/plain"].splitlines()

    assert shown[0] == f"1. {quiz[0].question}"
    assert shown[1] == f"   a) {quiz[0].card.choices[0].text}"
    assert len(shown) == sum(1 + len(view.card.choices) for view in quiz.cards)


def test_an_unknown_topic_names_those_there_are():
    with pytest.raises(ecrlab.EcrLabError, match="00-start-here"):
        ecrlab.quiz("cooking")
