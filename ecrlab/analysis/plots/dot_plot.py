"""Many images as a dot plot over the day of their push: what `lab.show()` draws when rows would not fit.

A lane is a kind of image in a repository, or a whole repository when there are many. Beside the lanes stand the bytes
that each repository stores: layers that several images share, and layers of one image only.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ecrlab.analysis.inventory.kinds import KINDS, Entry, listing
from ecrlab.analysis.inventory.snapshot import Snapshot
from ecrlab.analysis.inventory.units import format_bytes
from ecrlab.analysis.plots import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_REPOSITORIES_BY_KIND = 4
MOST_REPOSITORIES = 30
BINS = 64
"""How many stacks of marks fit side by side."""

LONGEST_TAG = 24
"""How many characters of a tag there is room for."""

Marks = Mapping[str, tuple[str, str, str]]


def picture(repositories: Sequence[Snapshot], title: str, marks: Marks, words: Mapping[str, str]) -> Any:
    """The figure: lanes on the left, stored bytes on the right. Of more than `MOST_REPOSITORIES`, the fullest."""
    import matplotlib.pyplot as plt

    chosen = sorted(filter(len, repositories), key=len, reverse=True)[:MOST_REPOSITORIES]
    chosen.sort(key=lambda snapshot: snapshot.name)
    if len(chosen) < len(repositories):
        title += f" (the {len(chosen)} fullest are shown)"
    lanes = _lanes(chosen)
    span = _span([entries for _, _, entries in lanes])
    stacks = [_stacked(entries, *span) for _, _, entries in lanes]
    heights = [max(1.0, max(row for _, row, _ in stack) + 1.0) for stack in stacks]
    tallest = sum(heights)
    with plt.rc_context(style.STYLE):
        size = (12.4, 2.2 + min(12.0, max(0.55 * len(lanes), 0.15 * tallest)))
        shown, (left, right) = plt.subplots(1, 2, figsize=size, width_ratios=(4, 1.2), sharey=True)
        shown.suptitle(title, x=0.01, ha="left", fontsize=14, fontweight="bold")
        centres = _draw_lanes(left, lanes, stacks, heights, marks, is_one=len(chosen) == 1)
        _draw_bytes(right, chosen, centres, height=min(0.6 * min(heights), 0.12 * tallest) + 0.4)
        found = {entry.kind for _, _, entries in lanes for entry in entries}
        kinds = [kind for kind in KINDS if kind in found]
        shown.legend(
            handles=_handles(kinds, marks, words), loc="outside lower center", ncols=4, frameon=False, fontsize=9
        )
        return shown


Lane = tuple[str, str, list[Entry]]
"""The repository, the kind (empty for all kinds), and the images."""


def _lanes(repositories: Sequence[Snapshot]) -> list[Lane]:
    listings = [(snapshot.name, listing(snapshot)) for snapshot in repositories]
    if len(listings) > MOST_REPOSITORIES_BY_KIND:
        return [(name, "", entries) for name, entries in listings]
    return [
        (name, kind, of_kind)
        for name, entries in listings
        for kind in KINDS
        if (of_kind := [entry for entry in entries if entry.kind == kind])
    ]


def _span(lanes: Sequence[Sequence[Entry]]) -> tuple[float, float]:
    instants = [entry.image.pushed_at.timestamp() for lane in lanes for entry in lane]
    return min(instants), max(max(instants), min(instants) + BINS)


def _stacked(lane: Sequence[Entry], first: float, last: float) -> list[tuple[float, int, Entry]]:
    """Each image with the instant of its stack (seconds since 1970) and its height in it, from 0 at the foot."""
    step = (last - first) / (BINS - 1)
    heights: dict[int, int] = {}
    placed = []
    for entry in sorted(lane, key=lambda one: (KINDS.index(one.kind), one.image.pushed_at)):
        column = round((entry.image.pushed_at.timestamp() - first) / step)
        placed.append((first + column * step, heights.get(column, 0), entry))
        heights[column] = heights.get(column, 0) + 1
    return placed


def _draw_lanes(
    axes: "Axes",
    lanes: Sequence[Lane],
    stacks: Sequence[Sequence[tuple[float, int, Entry]]],
    heights: Sequence[float],
    marks: Marks,
    *,
    is_one: bool,
) -> dict[str, float]:
    """Draw the marks; return the height at which each repository has its middle."""
    from datetime import UTC, datetime

    import matplotlib.dates as mdates

    gap = 0.04 * sum(heights) + 0.6
    foot, ticks = 0.0, []
    reached: dict[str, tuple[float, float]] = {}
    for (name, _, _), stack, height in zip(reversed(lanes), reversed(stacks), reversed(heights), strict=True):
        for kind, (marker, inside, around) in marks.items():
            of_kind = [(instant, row) for instant, row, entry in stack if entry.kind == kind]
            axes.plot(
                mdates.date2num([datetime.fromtimestamp(instant, UTC) for instant, _ in of_kind]),  # type: ignore[no-untyped-call]
                [foot + row + 0.5 for _, row in of_kind],
                linestyle="",
                marker=marker,
                ms=5,
                mfc=inside,
                mec=around,
                mew=1.2,
            )
        axes.axhline(foot - gap / 4, color=style.GREY, lw=0.5)
        ticks.append(foot + height / 2)
        reached[name] = (reached.get(name, (foot, foot))[0], foot + height)
        foot += height + gap
    axes.set_yticks(ticks, [_named(lane, is_one=is_one) for lane in reversed(lanes)], fontsize=10)
    axes.set_ylim(-gap / 2, foot)
    axes.tick_params(axis="y", length=0)
    axes.margins(x=0.02)
    axes.xaxis_date()
    locator = mdates.AutoDateLocator()  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(mdates.ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
    axes.set_xlabel("pushed (UTC)")
    return {name: (low + high) / 2 for name, (low, high) in reached.items()}


def _named(lane: Lane, *, is_one: bool) -> str:
    name, kind, entries = lane
    if not kind:
        return f"{name} ({len(entries)})"
    lines = [f"{len(entries)} × {kind}"] if is_one else [name, f"{len(entries)} × {kind}"]
    newest = max((entry.image for entry in entries), key=lambda image: image.pushed_at)
    if newest.image_tags:
        lines.append(f"newest: {newest.image_tags[-1][:LONGEST_TAG]}")
    return "\n".join(lines)


def _draw_bytes(axes: "Axes", repositories: Sequence[Snapshot], centres: Mapping[str, float], *, height: float) -> None:
    from matplotlib.ticker import MaxNLocator

    for snapshot in repositories:
        shared = sum(snapshot.sizes[layer] for layer, number in snapshot.uses.items() if number > 1)
        stored, y = snapshot.usage.stored, centres[snapshot.name]
        axes.barh(y, shared, height=height, color=style.GREEN, hatch="///", edgecolor="white")
        axes.barh(y, stored - shared, height=height, left=shared, color=style.SKY, edgecolor="white")
        axes.text(stored, y, f" {format_bytes(stored)}", va="center", fontsize=9)
    axes.margins(x=0.3)
    axes.set_xlabel("stored (bytes)")
    axes.xaxis.set_major_formatter(lambda value, _: format_bytes(value))
    axes.xaxis.set_major_locator(MaxNLocator(2))
    axes.tick_params(axis="y", left=False, labelleft=False)


def _handles(kinds: Sequence[str], marks: Marks, words: Mapping[str, str]) -> list[Any]:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles: list[Any] = [
        Line2D([], [], linestyle="", marker=marks[kind][0], mfc=marks[kind][1], mec=marks[kind][2], label=words[kind])
        for kind in kinds
    ]
    handles.append(Patch(facecolor=style.GREEN, hatch="///", edgecolor="white", label="layers of several images"))
    handles.append(Patch(facecolor=style.SKY, edgecolor="white", label="layers of one image"))
    return handles
