"""What storage costs: a table of prices with its date, its sources and its doubts, which the reader can replace.

The kit's own table is `data/prices.json`. Copy it, change it to what your bill says, and pass the file as `--prices` or
to `load`. A file that lacks a price, or has an impossible one, is refused; nothing is computed without a price.

Archived bytes are billed by tiers. The first 150 TB of a month cost as much as standard storage, so archiving less
saves nothing. An archived image is billed for at least 90 days (AWS user guide, archiving an image).
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from ecrlab.analysis.costs.bounds import Bounds
from ecrlab.errors import EcrLabError

OURS = Path(__file__).parent / "data" / "prices.json"

NOTHING: Bounds[int] = Bounds.exactly(0)

DAYS_OF_A_MONTH = 30
"""UNSURE: whether AWS bills days of a month of 30 days; this does."""

LARGEST = 1e18
"""No number of a table of prices comes near it; a larger one would overflow."""


class UnusablePrices(EcrLabError):
    """A table of prices lacks a value or has an invalid one; the text names the place and the value."""


@dataclass(frozen=True, slots=True)
class Tier:
    """The price of a gigabyte for a month, up to `up_to_gb` gigabytes (None: no limit)."""

    up_to_gb: float | None
    per_gb_month: float


@dataclass(frozen=True, slots=True)
class Prices:
    """Prices of one Region at one time, in `currency`."""

    title: str
    dated: str
    currency: str
    bytes_per_gb: int
    standard: float
    """Of a gigabyte in a month."""
    archive: tuple[Tier, ...]
    minimum_days: int
    """How long an archived image is billed at least."""
    restore: float
    """Of bringing a gigabyte back from the archive."""
    sources: tuple[str, ...]
    doubts: tuple[str, ...]

    def per_month(self, standard: Bounds[int], archive: Bounds[int] = NOTHING) -> Bounds[float]:
        """What a month costs, for these bytes in the two storage classes."""
        gb = archive.times(1 / self.bytes_per_gb)
        archived = Bounds(self._by_tiers(gb.least), None if gb.most is None else self._by_tiers(gb.most))
        return standard.times(self.standard / self.bytes_per_gb) + archived

    def restoring(self, size: Bounds[int]) -> Bounds[float]:
        """What restoring these bytes from the archive costs."""
        return size.times(self.restore / self.bytes_per_gb)

    def _by_tiers(self, gb: float) -> float:
        total, start = 0.0, 0.0
        for tier in self.archive:
            end = gb if tier.up_to_gb is None else min(gb, tier.up_to_gb)
            total += max(0.0, end - start) * tier.per_gb_month
            start = end
        return total


def load(path: Path | str | None = None) -> Prices:
    """Read a table of prices, the kit's own without `path`. Raises `UnusablePrices`, which names what is wrong."""
    path = Path(path) if path is not None else OURS
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UnusablePrices(f"{path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise UnusablePrices(f"{path}: not JSON: {error}") from error
    return _Table(path.name, document).prices()


class _Table:
    """Reads a table of prices from a JSON document; an error names the place of the bad value."""

    def __init__(self, name: str, document: Any) -> None:
        self._name = name
        self._document = document

    def prices(self) -> Prices:
        minimum = self._number("archive", "minimum_days")
        return Prices(
            title=self._text("title"),
            dated=self._text("dated"),
            currency=self._text("currency"),
            bytes_per_gb=int(self._number("bytes_per_gb", least=1)),
            standard=self._number("standard", "per_gb_month"),
            archive=tuple(self._tiers()),
            minimum_days=int(minimum),
            restore=self._number("restore", "per_gb"),
            sources=tuple(self._sources()),
            doubts=tuple(self._texts("doubts")),
        )

    def _tiers(self) -> Iterator[Tier]:
        tiers = self._at("archive", "tiers")
        if not isinstance(tiers, list) or not tiers:
            self._refuse("archive.tiers", "a list of tiers is needed", tiers)
        before = 0.0
        for place in range(len(tiers)):
            price = self._number("archive", "tiers", place, "per_gb_month")
            is_last = place == len(tiers) - 1
            bound = self._at("archive", "tiers", place, "up_to_gb")
            if is_last:
                if bound is not None:
                    self._refuse(f"archive.tiers[{place}].up_to_gb", "the last tier goes on without end: null", bound)
                yield Tier(None, price)
                return
            bound = self._number("archive", "tiers", place, "up_to_gb")
            if bound <= before:
                self._refuse(f"archive.tiers[{place}].up_to_gb", f"tiers rise, so more than {before:g}", bound)
            before = bound
            yield Tier(bound, price)

    def _sources(self) -> Iterator[str]:
        for part in ("standard", "archive", "restore"):
            yield from (f"{part}: {source}" for source in self._texts(part, "sources"))

    def _number(self, *place: str | int, least: float = 0) -> float:
        value = self._at(*place)
        if type(value) not in (int, float) or not -LARGEST < value < LARGEST:
            self._refuse(_spelt(place), "a number is needed", value)
        if value < least:
            self._refuse(_spelt(place), f"at least {least:g} is needed", value)
        return float(value)

    def _text(self, *place: str | int) -> str:
        value: str = self._at(*place)
        if not _is_text(value) or not value:
            self._refuse(_spelt(place), "a text is needed", value)
        return value

    def _texts(self, *place: str | int) -> list[str]:
        value = self._at(*place)
        if not isinstance(value, list) or not all(map(_is_text, value)):
            self._refuse(_spelt(place), "a list of texts is needed", value)
        return value

    def _at(self, *place: str | int) -> Any:
        value = self._document
        for number, key in enumerate(place):
            try:
                value = value[key]
            except (KeyError, IndexError, TypeError):
                raise UnusablePrices(f"{self._name}: {_spelt(place[: number + 1])} is missing") from None
        return value

    def _refuse(self, place: str, rule: str, value: Any) -> NoReturn:
        raise UnusablePrices(f"{self._name}: {place}: {rule}, got {json.dumps(value)[:80]}")


def _is_text(value: Any) -> bool:
    """Whether a value of a JSON document can be printed: half of a surrogate pair cannot."""
    return isinstance(value, str) and not re.search("[\ud800-\udfff]", value)


def _spelt(place: tuple[str | int, ...]) -> str:
    """A place in a document as people write it.

    >>> _spelt(("archive", "tiers", 0, "per_gb_month"))
    'archive.tiers[0].per_gb_month'
    """
    return "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in place).lstrip(".")
