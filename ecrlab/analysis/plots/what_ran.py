"""Which digest each consumer ran when: the answers of ECS, Lambda and Kubernetes at several looks, side by side.

    looks = [what_ran.look(lab.clock.now(), "deployed", ECS=tasks, Lambda=function, EKS=pods), …]
    what_ran.show("What ran", looks)

A row is a consumer and a column is a look; the same digest has the same colour everywhere. Of two digests the one that
was seen first is called old, the other new. What happened between two looks is not seen.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from typing import TYPE_CHECKING, Any

from ecrlab.analysis.inventory import running
from ecrlab.analysis.inventory.frames import short
from ecrlab.analysis.plots import style
from ecrlab.errors import EcrLabError

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

NOTHING = "nothing"

Digests = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Look:
    """One look: when, after what, and the digests that each consumer ran then."""

    at: datetime
    after: str
    ran: Mapping[str, Digests]

    def digest(self, consumer: str) -> str:
        """Return the only digest that a consumer ran. Raises `EcrLabError` if it ran none, or several."""
        digests = self.ran.get(consumer, ())
        if len(digests) != 1:
            said = " and ".join(map(short, digests)) or "nothing"
            raise EcrLabError(f"after {self.after!r} {consumer} ran {said}, so there is no single digest to take")
        return digests[0]


@dataclass(frozen=True, slots=True)
class WhatRan:
    """Several looks, oldest first; in a notebook they show themselves as a picture with a table below."""

    title: str
    looks: tuple[Look, ...]

    @property
    def consumers(self) -> list[str]:
        """The consumers, as the looks name them."""
        return list(dict.fromkeys(name for look in self.looks for name in look.ran))

    @property
    def digests(self) -> list[str]:
        """The digests, in the order in which they were seen."""
        return list(dict.fromkeys(one for look in self.looks for digests in look.ran.values() for one in digests))

    def table(self) -> "pd.DataFrame":
        """One row for each look, and a column for each consumer.

        A cell has the first 12 hexadecimal digits of each digest that ran, or `nothing`.
        """
        import pandas as pd

        rows = [[self._said(look.ran.get(name, ())) for name in self.consumers] for look in self.looks]
        index = pd.MultiIndex.from_tuples([(_instant(look.at), look.after) for look in self.looks])
        return pd.DataFrame(rows, columns=self.consumers, index=index.set_names(["time (UTC)", "after"]))

    def picture(self) -> Any:
        """Each consumer as a row, with a bar for as many looks as it ran the same digest."""
        names, looks = self.consumers, _looks(self.digests)
        width, height = 1.4 * len(self.looks) + 1.4, 0.75 * len(names) + 1.9
        with style.figure(self.title, width=max(width, 6), height=height) as (shown, axes):
            for y, name in enumerate(names):
                for start, end, digests in _bars([look.ran.get(name, ()) for look in self.looks]):
                    shown_as = [(self._said((one,)), *looks[one]) for one in digests]
                    _draw(axes, y, start, end, shown_as)
            axes.set_xlim(-0.05, len(self.looks) + 0.05)
            axes.set_ylim(len(names) - 0.5, -0.5)
            axes.set_yticks(range(len(names)), names)
            labels = [style.wrapped(look.after, 15) for look in self.looks]
            axes.set_xticks([k + 0.5 for k in range(len(self.looks))], labels, fontsize=9)
            _date(axes, [_instant(look.at) for look in self.looks], 1 + max(label.count("\n") for label in labels))
            axes.set_ylabel("consumer")
            axes.tick_params(length=0)
            axes.spines[:].set_visible(False)
            told = "; ".join(
                f"after {look.after}, " + ", ".join(f"{name} {self._said(look.ran.get(name, ()))}" for name in names)
                for look in self.looks
            )
            return style.describe(shown, f"A row for each consumer, a bar for each digest. {self.title}: {told}.")

    def _said(self, digests: Digests) -> str:
        """Return the digests of a cell, with the word for each of two."""
        words = dict(zip(self.digests, (" (old)", " (new)"), strict=True)) if len(self.digests) == 2 else {}
        return ", ".join(f"{short(one)}{words.get(one, '')}" for one in digests) or NOTHING

    def __repr__(self) -> str:
        return f"<{len(self.looks)} looks at {', '.join(self.consumers)}>"

    def _ipython_display_(self) -> None:
        import matplotlib.pyplot as plt
        from IPython.display import display

        self.picture()
        plt.show()
        display(self.table())  # type: ignore[no-untyped-call]


def look(at: datetime, after: str, **answers: Any) -> Look:
    """Return what consumers ran at an instant, after something had happened.

    `answers` has a part of an answer for each consumer: tasks of ECS, a function's code, container statuses of
    Kubernetes. Only those that run belong in it; references without a digest are left out.
    """
    found = {name: {one.digest for one in running.found_in(answer)} for name, answer in answers.items()}
    return Look(at, after, {name: tuple(sorted(one for one in digests if one)) for name, digests in found.items()})


def show(title: str, looks: Sequence[Look]) -> WhatRan:
    """Return looks, oldest first, as a picture with a table."""
    return WhatRan(title, tuple(looks))


def _looks(digests: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Return colour and hatch of each digest."""
    colours, hatches = len(style.PALETTE), len(style.HATCHES)
    return {
        digest: (style.PALETTE[k % colours], style.HATCHES[(k // colours) % hatches])
        for k, digest in enumerate(digests)
    }


def _bars(ran: Sequence[Digests]) -> Iterator[tuple[int, int, Digests]]:
    """Yield start, end and digests for each stretch of looks at which the same ran."""
    start = 0
    for digests, same in groupby(ran):
        end = start + len(list(same))
        yield start, end, digests
        start = end


def _draw(axes: "Axes", y: int, start: int, end: int, shown_as: Sequence[tuple[str, str, str]]) -> None:
    """Draw a bar for each text with its colour and hatch, one below the other; a dashed one for nothing."""
    height = 0.66 / max(len(shown_as), 1)
    for k, (text, colour, hatch) in enumerate(shown_as or [(NOTHING, "white", "")]):
        middle = y - 0.33 + (k + 0.5) * height
        outline = style.OUTLINE if shown_as else {**style.OUTLINE, "linestyle": "--"}
        axes.barh(middle, end - start - 0.06, left=start + 0.03, height=height, color=colour, hatch=hatch, **outline)
        box = {"facecolor": "white", "edgecolor": "none", "pad": 1.5, "alpha": 0.9}
        words = text.replace(" (", "\n(") if end - start == 1 and len(shown_as) < 2 else text
        axes.text((start + end) / 2, middle, words, ha="center", va="center", fontsize=9, bbox=box)


def _date(axes: "Axes", instants: Sequence[str], lines: int) -> None:
    """Write each instant once, under a line along the looks that were taken then; `lines` of labels are above it."""
    from matplotlib.transforms import ScaledTranslation

    down = -(8 + 13 * lines) / 72
    below = axes.get_xaxis_transform() + ScaledTranslation(0, down, axes.figure.dpi_scale_trans)
    start = 0
    for instant, same in groupby(instants):
        end = start + len(list(same))
        axes.plot([start + 0.05, end - 0.05], [0, 0], transform=below, color=style.INK, linewidth=0.8, clip_on=False)
        axes.annotate(
            instant,
            ((start + end) / 2, 0),
            xycoords=below,
            xytext=(0, -4),
            textcoords="offset points",
            ha="center",
            va="top",
            fontsize=9,
            annotation_clip=False,
        )
        start = end
    axes.set_xlabel("look, in order: after what, and when (lab time, UTC)", labelpad=26)


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M")
