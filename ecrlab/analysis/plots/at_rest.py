"""What lies on the disk of some repositories: which object is encrypted with which key, and how random its bytes are.

Randomness is the entropy of the bytes (Shannon), in whole bits: 8 where every byte is equally likely, about 5 for JSON,
0 where all bytes are the same. Encrypted bytes have 8, and so have compressed ones. An object of less than 1 KiB is too
short to tell.
"""

import math
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ecrlab.analysis.inventory.frames import short
from ecrlab.analysis.inventory.units import format_bytes
from ecrlab.analysis.plots import style

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLOCK = 1024
"""Bytes that are judged together."""

MOST_BLOCKS, MOST_ROWS = 64, 40
"""How many blocks of an object, and how many objects, a picture has."""

COLUMNS = ["repository", "object", "digest", "key", "bytes", "on disk", "bits"]


def entropy(piece: bytes) -> int | None:
    """Return the entropy of bytes in whole bits per byte; None for less than a block.

    >>> entropy(bytes(range(256)) * 4), entropy(bytes(1024)), entropy(b"short")
    (8, 0, None)
    """
    if len(piece) < BLOCK:
        return None
    shares = [count / len(piece) for count in Counter(piece).values()]
    return round(-sum(share * math.log2(share) for share in shares))


def by_block(sample: bytes) -> list[int]:
    """Return the entropy of each whole block of 1 KiB, up to `MOST_BLOCKS` of them."""
    blocks = [sample[start : start + BLOCK] for start in range(0, min(len(sample), MOST_BLOCKS * BLOCK), BLOCK)]
    return [bits for block in blocks if (bits := entropy(block)) is not None]


class AtRest:
    """The objects of some repositories on the disk; in a notebook it shows itself as a picture with a table below.

    `objects` are those of `ecrlab.registry.store.at_rest.stored_objects`: `path`, `header`, `stored` …
    """

    def __init__(self, objects: Sequence[Any]) -> None:
        self.objects = objects

    def table(self) -> "pd.DataFrame":
        """One row for each object, numbered from 1.

        Columns: `repository`, `object` (manifest, config or layer), `digest` (its first 12 hexadecimal digits), `key`
        (the id of the KMS key; empty if the object is not encrypted), `bytes` (as pushed), `on disk` (bytes that it
        takes), `bits` (the entropy of its first MiB, as text: empty for less than 1 KiB).
        """
        import pandas as pd

        rows = [
            (
                one.repository,
                one.kind,
                short(one.digest),
                _key(one),
                one.size,
                one.stored,
                "" if (bits := entropy(one.sample)) is None else str(bits),
            )
            for one in self.objects
        ]
        return pd.DataFrame(rows, columns=COLUMNS, index=range(1, len(rows) + 1))

    def picture(self) -> Any:
        """The matplotlib figure: a row for each object, a square for each KiB of its first 64."""
        shown_objects = self.objects[:MOST_ROWS]
        height = 1.7 + 0.3 * max(len(shown_objects), 2)
        with style.figure(_title(self.objects), width=9.2, height=height) as (shown, axes):
            for row, one in enumerate(shown_objects):
                _draw(axes, row, one)
            blocks = [by_block(one.sample) for one in shown_objects]
            axes.set_xlim(0, max([2, *map(len, blocks)]))
            style.whole_numbers(axes.xaxis)
            axes.set_ylim(max(len(shown_objects), 1) - 0.4, -0.6)
            axes.set_yticks(range(len(shown_objects)), [_name(one) for one in shown_objects], fontsize=9)
            axes.set_xlabel("KiB from the beginning")
            _legend(shown, {bits // 2 for row in blocks for bits in row})
            return style.describe(shown, alt(self.objects))

    def __repr__(self) -> str:
        return f"<{_title(self.objects)}>"

    def _ipython_display_(self) -> None:
        import matplotlib.pyplot as plt
        from IPython.display import display

        self.picture()
        plt.show()
        display(self.table())  # type: ignore[no-untyped-call]


def alt(objects: Sequence[Any]) -> str:
    """Return the picture in words: each object with the entropies of its blocks."""
    return ". ".join(
        [_title(objects), *[f"{_name(one)}: {_told(by_block(one.sample))}" for one in objects[:MOST_ROWS]]]
    )


def _told(bits: Sequence[int]) -> str:
    if not bits:
        return "too short to tell"
    return f"{min(bits)} bits" if min(bits) == max(bits) else f"{min(bits)} to {max(bits)} bits"


def _title(objects: Sequence[Any]) -> str:
    encrypted = sum(one.header is not None for one in objects)
    return f"{len(objects)} objects on the disk, {encrypted} of them encrypted"


def _name(one: Any) -> str:
    how = f"key {key[:8]}" if (key := _key(one)) else "in clear"
    return f"{style.cut(one.repository, 20)} {one.kind} {short(one.digest)[:7]}, {how}"


def _key(one: Any) -> str:
    return "" if one.header is None else str(one.header.kms_key.rpartition("/")[2])


def _draw(axes: "Axes", row: int, one: Any) -> None:
    bits = by_block(one.sample)
    for block, value in enumerate(bits):
        axes.barh(row, 1, left=block, height=0.7, color=_shade(value), edgecolor=style.GREY, linewidth=0.3)
    if not bits:
        beside = axes.get_yaxis_transform()
        axes.text(0.01, row, f"{format_bytes(one.size)}: too short to tell", va="center", fontsize=9, transform=beside)


def _shade(bits: int) -> str:
    """The shade of an entropy: the darker, the more random.

    >>> _shade(0) == style.SHADES[0], _shade(5) == style.SHADES[2], _shade(8) == style.SHADES[4]
    (True, True, True)
    """
    return style.SHADES[bits // 2]


def _legend(shown: "Figure", occurring: set[int]) -> None:
    """Explain the shades that occur."""
    from matplotlib.patches import Patch

    words = ("0 or 1", "2 or 3", "4 or 5", "6 or 7", "8")
    handles = [
        Patch(facecolor=shade, edgecolor=style.GREY, label=word)
        for number, (shade, word) in enumerate(zip(style.SHADES, words, strict=True))
        if number in occurring
    ]
    title = "randomness of a KiB, in bits for each byte"
    shown.legend(handles=handles, loc="outside lower center", ncols=5, frameon=False, title=title, fontsize=9)
