"""A preview of a lifecycle policy as a picture: every image on the day of its push, shaped and coloured by its outcome.

         v*  ✕  ✕  ✕  ●  ●  ●
    nightly                 ●
   untagged  ✕  ✕  ✕  ✕  ✕
             oldest ──► newest

    table(boto3.client("ecr"), "my-app") ──► picture

It shows AWS's own preview, the last one that was started for the repository; any boto3 ECR client will do.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from ecrlab.analysis.inventory import families
from ecrlab.analysis.inventory.frames import short
from ecrlab.analysis.inventory.kinds import UNTAGGED
from ecrlab.analysis.plots import style
from ecrlab.analysis.plots.outcomes import ARCHIVED, EXPIRES, KEPT, OUTCOMES, Outcome

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

COLUMNS = ["tags", "digest", "pushed", "outcome", "rule"]
MARKERS = {KEPT: "o", EXPIRES: "x", ARCHIVED: "v"}
WIDTH = 11
"""Of a picture, in inches."""

_OF_ACTION = {"EXPIRE": EXPIRES, "TRANSITION": ARCHIVED}


def table(ecr: Any, repository: str) -> "pd.DataFrame":
    """One row for each image that is there or in the preview, in the order of their pushes, numbered from 1.

    Columns: `tags` (joined by spaces, empty for untagged), `digest` (its first 12 hexadecimal digits), `pushed` (UTC),
    `outcome` (kept, expires, goes to the archive), `rule` (the priority of the one that acts, empty for none). An image
    that is in the archive already is not listed, unless the preview takes it.
    """
    import pandas as pd

    images = {one["imageDigest"]: one for one in _paged(ecr, "describe_images", "imageDetails", repository)}
    taken = {
        one["imageDigest"]: one for one in _paged(ecr, "get_lifecycle_policy_preview", "previewResults", repository)
    }
    rows = [
        {
            "tags": " ".join(one.get("imageTags", [])),
            "digest": short(digest),
            "pushed": one["imagePushedAt"].astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S"),
            "outcome": _OF_ACTION[taken[digest]["action"]["type"]].word if digest in taken else KEPT.word,
            "rule": str(taken[digest]["appliedRulePriority"]) if digest in taken else "",
        }
        for digest, one in sorted({**taken, **images}.items(), key=lambda one: (one[1]["imagePushedAt"], one[0]))
    ]
    return pd.DataFrame(rows, columns=COLUMNS, index=range(1, len(rows) + 1))


def picture(preview: "pd.DataFrame", title: str = "What the policy does, and to which images") -> Any:
    """The images of a preview over the days of their pushes, a row for each kind of tag.

    A kept image is a dot, an expiring one a cross, one that goes to the archive a triangle; the legend counts them by
    rule. `Figure.get_label()` says the same in words.
    """
    import pandas as pd

    rows = _rows(preview["tags"])
    kinds = [_kind(tags) for tags in preview["tags"]]
    with style.figure(title, width=WIDTH, height=1.9 + 0.5 * max(len(rows), 1)) as (shown, axes):
        for outcome in OUTCOMES:
            of_it = [k for k, word in enumerate(preview["outcome"]) if word == outcome.word]
            if of_it:
                days = pd.to_datetime(preview["pushed"].iloc[of_it]).tolist()
                heights = [rows.index(kinds[k]) if kinds[k] in rows else len(rows) - 1 for k in of_it]
                label, marker = _counted(preview, outcome), MARKERS[outcome]
                axes.scatter(days, heights, marker=marker, color=outcome.colour, s=75, lw=2, label=label)
        axes.set_yticks(range(len(rows)), rows)
        axes.set_ylim(max(len(rows), 1) - 0.5, -0.5)
        axes.set_ylabel("images tagged")
        if rows:
            pushed = pd.to_datetime(preview["pushed"]).tolist()
            _write_days(axes, min(pushed), max(pushed))
            axes.legend(loc="upper left", bbox_to_anchor=(0, -0.28), ncols=len(OUTCOMES), frameon=False)
        return style.describe(shown, _in_words(preview, title))


def _rows(tags: Iterable[str]) -> list[str]:
    """The kinds of images from top to bottom; of many kinds the smallest share the last row."""
    ordered = families.in_order(map(_kind, tags))
    if len(ordered) <= families.MOST:
        return ordered
    return [*ordered[: families.MOST - 1], families.OTHERS]


def _kind(tags: str) -> str:
    return families.of_tags(tags.split()) if tags else UNTAGGED


def _counted(preview: "pd.DataFrame", outcome: Outcome) -> str:
    """`✕ expires: 4 by rule 1, 13 by rule 2`."""
    rules = Counter(preview.loc[preview["outcome"] == outcome.word, "rule"])
    if outcome is KEPT:
        return f"{outcome.word}: {rules.total()}"
    told = [f"{number} by rule {rule}" for rule, number in sorted(rules.items(), key=lambda one: int(one[0]))]
    return f"{outcome.word}: {', '.join(told)}"


def _in_words(preview: "pd.DataFrame", title: str) -> str:
    told = [_counted(preview, outcome) for outcome in OUTCOMES if (preview["outcome"] == outcome.word).any()]
    return f"{title}. {len(preview)} images. {'; '.join(told)}." if told else f"{title}. No images."


def _write_days(axes: "Axes", first: datetime, last: datetime) -> None:
    """Write days along the line, with their year where it is not always the same."""
    from matplotlib.dates import AutoDateLocator, DateFormatter, date2num

    is_long = last - first > timedelta(days=150)
    years = f"{first:%Y}" if first.year == last.year else f"{first:%Y} to {last:%Y}"
    axes.xaxis.set_major_locator(AutoDateLocator(minticks=3, maxticks=9))  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_formatter(DateFormatter("%b %Y" if is_long else "%d %b"))  # type: ignore[no-untyped-call]
    # Around a single day the line would show the hours about it.
    margin = timedelta(hours=12) + (last - first) / 40
    axes.set_xlim(*map(date2num, (first - margin, last + margin)))
    axes.set_xlabel(f"day of the push (UTC, {years})")


def _paged(ecr: Any, operation: str, key: str, repository: str) -> Sequence[dict[str, Any]]:
    pages = ecr.get_paginator(operation).paginate(repositoryName=repository)
    return [one for page in pages for one in page.get(key, [])]
