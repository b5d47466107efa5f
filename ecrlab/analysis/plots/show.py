"""A registry as one picture, and as a table: which images have a tag, which are left behind, which share layers.

Up to `MOST_ROWS` images, in up to `MOST_REPOSITORIES` repositories, have a row each:

    tags ── ● digest   what it is   age   size   its own │ ■ ■   ■   the layers it shares

A layer that several images use is one column, and a line joins its users. More images are drawn as a dot plot over the
day of their push, with a bar for the bytes that each repository stores.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ecrlab.analysis.costs.bounds import format_size
from ecrlab.analysis.costs.storage import own, shared, stored
from ecrlab.analysis.inventory.frames import short
from ecrlab.analysis.inventory.kinds import INDEX, KINDS, PART, REFERRER, TAGGED, UNTAGGED, Entry, kind_of, listing
from ecrlab.analysis.inventory.reading import read_all
from ecrlab.analysis.inventory.snapshot import Snapshot
from ecrlab.analysis.inventory.units import format_age, format_bytes
from ecrlab.analysis.plots import dot_plot, style
from ecrlab.lifecycle.aws import Manifests
from ecrlab.lifecycle.policy import ARCHIVE

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

MOST_ROWS, MOST_REPOSITORIES = 60, 15
MOST_COLUMNS = 20
"""Shared layers that get a column; the heaviest have it."""

MOST_LABELS = 6
"""Up to how many of these columns there is room for their sizes."""

MARKS = {
    TAGGED: ("o", style.BLUE, style.BLUE),
    INDEX: ("D", style.ORANGE, style.ORANGE),
    PART: ("s", style.GREEN, style.GREEN),
    REFERRER: ("^", style.SKY, style.SKY),
    UNTAGGED: ("o", "white", style.VERMILION),
}
"""Kind of image -> its marker, the colour inside and the colour around."""

WORDS = {
    TAGGED: "image with a tag",
    INDEX: "index",
    PART: "part of an index",
    REFERRER: "about another image",
    UNTAGGED: "untagged: nothing leads to it",
}

TAGS, MARK, DIGEST, WHAT, AGE, BYTES, OWN, LAYERS, END = 23, 25.5, 30, 41.5, 62, 69.5, 77, 80, 94
"""Where the columns stand, in tenths of an inch from the left: TAGS, AGE, BYTES and OWN end there, the others begin."""

HEAD = 3.4
"""Rows that the head of a repository takes."""


class Show:
    """What a registry held at one moment; in a notebook it shows itself as a picture with a table below."""

    def __init__(self, repositories: Sequence[Snapshot], now: datetime) -> None:
        self.repositories = repositories
        self.now = now

    def __len__(self) -> int:
        return sum(map(len, self.repositories))

    def table(self) -> "pd.DataFrame":
        """One row for each image, numbered from 1.

        Columns: `repository`, `tags` (joined by spaces), `digest` (its first 12 hexadecimal digits), `kind` (image,
        untagged, index, part of an index, about another image), `of` (the digest of that index or image), `remark` (a
        platform or an artifact type), `age`, `bytes` (as ECR shows it), `shared` (bytes of them that other images use
        too).
        """
        import pandas as pd

        rows = []
        for snapshot in self.repositories:
            shared_bytes = shared(snapshot)
            rows += [
                {
                    "repository": snapshot.name,
                    "tags": " ".join(entry.image.image_tags),
                    "digest": short(entry.image.image_digest),
                    "kind": entry.kind,
                    "of": short(entry.parent or ""),
                    "remark": entry.remark,
                    "age": format_age(entry.image.pushed_at, self.now),
                    "bytes": entry.image.size_in_bytes,
                    "shared": shared_bytes.get(entry.image.image_digest, 0),
                }
                for entry in listing(snapshot)
            ]
        columns = ["repository", "tags", "digest", "kind", "of", "remark", "age", "bytes", "shared"]
        return pd.DataFrame(rows, columns=columns, index=range(1, len(rows) + 1))

    def picture(self) -> Any:
        """The matplotlib figure; `plt.show()` shows it."""
        title = _title(self.repositories)
        if len(self) > MOST_ROWS or (len(self) and len(self.repositories) > MOST_REPOSITORIES):
            return dot_plot.picture(self.repositories, title, MARKS, WORDS)
        # More than these there are only when all are empty.
        return _rows(self.repositories[:MOST_REPOSITORIES], title, self.now)

    def __repr__(self) -> str:
        return f"<{_title(self.repositories)}>"

    def _ipython_display_(self) -> None:
        import matplotlib.pyplot as plt
        from IPython.display import display

        self.picture()
        plt.show()
        display(self.table())  # type: ignore[no-untyped-call]


def show(ecr: Any, name: str | None = None, *, now: datetime, manifests: Manifests | None = None) -> Show:
    """Look at a registry, or at the repository of that name, through a boto3 ECR client; `now` is when ages are taken.

    Without `manifests` they are read with BatchGetImage, which on AWS counts as a pull: `lastRecordedPullTime` is then
    today. Raises what the client raises, such as `RepositoryNotFoundException`.
    """
    return Show(read_all(ecr, name, at=now, manifests=manifests), now)


def _title(repositories: Sequence[Snapshot]) -> str:
    images = sum(map(len, repositories))
    untagged = sum(kind_of(image, snapshot) == UNTAGGED for snapshot in repositories for image in snapshot.images)
    where = repositories[0].name if len(repositories) == 1 else f"{len(repositories)} repositories"
    return f"{where}: {images} image{'s' * (images != 1)}, {untagged} left behind without a tag"


def _rows(repositories: Sequence[Snapshot], title: str, now: datetime) -> Any:
    rows = sum(len(snapshot) + HEAD for snapshot in repositories)
    inches = 0.3 if rows < 30 else 0.22
    with style.figure(title, width=9.2, height=1.3 + inches * max(rows, 2)) as (shown, axes):
        top = 0.0
        kinds: set[str] = set()
        shares = False
        for snapshot in repositories:
            rows_of_it = _Rows(axes, snapshot, top, now)
            rows_of_it.draw()
            kinds |= {entry.kind for entry in rows_of_it.entries}
            shares = shares or bool(rows_of_it.shared)
            top += HEAD + len(snapshot)
        if not repositories:
            axes.text(0, 1, "The registry is empty.")
        axes.set_xlim(-1, END + 1)
        axes.set_ylim(max(top, 2), 0.2)
        axes.axis("off")
        legend(axes, [kind for kind in KINDS if kind in kinds], shares=shares)
        return shown


def legend(axes: "Axes", kinds: Sequence[str], *, shares: bool) -> None:
    """Say below the axes what the marks mean."""
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], linestyle="", marker=MARKS[kind][0], mfc=MARKS[kind][1], mec=MARKS[kind][2], label=WORDS[kind])
        for kind in kinds
    ]
    if shares:
        handles.append(Line2D([], [], color=style.INK, marker="s", lw=1, label="layer that several share"))
    axes.legend(
        handles=handles,
        loc="upper center",
        bbox_to_anchor=(0.5, 0),
        ncols=3,
        frameon=False,
        fontsize=9,
        handletextpad=0.4,
    )


class _Rows:
    """The rows of one repository; `top` is the height at which they begin."""

    def __init__(self, axes: "Axes", snapshot: Snapshot, top: float, now: datetime) -> None:
        self.axes = axes
        self.snapshot = snapshot
        self.now = now
        self.top = top
        self.under = top + HEAD - 0.6
        self.entries = listing(snapshot)
        self.shared = shared_layers(snapshot, self.entries)
        self.own = own(snapshot)
        self.is_small = len(snapshot) < 30

    def draw(self) -> None:
        axes = self.axes
        mutability = self.snapshot.image_tag_mutability.lower().replace("_", " ")
        head = f"{mutability} tags, {format_size(stored(self.snapshot))} stored"
        axes.text(0, self.top + 1, self.snapshot.name, fontweight="bold", va="center")
        axes.text(0, self.top + 2.1, head, fontsize=9, color=style.GREY, va="center")
        if not self.entries:
            axes.text(TAGS, self.top + 1, "empty", fontsize=9, va="center", ha="right")
            return
        for x, words, side in (
            (TAGS, "tags", "right"),
            (DIGEST, "digest", "left"),
            (WHAT, "what it is", "left"),
            (AGE, "age", "right"),
            (BYTES, "size", "right"),
            (OWN, "its own", "right"),
        ):
            axes.text(x, self.under - 0.1, words, fontsize=8.5, color=style.GREY, ha=side, va="bottom")
        axes.plot([0, END], [self.under, self.under], color=style.GREY, lw=0.6)
        self._draw_shared_layers()
        for row, entry in enumerate(self.entries):
            self._draw_image(entry, self.top + HEAD + row)

    def _draw_shared_layers(self) -> None:
        columns = columns_of(self.shared, self.snapshot)
        if columns:
            which = "layers it shares" if len(columns) == len(self.shared) else f"heaviest of {len(self.shared)}"
            self.axes.text(END, self.top + 0.9, which, fontsize=8.5, color=style.GREY, ha="right", va="bottom")
        layers = [self.snapshot.layers.get(entry.image.image_digest, ()) for entry in self.entries]
        for layer, x in columns.items():
            users = [self.under + 0.6 + row for row, some in enumerate(layers) if layer in some]
            size = 5 if self.is_small and len(columns) <= MOST_LABELS else 3.5
            self.axes.plot([x] * len(users), users, color=style.INK, lw=1, marker="s", ms=size)
            if len(columns) <= MOST_LABELS:
                words = format_bytes(self.shared[layer])
                self.axes.text(x, self.under - 0.15, words, fontsize=8, rotation=90, ha="center", va="bottom")

    def _draw_image(self, entry: Entry, y: float) -> None:
        axes, image = self.axes, entry.image
        marker, inside, around = MARKS[entry.kind]
        mark = MARK + 1.6 * min(entry.depth, 2)
        small = 9 if self.is_small else 8
        if image.image_tags:
            axes.text(
                TAGS,
                y,
                _fitting(image.image_tags, 30),
                fontsize=small,
                ha="right",
                va="center",
                bbox={"boxstyle": "round,pad=0.2", "facecolor": "#e8f1f8", "edgecolor": style.BLUE, "linewidth": 0.6},
            )
            axes.plot([TAGS + 0.6, mark], [y, y], color=style.BLUE, lw=0.8, zorder=1)
        if entry.depth:
            axes.plot([mark - 1.6, mark - 1.6, mark], [y - 1, y, y], color=style.GREY, lw=0.8, zorder=1)
        axes.plot([mark], [y], marker=marker, mfc=inside, mec=around, mew=1.5, ms=8 if self.is_small else 6)
        axes.text(DIGEST, y, short(image.image_digest), fontsize=small, family="monospace", va="center")
        axes.text(WHAT, y, _what(entry), fontsize=small, va="center")
        axes.text(AGE, y, format_age(image.pushed_at, self.now), fontsize=small, ha="right", va="center")
        axes.text(BYTES, y, format_bytes(image.size_in_bytes), fontsize=small, ha="right", va="center")
        if self.snapshot.layers.get(image.image_digest):
            axes.text(OWN, y, format_bytes(self.own[image.image_digest]), fontsize=small, ha="right", va="center")


def shared_layers(snapshot: Snapshot, entries: Sequence[Entry]) -> dict[str, int]:
    """The layers that more than one image uses, with their bytes, in the order of the images."""
    layers = (layer for entry in entries for layer in snapshot.layers.get(entry.image.image_digest, ()))
    return {layer: snapshot.sizes[layer] for layer in layers if snapshot.uses[layer] > 1}


def columns_of(layers: Mapping[str, int], snapshot: Snapshot) -> dict[str, float]:
    """Where each shared layer has its column; the lightest have none when there are too many."""
    heaviest = sorted(layers, key=lambda layer: (-layers[layer] * snapshot.uses[layer], layer))
    chosen = set(heaviest[:MOST_COLUMNS])
    step = min(3.2, (END - LAYERS) / max(len(chosen), 1))
    return {layer: LAYERS + step * k for k, layer in enumerate(one for one in layers if one in chosen)}


def _what(entry: Entry) -> str:
    if entry.image.storage_class == ARCHIVE:
        return f"{entry.kind}, archived"
    if entry.kind == REFERRER:
        return entry.remark.removeprefix("application/").removeprefix("vnd.")[:20]
    if entry.kind == PART:
        return entry.remark or PART
    return entry.kind


def _fitting(tags: Sequence[str], width: int) -> str:
    """As many tags as fit, and how many more there are.

    >>> _fitting(["v1.2.3", "latest", "stable"], 16)
    'v1.2.3 latest +1'
    """
    chosen = list(tags)
    while len(chosen) > 1 and len(" ".join(chosen)) + (3 if len(chosen) < len(tags) else 0) > width:
        chosen.pop()
    shown = " ".join(chosen) if len(chosen) > 1 or len(chosen[0]) <= width else chosen[0][: width - 1] + "…"
    return shown if len(chosen) == len(tags) else f"{shown} +{len(tags) - len(chosen)}"
