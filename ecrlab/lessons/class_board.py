"""The progress of a class: who has solved what, and who is stuck on what, from the files that learners export.

`collect` reads the files; `as_csv` and `as_html` show them. The page is one file that a teacher projects: the summary
is large, and each state has a sign and a word besides its colour. Files and names are untrusted input.
"""

import csv
import glob
import html
import io
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ecrlab.analysis.report.document import document
from ecrlab.errors import EcrLabError
from ecrlab.lessons import catalogue
from ecrlab.lessons.progress import Record

LARGEST = 1024 * 1024
"""Bytes of the largest progress file that is read; a diligent learner's has 20 KiB."""

STUCK = 3
"""Checks without success from which a learner counts as stuck."""

STATES = {
    "solved": ("✓", "solved"),
    "shown": ("◐", "solved with the solution shown"),
    "stuck": ("!", f"checked {STUCK} times or more, or solution shown, and not solved"),
    "begun": ("…", "checked or hint taken, not solved"),
    "open": ("", "not begun"),
}
"""State of an exercise -> its sign, and what it means."""


@dataclass(frozen=True, slots=True)
class Learner:
    """One learner's file: the name that people know, and the content."""

    name: str
    record: Record

    def state(self, exercise: str) -> str:
        """Return the state of an exercise (see `STATES`)."""
        record = self.record
        shown, checks = record.solutions.get(exercise), record.checks.get(exercise, 0)
        if exercise in record.solved:
            return "shown" if shown is not None and shown <= record.solved[exercise] else "solved"
        if shown is not None or checks >= STUCK:
            return "stuck"
        return "begun" if checks or record.hints.get(exercise) else "open"


def collect(pattern: str) -> list[Learner]:
    """Read the files that a pattern such as `progress/*.json` names, sorted by name.

    A file is named after its learner, or it is `progress.json` in a folder that is. Raises `EcrLabError` for a pattern
    without files, and for a file that is no progress.
    """
    found = map(Path, glob.glob(pattern, recursive=True))  # noqa: PTH207 - the pattern may be an absolute path
    paths = sorted(one for one in found if one.is_file())
    if not paths:
        raise EcrLabError(f"no file matches {pattern!r}; learners write theirs with: ecrlab progress --export")
    names = [one.parent.name or one.stem if one.name == "progress.json" else one.stem for one in paths]
    seen = Counter(names)
    return sorted(
        (Learner(str(one) if seen[name] > 1 else name, _read(one)) for one, name in zip(paths, names, strict=True)),
        key=lambda learner: learner.name.casefold(),
    )


def exercises() -> dict[str, list[str]]:
    """Return lesson -> the ids of its exercises."""
    lessons = zip(catalogue.MODULES, catalogue.lessons(), strict=True)
    return {notebook: [one.id for one in lesson.EXERCISES] for notebook, lesson in lessons}


def as_csv(learners: Sequence[Learner]) -> str:
    """Return a row for each learner and exercise: state, number of checks and hints, when solved."""
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["learner", "lesson", "exercise", "state", "checks", "hints", "solution shown", "solved"])
    for learner in learners:
        record = learner.record
        for lesson, ids in exercises().items():
            for one in ids:
                shown = "yes" if one in record.solutions else "no"
                numbers = [record.checks.get(one, 0), record.hints.get(one, 0), shown, record.solved.get(one, "")]
                rows.writerow([plain(learner.name), lesson, one, learner.state(one), *map(plain, map(str, numbers))])
    return text.getvalue()


