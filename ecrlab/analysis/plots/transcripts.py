"""Transcripts: the requests of a client and the answers of the registry, as a table and as a picture.

with lab.transcript() as said:
    ...                          # docker push, in any way
said.table()                     # a row for each request and answer
said.picture()                   # the same as a sequence
said.bytes_sent, said.bytes_saved
"""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

from ecrlab.analysis.plots import style

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


class Exchange(Protocol):
    """One request and its answer; see `ecrlab.simulator.recorder.Exchange`."""

    client: str
    method: str
    target: str
    asked: str
    status: int
    sent: int
    received: int
    told: int


LEFT, RIGHT = 0.03, 0.6
"""Where client and registry are in a picture, from 0 (left) to 1 (right)."""

ACCEPTED: dict[str, Any] = {"color": style.BLUE, "linestyle": "-"}
REFUSED: dict[str, Any] = {"color": style.VERMILION, "linestyle": "--"}

MANY_BYTES = 1000
"""From how many bytes an arrow is drawn thick."""

THIN: dict[str, Any] = {"lw": 1.2}
THICK: dict[str, Any] = {"lw": 3}

_BLOB = r"/v2/.+/blobs/(?P<digest>sha\d+:[0-9a-f]+)$"
_UPLOAD = r"/v2/.+/blobs/uploads/"
_MANIFEST = r"/v2/.+/manifests/(?P<reference>[^?]+)$"

_READS = r"(Batch)?(Get|Describe|List|Check|Lookup)"
"""How the operations of the AWS API begin that only return something; the others change something."""

MEANINGS: tuple[tuple[str, str, Sequence[int], str], ...] = (
    ("GET", r"/v2/?$", (401,), "May I? - Who are you?"),
    ("GET", r"/v2/?$", (200,), "May I? - You may"),
    ("HEAD", _BLOB, (200,), "Have you got this blob? - Yes, no need to send it"),
    ("HEAD", _BLOB, (404,), "Have you got this blob? - No"),
    ("POST", _UPLOAD + r"\?.*mount=", (201,), "Take this blob from the other repository - Done"),
    ("POST", _UPLOAD, (202,), "Where may I send a blob? - Here"),
    ("PATCH", _UPLOAD, (201, 202), "These are its bytes - Received"),
    ("PUT", _UPLOAD, (201,), "That was all, and this is its digest - It is"),
    ("GET", _BLOB, (200, 206, 307), "Give me this blob - Here it is"),
    ("PUT", _MANIFEST, (201,), "This is the manifest - Stored"),
    ("HEAD", _MANIFEST, (200,), "Which digest has this image? - This one"),
    ("HEAD", _MANIFEST, (404,), "Is this image here? - No"),
    ("GET", _MANIFEST, (200,), "Give me the manifest - Here it is"),
    ("GET", _MANIFEST, (404,), "Give me the manifest - There is none"),
    ("GET", r"/v2/.+/tags/list", (200,), "Which tags are there? - These"),
    ("GET", r"/token/?(\?|$)", (200,), "May I have a token? - Here it is"),
    ("GET", r"/token/?(\?|$)", (403,), "May I have a token? - No"),
    ("", r"/v2/", (400,), "- This is no valid token, or no valid request"),
    ("", r"/v2/", (401,), "- Who are you?"),
    ("", r"/v2/", (403,), "- You may not"),
    ("", r"/v2/", (404,), "- No such repository or image"),
    ("", r"/v2/", (429,), "- Too many requests, come back later"),
)
"""Method, target, statuses, and what it means: the question and the answer."""


