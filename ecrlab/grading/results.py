"""What came of grading: for each student what was reached and missing, and for the class where people fail."""

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace

from ecrlab.grading.judging import Verdict
from ecrlab.lessons.class_board import plain

SIGNS = {"solved": "✓", "missing": "✗", "absent": "–", "unjudged": "?"}
"""State of an exercise -> its sign."""


LONGEST = 1000
"""Characters of one text."""


def shown(text: str) -> str:
    r"""Return a text that students wrote as one line that every terminal and file accepts.

    >>> shown("a\x1b[2J\ud800")
    'a�[2J�'
    """
    return "".join(one if one.isprintable() else " " if one.isspace() else "�" for one in text[:LONGEST])


@dataclass(frozen=True, slots=True)
class Result:
    """One student's result; `ended` says how the execution ended, `errors` which cells failed."""

    student: str
    source: str
    seed: str | None
    ended: str
    seconds: float = 0.0
    errors: list[tuple[int, str]] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)

    @property
    def solved(self) -> int:
        """How many exercises are solved."""
        return sum(one.state == "solved" for one in self.verdicts)

    def printable(self) -> "Result":
        """Return the same result with texts as `shown` returns them."""
        return replace(
            self,
            student=shown(self.student),
            source=shown(self.source),
            ended=shown(self.ended),
            errors=[(cell, shown(error)) for cell, error in self.errors],
            verdicts=[replace(one, words=shown(one.words)) for one in self.verdicts],
        )


def as_table(results: Sequence[Result], exercises: Sequence[str]) -> str:
    """Return a line for each student and one for each exercise, in plain text."""
    width = max([len("student"), *(len(one.student) for one in results)])
    lines = [f"{'student':<{width}}  solved  " + " ".join(f"{n}" for n, _ in enumerate(exercises, 1))]
    for result in results:
        signs = {one.exercise: SIGNS[one.state] for one in result.verdicts}
        marks = " ".join(signs.get(one, "–") for one in exercises)
        note = "" if result.ended == "done" else f"  {result.ended}"
        lines.append(f"{result.student:<{width}}  {result.solved:>2} of {len(exercises)}  {marks}{note}")
    lines.append("")
    for number, exercise in enumerate(exercises, 1):
        lines.append(f"{number}  {exercise}: {len(solvers(results, exercise))} of {len(results)}")
        lines += [f"     {count} × {words}" for words, count in failures(results, exercise)[:3]]
    return "\n".join(lines)


def as_csv(results: Sequence[Result]) -> str:
    """Return a row for each student and exercise."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["student", "exercise", "state", "words", "checks", "seed", "ended", "seconds"])
    for one in results:
        for verdict in one.verdicts or [Verdict("", "absent", "")]:
            row = [one.student, verdict.exercise, verdict.state, verdict.words, str(verdict.checks)]
            rows.writerow(map(plain, [*row, one.seed or "", one.ended, f"{one.seconds:.1f}"]))
    return text.getvalue()


def as_json(results: Sequence[Result]) -> str:
    """Return all that is known."""
    return json.dumps([asdict(one) | {"solved": one.solved} for one in results], indent=2, ensure_ascii=False)


def solvers(results: Sequence[Result], exercise: str) -> list[str]:
    """Return the students who solved an exercise."""
    return [one.student for one in results for it in one.verdicts if it.exercise == exercise and it.state == "solved"]


def failures(results: Sequence[Result], exercise: str) -> list[tuple[str, int]]:
    """Return what judges said about an exercise that is not solved, with how often, the most frequent first."""
    said = [it.words for one in results for it in one.verdicts if it.exercise == exercise and it.state != "solved"]
    return sorted(((words, said.count(words)) for words in dict.fromkeys(said)), key=lambda one: -one[1])
