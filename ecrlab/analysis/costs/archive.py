"""The archive in money: what it saves, what images deleted early still cost, and what restoring costs.

At the known prices archived bytes cost as much as others until an account has 150 TB of them. A layer that an image
outside the archive shares is not archived at all. So most registries save nothing by archiving, but by deleting.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

from ecrlab.analysis.costs.bounds import Bounds
from ecrlab.analysis.costs.prices import DAYS_OF_A_MONTH, Prices
from ecrlab.analysis.costs.storage import by_class, departure, stored
from ecrlab.analysis.inventory.snapshot import Snapshot
from ecrlab.lifecycle.policy import ARCHIVE, STANDARD


def archived(snapshot: Snapshot, digests: Iterable[str]) -> Snapshot:
    """The same repository with these images in the archive, at the moment of the snapshot."""
    wanted = set(digests)
    images = tuple(
        replace(image, storage_class=ARCHIVE, last_archived_at=snapshot.taken_at)
        if image.image_digest in wanted and image.storage_class == STANDARD
        else image
        for image in snapshot.images
    )
    return replace(snapshot, images=images)


def cost(snapshot: Snapshot, prices: Prices) -> Bounds[float]:
    """What a repository costs in a month, as it stands."""
    classes = by_class(snapshot)
    return prices.per_month(classes["standard"], classes["archive"])


def still_owed(snapshot: Snapshot, digests: Iterable[str], prices: Prices) -> Bounds[float]:
    """What archived images still cost that are deleted before their 90 days are over.

    Without the time of archiving it may be all of the 90 days or none. UNSURE: layers that only the deleted images have
    are counted, each for the longest time that one of these images had left.
    """
    going = departure(snapshot, digests).going
    days: dict[str, tuple[float, float]] = {}
    total: Bounds[float] = Bounds.exactly(0.0)
    for digest in going:
        image = snapshot.by_digest[digest]
        if image.storage_class != ARCHIVE:
            continue
        if image.last_archived_at is None:
            left = (0.0, float(prices.minimum_days))
        else:
            over = image.last_archived_at + timedelta(days=prices.minimum_days) - snapshot.taken_at
            left = (max(0.0, over / timedelta(days=1)),) * 2
        if digest in snapshot.unread:
            most = image.size_in_bytes or None
            total += _owed(Bounds(0, most), (0.0, left[1]), prices)
        for layer in snapshot.layers.get(digest, ()):
            before = days.get(layer, (0.0, 0.0))
            days[layer] = (max(before[0], left[0]), max(before[1], left[1]))
    stays = {
        layer for digest, layers in snapshot.layers.items() if digest not in going for layer in layers if layer in days
    }
    for layer, left in days.items():
        if layer not in stays:
            total += _owed(Bounds.exactly(snapshot.sizes[layer]), left, prices)
    return total


def restoring(snapshot: Snapshot, digests: Iterable[str], prices: Prices) -> Bounds[float]:
    """What restoring archived images costs."""
    wanted = {digest for digest in digests if snapshot.by_digest[digest].storage_class == ARCHIVE}
    others = frozenset(digest for digest in snapshot.by_digest if digest not in wanted)
    return prices.restoring(stored(snapshot.without(others)))


def _owed(size: Bounds[int], left: tuple[float, float], prices: Prices) -> Bounds[float]:
    month = prices.per_month(Bounds.exactly(0), size)
    most = None if month.most is None else month.most * left[1] / DAYS_OF_A_MONTH
    return Bounds(month.least * left[0] / DAYS_OF_A_MONTH, most)
