"""What copies of a repository in other Regions cost: each Region stores all of it, and each copy is sent once.

A layer is sent to a Region once, as to any registry; what is deleted at a destination is stored there no more. UNSURE:
whether AWS bills a layer again that the destination has already; here it does not.
"""

from typing import TYPE_CHECKING

from ecrlab.analysis.costs import archive
from ecrlab.analysis.costs.bounds import Bounds, format_money, format_size
from ecrlab.analysis.costs.prices import Prices
from ecrlab.analysis.costs.storage import stored
from ecrlab.analysis.inventory.snapshot import Snapshot

if TYPE_CHECKING:
    import pandas as pd

TRANSFER = Bounds(0.02, 0.09)
"""Dollars for a gigabyte from one Region to another: reports disagree. 0.02 is what AWS takes between Regions of EC2
(NixOS/amis#122; finops.com.py on ECR), 0.09 what cloudburn.io says of ECR's replication (March 2026)."""

DOUBTS = (
    "The price of sending is what others report, and they disagree: 0.02 to 0.09 USD for a gigabyte.",
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

    Columns: `stored` in all of them, `a month`, and `sent` and `sending`, once.
    """
    import pandas as pd

    size = stored(snapshot)
    rows = {
        regions: {
            "stored": format_size(_times(size, regions)),
            "a month": format_money(per_month(snapshot, prices, regions), prices.currency),
            "sent, once": format_size(_times(size, regions - 1)),
            "sending, once": format_money(sending(snapshot, prices, regions), prices.currency),
        }
        for regions in range(1, most + 1)
    }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("Regions")


def _times(size: Bounds[int], factor: int) -> Bounds[int]:
    return Bounds(size.least * factor, None if size.most is None else size.most * factor)
