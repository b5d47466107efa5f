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


def test_a_click_explains_and_a_right_one_is_kept():
    card = ecrlab.quiz("start-here")[0]

    card.buttons[0].click()
    wrong = card.says
    card.buttons[1].click()

    assert wrong.startswith("✗ Not quite.")
    assert card.says.startswith("✓ Right.")
    assert list(progress.solved()) == [card.card.id]


def test_an_unknown_topic_names_those_there_are():
    with pytest.raises(ecrlab.EcrLabError, match="00-start-here"):
        ecrlab.quiz("cooking")
