"""An amount that may be known only within bounds: bytes of images that nobody could read, and what these cost.

What is not known is never taken for nothing. An image without a readable manifest holds at least no bytes of its own
(others may have all its layers too), and at most the size that ECR shows of it; if there is no such size, there is no
bound.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

Number = TypeVar("Number", int, float)


@dataclass(frozen=True, slots=True)
class Amount(Generic[Number]):
    """At least `least`, at most `most`; None for no bound.

    >>> Amount(3, 5) + Amount.exactly(1)
    Amount(least=4, most=6)
    """

    least: Number
    most: Number | None

    def __post_init__(self) -> None:
        if self.most is not None and self.most < self.least:
            raise ValueError(f"most must be at least {self.least}, got {self.most}")

    @classmethod
    def exactly(cls, number: Number) -> "Amount[Number]":
        """An amount that is known."""
        return cls(number, number)

    @property
    def is_exact(self) -> bool:
        """Whether it is known."""
        return self.least == self.most

    def __add__(self, other: "Amount[Number]") -> "Amount[Number]":
        most = None if self.most is None or other.most is None else self.most + other.most
        return Amount(self.least + other.least, most)

    def times(self, factor: float) -> "Amount[float]":
        """So much of it: bytes into gigabytes, gigabytes into money."""
        return Amount(self.least * factor, None if self.most is None else self.most * factor)


def readable(size: Amount[int]) -> str:
    """Bytes as people read them; what is not known is said.

    >>> readable(Amount.exactly(57_000_000)), readable(Amount(0, 5711)), readable(Amount(441, None))
    ('57 MB', '0 B to 5.7 kB', 'at least 441 B')
    """
    from ecrlab.analysis.inventory import holdings

    return bounds(size, holdings.readable)


def money(amount: Amount[float], currency: str) -> str:
    """Money to the cent; a sum that is not nothing, but less than a cent, says so.

    >>> money(Amount.exactly(1234.5), "USD"), money(Amount.exactly(0.001), "USD"), money(Amount(0.0, 2.0), "USD")
    ('1,234.50 USD', 'under 0.01 USD', '0.00 to 2.00 USD')
    """

    def cents(number: float) -> str:
        return "under 0.01" if 0 < number < 0.005 else f"{number:,.2f}"

    return f"{bounds(amount, cents)} {currency}"


def bounds(amount: Amount[Number], spell: Callable[[Number], str]) -> str:
    """An amount in words, its numbers spelt by `spell`."""
    if amount.most is None:
        return f"at least {spell(amount.least)}"
    if amount.is_exact:
        return spell(amount.least)
    return f"{spell(amount.least)} to {spell(amount.most)}"
