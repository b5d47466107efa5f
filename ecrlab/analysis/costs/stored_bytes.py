"""The stored bytes of a repository while images come and go, counted layer by layer instead of summed anew.

UNSURE, as in `ecrlab.analysis.costs.storage`: a layer that an image outside the archive uses is not archived.
"""

from collections.abc import Iterable
from typing import NamedTuple

from ecrlab.analysis.costs.bounds import Bounds
from ecrlab.analysis.inventory.snapshot import Snapshot
from ecrlab.lifecycle import Image
from ecrlab.lifecycle.policy import ARCHIVE


class BytesByClass(NamedTuple):
    """The bytes in the two storage classes."""

    standard: Bounds[int]
    archive: Bounds[int]

    @property
    def total(self) -> Bounds[int]:
        """Both together."""
        return self.standard + self.archive


class StoredBytes:
    """Counts the uses of each layer, inside and outside the archive, and the bytes that are stored.

    An image whose manifest cannot be read counts with its size as an upper bound.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        self._sizes = dict(snapshot.sizes)
        self._layers = dict(snapshot.layers)
        self._uses: dict[bool, dict[str, int]] = {True: {}, False: {}}
        """Archived or not -> layer -> by how many images."""
        self._known = {True: 0, False: 0}
        self._unread = {True: 0, False: 0}
        self._unbounded = {True: 0, False: 0}
        """How many unread images have no size either."""
        for image in snapshot.images:
            self.add(image)

    def learn(self, digest: str, blobs: Iterable[tuple[str, int]]) -> None:
        """Note the layers of an image, with their bytes, before it is added."""
        sizes = dict(blobs)
        self._sizes.update(sizes)
        self._layers[digest] = tuple(sizes)

    def add(self, image: Image) -> None:
        """Count an image in its storage class."""
        archived = image.storage_class == ARCHIVE
        layers = self._layers.get(image.image_digest)
        if layers is None:
            self._count_unread(image, archived, 1)
            return
        mine, other, sizes = self._uses[archived], self._uses[not archived], self._sizes
        for layer in layers:
            users = mine.get(layer, 0)
            mine[layer] = users + 1
            if users:
                continue
            # A layer that an image outside the archive uses is counted there only.
            if not archived:
                self._known[False] += sizes[layer]
                if other.get(layer):
                    self._known[True] -= sizes[layer]
            elif not other.get(layer):
                self._known[True] += sizes[layer]

    def remove(self, image: Image) -> None:
        """Count an image no more."""
        archived = image.storage_class == ARCHIVE
        layers = self._layers.get(image.image_digest)
        if layers is None:
            self._count_unread(image, archived, -1)
            return
        mine, other, sizes = self._uses[archived], self._uses[not archived], self._sizes
        for layer in layers:
            mine[layer] -= 1
            if mine[layer]:
                continue
            if not archived:
                self._known[False] -= sizes[layer]
                if other.get(layer):
                    self._known[True] += sizes[layer]
            elif not other.get(layer):
                self._known[True] -= sizes[layer]

    @property
    def stored(self) -> BytesByClass:
        """The bytes that are stored now."""
        return BytesByClass(self._in(False), self._in(True))

    def _in(self, archived: bool) -> Bounds[int]:
        known = self._known[archived]
        return Bounds(known, None if self._unbounded[archived] else known + self._unread[archived])

    def _count_unread(self, image: Image, archived: bool, one: int) -> None:
        if not image.is_index:
            self._unread[archived] += one * image.size_in_bytes
            self._unbounded[archived] += one * (not image.size_in_bytes)
