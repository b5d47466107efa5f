"""Two policies over the days to come, as a picture: a line and a band for each, told apart by dash and marker too."""

import base64
import html
import io
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from ecrlab.analysis import plots
from ecrlab.analysis.amounts import Amount
from ecrlab.analysis.outlook import Outlook
from ecrlab.analysis.projection import Evening

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MONEY, BYTES, IMAGES = "money per month", "bytes stored", "images"
QUANTITIES = (MONEY, BYTES, IMAGES)
LOOKS = ((plots.BLUE, "-", "o"), (plots.VERMILION, "--", "^"))
"""The colour, the dash and the marker of the first policy and of the second."""
MARKERS = 10
"""How many marks a line carries."""
MOST_DATES = 6
LONGEST_NAME = 40


def picture(outlook: Outlook, quantity: str, start: int | None = None) -> Any:
    """The matplotlib figure of one of `QUANTITIES`; a dotted line where the policies begin, if that is not at once."""
    of, unit = _measure(outlook, quantity)
    with plots.figure(f"{quantity.capitalize()} under two policies", width=9, height=4) as (shown, axes):
        for name, look in zip(outlook.courses, LOOKS, strict=True):
            _line(axes, name, outlook.spread(name, of), look)
        if start:
            axes.axvline(start, color=plots.INK, linestyle=":", lw=1.2)
            axes.annotate(
                "the policies begin",
                (start, 1),
                xycoords=("data", "axes fraction"),
                xytext=(4, -2),
                textcoords="offset points",
                va="top",
                fontsize=10,
            )
        axes.set_ylim(bottom=0)
        axes.margins(x=0.01)
        _label_days(axes, outlook.dates)
        axes.set_ylabel(unit)
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.18), ncols=2, frameon=False)
        return shown


def as_html(outlook: Outlook, quantity: str, alternative: str, start: int | None = None) -> str:
    """The picture as an `img` that carries its bytes, with a text for those who do not see it."""
    import matplotlib.pyplot as plt

    shown = picture(outlook, quantity, start)
    drawn = io.BytesIO()
    # Left open, it would be shown once more at the end of the cell.
    shown.savefig(drawn, format="png", metadata={"Software": None})
    plt.close(shown)
    inside = base64.b64encode(drawn.getvalue()).decode()
    said = html.escape(f"{quantity}, day by day, under two policies. {alternative}", quote=True)
    return f"<img alt='{said}' src='data:image/png;base64,{inside}'>"


def _measure(outlook: Outlook, quantity: str) -> tuple[Callable[[Evening], float], str]:
    """How to measure an evening, and the unit."""
    if quantity == IMAGES:
        return lambda evening: float(evening.images), "images"
    all_ = [outlook.per_month(e) if quantity == MONEY else e.stored.all.times(1) for e in _evenings(outlook)]
    has_bound = all(amount.most is not None for amount in all_)
    about = "" if outlook.is_exact else " at most" if has_bound else " at least"
    if quantity == MONEY:
        return lambda evening: _bound(
            outlook.per_month(evening), has_bound
        ), f"{outlook.prices.currency} a month{about}"
    power, name = _power(max(_bound(amount, has_bound) for amount in all_))
    return lambda evening: _bound(evening.stored.all.times(1), has_bound) / power, f"{name} stored{about}"


def _evenings(outlook: Outlook) -> list[Evening]:
    return [evening for courses in outlook.courses.values() for one in courses for evening in one.evenings]


def _bound(amount: Amount[float], has_bound: bool) -> float:
    return amount.most if has_bound and amount.most is not None else amount.least


def _power(most: float) -> tuple[float, str]:
    """The unit, of a thousand each, in which the largest number is at least one."""
    units = ["bytes", "kB", "MB", "GB", "TB"]
    power = 1.0
    while most >= 1000 * power and len(units) > 1:
        power *= 1000
        del units[0]
    return power, units[0]


def _line(
    axes: "Axes",
    name: str,
    spread: Sequence[tuple[float, float, float]],
    look: tuple[str, str, str],
) -> None:
    low, middle, high = zip(*spread, strict=True)
    colour, dash, marker = look
    every = max(1, len(middle) // MARKERS)
    axes.plot(middle, color=colour, linestyle=dash, lw=2, marker=marker, markevery=every, label=_plain(name))
    axes.fill_between(range(len(middle)), low, high, color=colour, alpha=0.2, linewidth=0)


def _plain(name: str) -> str:
    """A name as matplotlib shows it letter by letter: a dollar would begin a formula, an underscore hide it."""
    cut = name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…"
    return cut.replace("$", r"\$").lstrip("_") or "policy"


def _label_days(axes: "Axes", days: Sequence[str]) -> None:
    """The first day, the last, and some between carry their dates."""
    steps = min(MOST_DATES, len(days)) - 1
    shown = sorted({round(step * (len(days) - 1) / max(steps, 1)) for step in range(steps + 1)})
    axes.set_xticks(shown, [days[number] for number in shown], fontsize=10)
    axes.set_xlabel("day (UTC); a band spans the futures")
