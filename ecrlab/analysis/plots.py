"""The one look of all pictures: readable on a projector, and without colour.

The palette is Okabe and Ito's, made for colour-blind readers; what a colour says is said by a hatch, a marker or a word
as well.
"""

import contextlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, GREY = "#1a1a1a", "#6b6b6b"
BLUE, ORANGE, GREEN, VERMILION, SKY = "#0072b2", "#e69f00", "#009e73", "#d55e00", "#56b4e9"
PALETTE = (BLUE, ORANGE, GREEN, VERMILION, SKY)
HATCHES = ("", "///", "...", "xx", "\\\\\\")

STYLE: dict[Any, Any] = {
    "figure.dpi": 100,
    "figure.constrained_layout.use": True,
    "font.size": 12,
    "axes.titlesize": 14,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "hatch.linewidth": 0.7,
    "svg.hashsalt": "ecrlab",
}


@contextlib.contextmanager
def figure(title: str, *, width: float = 9, height: float = 4) -> Iterator[tuple["Figure", "Axes"]]:
    """A figure in the kit's style with one set of axes; sizes in inches. `plt.show()` shows it."""
    import matplotlib.pyplot as plt

    with plt.rc_context(STYLE):
        shown, axes = plt.subplots(figsize=(width, height))
        axes.set_title(title)
        yield shown, axes


def stacked_bars(
    title: str, rows: Sequence[str], parts: dict[str, Sequence[float]], *, unit: str, row_label: str = ""
) -> Any:
    """Horizontal bars, a row each, made of parts that differ in colour and hatch; every part is labelled with its size.

    `parts` maps a part's name to its length in each row, in `unit`.
    """
    with figure(title, height=1.4 + 0.5 * len(rows)) as (shown, axes):
        left = [0.0] * len(rows)
        of_one_part = [sum(map(bool, lengths)) == 1 for lengths in zip(*parts.values(), strict=True)]
        for (name, lengths), colour, hatch in zip(parts.items(), PALETTE, HATCHES, strict=False):
            # Orange and sky are too light against white by themselves; a dark outline gives every bar its shape.
            bars = axes.barh(
                rows, lengths, left=left, color=colour, hatch=hatch, edgecolor=INK, linewidth=1, label=name, height=0.6
            )
            sizes = [f"{length:,.0f}" if length else "" for length in lengths]
            axes.bar_label(bars, [s if alone else "" for s, alone in zip(sizes, of_one_part, strict=True)], padding=4)
            axes.bar_label(
                bars,
                ["" if alone else s for s, alone in zip(sizes, of_one_part, strict=True)],
                label_type="center",
                bbox={"facecolor": "white", "edgecolor": "none", "pad": 1, "alpha": 0.85},
            )
            left = [start + length for start, length in zip(left, lengths, strict=True)]
        axes.set_xlabel(unit)
        axes.set_ylabel(row_label)
        axes.invert_yaxis()
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.18), ncols=len(parts), frameon=False)
        return shown
