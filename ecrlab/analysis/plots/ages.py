"""How old the images of a repository are, by family: since their push, and since their last pull."""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ecrlab.analysis.inventory import families
from ecrlab.analysis.inventory.frames import short
from ecrlab.analysis.inventory.snapshot import DAYS_SINCE_PULL, DAYS_SINCE_PUSH, Snapshot, checked, days_since
from ecrlab.analysis.plots import style

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

BOUNDS = (7, 30, 90, 365)
STEPS = ("up to a week", "to a month", "to 3 months", "to a year", "older")
"""Steps of age: up to each number of days in BOUNDS, and beyond."""
NEVER, IN_THE_FUTURE = "never", "in the future"
LOOKS = {
    **{step: (shade, "") for step, shade in zip(STEPS, style.SHADES, strict=True)},
    NEVER: ("#ffffff", "///"),
    IN_THE_FUTURE: ("#ffffff", "xx"),
}


def table(snapshot: Snapshot) -> "pd.DataFrame":
    """One row for each image, the newest first, numbered from 1.

    Columns: `tags` (joined by spaces), `digest` (its first 12 hexadecimal digits), `family`, days since it was `pushed`
    and last `pulled` (missing: never, or a clock is wrong), `bytes` as ECR shows it, and of these `own`, in layers that
    no other image uses (missing: its manifest cannot be read).
    """
    import pandas as pd

    from ecrlab.analysis.costs.storage import own

    snapshot = checked(snapshot)
    images = sorted(snapshot.images, key=lambda image: (image.pushed_at, image.image_digest), reverse=True)
    of_images, alone = families.families(snapshot), own(snapshot)
    found = pd.DataFrame(
        {
            "tags": [" ".join(image.image_tags) for image in images],
            "digest": [short(image.image_digest) for image in images],
            "family": [of_images[image.image_digest] for image in images],
            DAYS_SINCE_PUSH: _rounded(days_since(snapshot, [image.pushed_at for image in images])),
            DAYS_SINCE_PULL: _rounded(days_since(snapshot, [image.last_pulled_at for image in images])),
            "bytes": pd.array([image.size_in_bytes for image in images], dtype="Int64"),
            "own": pd.array([alone.get(image.image_digest) for image in images], dtype="Int64"),
        }
    )
    found.index = range(1, len(found) + 1)
    return found


def by_family(snapshot: Snapshot) -> "pd.DataFrame":
    """One row for each family: how many images are how old, by push and by last pull; columns are pairs of these.

    Raises `EcrLabError` for anything but a snapshot.
    """
    import pandas as pd

    of_images = families.families(checked(snapshot))
    names = families.in_order(of_images.values())
    pushed = days_since(snapshot, [image.pushed_at for image in snapshot.images])
    pulled = days_since(snapshot, [image.last_pulled_at for image in snapshot.images])
    counts: Counter[tuple[str, str, str]] = Counter()
    for image, since_push, since_pull in zip(snapshot.images, pushed, pulled, strict=True):
        name = of_images[image.image_digest]
        counts[name, "pushed", _step(since_push, IN_THE_FUTURE)] += 1
        counts[name, "pulled", _step(since_pull, NEVER if image.last_pulled_at is None else IN_THE_FUTURE)] += 1
    columns = [("pushed", step) for step in (*STEPS, IN_THE_FUTURE)]
    columns += [("pulled", step) for step in (*STEPS, NEVER, IN_THE_FUTURE)]
    return pd.DataFrame(
        [[counts[name, *column] for column in columns] for name in names],
        index=pd.Index(names, name="family"),
        columns=pd.MultiIndex.from_tuples(columns),
        dtype=int,
    )


def picture(snapshot: Snapshot) -> Any:
    """A bar for each family of tags, in steps of age: on the left since the push, on the right since the last pull."""
    import matplotlib.pyplot as plt

    numbers = by_family(snapshot)
    old = int(numbers["pushed"][list(STEPS[3:])].to_numpy().sum()) if len(numbers) else 0
    never = int(numbers["pulled"][NEVER].sum()) if len(numbers) else 0
    total = len(snapshot)
    title = f"{snapshot.name}: {total:,} image{'s' * (total != 1)}, {old:,} older than 3 months, {never:,} never pulled"
    with plt.rc_context(style.STYLE):
        size = (12, 2.3 + 0.5 * max(1, len(numbers)))
        shown, (left, right) = plt.subplots(1, 2, figsize=size, sharey=True)
        for axes, which in ((left, "pushed"), (right, "pulled")):
            _draw(axes, numbers[which])
            axes.set_xlabel(f"images, by time since {'the push' if which == 'pushed' else 'the last pull'}")
        left.set_ylabel("family of tags")
        left.invert_yaxis()
        if not total:
            left.set_yticks([])
            left.text(0.02, 0.5, "no images", transform=left.transAxes)
        style.headed(shown, title, 96)
        used = [step for step in LOOKS if any(numbers[column].any() for column in numbers if column[1] == step)]
        shown.legend(handles=[_handle(step) for step in used], loc="outside lower center", ncols=7, frameon=False)
        return style.describe(shown, _alt(title, numbers))


def _draw(axes: "Axes", numbers: "pd.DataFrame") -> None:
    totals = numbers.sum(axis=1)
    rows = [f"{name} ({total:,})" for name, total in totals.items()]
    left = [0] * len(rows)
    longest = max(totals, default=1)
    for step in numbers.columns:
        lengths = [int(number) for number in numbers[step]]
        colour, hatch = LOOKS[step]
        bars = axes.barh(rows, lengths, left=left, height=0.65, color=colour, hatch=hatch, **style.OUTLINE)
        axes.bar_label(
            bars,
            [f"{length:,}" if length / longest > 0.012 * len(f"{length:,}") + 0.012 else "" for length in lengths],
            label_type="center",
            fontsize=10,
            color=style.INK if style.on_white(colour) else "white",
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1} if hatch else None,
        )
        left = [start + length for start, length in zip(left, lengths, strict=True)]
    style.whole_numbers(axes.xaxis)
    axes.set_xlim(0, longest * 1.03)


def _handle(step: str) -> Any:
    from matplotlib.patches import Patch

    colour, hatch = LOOKS[step]
    return Patch(facecolor=colour, hatch=hatch, label=step, **style.OUTLINE)


def _step(days: float | None, otherwise: str) -> str:
    if days is None:
        return otherwise
    return next((step for bound, step in zip(BOUNDS, STEPS, strict=False) if days <= bound), STEPS[-1])


def _rounded(days: Sequence[float | None]) -> list[float | None]:
    return [None if number is None else round(number, 1) for number in days]


def _alt(title: str, numbers: "pd.DataFrame") -> str:
    rows = [f"{name}: {int(numbers.loc[name, 'pushed'].sum()):,}" for name in numbers.index]
    return f"Two bar charts of image ages by family of tags. {title}. Images by family: {', '.join(rows) or 'none'}."
