"""How a repository's storage develops under each policy, or without one: a table, money, and a picture.

The past shows only what the repository still holds; ECR does not tell what was deleted.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from statistics import median
from typing import TYPE_CHECKING, Any

from ecrlab.analysis.costs.bounds import Bounds, format_money
from ecrlab.analysis.costs.prices import DAYS_OF_A_MONTH, Prices
from ecrlab.analysis.costs.projection import EndOfDay, Projection, Trajectory
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
    `lowest`, `middle` and `highest`. Where bytes are known only within bounds, these are the lowest lower bound and the
    highest upper bound; without an upper bound `highest` is missing.
    """
    import pandas as pd

    columns: dict[tuple[str, str, str], list[Any]] = {}
    for name in projection.trajectories:
        for word, number in zip(SPREADS, zip(*projection.spread(name, lambda e: e.images), strict=True), strict=True):
            columns[name, "images", word] = list(number)
        for word, values in zip(SPREADS, _bytes(projection, name), strict=True):
            columns[name, "bytes", word] = list(values)
    return pd.DataFrame(columns, index=pd.DatetimeIndex(projection.days, name="day"))


def summary(projection: Projection, prices: Prices) -> "pd.DataFrame":
    """One row for each policy, over all futures, as `middle (lowest to highest)`.

    Columns: `images` and `stored` at the end, `a month then` and `all months` in money, and `needed, but gone`: how
    many images somebody wanted to pull that the policy had deleted or archived.
    """
    import pandas as pd

    rows = {
        name: {
            "images": _spread([trajectory.end.images for trajectory in trajectories], lambda n: f"{n:,.0f}"),
            "stored": told([trajectory.end.stored.total for trajectory in trajectories], format_bytes),
            "a month then": told([month(trajectory.end, prices) for trajectory in trajectories], _cents(prices)),
            "all months": told([paid(trajectory, prices) for trajectory in trajectories], _cents(prices)),
            "needed, but gone": _spread([missed(trajectory) for trajectory in trajectories], lambda n: f"{n:,.0f}"),
        }
        for name, trajectories in projection.trajectories.items()
    }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("policy")


def month(state: EndOfDay, prices: Prices) -> Bounds[float]:
    """What a month costs if every day of it is like this one."""
    return prices.per_month(state.stored.standard, state.stored.archive)


def paid(trajectory: Trajectory, prices: Prices) -> Bounds[float]:
    """What all days of a trajectory cost together."""
    total = sum((month(state, prices) for state in trajectory.daily), Bounds.exactly(0.0))
    return total.times(1 / DAYS_OF_A_MONTH)


def missed(trajectory: Trajectory) -> int:
    """How many images were needed when they were deleted or archived."""
    return len({pull.image_digest for pull in trajectory.failed_pulls})


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
    """Stored bytes over time: when the present images came, and how storage develops under each policy.

    A line is the median of all futures; the band around it reaches from the lowest to the highest. `start` is the day
    on which the policies begin, if not at once.
    """
    ends = {name: _end(trajectories) for name, trajectories in projection.trajectories.items()}
    number = len(next(iter(projection.trajectories.values())))
    title = f"{projection.name}: storage over the next {len(projection.days)} days"
    with style.figure(title, width=11, height=5) as (shown, axes):
        style.headed(shown, title)
        _draw_past(axes, snapshot)
        looks = zip(projection.trajectories, style.LINE_COLOURS, style.LINES, style.MARKERS, strict=False)
        for name, colour, line, marker in looks:
            _draw_trajectory(axes, projection, name, colour, line, marker)
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


def _draw_trajectory(axes: "Axes", projection: Projection, name: str, colour: str, line: Any, marker: str) -> None:
    days = [_noon(day) for day in projection.days]
    low, middle, high = _bytes(projection, name)
    # Without an upper bound the band ends at the middle; the doubts say so.
    top = [middle[number] if most is None else most for number, most in enumerate(high)]
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
    """Write the final size at the end of each line, without overlaps."""
    highest = axes.get_ylim()[1]
    # Two lines of text take about a ninth of the height.
    gap, below = highest * 0.12, -highest
    for name, size in sorted(ends.items(), key=lambda one: one[1]):
        below = max(size, below + gap)
        said = f"{style.cut(name, 20)}:\n{format_bytes(size)}"
        if prices is not None:
            middle = median(month(trajectory.end, prices).least for trajectory in projection.trajectories[name])
            said += f", {format_money(Bounds.exactly(middle), prices.currency)} a month"
        axes.text(1.01, below, said, transform=axes.get_yaxis_transform(), fontsize=10, va="center")


def _dates(axes: "Axes") -> None:
    import matplotlib.dates as mdates

    locator = mdates.AutoDateLocator(maxticks=9)  # type: ignore[no-untyped-call]
    axes.xaxis_date()
    axes.xaxis.set_major_locator(locator)
    formatter = mdates.ConciseDateFormatter(locator, show_offset=False)  # type: ignore[no-untyped-call]
    formatter.formats[1:3] = "%b %Y", "%d %b"  # a picture of two years has each month twice
    formatter.zero_formats[1:3] = "%b %Y", "%b %Y"
    axes.xaxis.set_major_formatter(formatter)


def _noon(day: date) -> float:
    return _number(datetime.combine(day, time(12), UTC))


def _number(instant: datetime) -> float:
    """An instant as a number on a matplotlib date axis."""
    from matplotlib.dates import date2num

    return float(date2num(instant))  # type: ignore[no-untyped-call]


def _bytes(projection: Projection, name: str) -> tuple[list[Any], list[Any], list[Any]]:
    """For each day the least, the middle of the least, and the most, over all futures."""
    futures = projection.trajectories[name]
    of_days = zip(*([state.stored.total for state in future.daily] for future in futures), strict=True)
    low, middle, high = [], [], []
    for sizes in of_days:
        least = [size.least for size in sizes]
        most = [size.most for size in sizes if size.most is not None]
        low.append(min(least))
        middle.append(median(least))
        high.append(max(most) if len(most) == len(sizes) else None)
    return low, middle, high


def _end(trajectories: Sequence[Trajectory]) -> float:
    return median(trajectory.end.stored.total.least for trajectory in trajectories)


def _spread(numbers: Sequence[float], spell: Any) -> str:
    middle, low, high = spell(median(numbers)), spell(min(numbers)), spell(max(numbers))
    return middle if low == high else f"{middle} ({low} to {high})"


def _cents(prices: Prices) -> Any:
    return lambda amount: format_money(Bounds.exactly(amount), prices.currency)
