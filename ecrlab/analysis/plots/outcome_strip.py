"""The images of a repository as marks over the days of their pushes, shaped and coloured by their outcome: an SVG.

▼                   ●
✕ ✕     ✕   ▼   ●   ●   ●
oldest push ──────► newest push
"""

import html
from collections import defaultdict
from datetime import datetime

from ecrlab.analysis.plots import outcomes
from ecrlab.analysis.plots.outcomes import ARCHIVED, EXPIRES, KEPT, OUTCOMES, Outcome
from ecrlab.lifecycle import Evaluation

BINS = 64
"""How many stacks fit side by side."""
MOST_MARKS = 600
"""Of more images a mark stands for several."""
WIDTH, HIGHEST, STEP = 704, 132, 11
"""The width of the picture, the height of its stacks at most, and a mark with the space about it, in pixels."""
SHAPES: dict[Outcome, str] = {
    KEPT: "<circle cx='{x}' cy='{y}' r='{r}' fill='{colour}'/>",
    EXPIRES: "<path d='M{l} {t}L{e} {b}M{e} {t}L{l} {b}' stroke='{colour}' stroke-width='{w}' fill='none'/>",
    ARCHIVED: "<path d='M{l} {t}H{e}L{x} {b}Z' fill='{colour}'/>",
}


def as_svg(evaluation: Evaluation) -> str:
    """The picture, with its counts in words for those who do not see it; nothing when there are no images."""
    if not evaluation.images:
        return ""
    scale = -(-len(evaluation.images) // MOST_MARKS)
    stacks = _stacks(evaluation)
    highest = max(sum(-(-len(names) // scale) for names in stack.values()) for stack in stacks.values())
    step = min(STEP, HIGHEST / highest)
    height = step * highest
    marks = []
    for column, stack in stacks.items():
        level = 0
        for outcome in OUTCOMES:
            names = stack[outcome]
            for start in range(0, len(names), scale):
                marks.append(_mark(outcome, (column + 0.5) * STEP, height - (level + 0.5) * step, step, names[start]))
                level += 1
    said = html.escape(outcomes.in_words(evaluation), quote=True)
    each = f" (a mark stands for up to {scale})" if scale > 1 else ""
    oldest, newest = (evaluation.images[evaluation.by_age[end]].pushed_at for end in (0, -1))
    return (
        f"<div><svg role='img' aria-label='{said}' viewBox='0 0 {WIDTH} {height + 18:.0f}' style='width: 100%;"
        f" max-width: {WIDTH}px'>{''.join(marks)}<g fill='currentColor' font-size='12'>"
        f"<text x='0' y='{height + 14:.0f}'>pushed {oldest:%Y-%m-%d}</text>"
        f"<text x='{WIDTH}' y='{height + 14:.0f}' text-anchor='end'>{newest:%Y-%m-%d}</text></g></svg>"
        f"<div>{' &nbsp; '.join(f'{_signed(outcome)}' for outcome in OUTCOMES)}{each}</div></div>"
    )


def _stacks(evaluation: Evaluation) -> dict[int, dict[Outcome, list[str]]]:
    """For each column from left to right the images pushed there, by outcome."""
    first, last = (evaluation.images[evaluation.by_age[end]].pushed_at for end in (0, -1))
    stacks: dict[int, dict[Outcome, list[str]]] = defaultdict(lambda: {outcome: [] for outcome in OUTCOMES})
    for position in evaluation.by_age:
        image = evaluation.images[position]
        column = _column(image.pushed_at, first, last)
        stacks[column][outcomes.outcome(evaluation, position)].append(outcomes.name(image))
    return stacks


def _column(pushed_at: datetime, first: datetime, last: datetime) -> int:
    length = (last - first).total_seconds()
    share = (pushed_at - first).total_seconds() / length if length else 0.0
    # The line is ordered by restores, too, so that a push may lie outside its ends.
    return int(min(max(share, 0.0), 1.0) * (BINS - 1))


def _mark(outcome: Outcome, x: float, y: float, step: float, name: str) -> str:
    # Where marks stand close, small ones can still be told apart.
    r = round(max(1.8, min(4.0, 0.45 * step)), 1)
    left, right, top, bottom = (round(at, 1) for at in (x - r, x + r, y - r, y + r))
    at = {"x": round(x, 1), "y": round(y, 1), "l": left, "e": right, "t": top, "b": bottom}
    shape = SHAPES[outcome].format(**at, r=r, w=r / 2, colour=outcome.colour)
    return f"<g><title>{html.escape(f'{name}: {outcome.word}')}</title>{shape}</g>"


def _signed(outcome: Outcome) -> str:
    return f"<span style='color: {outcome.colour}'>{outcome.sign}</span> {outcome.word}"
