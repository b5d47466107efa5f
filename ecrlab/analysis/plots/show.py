"""A registry as one picture, and as a table: who has a name, who is left behind, who shares layers with whom.

Up to `MOST_ROWS` images, in up to `MOST_SHELVES` repositories, each one has a row:

    tags ── ● digest   what it is   age   size   its own │ ■ ■   ■   the layers it shares

A layer that several images use is one column, and a line joins its users. More images are drawn as piles of marks
over the day of their push, with a bar for the bytes that each repository stores.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ecrlab.analysis.inventory import holdings
from ecrlab.analysis.inventory.frames import short
from ecrlab.analysis.inventory.holdings import GHOST, INDEX, KINDS, PART, REFERRER, TAGGED, Held, Shelf
from ecrlab.analysis.plots import dot_piles, style

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

MOST_ROWS, MOST_SHELVES = 60, 15
MOST_COLUMNS = 20
"""Shared layers that get a column; the heaviest have it."""

MOST_LABELS = 6
"""Up to how many of these columns there is room for their sizes."""

MARKS = {
    TAGGED: ("o", style.BLUE, style.BLUE),
    INDEX: ("D", style.ORANGE, style.ORANGE),
    PART: ("s", style.GREEN, style.GREEN),
    REFERRER: ("^", style.SKY, style.SKY),
    GHOST: ("o", "white", style.VERMILION),
}
"""Kind of image -> its marker, the colour inside and the colour around."""

WORDS = {
    TAGGED: "image with a tag",
    INDEX: "index",
    PART: "part of an index",
    REFERRER: "about another image",
    GHOST: "untagged: nothing leads to it",
}

TAGS, MARK, DIGEST, WHAT, AGE, BYTES, OWN, LAYERS, END = 30, 32.5, 37, 48.5, 70, 78, 86, 90, 120
"""Where the columns stand, in tenths of an inch from the left: TAGS, AGE, BYTES and OWN end there, the others begin."""

HEAD = 3.4
"""Rows that the head of a repository takes."""


class Show:
    """What a registry held at one moment; in a notebook it shows itself as a picture with a table below."""

    def __init__(self, shelves: Sequence[Shelf], now: datetime) -> None:
        self.shelves = shelves
        self.now = now

    def __len__(self) -> int:
        return sum(len(shelf.held) for shelf in self.shelves)

    def table(self) -> "pd.DataFrame":
        """One row for each image; see `ecrlab.analysis.inventory.holdings.table`."""
        return holdings.table(self.shelves, self.now)

    def picture(self) -> Any:
        """The matplotlib figure; `plt.show()` shows it."""
        title = _title(self.shelves)
        if len(self) > MOST_ROWS or (len(self) and len(self.shelves) > MOST_SHELVES):
            return dot_piles.picture(self.shelves, title, MARKS, WORDS)
        # More than these there are only when all are empty.
        return _rows(self.shelves[:MOST_SHELVES], title, self.now)

    def __repr__(self) -> str:
        return f"<{_title(self.shelves)}>"

    def _ipython_display_(self) -> None:
        import matplotlib.pyplot as plt
        from IPython.display import display

        self.picture()
        plt.show()
        display(self.table())  # type: ignore[no-untyped-call]


def show(ecr: Any, name: str | None = None, *, now: datetime, manifests: holdings.Manifests | None = None) -> Show:
    """Look at a registry, or at the repository of that name, through a boto3 ECR client; `now` is when ages are taken.

    About `manifests`, and errors, see `ecrlab.analysis.inventory.holdings.look`.
    """
    return Show(holdings.look(ecr, name, manifests=manifests), now)


def _title(shelves: Sequence[Shelf]) -> str:
    images = sum(len(shelf.held) for shelf in shelves)
    ghosts = sum(shelf.count(GHOST) for shelf in shelves)
    where = shelves[0].name if len(shelves) == 1 else f"{len(shelves)} repositories"
    return f"{where}: {_counted(images, 'image')}, {ghosts} left behind without a tag"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _rows(shelves: Sequence[Shelf], title: str, now: datetime) -> Any:
    rows = sum(len(shelf.held) + HEAD for shelf in shelves)
    inches = 0.3 if rows < 30 else 0.22
    with style.figure(title, width=12.4, height=1.3 + inches * max(rows, 2)) as (shown, axes):
        top = 0.0
        for shelf in shelves:
            _draw_shelf(axes, shelf, top, now)
            top += HEAD + len(shelf.held)
        if not shelves:
            axes.text(0, 1, "The registry is empty.")
        axes.set_xlim(-1, END + 1)
        axes.set_ylim(max(top, 2), 0.2)
        axes.axis("off")
        shown_kinds = [kind for kind in KINDS if any(shelf.count(kind) for shelf in shelves)]
        legend(axes, shown_kinds, shares=any(shelf.shared for shelf in shelves))
        return shown


def legend(axes: "Axes", kinds: Sequence[str], *, shares: bool) -> None:
    """Say below the axes what the marks mean."""
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], linestyle="", marker=MARKS[kind][0], mfc=MARKS[kind][1], mec=MARKS[kind][2], label=WORDS[kind])
        for kind in kinds
    ]
    if shares:
        handles.append(Line2D([], [], color=style.INK, marker="s", lw=1, label="layer that several share"))
    axes.legend(
        handles=handles,
        loc="upper center",
        bbox_to_anchor=(0.5, 0),
        ncols=6,
        frameon=False,
        fontsize=9,
        handletextpad=0.4,
    )


def _draw_shelf(axes: "Axes", shelf: Shelf, top: float, now: datetime) -> None:
    stored = holdings.readable(sum(shelf.layers.values()))
    head = f"{shelf.mutability.lower().replace('_', ' ')} tags, {stored} stored"
    axes.text(0, top + 1, shelf.name, fontweight="bold", va="center")
    axes.text(0, top + 2.1, head, fontsize=9, color=style.GREY, va="center")
    under = top + HEAD - 0.6
    if not shelf.held:
        axes.text(TAGS, top + 1, "empty", fontsize=9, va="center", ha="right")
        return
    for x, words, side in (
        (TAGS, "tags", "right"),
        (DIGEST, "digest", "left"),
        (WHAT, "what it is", "left"),
        (AGE, "age", "right"),
        (BYTES, "size", "right"),
        (OWN, "its own", "right"),
    ):
        axes.text(x, under - 0.1, words, fontsize=8.5, color=style.GREY, ha=side, va="bottom")
    axes.plot([0, END], [under, under], color=style.GREY, lw=0.6)
    columns = _columns(shelf)
    if columns:
        right = max(columns.values())
        which = "layers it shares" if len(columns) == len(shelf.shared) else f"heaviest of {len(shelf.shared)}"
        axes.text(right + 2, under - 0.1, which, fontsize=8.5, color=style.GREY, va="bottom")
    _draw_shared(axes, shelf, columns, under)
    for row, held in enumerate(shelf.held):
        _draw_image(axes, shelf, held, top + HEAD + row, now)


def _columns(shelf: Shelf) -> dict[str, float]:
    """Where each shared layer has its column; the lightest have none when there are too many."""
    heaviest = sorted(shelf.shared, key=lambda digest: (-shelf.shared[digest] * shelf.uses[digest], digest))
    chosen = set(heaviest[:MOST_COLUMNS])
    step = min(3.2, (END - 13 - LAYERS) / max(len(chosen), 1))
    return {digest: LAYERS + step * k for k, digest in enumerate(d for d in shelf.shared if d in chosen)}


def _draw_shared(axes: "Axes", shelf: Shelf, columns: dict[str, float], under: float) -> None:
    for digest, x in columns.items():
        users = [under + 0.6 + row for row, held in enumerate(shelf.held) if digest in held.layers]
        axes.plot([x] * len(users), users, color=style.INK, lw=1, marker="s", ms=5 if len(shelf.held) < 30 else 3.5)
        if len(columns) <= MOST_LABELS:
            size = holdings.readable(shelf.layers[digest])
            axes.text(x, under - 0.15, size, fontsize=8, rotation=90, ha="center", va="bottom")


def _draw_image(axes: "Axes", shelf: Shelf, held: Held, y: float, now: datetime) -> None:
    marker, inside, around = MARKS[held.kind]
    mark = MARK + 1.6 * min(held.depth, 2)
    small = 9 if len(shelf.held) < 30 else 8
    if held.tags:
        axes.text(
            TAGS,
            y,
            _fitting(held.tags, 36),
            fontsize=small,
            ha="right",
            va="center",
            bbox={"boxstyle": "round,pad=0.2", "facecolor": "#e8f1f8", "edgecolor": style.BLUE, "linewidth": 0.6},
        )
        axes.plot([TAGS + 0.6, mark], [y, y], color=style.BLUE, lw=0.8, zorder=1)
    if held.depth:
        axes.plot([mark - 1.6, mark - 1.6, mark], [y - 1, y, y], color=style.GREY, lw=0.8, zorder=1)
    axes.plot([mark], [y], marker=marker, mfc=inside, mec=around, mew=1.5, ms=8 if len(shelf.held) < 30 else 6)
    axes.text(DIGEST, y, short(held.digest), fontsize=small, family="monospace", va="center")
    axes.text(WHAT, y, _what(held), fontsize=small, va="center")
    axes.text(AGE, y, holdings.age(held.pushed_at, now), fontsize=small, ha="right", va="center")
    axes.text(BYTES, y, holdings.readable(held.size), fontsize=small, ha="right", va="center")
    own = shelf.own(held)
    if held.layers:
        axes.text(OWN, y, holdings.readable(sum(own.values())), fontsize=small, ha="right", va="center")


def _what(held: Held) -> str:
    if held.kind == REFERRER:
        return held.remark.removeprefix("application/").removeprefix("vnd.")[:28]
    if held.kind == PART:
        return held.remark or PART
    return held.kind


def _fitting(tags: Sequence[str], width: int) -> str:
    """As many tags as fit, and how many more there are.

    >>> _fitting(["v1.2.3", "latest", "stable"], 16)
    'v1.2.3 latest +1'
    """
    chosen = list(tags)
    while len(chosen) > 1 and len(" ".join(chosen)) + (3 if len(chosen) < len(tags) else 0) > width:
        chosen.pop()
    shown = " ".join(chosen) if len(chosen) > 1 or len(chosen[0]) <= width else chosen[0][: width - 1] + "…"
    return shown if len(chosen) == len(tags) else f"{shown} +{len(tags) - len(chosen)}"
