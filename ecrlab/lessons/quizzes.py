"""Quick revision questions as cards: choose, and read why it is so.

A quiz opens with two cards of earlier lessons: those that the learner missed, or two fixed ones. The first choice on a
card is the learner's try, and only that one counts; the choices after it explain themselves.

After a restart of the kernel, JupyterLab still shows the cards, and their buttons do nothing; a line above them then
says what to do.

A card shows a question and a button for each choice, so that mouse and keyboard (Tab, then Space or Enter) both work.
Every choice has an explanation, also the wrong ones. A word and a sign mark the choice, not colour alone.
"""

import html
import itertools
import string
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import ipywidgets as widgets

from ecrlab.errors import EcrLabError
from ecrlab.lessons import catalogue, exam, progress

STYLE = (
    "<style>.ecrlab-card {border: 1px solid #8c8c8c; padding: 0.5em 1em; margin: 0.5em 0} "
    ".ecrlab-card .widget-button {text-align: left}</style>"
)

# JupyterLab marks a widget whose kernel is gone with this class (@jupyter-widgets/base, DOMWidgetView).
RESTARTED = (
    "<style>.ecrlab-restarted {display: none} .ecrlab-restarted.jupyter-widgets-disconnected {display: block}</style>"
    "<p role='status'><strong>The kernel was restarted, and these buttons do nothing now.</strong> "
    "Run the first cell of the notebook, and then this one again.</p>"
)


@dataclass(frozen=True, slots=True)
class Choice:
    """One possible answer, and why it is right or wrong."""

    text: str
    because: str
    right: bool = False


@dataclass(frozen=True, slots=True)
class Card:
    """A question with its choices, one or more of them right."""

    id: str
    question: str
    choices: tuple[Choice, ...]


class CardView(widgets.VBox):  # type: ignore[misc]  # ipywidgets has no types
    """A card on the screen; `choose(n)` does what a click on the n-th button does."""

    def __init__(self, card: Card, lesson: str = "") -> None:
        self.card = card
        self._tried = False
        self.verdict = widgets.HTML(layout={"display": "none"})
        self.verdict.add_class("ecrlab-verdict")
        self.buttons = []
        for number, choice in enumerate(card.choices):
            button = widgets.Button(description=choice.text, layout={"width": "auto"}, tooltip=choice.text)
            button.on_click(lambda _, number=number: self.choose(number))
            self.buttons.append(button)
        self.question = f"From {lesson}: {card.question}" if lesson else card.question
        question = widgets.HTML(f"{STYLE}<p><strong>{html.escape(self.question)}</strong></p>")
        super().__init__([question, *self.buttons, self.verdict])
        self.add_class("ecrlab-card")

    def choose(self, number: int) -> None:
        """Mark the n-th choice (from 0) and explain it, but not in an exam; the first choice is the learner's try."""
        choice = self.card.choices[number]
        button = self.buttons[number]
        button.style.font_weight = "bold"
        if exam.is_on():
            button.icon, word, because = "pencil", "Your choice is recorded.", ""
        elif choice.right:
            button.icon, word, because = "check", "✓ Right.", choice.because
        else:
            button.icon, word, because = "times", "✗ Not quite.", choice.because
        self.verdict.value = f"<p role='status'><strong>{word}</strong> {html.escape(because)}</p>"
        self.verdict.layout.display = None
        if not self._tried:
            self._tried = True
            progress.note_try(self.card.id, right=choice.right)

    def text(self, number: int) -> str:
        """The card as text: its number and question, and a line for each choice."""
        letters = zip(string.ascii_lowercase, self.card.choices, strict=False)
        return "\n".join([f"{number}. {self.question}", *(f"   {letter}) {choice.text}" for letter, choice in letters)])

    @property
    def says(self) -> str:
        """The verdict that is shown, without markup; empty before a choice."""
        import re

        return html.unescape(re.sub(r"<[^>]+>", "", self.verdict.value))


class Quiz(widgets.VBox):  # type: ignore[misc]
    """Two cards of earlier lessons and the cards of one lesson, one below the other; `quiz[0]` is the first."""

    def __init__(self, earlier: dict[Card, str], cards: tuple[Card, ...]) -> None:
        self.cards = [CardView(card, lesson) for card, lesson in earlier.items()] + [CardView(card) for card in cards]
        restarted = widgets.HTML(RESTARTED)
        restarted.add_class("ecrlab-restarted")
        super().__init__([restarted, *self.cards])

    def __getitem__(self, number: int) -> CardView:
        return self.cards[number]

    def __len__(self) -> int:
        return len(self.cards)

    def __repr__(self) -> str:
        return f"<{len(self)} questions>"

    def _repr_mimebundle_(self, **settings: Any) -> Any:
        shown = super()._repr_mimebundle_(**settings)
        if isinstance(shown, dict):
            # Where widgets cannot be shown (a printed page, a repository's web view), the cards still can.
            shown["text/plain"] = "\n".join(view.text(n) for n, view in enumerate(self.cards, start=1))
        return shown


def quiz(topic: str) -> Quiz:
    """The cards of a lesson, by its topic: `quiz("authentication")`. Raises `EcrLabError` for an unknown one."""
    lesson = catalogue.lesson(topic)
    if lesson is None:
        raise EcrLabError(f"there is no quiz about {topic!r}; there are {', '.join(catalogue.MODULES)}")
    return Quiz(_earlier(lesson), lesson.CARDS)


def _earlier(lesson: ModuleType) -> dict[Card, str]:
    """Two cards of the lessons before this one, each with its lesson: missed ones first, else always the same two."""
    before = list(itertools.takewhile(lambda other: other is not lesson, catalogue.lessons()))
    if not before:
        return {}
    lessons = zip(catalogue.MODULES, before, strict=False)
    cards = {card.id: (card, name) for name, other in lessons for card in other.CARDS}
    always = [before[-2:][0].CARDS[1].id, before[-1].CARDS[0].id]
    chosen = dict(cards[one] for one in [*progress.missed(), *always] if one in cards)
    return dict(list(chosen.items())[:2])
