"""The bytes of a repository while images come and go: layers are counted in and out, never all added up anew.

UNSURE, as in `ecrlab.analysis.costs.storage`: a layer that an image outside the archive uses is not archived.
"""

from collections.abc import Iterable
from typing import NamedTuple

from ecrlab.analysis.costs.bounds import Bounds
from ecrlab.analysis.inventory.snapshot import Snapshot
from ecrlab.lifecycle import Image
from ecrlab.lifecycle.policy import ARCHIVE


class Stored(NamedTuple):
    """The bytes in the two storage classes."""

    standard: Bounds[int]
    archive: Bounds[int]

    @property
    def all(self) -> Bounds[int]:
        """Both together."""
        return self.standard + self.archive


class Stock:
    """Which layers are used how often, outside the archive and at all, and the bytes that makes.

    An image that nobody could read is counted by its size, as the most that it can hold.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        self._sizes = dict(snapshot.sizes)
        self._layers = dict(snapshot.layers)
        self._uses: dict[bool, dict[str, int]] = {True: {}, False: {}}
        """Archived or not -> layer -> by how many images."""
        self._known = {True: 0, False: 0}
        self._dark = {True: 0, False: 0}
        self._bottomless = {True: 0, False: 0}
        """How many images are of no known size at all."""
        for image in snapshot.images:
            self.add(image)

    def learn(self, digest: str, blobs: Iterable[tuple[str, int]]) -> None:
        """Before an image is added: which layers it has, with their bytes."""
        sizes = dict(blobs)
        self._sizes.update(sizes)
        self._layers[digest] = tuple(sizes)

    def add(self, image: Image) -> None:
        """An image is there, in its storage class."""
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
            # Outside wins: there the layer is counted whoever else has it.
            if not archived:
                self._known[False] += sizes[layer]
                if other.get(layer):
                    self._known[True] -= sizes[layer]
            elif not other.get(layer):
                self._known[True] += sizes[layer]

    def remove(self, image: Image) -> None:
        """An image is gone from its storage class."""
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
    def stored(self) -> Stored:
        """The bytes that are stored now."""
        return Stored(self._in(False), self._in(True))

    def _in(self, archived: bool) -> Bounds[int]:
        known = self._known[archived]
        return Bounds(known, None if self._bottomless[archived] else known + self._dark[archived])

    def _count_unread(self, image: Image, archived: bool, one: int) -> None:
        if not image.is_index:
            self._dark[archived] += one * image.size_in_bytes
            self._bottomless[archived] += one * (not image.size_in_bytes)
