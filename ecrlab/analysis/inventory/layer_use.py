"""Which images use which layers, as one array of numbers, so that a hundred thousand images are counted at once.

images  │ a   │ b     │ c │
layers  │ 0 3 │ 0 1 2 │ 1 │     each layer by its position in `sizes`
"""

from collections.abc import Container, Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np


class Usage:
    """The uses of the layers of some images; bytes are exact as long as all together are less than 2**63."""

    def __init__(self, layers: Mapping[str, Sequence[str]], sizes: Mapping[str, int]) -> None:
        import numpy as np

        positions = {layer: number for number, layer in enumerate(sizes)}
        self._images = layers
        self._lengths = np.fromiter(map(len, layers.values()), np.int64, len(layers))
        self._row = np.fromiter(map(positions.__getitem__, chain.from_iterable(layers.values())), np.int64)
        self._sizes = np.fromiter(sizes.values(), np.int64, len(sizes))
        self._uses = np.bincount(self._row, minlength=len(sizes))

    @property
    def stored(self) -> int:
        """The bytes of all layers that an image uses, each once."""
        return int(self._sizes[self._uses > 0].sum())

    def own(self) -> dict[str, int]:
        """For each image, the bytes of the layers that no other image uses."""
        return self._by_image(self._sizes * (self._uses == 1))

    def whole(self) -> dict[str, int]:
        """For each image, the bytes of all its layers."""
        return self._by_image(self._sizes)

    def freed(self, going: Container[str]) -> int:
        """The bytes of the layers that only images that go use."""
        import numpy as np

        goes = np.fromiter((digest in going for digest in self._images), bool, len(self._images))
        gone = np.bincount(self._row[np.repeat(goes, self._lengths)], minlength=len(self._sizes))
        return int(self._sizes[(gone == self._uses) & (gone > 0)].sum())

    def _by_image(self, of_layers: "np.ndarray[Any, Any]") -> dict[str, int]:
        import numpy as np

        until = np.concatenate(([0], np.cumsum(of_layers[self._row])))
        ends = np.cumsum(self._lengths)
        return dict(zip(self._images, (until[ends] - until[ends - self._lengths]).tolist(), strict=True))
