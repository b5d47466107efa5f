"""What becomes of each image under a policy, as people read it: kept, expired or archived, and why.

    ● kept      ✕ expires      ▼ goes to the archive

An outcome is told by its sign and its word; the colour comes on top. Tags and digests are other people's input, and are
escaped wherever they become HTML.
"""

import html
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ecrlab.analysis.inventory.frames import short
from ecrlab.analysis.inventory.units import format_age
from ecrlab.analysis.plots import style
from ecrlab.lifecycle import Evaluation, Image
from ecrlab.lifecycle.explanation import explain_at
from ecrlab.lifecycle.policy import EXPIRE

if TYPE_CHECKING:
    import pandas as pd

MOST_ROWS = 60
"""Up to how many images each has a row; of more, `MOST_OF_AN_OUTCOME` of each outcome have."""
MOST_OF_AN_OUTCOME = 20
LONGEST_NAME = 60
"""Characters of an image's tags that a row has room for."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What becomes of an image; `of_many` is said of several, or of none."""

    word: str
    of_many: str
    sign: str
    colour: str


EXPIRES = Outcome("expires", "expire", "✕", style.VERMILION)
ARCHIVED = Outcome("goes to the archive", "go to the archive", "▼", style.ORANGE)
KEPT = Outcome("kept", "are kept", "●", style.BLUE)
OUTCOMES = (EXPIRES, ARCHIVED, KEPT)


def outcome(evaluation: Evaluation, position: int) -> Outcome:
    """What becomes of one of an evaluation's images."""
    rule = evaluation.acts(position)
    if rule is None:
        return KEPT
    return EXPIRES if rule.action.type == EXPIRE else ARCHIVED


def counts(evaluation: Evaluation) -> Counter[Outcome]:
    """How many images have which outcome."""
    return Counter(outcome(evaluation, position) for position in evaluation.by_age)


def name(image: Image) -> str:
    """What people call an image: its tags, or for want of one the beginning of its digest."""
    return " ".join(image.image_tags) or short(image.image_digest) or image.image_digest[:12]


def names(images: Iterable[Image]) -> list[str]:
    """What people call several images."""
    return [name(image) for image in images]


def in_words(evaluation: Evaluation) -> str:
    """The outcomes counted, as one line.

    >>> from datetime import UTC, datetime
    >>> from ecrlab.lifecycle import Policy, evaluate
    >>> in_words(evaluate(Policy(()), [], datetime(2026, 10, 1, tzinfo=UTC)))
    'no images'
    """
    counted = counts(evaluation)
    images = len(evaluation.images)
    if not images:
        return "no images"
    told = [f"{which.sign} {counted[which]} {_said(which, counted[which])}" for which in OUTCOMES if counted[which]]
    return f"{images} {'image' if images == 1 else 'images'}: " + ", ".join(told)


def _said(which: Outcome, number: int) -> str:
    if which is KEPT:
        return "stays" if number == 1 else "stay"
    return which.word if number == 1 else which.of_many


def table(evaluation: Evaluation) -> "pd.DataFrame":
    """One row for each image, the newest first, numbered from 1.

    Columns: `tags` (joined by spaces), `digest` (its first 12 hexadecimal digits), `age` (at the evaluation), `outcome`
    (kept, expires, goes to the archive), `rule` (the priority of the one that acts, empty for none), `why`.
    """
    import pandas as pd

    rows = []
    for position in reversed(evaluation.by_age):
        image, rule = evaluation.images[position], evaluation.acts(position)
        rows.append(
            {
                "tags": " ".join(image.image_tags),
                "digest": short(image.image_digest),
                "age": format_age(image.pushed_at, evaluation.now),
                "outcome": outcome(evaluation, position).word,
                "rule": str(rule.rule_priority) if rule else "",
                "why": explain_at(evaluation, position),
            }
        )
    columns = ["tags", "digest", "age", "outcome", "rule", "why"]
    return pd.DataFrame(rows, columns=columns, index=range(1, len(rows) + 1))


def as_text(evaluation: Evaluation) -> str:
    """The rows for where no HTML is shown: sign, name, outcome."""
    lines = []
    for positions, rest in _chosen(evaluation, list(reversed(evaluation.by_age))):
        for position in positions:
            which = outcome(evaluation, position)
            lines.append(f"{which.sign} {name(evaluation.images[position])}  {which.word}")
        lines += [rest] if rest else []
    return "\n".join(lines)


def as_html(evaluation: Evaluation, find: str = "") -> str:
    """The rows as an HTML table, the newest image first; with `find` those whose tags or digest contain it."""
    wanted = [p for p in reversed(evaluation.by_age) if _is_found(evaluation.images[p], find)]
    body = []
    for positions, rest in _chosen(evaluation, wanted):
        body += [_row(evaluation, position) for position in positions]
        if rest:
            body.append(f"<tr><td></td><td colspan='4'>{rest}</td></tr>")
    if not body:
        body.append(f"<tr><td></td><td colspan='4'>no image {'has that' if find else 'is here'}</td></tr>")
    heads = "".join(f"<th scope='col'>{head}</th>" for head in ("outcome", "image", "digest", "age", "why"))
    return f"<table><thead><tr>{heads}</tr></thead><tbody>{''.join(body)}</tbody></table>"


def _is_found(image: Image, find: str) -> bool:
    return not find or find in image.image_digest or any(find in tag for tag in image.image_tags)


def _chosen(evaluation: Evaluation, wanted: Sequence[int]) -> list[tuple[Sequence[int], str]]:
    """The images that have a row, and what is said of the rest."""
    if len(wanted) <= MOST_ROWS:
        return [(wanted, "")]
    chosen: list[tuple[Sequence[int], str]] = []
    for which in OUTCOMES:
        of_it = [position for position in wanted if outcome(evaluation, position) is which]
        more = len(of_it) - MOST_OF_AN_OUTCOME
        rest = f"… and {more} more {which.sign} {_said(which, more)}" if more > 0 else ""
        chosen.append((of_it[:MOST_OF_AN_OUTCOME], rest))
    return chosen


def _row(evaluation: Evaluation, position: int) -> str:
    image, which = evaluation.images[position], outcome(evaluation, position)
    called = " ".join(image.image_tags)
    if len(called) > LONGEST_NAME:
        called = called[: LONGEST_NAME - 1] + "…"
    cells = [
        f"<span style='color: {which.colour}'>{which.sign}</span> {which.word}",
        html.escape(called) or "<em>untagged</em>",
        f"<code>{html.escape(short(image.image_digest))}</code>",
        format_age(image.pushed_at, evaluation.now),
        html.escape(explain_at(evaluation, position)),
    ]
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"
