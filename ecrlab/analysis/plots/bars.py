"""Bars made of parts: how much of each row is what."""

from collections.abc import Sequence
from typing import Any

from ecrlab.analysis.plots import style


def stacked(
    title: str,
    rows: Sequence[str],
    parts: dict[str, Sequence[float]],
    *,
    unit: str,
    row_label: str = "",
    colours: Sequence[str] = style.PALETTE,
) -> Any:
    """Horizontal bars, a row each, made of parts that differ in colour and hatch, labelled with their sizes.

    `parts` maps a part's name to its length in each row, in `unit`. A part that its label would hide has the label
    beside it if it is the last of its row, and none otherwise: show a table as well.
    """
    of_rows = list(zip(*parts.values(), strict=True))
    widest = max(map(sum, of_rows), default=0)
    last = [max((k for k, length in enumerate(lengths) if length), default=0) for lengths in of_rows]
    of_one_part = [sum(map(bool, lengths)) == 1 for lengths in of_rows]
    with style.figure(title, height=1.4 + 0.5 * len(rows)) as (shown, axes):
        left = [0.0] * len(rows)
        for number, ((name, lengths), colour) in enumerate(zip(parts.items(), colours, strict=False)):
            # Orange and sky are too light against white by themselves; a dark outline gives every bar its shape.
            bars = axes.barh(
                rows,
                lengths,
                left=left,
                color=colour,
                hatch=style.HATCHES[number % len(style.HATCHES)],
                edgecolor=style.INK,
                linewidth=1,
                label=name,
                height=0.6,
            )
            sizes = [f"{length:,.0f}" if length else "" for length in lengths]
            # About the width of a text in 12 points, with a margin.
            fits = [length > (0.012 * len(words) + 0.01) * widest for length, words in zip(lengths, sizes, strict=True)]
            inside = [words if fit else "" for words, fit in zip(sizes, fits, strict=True)]
            is_end = [number == end and length > 0 for end, length in zip(last, lengths, strict=True)]
            beside = [
                f"{length:,.0f}" if ends and (alone or not words) else ""
                for length, ends, alone, words in zip(lengths, is_end, of_one_part, inside, strict=True)
            ]
            axes.bar_label(bars, beside, padding=4)
            axes.bar_label(
                bars,
                ["" if alone else words for words, alone in zip(inside, of_one_part, strict=True)],
                label_type="center",
                bbox={"facecolor": "white", "edgecolor": "none", "pad": 1, "alpha": 0.85},
            )
            left = [start + length for start, length in zip(left, lengths, strict=True)]
        axes.set_xlabel(unit)
        axes.set_ylabel(row_label)
        axes.invert_yaxis()
        # With few rows the axes are low, and a fixed distance is too short for the label of the axis.
        under = -0.14 - 0.32 / len(rows)
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, under), ncols=len(parts), frameon=False)
        return shown
