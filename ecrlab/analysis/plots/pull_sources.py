"""Where the bytes of pulls came from: the client had them, the cache had them, or the cache brought them from upstream.

    pulls = Pulls(lab, lab.upstream("docker-hub"))
    with pulls.watch("first", "docker-hub/library/alpine"):
        ...                                               # docker pull, in any way

Bytes are those of the config and the layers of the image that the client asked for, compressed. A pull that fails has
none. Watching is no pull.

The picture has a row for each pull and a column for each place:

    first pull                                        1,848
    new server                        1,848
    again            1,848
    down, nginx      nothing                          asked, sent none
"""

import contextlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from ecrlab.analysis.inventory.frames import short
from ecrlab.analysis.plots import style

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from ecrlab.analysis.inventory.snapshot import Snapshot
    from ecrlab.analysis.plots.transcripts import Exchange, Transcript

NOTHING = "nothing"
"""What a pull that fails gets."""

TITLE = "Who had the bytes of each pull"
PARTS = ("the client had", "the cache had", "from upstream")
PLACES = ("the client", "the cache", "the upstream")

_READ = re.compile(r"/v2/(?P<repository>.+)/(?P<kind>manifests|blobs)/(?P<digest>sha\d+:[0-9a-f]+)$")


class Lab(Protocol):
    """What is needed of a lab."""

    def client(self, service: str) -> Any:
        """Return a boto3 client."""

    def storage(self, repository: str) -> "Snapshot":
        """Return what a repository holds."""

    def transcript(self) -> "contextlib.AbstractContextManager[Transcript]":
        """Record requests while a block runs."""


class Upstream(Protocol):
    """What is needed of an upstream: how often it was asked for an image."""

    asked: int


@dataclass(frozen=True, slots=True)
class Pull:
    """A pull: its name, the bytes from each place, what it got, and whether the cache asked upstream.

    `got` has the first 12 hexadecimal digits of the digest that the tag led to, or is `NOTHING`.
    """

    name: str
    had: int
    cached: int
    brought: int
    got: str
    asked_upstream: bool


class Pulls:
    """The pulls that were watched, in their order."""

    def __init__(self, lab: Lab, upstream: Upstream) -> None:
        self._lab = lab
        self._upstream = upstream
        self._pulls: dict[str, Pull] = {}

    @contextlib.contextmanager
    def watch(self, name: str, repository: str) -> Iterator[None]:
        """Watch the pull of one image while the block runs; one of the same name is replaced."""
        before, asked = self._blobs(repository), self._upstream.asked
        with self._lab.transcript() as said:
            yield
        after = self._snapshot(repository)
        had, cached, brought, got = _sources(said.exchanges, repository, before, after)
        self._pulls[name] = Pull(name, had, cached, brought, got, self._upstream.asked > asked)

    def table(self) -> "pd.DataFrame":
        """One row for each pull: bytes from each place, what it got, and whether the cache asked upstream."""
        import pandas as pd

        rows = [
            (one.had, one.cached, one.brought, one.got, "yes" if one.asked_upstream else "no")
            for one in self._pulls.values()
        ]
        return pd.DataFrame(
            rows, columns=[*PARTS, "got", "asked upstream"], index=pd.Index(list(self._pulls), name="pull")
        )

    def picture(self) -> Any:
        """The matplotlib figure: a row for each pull; the bytes stand in the column of the place that had them.

        An upstream that was asked and had to send nothing has a hollow mark.
        """
        pulls = list(self._pulls.values())
        with style.figure(TITLE, height=1.5 + 0.38 * len(pulls)) as (shown, axes):
            for row, pull in enumerate(pulls):
                _draw(axes, row, pull)
            axes.set_xticks(range(len(PLACES)), PLACES)
            axes.set_yticks(range(len(pulls)), [one.name for one in pulls])
            axes.set_xlim(-0.3, len(PLACES) - 0.2)
            axes.set_ylim(len(pulls) - 0.4, -0.6)
            axes.set_xlabel("who had how many bytes")
            axes.set_ylabel("pull")
            axes.tick_params(length=0)
            axes.grid(axis="y", color=style.GREY, alpha=0.25)
            return style.describe(shown, f"A row for each pull. {TITLE}. {'; '.join(map(_told, pulls))}.")

    def __repr__(self) -> str:
        return f"<{len(self._pulls)} pulls>"

    def _snapshot(self, repository: str) -> "Snapshot | None":
        try:
            return self._lab.storage(repository)
        except self._lab.client("ecr").exceptions.RepositoryNotFoundException:
            return None

    def _blobs(self, repository: str) -> set[str]:
        found = self._snapshot(repository)
        return set() if found is None else set(found.sizes)


def _sources(
    exchanges: "Sequence[Exchange]", repository: str, before: set[str], after: "Snapshot | None"
) -> tuple[int, int, int, str]:
    """Return the bytes that the client had, that the cache had, that came from upstream, and what the tag led to."""
    read: dict[str, list[str]] = {"manifests": [], "blobs": []}
    for exchange in exchanges:
        found = _READ.fullmatch(exchange.target)
        if exchange.method == "GET" and found and found["repository"] == repository:
            if exchange.status >= 400:
                return 0, 0, 0, NOTHING
            read[found["kind"]].append(found["digest"])
    if after is None or not read["manifests"]:
        return 0, 0, 0, NOTHING
    blobs = {blob for digest in read["manifests"] for blob in after.layers.get(digest, ())}
    sent = blobs & set(read["blobs"])

    def size(some: set[str]) -> int:
        return sum(after.sizes[blob] for blob in some)

    return size(blobs - sent), size(sent & before), size(sent - before), short(read["manifests"][0])


def _draw(axes: "Axes", row: int, pull: Pull) -> None:
    white = {"facecolor": "white", "edgecolor": "none", "pad": 1}
    if pull.got == NOTHING:
        axes.text(0, row, NOTHING, va="center", ha="center", fontsize=11, bbox=white)
    for column, length in enumerate((pull.had, pull.cached, pull.brought)):
        is_asked = column == len(PLACES) - 1 and pull.asked_upstream
        if length or is_asked:
            colour = style.PALETTE[column] if length else "white"
            axes.plot(column, row, style.MARKERS[column], markersize=12, color=colour, markeredgecolor=style.INK)
            note = f"{length:,}" if length else "asked, sent none"
            axes.text(column + 0.08, row, note, va="center", fontsize=11, bbox=white)


def _told(pull: Pull) -> str:
    if pull.got == NOTHING:
        return f"{pull.name}: fails"
    parts = zip(PARTS, (pull.had, pull.cached, pull.brought), strict=True)
    return f"{pull.name}: {', '.join(f'{name} {length}' for name, length in parts if length)} bytes"