STYLE = """
body { font: 20px/1.4 system-ui, sans-serif; color: #1a1a1a; background: #fff; margin: 1.5rem 2rem }
h1 { font-size: 2.2rem; margin: 0 } h2 { margin: 2rem 0 .5rem; border-bottom: 3px solid #0072b2 }
.big { font-size: 1.6rem } .wide { overflow-x: auto }
table { border-collapse: collapse } caption { text-align: left; font-weight: bold; padding: .3rem 0 }
th, td { padding: .2rem .6rem; border: 1px solid #bbb; text-align: left }
td.state { text-align: center; font-weight: bold; min-width: 2rem }
.solved { background: #b7e1cd } .shown { background: #fff2b3 } .stuck { background: #d55e00; color: #fff }
.begun { background: #dbe9f6 } .open { background: #fff }
meter { width: 16rem; height: 1.6rem }
"""


def as_html(learners: Sequence[Learner]) -> str:
    """Return one page: what most are stuck on, each exercise with its number of solutions, and each learner."""
    parts = [*_summary(learners)]
    for lesson, ids in exercises().items():
        if any(learner.state(one) != "open" for learner in learners for one in ids):
            parts += _lesson(lesson, ids, learners)
    return document("Progress of the class", STYLE, [*parts, *_legend()])


def _summary(learners: Sequence[Learner]) -> Iterable[str]:
    solved = sum(learner.state(one) in ("solved", "shown") for learner in learners for one in _all())
    yield f'<p class="big">{len(learners)} learners have solved {solved} exercises.</p>\n'
    stuck = {one: [who.name for who in learners if who.state(one) == "stuck"] for one in _all()}
    worst = sorted((one for one in stuck if stuck[one]), key=lambda one: -len(stuck[one]))[:5]
    yield "<h2>Where people are stuck</h2>\n"
    if not worst:
        yield '<p class="big">Nobody is stuck.</p>\n'
        return
    yield "<ol class='big'>\n"
    for one in worst:
        yield f"<li><strong>{html.escape(one)}</strong>: {html.escape(', '.join(stuck[one]))}</li>\n"
    yield "</ol>\n"


def _lesson(lesson: str, ids: Sequence[str], learners: Sequence[Learner]) -> Iterable[str]:
    yield f"<h2>{html.escape(lesson)}</h2>\n<div class='wide'><table>\n"
    yield "<tr><th scope='col'>exercise</th>" + "".join(f"<th scope='col'>{html.escape(one)}</th>" for one in ids)
    yield "</tr>\n<tr class='big'><th scope='row'>solved</th>"
    for one in ids:
        number = sum(learner.state(one) in ("solved", "shown") for learner in learners)
        yield (
            f"<td><meter min='0' max='{len(learners)}' value='{number}' aria-label='{number} of {len(learners)}'>"
            f"</meter> {number} of {len(learners)}</td>"
        )
    yield "</tr>\n"
    for learner in learners:
        cells = "".join(_cell(learner, one) for one in ids)
        yield f"<tr><th scope='row'>{html.escape(learner.name)}</th>{cells}</tr>\n"
    yield "</table></div>\n"


def _cell(learner: Learner, exercise: str) -> str:
    state = learner.state(exercise)
    sign, meaning = STATES[state]
    checks = learner.record.checks.get(exercise, 0)
    words = f"{sign} {checks}" if state in ("stuck", "begun") and checks else sign
    return f"<td class='state {state}' title='{html.escape(meaning)}'>{words}</td>"


def _legend() -> Iterable[str]:
    yield "<h2>Signs</h2>\n<table>\n<caption>A number is the number of checks without success</caption>\n"
    for state, (sign, meaning) in STATES.items():
        yield f"<tr><td class='state {state}'>{sign}</td><td>{html.escape(meaning)}</td></tr>\n"
    yield "</table>\n"


def _all() -> list[str]:
    return [one for ids in exercises().values() for one in ids]


def plain(text: str) -> str:
    """Return a cell that a spreadsheet does not read as a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def _read(path: Path) -> Record:
    try:
        with path.open("rb") as file:
            body = file.read(LARGEST + 1)
        if len(body) > LARGEST:
            raise ValueError(f"larger than {LARGEST} bytes")
        return Record.from_json(body.decode())
    except (OSError, ValueError) as error:
        raise EcrLabError(f"{path}: {error}") from error
