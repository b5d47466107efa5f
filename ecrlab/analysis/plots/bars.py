"""Bars made of parts: how much of each row is what."""

from collections.abc import Sequence
from typing import Any

from ecrlab.analysis.plots import style


def stacked(
    title: str, rows: Sequence[str], parts: dict[str, Sequence[float]], *, unit: str, row_label: str = ""
) -> Any:
    """Horizontal bars, a row each, made of parts that differ in colour and hatch; every part is labelled with its size.

    `parts` maps a part's name to its length in each row, in `unit`.
    """
    with style.figure(title, height=1.4 + 0.5 * len(rows)) as (shown, axes):
        left = [0.0] * len(rows)
        of_one_part = [sum(map(bool, lengths)) == 1 for lengths in zip(*parts.values(), strict=True)]
        for (name, lengths), colour, hatch in zip(parts.items(), style.PALETTE, style.HATCHES, strict=False):
            # Orange and sky are too light against white by themselves; a dark outline gives every bar its shape.
            bars = axes.barh(
                rows,
                lengths,
                left=left,
                color=colour,
                hatch=hatch,
                edgecolor=style.INK,
                linewidth=1,
                label=name,
                height=0.6,
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
