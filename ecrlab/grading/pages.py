"""Results as pages: a table of the class, and a page for each student. All of them are escaped."""

import html
from collections.abc import Iterator, Sequence

from ecrlab.analysis.report.document import document
from ecrlab.grading.results import SIGNS, Result, failures, solvers
from ecrlab.lessons.class_board import STYLE

COLOURS = {"solved": "solved", "missing": "stuck", "absent": "open", "unjudged": "shown"}
"""State -> the class of its colour on the board."""

WORDS = {"solved": "solved", "missing": "not solved", "absent": "not handed in", "unjudged": "could not be judged"}


def of_class(results: Sequence[Result], exercises: Sequence[str], lesson: str) -> str:
    """Return the page of a class: by exercise how many solved it and where people fail, and a row for each student."""
    return document(f"{lesson}: results", STYLE, _class(results, exercises))


def of_student(result: Result, lesson: str) -> str:
    """Return the page of a student: each exercise in the judge's words, and the errors of the notebook."""
    return document(f"{lesson}: {result.student}", STYLE, _student(result))


def _class(results: Sequence[Result], exercises: Sequence[str]) -> Iterator[str]:
    number = len(results)
    yield f'<p class="big">{number} submission{"s" * (number != 1)}.</p>\n<h2>By exercise</h2>\n'
    for one in exercises:
        count = len(solvers(results, one))
        yield (
            f"<h3>{html.escape(one)}</h3>\n<p class='big'><meter min='0' max='{number}' value='{count}' "
            f"aria-label='{count} of {number}'></meter> {count} of {number} solved it</p>\n"
        )
        if found := failures(results, one)[:5]:
            listed = "".join(f"<li>{count} × {html.escape(words)}</li>\n" for words, count in found)
            yield f"<ul>\n{listed}</ul>\n"
    yield "<h2>By student</h2>\n<div class='wide'><table>\n<tr><th scope='col'>student</th>"
    yield "".join(f"<th scope='col'>{html.escape(one)}</th>" for one in exercises) + "<th scope='col'>note</th></tr>\n"
    for result in results:
        states = {one.exercise: one.state for one in result.verdicts}
        cells = "".join(_cell(states.get(one, "absent")) for one in exercises)
        note = "" if result.ended == "done" else html.escape(result.ended)
        yield f"<tr><th scope='row'>{html.escape(result.student)}</th>{cells}<td>{note}</td></tr>\n"
    yield "</table></div>\n"


def _cell(state: str) -> str:
    return f"<td class='state {COLOURS[state]}' title='{WORDS[state]}'>{SIGNS[state]}</td>"


def _student(result: Result) -> Iterator[str]:
    total = len(result.verdicts)
    yield f'<p class="big">{result.solved} of {total} exercises are solved.</p>\n'
    if result.ended != "done":
        yield f"<p><strong>The notebook did not run to its end: {html.escape(result.ended)}.</strong></p>\n"
    for verdict in result.verdicts:
        state = f"<span class='state {COLOURS[verdict.state]}'>{SIGNS[verdict.state]} {WORDS[verdict.state]}</span>"
        yield f"<h2>{html.escape(verdict.exercise)} {state}</h2>\n<p>{html.escape(verdict.words)}.</p>\n"
    if result.errors:
        rows = "".join(f"<li>cell {number}: {html.escape(error)}</li>\n" for number, error in result.errors)
        yield f"<h2>Cells with errors</h2>\n<ul>\n{rows}</ul>\n"
    seed = "" if result.seed is None else f", seed {html.escape(result.seed)}"
    yield f"<p>{html.escape(result.source)}{seed}, {result.seconds:.0f} s.</p>\n"
