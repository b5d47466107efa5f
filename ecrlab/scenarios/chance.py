"""Reproducible randomness: the same names make the same numbers, on every machine and in every Python.

Only `random.Random.random` is used, because it is the one generator that Python promises to keep the same (Python
documentation, `random`, notes on reproducibility); `choice`, `sample` and the rest may change from release to release.
For the same reason nothing here takes a logarithm, whose last digit depends on the machine.
"""

import random
from collections.abc import Sequence
from typing import TypeVar

Thing = TypeVar("Thing")


class Chance:
    """An independent stream of random numbers for these names; using one does not change another."""

    def __init__(self, *names: object) -> None:
        self._random = random.Random(" ".join(map(str, names)))  # noqa: S311 - made-up shops, no secrets

    def happens(self, probability: float) -> bool:
        """Whether something of this probability happens."""
        return self._random.random() < probability

    def between(self, low: int, high: int) -> int:
        """A whole number from `low` to `high`, both included; less than 2**50 apart."""
        return low + int(self._random.random() * (high - low + 1))

    def about(self, size: float, spread: float = 0.1) -> int:
        """A whole number around `size`, at most the share `spread` of it away."""
        return int(size * (1 + spread * (2 * self._random.random() - 1)))

    def times(self, rate: float) -> int:
        """How often something happens today that happens `rate` times a day on average."""
        return int(rate) + self.happens(rate % 1)

    def pick(self, things: Sequence[Thing]) -> Thing:
        """One of them."""
        return things[self.between(0, len(things) - 1)]

    def some(self, things: Sequence[Thing], count: int) -> list[Thing]:
        """That many of them, each at most once, in random order."""
        left = list(things)
        return [left.pop(self.between(0, len(left) - 1)) for _ in range(count)]

    def commit(self) -> str:
        """An abbreviated git commit, as in tags."""
        return f"{self.between(0, 16**8 - 1):08x}"
