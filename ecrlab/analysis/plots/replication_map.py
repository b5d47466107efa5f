"""A map of registries: which of them holds which tag of a repository, at which image, since when.

    replication_map.show("my-app", {"us-east-1": ecr, "eu-west-1": ireland})

A column is a registry and a row is a tag; the same digest has the same colour in all maps of a repository. Arrows are
the replication rules that are about the repository. Any boto3 clients do, and reading is no pull.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ecrlab.analysis.inventory.frames import short
from ecrlab.analysis.plots import style

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

UNTAGGED = "no tag"

_seen: dict[str, dict[str, int]] = {}
"""Repository -> each digest that a picture of it has shown, with its number: its look is the same in the next one."""

Row = tuple[str, str]
"""A tag and "", or `UNTAGGED` and the digest of an image without a tag."""


@dataclass(frozen=True, slots=True)
class Held:
    """An image that a registry holds in a row of the map, and the instant since which it holds the image."""

    row: Row
    digest: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Place:
    """A registry: the name in the map, account and Region, what it holds, and where its rules copy to.

    `copies_to` is (account, Region) -> whether deletions are copied, too.
    """

    name: str
    account_id: str
    region: str
    held: tuple[Held, ...]
    copies_to: Mapping[tuple[str, str], bool]


@dataclass(frozen=True, slots=True)
class Map:
    """What some registries hold of a repository; in a notebook it shows itself as a picture with a table below."""

    repository: str
    places: tuple[Place, ...]

    @property
    def rows(self) -> list[Row]:
        """The rows of the map: tags in the order of their names, v9 before v10, then images without a tag."""
        return sorted(dict.fromkeys(held.row for held in self._held()), key=_place_of)

    @property
    def digests(self) -> list[str]:
        """The digests in the map, oldest image first."""
        return list(dict.fromkeys(held.digest for held in self._held()))

    def _held(self) -> list[Held]:
        return sorted((held for place in self.places for held in place.held), key=lambda held: held.since)

    def table(self) -> "pd.DataFrame":
        """One row for each tag, and one for each image without a tag; a column for each registry.

        A cell has the first 12 hexadecimal digits of the digest and the time (UTC) since which the registry holds the
        image, which may have got the tag later; it is empty where the registry has no such tag.
        """
        import pandas as pd

        cells = {
            place.name: {held.row: f"{short(held.digest)}, image since {_instant(held.since)}" for held in place.held}
            for place in self.places
        }
        columns = {name: [of.get(row, "") for row in self.rows] for name, of in cells.items()}
        return pd.DataFrame(columns, index=pd.Index([tag for tag, _ in self.rows], name="tag"))

    def picture(self) -> Any:
        """Each registry as a column of boxes, one for each of its tags, and an arrow for each rule."""
        rows, places, arrows = self.rows, self.places, list(_arrows(self.places))
        top = 1.8 + 0.32 * max(len(arrows), 1)
        title = f"Which registry holds which tag of {self.repository}"
        with style.figure(title, width=3.4 * len(places) + 1.4, height=0.62 * (len(rows) + top) + 0.6) as (shown, axes):
            for x, place in enumerate(places):
                _draw_place(axes, x, place, rows, _looks(self.repository, self.digests))
            for number, (start, end, deletes) in enumerate(arrows):
                _draw_arrow(axes, start, end, "copies, deletions too" if deletes else "copies", number)
            axes.set_xlim(-0.55, len(places) - 0.45)
            axes.set_ylim(len(rows) - 0.3, -top)
            axes.set_yticks(range(len(rows)), [tag for tag, _ in rows])
            axes.set_xticks([])
            axes.tick_params(length=0)
            axes.set_ylabel("tag")
            axes.spines[:].set_visible(False)
            told = "; ".join(f"{place.name}: {', '.join(_said(place)) or 'nothing'}" for place in places)
            return style.describe(shown, f"A column for each registry, a box for each tag. {title}. {told}.")

    def __repr__(self) -> str:
        return f"<a map of {self.repository} in {', '.join(place.name for place in self.places)}>"

    def _ipython_display_(self) -> None:
        import matplotlib.pyplot as plt
        from IPython.display import display

        self.picture()
        plt.show()
        display(self.table())  # type: ignore[no-untyped-call]


def show(repository: str, registries: Mapping[str, Any]) -> Map:
    """Look at what registries hold of a repository, through a boto3 ECR client for each name in the map.

    A registry without the repository holds nothing. Raises what the clients raise.
    """
    return Map(repository, tuple(_read(name, ecr, repository) for name, ecr in registries.items()))


def _read(name: str, ecr: Any, repository: str) -> Place:
    registry = ecr.describe_registry()
    copies_to: dict[tuple[str, str], bool] = {}
    for rule in registry["replicationConfiguration"]["rules"]:
        filters = [one["filter"] for one in rule.get("repositoryFilters", [])]
        if filters and not repository.startswith(tuple(filters)):
            continue
        for one in rule["destinations"]:
            there = (one["registryId"], one["region"])
            deletes = rule.get("deleteReplication", {}).get("enabled", False)
            copies_to[there] = copies_to.get(there, False) or deletes
    return Place(name, registry["registryId"], ecr.meta.region_name, tuple(_held(ecr, repository)), copies_to)


def _held(ecr: Any, repository: str) -> Iterator[Held]:
    try:
        pages = list(ecr.get_paginator("describe_images").paginate(repositoryName=repository))
    except ecr.exceptions.RepositoryNotFoundException:
        return
    for image in (image for page in pages for image in page["imageDetails"]):
        digest, since = image["imageDigest"], image["imagePushedAt"]
        tags = [(tag, "") for tag in image.get("imageTags", [])]
        yield from (Held(row, digest, since) for row in tags or [(UNTAGGED, digest)])


def _arrows(places: tuple[Place, ...]) -> Iterator[tuple[int, int, bool]]:
    for start, source in enumerate(places):
        for end, place in enumerate(places):
            there = (place.account_id, place.region)
            if there in source.copies_to:
                yield start, end, source.copies_to[there]


def _place_of(row: Row) -> tuple[bool, list[tuple[int, str]]]:
    """Where a row stands: digits count as numbers."""
    tag, _ = row
    return tag == UNTAGGED, [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", tag)]


def _looks(repository: str, digests: list[str]) -> dict[str, tuple[str, str]]:
    """Colour and hatch of each digest."""
    colours, hatches = len(style.PALETTE), len(style.HATCHES)
    numbers = _seen.setdefault(repository, {})
    numbers |= {digest: len(numbers) + k for k, digest in enumerate(one for one in digests if one not in numbers)}
    return {
        digest: (style.PALETTE[numbers[digest] % colours], style.HATCHES[(numbers[digest] // colours) % hatches])
        for digest in digests
    }


def _draw_place(axes: "Axes", x: int, place: Place, rows: list[Row], looks: dict[str, tuple[str, str]]) -> None:
    from matplotlib.patches import Rectangle

    axes.add_patch(Rectangle((x - 0.46, -1.25), 0.92, len(rows) + 0.85, fill=False, edgecolor=style.GREY))
    axes.text(x, -0.98, place.name, ha="center", va="center", fontweight="bold")
    axes.text(x, -0.64, f"{place.account_id}, {place.region}", ha="center", va="center", fontsize=9, color=style.GREY)
    at = {held.row: held for held in place.held}
    for y, row in enumerate(rows):
        if row not in at:
            is_tagged = row[0] == UNTAGGED and row[1] in {held.digest for held in place.held}
            axes.text(x, y, "–" if is_tagged else "not here", ha="center", va="center", fontsize=10, color=style.GREY)
            continue
        held = at[row]
        colour, hatch = looks[held.digest]
        axes.barh(y, 0.8, left=x - 0.4, height=0.76, color=colour, hatch=hatch, **style.OUTLINE)
        axes.text(
            x,
            y,
            f"{short(held.digest)}\nimage since {_instant(held.since)}",
            ha="center",
            va="center",
            fontsize=9,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.5, "alpha": 0.9},
        )


def _draw_arrow(axes: "Axes", start: int, end: int, label: str, number: int) -> None:
    """Draw an arrow above the registries, from one to another; each has a height of its own."""
    y = -1.6 - 0.32 * number
    side = 0.12 * (1 if end > start else -1)
    axes.plot([start + side, start + side, end - side], [-1.25, y, y], color=style.INK, lw=1.4)
    arrow = {"arrowstyle": "-|>", "color": style.INK, "lw": 1.4, "shrinkA": 0, "shrinkB": 0}
    axes.annotate("", (end - side, -1.25), (end - side, y), arrowprops=arrow)
    axes.text((max(start, end) - 0.5), y - 0.06, label, ha="center", va="bottom", fontsize=9)


def _said(place: Place) -> list[str]:
    return [f"{held.row[0]} is {short(held.digest)}" for held in place.held]


def _instant(since: datetime) -> str:
    return since.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
