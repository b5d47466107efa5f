"""The history of tags, as a table and as a picture: which digest held which tag when, and what was left without one.

tag_history.picture(lab.history("my-app"))
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ecrlab.analysis.inventory.frames import short
from ecrlab.analysis.plots import style

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

COLUMNS = ["when", "repository", "what", "tag", "from", "to", "by"]
MOST_TAGS, MOST_UNTAGGED = 24, 12
"""How many rows a picture has at most: those that changed last."""

WIDTH = 11
"""Of a picture, in inches."""

UNTAGGED = "no tag"


@dataclass(frozen=True, slots=True)
class Span:
    """A digest in a row of the picture, from one event (counted from 0) to another, or until now (None)."""

    row: str
    digest: str
    start: int
    end: int | None


def table(events: Iterable[Any]) -> "pd.DataFrame":
    """One row for each event (see `ecrlab.registry.tag_history.Event`), numbered from 1.

    Columns: `when` (UTC), `repository`, `what` (pushed, tagged, untagged, deleted), `tag`, the digests it went `from`
    and `to` (their first 12 hexadecimal digits, empty for none), and `by`, who did it.
    """
    import pandas as pd

    rows = [
        (
            datetime.fromtimestamp(event.at, UTC).strftime("%Y-%m-%d %H:%M:%S"),
            event.repository,
            event.what,
            event.tag or "",
            short(event.before or ""),
            short(event.after or ""),
            event.by.rpartition(":")[2],
        )
        for event in events
    ]
    return pd.DataFrame(rows, columns=COLUMNS, index=range(1, len(rows) + 1))


def spans(history: "pd.DataFrame") -> list[Span]:
    """Which digest held which tag, and which had none, between which events of one repository's history."""
    events = list(history[["what", "tag", "from", "to"]].itertuples(index=False, name=None))
    open_spans: dict[tuple[str, str], int] = {}
    tags_of: dict[str, set[str]] = {}
    closed: list[Span] = []

    def leave(row: str, digest: str, at: int) -> None:
        start = open_spans.pop((row, digest), None)
        # A span that begins and ends with the same event was never visible.
        if start is not None and start < at:
            closed.append(Span(row, digest, start, at))

    for at, (what, tag, before, after) in enumerate(events):
        if tag and before:
            leave(tag, before, at)
            tags_of.setdefault(before, set()).discard(tag)
            if not tags_of[before] and what != "deleted":
                open_spans[UNTAGGED, before] = at
        if after:
            tags_of.setdefault(after, set()).update({tag} if tag else ())
            if tag:
                leave(UNTAGGED, after, at)
            open_spans[tag or UNTAGGED, after] = at
        elif what == "deleted":
            leave(UNTAGGED, before, at)
    closed += [Span(row, digest, start, None) for (row, digest), start in open_spans.items()]
    return sorted(closed, key=lambda span: (span.start, span.row, span.digest))


def picture(history: "pd.DataFrame", title: str | None = None) -> Any:
    """Each tag of one repository as a row in time, with the digests that it pointed at, one after the other.

    Below are the images without a tag, each for as long as it had none. Of many rows the picture has those that changed
    last. Raises `ValueError` for a history of several repositories.
    """
    repositories = sorted(set(history["repository"]))
    if len(repositories) > 1:
        raise ValueError(
            f"this is the history of {', '.join(repositories)}; choose one: lab.history({repositories[0]!r})"
        )
    if title is None:
        title = f"Which image had which tag in {repositories[0]}" if repositories else "Nothing happened yet"
    everything = spans(history)
    every_row = _rows(everything)
    rows = _latest(every_row, everything)
    if len(rows) < len(every_row):
        title += f" (the {len(rows)} of {len(every_row)} rows that changed last)"
    events = len(history)
    with style.figure(title, width=WIDTH, height=1.7 + 0.46 * max(len(rows), 1)) as (shown, axes):
        colours = _looks(everything)
        for span in everything:
            if _row(span) in rows:
                end = events if span.end is None else span.end
                inches = (end - span.start) / events * 0.86 * WIDTH
                _draw(axes, rows.index(_row(span)), span, end, colours[span.digest], digits=int(inches / 0.085))
        untagged = sum(1 for row in rows if isinstance(row, tuple))
        if 0 < untagged < len(rows):
            axes.axhline(len(rows) - untagged - 0.5, color=style.GREY, lw=0.8, linestyle=":")
        axes.set_yticks(range(len(rows)), [UNTAGGED if isinstance(row, tuple) else row for row in rows])
        axes.set_ylim(len(rows) - 0.4, -0.6)
        axes.set_xlim(-0.05, events + 0.05)
        _label_time(axes, list(history["when"]))
        axes.set_ylabel("tag")
        return shown


def _row(span: Span) -> str | tuple[str, str]:
    """A row for each tag, and one for each image without a tag."""
    return (UNTAGGED, span.digest) if span.row == UNTAGGED else span.row


def _rows(everything: Sequence[Span]) -> list[str | tuple[str, str]]:
    found = list(dict.fromkeys(_row(span) for span in everything))
    return [row for row in found if isinstance(row, str)] + [row for row in found if isinstance(row, tuple)]


def _latest(rows: Sequence[str | tuple[str, str]], everything: Sequence[Span]) -> list[str | tuple[str, str]]:
    """The rows that changed last, in their order."""
    changed: dict[str | tuple[str, str], int] = {}
    for span in everything:
        changed[_row(span)] = max(changed.get(_row(span), 0), span.start, span.end or 0)
    chosen = set()
    for of_kind, most in ((str, MOST_TAGS), (tuple, MOST_UNTAGGED)):
        chosen |= set(sorted((row for row in rows if isinstance(row, of_kind)), key=lambda row: -changed[row])[:most])
    return [row for row in rows if row in chosen]


def _looks(everything: Sequence[Span]) -> dict[str, tuple[str, str]]:
    """Colour and hatch of each digest; the same digest looks the same in every row."""
    digests = list(dict.fromkeys(span.digest for span in everything))
    colours, hatches = len(style.PALETTE), len(style.HATCHES)
    return {
        digest: (style.PALETTE[k % colours], style.HATCHES[(k // colours) % hatches])
        for k, digest in enumerate(digests)
    }


def _draw(axes: "Axes", y: int, span: Span, end: int, look: tuple[str, str], *, digits: int) -> None:
    colour, hatch = look
    is_untagged = span.row == UNTAGGED
    axes.barh(
        y,
        end - span.start - 0.06,
        left=span.start + 0.03,
        height=0.62,
        color="white" if is_untagged else colour,
        hatch=hatch,
        edgecolor=colour if is_untagged else "white",
        linewidth=2 if is_untagged else 0,
        linestyle="--" if is_untagged else "-",
    )
    if digits >= 6:
        axes.text(
            (span.start + end) / 2,
            y,
            span.digest[: min(digits, 12)],
            ha="center",
            va="center",
            fontsize=9,
            family="monospace",
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1, "alpha": 0.85},
        )


def _label_time(axes: "Axes", when: Sequence[str]) -> None:
    """Write times below some events; events have equal distances, however much time lies between."""
    step = max(1, -(-len(when) // 10))
    shown = range(0, len(when), step)
    axes.set_xticks(list(shown), [_instant(when, k, step) for k in shown], fontsize=9)
    axes.set_xlabel("event, in order (lab time, UTC)")


def _instant(when: Sequence[str], k: int, step: int) -> str:
    day, time = when[k].split(" ")
    is_new_day = k == 0 or when[k - step].split(" ")[0] != day
    return f"{time}\n{day}" if is_new_day else time
