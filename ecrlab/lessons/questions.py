"""Questions to answer in a sentence: the learner's answer beside a model answer.

Nothing is scored. The model answer is shown only beside an answer, so that a learner writes before reading.
"""

from dataclasses import dataclass

from ecrlab.lessons import catalogue

SHORTEST = 20
"""Characters below which an answer is no sentence."""


@dataclass(frozen=True, slots=True)
class Question:
    """A question of a lesson, and one good answer."""

    id: str
    question: str
    model: str


def known() -> dict[str, Question]:
    """The questions of all lessons by their ids."""
    return {one.id: one for lesson in catalogue.lessons() for one in getattr(lesson, "QUESTIONS", ())}


def compare(question_id: str, answer: object) -> str:
    """Return the answer beside the model answer; or, without a sentence, what is missing."""
    questions = known()
    if question_id not in questions:
        return f"✗ There is no question {question_id!r}; there are {', '.join(questions)}"
    if not isinstance(answer, str):
        return "✗ Not yet: put your sentence between quotes, in place of the dots."
    written = " ".join(answer.split())
    if len(written) < SHORTEST:
        return "✗ Not yet: answer in a whole sentence; then you see the model answer beside it."
    return "\n".join(
        [
            f"Asked: {questions[question_id].question}",
            f"Yours: {written}",
            f"Ours:  {questions[question_id].model}",
            "What does ours say that yours does not, and the other way round?",
        ]
    )
