"""What a policy puts at risk: images that it deletes or archives although they run, or were pulled in the last week.

A lifecycle policy knows tags, ages, counts and pulls, not what runs (AWS user guide, lifecycle policies). A task whose
image is deleted runs on until it has to start again; then it fails.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from math import log10
from typing import TYPE_CHECKING, Any

from ecrlab.analysis.costs.savings import PolicyEffect
from ecrlab.analysis.inventory.frames import short
from ecrlab.analysis.inventory.snapshot import DAYS_SINCE_PULL, DAYS_SINCE_PUSH, Snapshot, days_since, looked_at
from ecrlab.analysis.plots import style
from ecrlab.lifecycle import Image, Rule

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

LATELY = timedelta(days=7)
RUNS, PULLED = "runs", "pulled in the last week"
"""Why an image is at risk; if both are true, it `runs`."""

STAYS, GOES = "stays", "goes"


@dataclass(frozen=True, slots=True)
class Risk:
    """An image that the policy takes, and why that is a risk; `where` are the references by which it runs."""

    image: Image
    rule: Rule
    why: str
    where: tuple[str, ...] = ()


def risks(effect: PolicyEffect, running: Mapping[str, Sequence[str]] | Collection[str] = ()) -> list[Risk]:
    """The images at risk, those that run first, then by their last pull, the latest first.

    `running` are digests, or digests with how they are referred to (see `ecrlab.analysis.inventory.running.resolve`).
    A pull by somebody who read all manifests does not count as use (see `looked_at`).
    """
    snapshot = effect.before
    only_read = looked_at(snapshot)
    found = []
    for digest, rule in effect.acting.items():
        image = snapshot.by_digest[digest]
        if digest in running:
            where = tuple(running[digest]) if isinstance(running, Mapping) else ()
            found.append(Risk(image, rule, RUNS, where))
        elif digest in only_read or image.last_pulled_at is None:
            continue
        elif snapshot.taken_at - image.last_pulled_at <= LATELY:
            found.append(Risk(image, rule, PULLED))
    return sorted(found, key=lambda risk: (risk.why != RUNS, -_last_use(risk.image), risk.image.image_digest))


def table(found: Sequence[Risk], snapshot: Snapshot) -> "pd.DataFrame":
    """One row for each image at risk, numbered from 1.

    Columns: `tags`, `digest` (its first 12 hexadecimal digits), `why`, `where` it runs (the reference without its
    host), the `rule` that takes it, the `action` of that rule, and days since it was `pushed` and last `pulled`.
    """
    import pandas as pd

    pushed = days_since(snapshot, [risk.image.pushed_at for risk in found])
    pulled = days_since(snapshot, [risk.image.last_pulled_at for risk in found])
    rows = [
        {
            "tags": " ".join(risk.image.image_tags),
            "digest": short(risk.image.image_digest),
            "why": risk.why,
            "where": " ".join(map(_without_host, risk.where)),
            "rule": risk.rule.rule_priority,
            "action": risk.rule.action.type,
            DAYS_SINCE_PUSH: days and round(days, 1),
            DAYS_SINCE_PULL: since and round(since, 1),
        }
        for risk, days, since in zip(found, pushed, pulled, strict=True)
    ]
    columns = ["tags", "digest", "why", "where", "rule", "action", DAYS_SINCE_PUSH, DAYS_SINCE_PULL]
    return pd.DataFrame(rows, columns=columns, index=range(1, len(rows) + 1))


def _without_host(reference: str) -> str:
    host, _, rest = reference.partition("/")
    return rest if "." in host else reference


MARKS = {
    STAYS: ("o", "none", style.BLUE, 5, "stays"),
    GOES: ("x", style.VERMILION, style.VERMILION, 5, "goes"),
    PULLED: ("^", style.SKY, style.INK, 9, "goes, pulled in the last week"),
    RUNS: ("D", style.ORANGE, style.INK, 10, "goes, and runs somewhere"),
}
"""Group -> marker, colours inside and around, size in points, words."""

MOST_NAMED = 12
"""How many images at risk have their names in the picture; the table has all."""


TICKS = {0.3: "today", 1: "1", 7: "7", 30: "30", 90: "90", 365: "365", 1095: "1095"}
FIRST = 0.3
"""Days; younger images are drawn here, because a logarithmic axis has no 0."""


def picture(effect: PolicyEffect, found: Sequence[Risk]) -> Any:
    """Each image by the days since its push and since its last pull; marks show what goes and what is at risk.

    Images whose dates lie in the future are left out, and counted in the picture.
    """
    snapshot = effect.before
    runs = sum(risk.why == RUNS for risk in found)
    title = f"{snapshot.name}: no image goes"
    if effect.acting:
        title = (
            f"{snapshot.name}: of {len(effect.acting):,} images that go, {runs:,} run{'s' * (runs == 1)} somewhere"
            f" and {len(found) - runs:,} more were pulled in the last week"
        )
    points, skewed = _points(effect, found)
    unpulled = sum(pulled is None for group in points.values() for _, _, pulled in group)
    highest = max([day for group in points.values() for one in group for day in one[1:] if day is not None], default=1)
    never = max(highest, 30) * 2
    with style.figure(title, width=11, height=5.8) as (shown, axes):
        style.headed(shown, title)
        axes.set_xscale("log")
        axes.set_yscale("log")
        for group, (marker, inside, around, size, words) in MARKS.items():
            if not points[group]:
                continue
            axes.plot(
                [max(pushed or 0, FIRST) for _, pushed, _ in points[group]],
                [never if pulled is None else max(pulled, FIRST) for _, _, pulled in points[group]],
                linestyle="",
                marker=marker,
                ms=size,
                mfc=inside,
                mec=around,
                mew=1.6 if group == GOES else 1,
                label=f"{words}: {len(points[group]):,}",
                zorder=3 if group in (RUNS, PULLED) else 2,
            )
        _name(axes, points[RUNS], points[PULLED], never)
        axes.axhline(7, color=style.GREY, lw=0.8, linestyle="--")
        _ticks(axes, highest, never, f"never\n({unpulled:,})" if unpulled else "never")
        if skewed:
            said = f"{skewed:,} with dates in the future left out"
            axes.text(1, 1.01, said, transform=axes.transAxes, ha="right", va="bottom", fontsize=9)
        axes.set_xlabel("days since the push (logarithmic); on the diagonal: pulled when pushed, and never again")
        axes.set_ylabel("days since the last pull (logarithmic)")
        if any(points.values()):
            axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.13), ncols=4, frameon=False, fontsize=10)
        named = ", ".join(_title_of(risk.image) for risk in found[:MOST_NAMED])
        return style.describe(shown, f"Scatter of images by push and last pull. {title}. At risk: {named or 'none'}.")


Point = tuple[Image, float | None, float | None]
"""An image, and days since its push and its last pull."""


def _points(effect: PolicyEffect, found: Sequence[Risk]) -> tuple[dict[str, list[Point]], int]:
    """The images by group, and how many have dates in the future."""
    snapshot = effect.before
    at_risk = {risk.image.image_digest: risk.why for risk in found}
    points: dict[str, list[Point]] = {group: [] for group in MARKS}
    skewed = 0
    for image in snapshot.images:
        pushed, pulled = days_since(snapshot, [image.pushed_at, image.last_pulled_at])
        if pushed is None or (pulled is None and image.last_pulled_at is not None):
            skewed += 1
            continue
        goes = GOES if image.image_digest in effect.acting else STAYS
        points[at_risk.get(image.image_digest, goes)].append((image, pushed, pulled))
    return points, skewed


def _name(axes: "Axes", run: Sequence[Point], pulled_lately: Sequence[Point], never: float) -> None:
    """Name the first of the images at risk, where there is room; those that run are said to."""
    taken: list[tuple[float, float]] = []
    for number, (image, pushed, pulled) in enumerate([*run, *pulled_lately][:MOST_NAMED]):
        x, y = log10(max(pushed or 0, FIRST)), log10(never if pulled is None else max(pulled, FIRST))
        # In powers of ten, a name is about two thirds wide and a tenth high.
        if any(abs(x - other_x) < 0.7 and abs(y - other_y) < 0.11 for other_x, other_y in taken):
            continue
        taken.append((x, y))
        axes.annotate(
            style.cut(_title_of(image), 24) + (f", {RUNS}" if number < len(run) else ""),
            (10**x, 10**y),
            # Below the diagonal nearly all images lie on: most are pulled on the day of their push.
            xytext=(9, -9),
            textcoords="offset points",
            va="top",
            fontsize=10,
            fontweight="bold" if number < len(run) else "normal",
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1, "alpha": 0.85},
            zorder=4,
        )


def _title_of(image: Image) -> str:
    return image.image_tags[0] if image.image_tags else short(image.image_digest)


def _ticks(axes: "Axes", highest: float, never: float, words: str) -> None:
    from matplotlib.ticker import NullLocator

    ticks = {day: words for day, words in TICKS.items() if day <= max(highest, 30)}
    for axis, marks in ((axes.xaxis, ticks), (axes.yaxis, ticks | {never: words})):
        axis.set_ticks(list(marks), list(marks.values()))
        axis.set_minor_locator(NullLocator())
    axes.set_xlim(FIRST * 0.8, max(highest, 30) * 1.6)
    axes.set_ylim(FIRST * 0.8, never * 1.4)


def _last_use(image: Image) -> float:
    return 0.0 if image.last_pulled_at is None else image.last_pulled_at.timestamp()
