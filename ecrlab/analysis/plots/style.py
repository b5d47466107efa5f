"""The one look of all pictures: readable on a projector, and without colour.

The palette is Okabe and Ito's, made for colour-blind readers; a hatch, a marker or a word says the same as each colour.
"""

import base64
import contextlib
import html
import io
import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, GREY = "#1a1a1a", "#6b6b6b"
BLUE, ORANGE, GREEN, VERMILION, SKY = "#0072b2", "#e69f00", "#009e73", "#d55e00", "#56b4e9"
PALETTE = (BLUE, ORANGE, GREEN, VERMILION, SKY)
HATCHES = ("", "///", "...", "xx", "\\\\\\")
SHADES = ("#f0f6fb", "#b9d8ee", SKY, BLUE, "#0b2c4a")
"""From light to dark, for what has an order; told apart by their lightness alone."""
LINE_COLOURS = (BLUE, VERMILION, GREEN, INK, GREY)
"""Colours that stand out from white without an outline."""
LINES = ("-", "--", "-.", ":", (0, (6, 2, 1, 2, 1, 2)))
MARKERS = ("o", "s", "^", "D", "v")

OUTLINE: dict[str, Any] = {"edgecolor": INK, "linewidth": 0.8}
"""Of every bar: without it light colours have no edge on white."""

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
    # Names are shown as they are: a dollar sign begins no formula.
    "text.parse_math": False,
}


@contextlib.contextmanager
def figure(title: str, *, width: float = 9, height: float = 4) -> Iterator[tuple["Figure", "Axes"]]:
    """A figure in the kit's style with one set of axes; sizes in inches. `plt.show()` shows it."""
    import matplotlib.pyplot as plt

    with plt.rc_context(STYLE):
        shown, axes = plt.subplots(figsize=(width, height))
        axes.set_title(title)
        yield shown, axes


def headed(shown: "Figure", title: str, width: int = 92) -> None:
    """Give a whole figure its title, in lines of at most so many characters, in place of the axes' titles."""
    for axes in shown.axes:
        axes.set_title("", loc="left")
    shown.suptitle(wrapped(title, width), x=0.01, ha="left", fontsize=14, fontweight="bold")


def describe(shown: "Figure", alt: str) -> "Figure":
    """Give a figure its alternative text; `shown.get_label()` returns it."""
    shown.set_label(alt)
    return shown


def as_img(shown: "Figure") -> str:
    """A figure as an HTML `img` that carries its bytes, and its text (see `describe`); the figure is closed."""
    import matplotlib.pyplot as plt

    image = io.BytesIO()
    # Without the version of matplotlib, so that the same picture is the same file.
    shown.savefig(image, format="png", dpi=100, metadata={"Software": None})
    # Left open, a notebook would show it once more at the end of the cell.
    plt.close(shown)
    data = base64.b64encode(image.getvalue()).decode()
    return f'<img alt="{html.escape(str(shown.get_label()))}" src="data:image/png;base64,{data}">'


def wrapped(text: str, width: int) -> str:
    r"""A text in lines of at most so many characters; a longer word is cut.

    >>> wrapped("keep the newest 10", 12)
    'keep the\nnewest 10'
    """
    words = [word if len(word) <= width else f"{word[: width - 1]}…" for word in text.split()]
    return textwrap.fill(" ".join(words), width, break_on_hyphens=False)


def cut(text: str, width: int) -> str:
    """A text of at most so many characters.

    >>> cut("my-app", 4), cut("my-app", 6)
    ('my-…', 'my-app')
    """
    return text if len(text) <= width else f"{text[: width - 1]}…"


def on_white(text: str) -> bool:
    """Whether a colour is light enough for dark text upon it."""
    red, green, blue = (int(text[k : k + 2], 16) for k in (1, 3, 5))
    return 0.299 * red + 0.587 * green + 0.114 * blue > 130


def bytes_axis(axis: Any) -> None:
    """Write bytes along an axis as people read them, from 0 to a thousand at least."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    from ecrlab.analysis.inventory.units import format_bytes

    axis.set_view_interval(0, max(axis.get_view_interval()[1], 1000), ignore=True)
    axis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
    axis.set_major_formatter(FuncFormatter(lambda size, _: "0" if size == 0 else format_bytes(size)))


def whole_numbers(axis: Any) -> None:
    """Mark an axis at whole numbers only."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axis.set_major_locator(MaxNLocator(6, integer=True))
    axis.set_major_formatter(FuncFormatter(lambda number, _: f"{number:,.0f}"))
