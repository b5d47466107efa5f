"""How a repository's storage goes on under a policy, another, or none: as a table, in money, and as a picture.

What was before the look is what is still there of it; what was deleted long ago is nowhere to be seen.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from statistics import median
from typing import TYPE_CHECKING, Any

from ecrlab.analysis.costs.bounds import Bounds, format_money
from ecrlab.analysis.costs.prices import DAYS_OF_A_MONTH, Prices
from ecrlab.analysis.costs.projection import Course, Evening, Projection
from ecrlab.analysis.costs.storage import growth
from ecrlab.analysis.inventory.snapshot import Snapshot
from ecrlab.analysis.inventory.units import format_bytes
from ecrlab.analysis.plots import style

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

SPREADS = ("lowest", "middle", "highest")


def table(projection: Projection) -> "pd.DataFrame":
    """One row for each day; columns are triples of policy, quantity (`images`, `bytes`) and, over all futures, its
    `lowest`, `middle` and `highest`. Of bytes that are known within bounds, the lowest is the least of all and the
    highest the most; without a bound it is missing.
    """
    import pandas as pd

    columns: dict[tuple[str, str, str], list[Any]] = {}
    for name in projection.courses:
        for word, number in zip(SPREADS, zip(*projection.spread(name, lambda e: e.images), strict=True), strict=True):
            columns[name, "images", word] = list(number)
        for word, values in zip(SPREADS, _bytes(projection, name), strict=True):
            columns[name, "bytes", word] = list(values)
    return pd.DataFrame(columns, index=pd.DatetimeIndex(projection.days, name="day"))


def summary(projection: Projection, prices: Prices) -> "pd.DataFrame":
    """One row for each policy, over all futures, as `middle (lowest to highest)`.

    Columns: `images` and `stored` at the end, `a month then` and `all months` in money, and `needed, but gone`: how
    many images were to be pulled that the policy had deleted or archived.
    """
    import pandas as pd

    rows = {
        name: {
            "images": _spread([course.end.images for course in courses], lambda n: f"{n:,.0f}"),
            "stored": told([course.end.stored.all for course in courses], format_bytes),
            "a month then": told([month(course.end, prices) for course in courses], _cents(prices)),
            "all months": told([paid(course, prices) for course in courses], _cents(prices)),
            "needed, but gone": _spread([missed(course) for course in courses], lambda n: f"{n:,.0f}"),
        }
        for name, courses in projection.courses.items()
    }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("policy")


def month(evening: Evening, prices: Prices) -> Bounds[float]:
    """What a month costs that is as this evening is."""
    return prices.per_month(evening.stored.standard, evening.stored.archive)


def paid(course: Course, prices: Prices) -> Bounds[float]:
    """What all days of a course cost together."""
    total = sum((month(evening, prices) for evening in course.evenings), Bounds.exactly(0.0))
    return total.times(1 / DAYS_OF_A_MONTH)


def missed(course: Course) -> int:
    """How many images were to be pulled when they were gone or archived."""
    return len({pull.image_digest for pull in course.in_vain})


def told(amounts: Sequence[Bounds[Any]], spell: Any) -> str:
    """Amounts of several futures as `middle (lowest to highest)`; as bounds where they are not known.

    >>> told([Bounds.exactly(2), Bounds.exactly(1), Bounds.exactly(4)], str), told([Bounds(2, 2), Bounds(1, 3)], str)
    ('2 (1 to 4)', '1 to 3')
    """
    if all(amount.is_exact for amount in amounts):
        return _spread([amount.least for amount in amounts], spell)
    low, most = min(amount.least for amount in amounts), [amount.most for amount in amounts if amount.most is not None]
    return f"{spell(low)} to {spell(max(most))}" if len(most) == len(amounts) else f"at least {spell(low)}"


def picture(projection: Projection, snapshot: Snapshot, prices: Prices | None = None, start: date | None = None) -> Any:
    """Stored bytes over time: what is there came when, and how it goes on under each policy.

    A line is the middle of all futures, the band around it reaches from the lowest to the highest. `start` is the day
    on which the policies begin, if that is not at once.
    """
    ends = {name: _end(courses) for name, courses in projection.courses.items()}
    number = len(next(iter(projection.courses.values())))
    title = f"{projection.name}: storage over the next {len(projection.days)} days"
    with style.figure(title, width=11, height=5) as (shown, axes):
        style.headed(shown, title)
        _draw_past(axes, snapshot)
        looks = zip(projection.courses, style.LINE_COLOURS, style.LINES, style.MARKERS, strict=False)
        for name, colour, line, marker in looks:
            _draw_course(axes, projection, name, colour, line, marker)
        _name_ends(axes, projection, ends, prices)
        now = _number(snapshot.taken_at)
        axes.axvline(now, color=style.GREY, lw=1)
        axes.text(now, 0.98, "now ", transform=axes.get_xaxis_transform(), fontsize=10, ha="right", va="top")
        if start is not None:
            axes.axvline(_noon(start), color=style.INK, lw=1.2, linestyle=":")
            at: dict[str, Any] = {"transform": axes.get_xaxis_transform(), "fontsize": 10, "va": "top"}
            axes.text(_noon(start), 0.9, " the policies begin", **at)
        axes.set_ylim(bottom=0)
        style.bytes_axis(axes.yaxis)
        _dates(axes)
        axes.set_xlabel(f"day (UTC); middle and range of {number} future{'s' * (number > 1)}")
        axes.set_ylabel("stored (compressed layers, each once)")
        shown.legend(loc="outside lower center", ncols=4, frameon=False)
        told = "; ".join(f"{name}: {format_bytes(size)} at the end" for name, size in ends.items())
        return style.describe(shown, f"Lines of stored bytes over time. {title}. {told}.")


def _draw_past(axes: "Axes", snapshot: Snapshot) -> None:
    days = growth(snapshot)
    if days:
        instants, sizes = [_noon(day.day) for day in days], [day.size.least for day in days]
        axes.fill_between(instants, sizes, color="#e4e4e4", label="what is there now, by the day it came")
        axes.plot(instants, sizes, color=style.GREY, lw=1)


def _draw_course(axes: "Axes", projection: Projection, name: str, colour: str, line: Any, marker: str) -> None:
    days = [_noon(day) for day in projection.days]
    low, middle, high = _bytes(projection, name)
    # Without a bound there is nothing to draw above the middle; the doubts say so.
    top = [middle[place] if most is None else most for place, most in enumerate(high)]
    axes.fill_between(days, low, top, color=colour, alpha=0.2, lw=0)
    axes.plot(
        days,
        middle,
        color=colour,
        linestyle=line,
        lw=2,
        marker=marker,
        markevery=max(1, len(days) // 8),
        ms=6,
        mec=style.INK,
        mew=0.6,
        label=style.cut(name, 40),
    )


def _name_ends(axes: "Axes", projection: Projection, ends: dict[str, float], prices: Prices | None) -> None:
    """Write at the end of each line what it comes to, one above the other."""
    highest = axes.get_ylim()[1]
    # Two lines of text take about a ninth of the height.
    gap, below = highest * 0.12, -highest
    for name, size in sorted(ends.items(), key=lambda one: one[1]):
        below = max(size, below + gap)
        said = f"{style.cut(name, 20)}:\n{format_bytes(size)}"
        if prices is not None:
            middle = median(month(course.end, prices).least for course in projection.courses[name])
            said += f", {format_money(Bounds.exactly(middle), prices.currency)} a month"
        axes.text(1.01, below, said, transform=axes.get_yaxis_transform(), fontsize=10, va="center")


def _dates(axes: "Axes") -> None:
    import matplotlib.dates as mdates

    locator = mdates.AutoDateLocator(maxticks=9)  # type: ignore[no-untyped-call]
    axes.xaxis_date()
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(mdates.ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]


def _noon(day: date) -> float:
    return _number(datetime.combine(day, time(12), UTC))


def _number(instant: datetime) -> float:
    """An instant as matplotlib's axes of dates have it."""
    from matplotlib.dates import date2num

    return float(date2num(instant))  # type: ignore[no-untyped-call]


def _bytes(projection: Projection, name: str) -> tuple[list[Any], list[Any], list[Any]]:
    """For each day the least, the middle of the least, and the most, over all futures."""
    of_days = zip(
        *([evening.stored.all for evening in course.evenings] for course in projection.courses[name]), strict=True
    )
    low, middle, high = [], [], []
    for sizes in of_days:
        least = [size.least for size in sizes]
        most = [size.most for size in sizes if size.most is not None]
        low.append(min(least))
        middle.append(median(least))
        high.append(max(most) if len(most) == len(sizes) else None)
    return low, middle, high


def _end(courses: Sequence[Course]) -> float:
    return median(course.end.stored.all.least for course in courses)


def _spread(numbers: Sequence[float], spell: Any) -> str:
    middle, low, high = spell(median(numbers)), spell(min(numbers)), spell(max(numbers))
    return middle if low == high else f"{middle} ({low} to {high})"


def _cents(prices: Prices) -> Any:
    return lambda amount: format_money(Bounds.exactly(amount), prices.currency)
