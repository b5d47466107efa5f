"""Amounts that are known only within bounds: bytes of images whose manifests cannot be read, and their cost.

An unknown amount is never counted as zero. An image without a readable manifest holds at least no bytes of its own,
because others may have all its layers, and at most the size that ECR shows. Without that size there is no upper bound.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from ecrlab.analysis.inventory.units import format_bytes

Number = TypeVar("Number", int, float)


@dataclass(frozen=True, slots=True)
class Bounds(Generic[Number]):
    """At least `least`, at most `most`; None for no bound.

    >>> Bounds(3, 5) + Bounds.exactly(1)
    Bounds(least=4, most=6)
    """

    least: Number
    most: Number | None

    def __post_init__(self) -> None:
        if self.most is not None and self.most < self.least:
            raise ValueError(f"most must be at least {self.least}, got {self.most}")

    @classmethod
    def exactly(cls, number: Number) -> "Bounds[Number]":
        """An exact amount."""
        return cls(number, number)

    @property
    def is_exact(self) -> bool:
        """Whether the amount is exact."""
        return self.least == self.most

    def __add__(self, other: "Bounds[Number]") -> "Bounds[Number]":
        most = None if self.most is None or other.most is None else self.most + other.most
        return Bounds(self.least + other.least, most)

    def times(self, factor: float) -> "Bounds[float]":
        """Both bounds multiplied, as from gigabytes to money."""
        return Bounds(self.least * factor, None if self.most is None else self.most * factor)


def format_size(size: Bounds[int]) -> str:
    """Bytes as people read them, with their bounds if they are not exact.

    >>> format_size(Bounds.exactly(57_000_000)), format_size(Bounds(0, 5711)), format_size(Bounds(441, None))
    ('57 MB', '0 B to 5.7 kB', 'at least 441 B')
    """
    return format_bounds(size, format_bytes)


def format_money(amount: Bounds[float], currency: str) -> str:
    """Money to the cent; a positive sum below half a cent is `under 0.01`.

    >>> format_money(Bounds.exactly(1234.5), "USD"), format_money(Bounds(0.001, 2.0), "USD")
    ('1,234.50 USD', 'under 0.01 to 2.00 USD')
    """

    def cents(number: float) -> str:
        return "under 0.01" if 0 < number < 0.005 else f"{number:,.2f}"

    return f"{format_bounds(amount, cents)} {currency}"


def format_bounds(amount: Bounds[Number], spell: Callable[[Number], str]) -> str:
    """Bounds in words; `spell` writes one number."""
    if amount.most is None:
        return f"at least {spell(amount.least)}"
    if amount.is_exact:
        return spell(amount.least)
    return f"{spell(amount.least)} to {spell(amount.most)}"