class Transcript:
    """A list of exchanges that grows while it is recorded."""

    def __init__(self, exchanges: Sequence[Exchange]) -> None:
        self.exchanges = exchanges

    @property
    def bytes_sent(self) -> int:
        """Bytes of all request bodies to the registry: what the push cost."""
        return sum(exchange.sent for exchange in self._docker)

    @property
    def bytes_received(self) -> int:
        """Bytes of all answers of the registry: what the pull cost."""
        return sum(exchange.received for exchange in self._docker)

    @property
    def bytes_saved(self) -> int:
        """Bytes of the blobs that the registry already had, each counted once: what was not sent again."""
        there: dict[str, int] = {}
        written = set()
        for exchange in self._docker:
            blob = re.search(_BLOB, exchange.target)
            if blob and exchange.method == "HEAD" and exchange.status == 200:
                there.setdefault(blob["digest"], exchange.told)
            elif exchange.method == "PUT" and (
                sent := re.search(r"digest=(sha\d+)(?::|%3A)([0-9a-f]+)", exchange.target)
            ):
                written.add(f"{sent[1]}:{sent[2]}")
        return sum(size for digest, size in there.items() if digest not in written)

    def table(self) -> "pd.DataFrame":
        """One row for each exchange: `request`, `status`, bytes `sent` and `received`, and what it `means`."""
        import pandas as pd

        rows = [
            {
                "request": _request(exchange),
                "status": exchange.status,
                "sent": exchange.sent,
                "received": exchange.received,
                "means": meaning(exchange),
            }
            for exchange in self.exchanges
        ]
        table = pd.DataFrame(rows, columns=["request", "status", "sent", "received", "means"])
        table.index = range(1, len(rows) + 1)
        return table

    def picture(self, title: str = "What the client and the registry said") -> Any:
        """The exchanges as a sequence from top to bottom: the client on the left, the registry on the right."""
        count = len(self.exchanges)
        with style.figure(title, width=11, height=1.2 + 0.42 * max(count, 1)) as (shown, axes):
            for row, exchange in enumerate(self.exchanges):
                arrow = ACCEPTED if exchange.status < 400 else REFUSED
                width = THIN if exchange.sent + exchange.received < MANY_BYTES else THICK
                axes.annotate("", (RIGHT, row), (LEFT, row), arrowprops={"arrowstyle": "->", **arrow, **width})
                axes.text((LEFT + RIGHT) / 2, row - 0.1, _request(exchange), ha="center", va="bottom", fontsize=9)
                axes.text(RIGHT + 0.02, row, f"{exchange.status}  {meaning(exchange)}", va="center", fontsize=9)
            for x, name in ((LEFT, "client"), (RIGHT, "registry")):
                axes.plot([x, x], [-0.6, count - 0.5], color=style.GREY, lw=1)
                axes.text(x, -0.8, name, ha="center", va="bottom", fontweight="bold")
            axes.set_xlim(0, 1)
            axes.set_ylim(count - 0.3, -1.4)
            axes.axis("off")
            _legend(axes)
            return shown

    def __len__(self) -> int:
        return len(self.exchanges)

    def __repr__(self) -> str:
        return f"<{len(self)} exchanges: {self.bytes_sent:,} bytes sent, {self.bytes_saved:,} saved>"

    @property
    def _docker(self) -> list[Exchange]:
        return [exchange for exchange in self.exchanges if exchange.target.startswith("/v2")]


def meaning(exchange: Exchange) -> str:
    """What an exchange means, as a question and an answer."""
    if exchange.asked:
        done = "Here it is" if re.match(_READS, exchange.asked) else "Done"
        return f"{exchange.asked} - {done if exchange.status < 400 else 'Refused'}"
    for method, target, statuses, means in MEANINGS:
        if method in ("", exchange.method) and exchange.status in statuses and re.match(target, exchange.target):
            return means
    return ""


def _legend(axes: "Axes") -> None:
    """Say below the axes what the arrows mean."""
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], **ACCEPTED, **THIN, label="accepted"),
        Line2D([], [], **REFUSED, **THIN, label="refused, or not there"),
        Line2D([], [], **ACCEPTED, **THICK, label=f"{MANY_BYTES:,} bytes or more"),
    ]
    axes.legend(handles=handles, loc="upper left", bbox_to_anchor=(0, 0), ncols=3, frameon=False, fontsize=9)


def _request(exchange: Exchange) -> str:
    """The request line, with digests and upload ids cut to what tells them apart."""
    if exchange.asked:
        return f"POST / {exchange.asked}"
    target = re.sub(r"(sha\d+)(?::|%3A)([0-9a-f]{12})[0-9a-f]+", r"\1:\2…", exchange.target)
    target = re.sub(r"(/blobs/uploads/)([0-9a-f-]{8})[0-9a-f-]+", r"\1\2…", target)
    return f"{exchange.method} {target}"
