"""What copies of a repository in other Regions cost: each Region stores all of it, and each copy is sent once.

A layer is sent to a Region once, as to any registry; what is deleted at a destination is stored there no more. UNSURE:
whether AWS bills a layer again that the destination has already; here it does not.
"""

from typing import TYPE_CHECKING

from ecrlab.analysis.costs import archive
from ecrlab.analysis.costs.bounds import Bounds, format_bounds, format_money
from ecrlab.analysis.costs.prices import Prices
from ecrlab.analysis.costs.storage import stored
from ecrlab.analysis.inventory.snapshot import Snapshot

if TYPE_CHECKING:
    import pandas as pd

GIB = 2**30

TRANSFER = Bounds(0.02, 0.09)
"""Dollars for a gigabyte from one Region to another: reports disagree. 0.02 is what AWS takes between Regions of EC2
(NixOS/amis#122; finops.com.py on ECR), 0.09 what cloudburn.io says of ECR's replication (March 2026)."""

DOUBTS = (
    "The price of sending: finops.com.py reports 0.02 USD for a gigabyte, cloudburn.io 0.09 USD.",
    "A gigabyte of the bill is taken to be 2^30 bytes, one GiB.",
    "Storage is taken to cost the same in each Region; prices differ from Region to Region.",
    "A copy holds what the original holds: deletions are taken to happen in each Region.",
)


def per_month(snapshot: Snapshot, prices: Prices, regions: int) -> Bounds[float]:
    """What a month of storing costs in so many Regions."""
    return archive.cost(snapshot, prices).times(regions)


def sending(snapshot: Snapshot, prices: Prices, regions: int) -> Bounds[float]:
    """What it costs to send all layers once from one of so many Regions to each other one."""
    size, copies = stored(snapshot), (regions - 1) / prices.bytes_per_gb
    assert TRANSFER.most is not None
    most = None if size.most is None else size.most * TRANSFER.most * copies
    return Bounds(size.least * TRANSFER.least * copies, most)


def table(snapshot: Snapshot, prices: Prices, most: int = 3) -> "pd.DataFrame":
    """One row for each number of Regions up to `most`.

    Columns: `stored` in all of them, what that costs in `a month` and `a year`, and `sent` and `sending`, once.
    """
    import pandas as pd

    size = stored(snapshot)
    rows = {
        regions: {
            "stored": _in_gib(size, regions),
            "a month": format_money(per_month(snapshot, prices, regions), prices.currency),
            "a year": format_money(per_month(snapshot, prices, regions).times(12), prices.currency),
            "sent, once": _in_gib(size, regions - 1),
            "sending, once": format_money(sending(snapshot, prices, regions), prices.currency),
        }
        for regions in range(1, most + 1)
    }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("Regions")


def _in_gib(size: Bounds[int], factor: int) -> str:
    """Return so many times a size in GiB: multiplied before it is rounded, so that it fits the money."""
    return f"{format_bounds(size.times(factor / GIB), '{:,.1f}'.format)} GiB"
