"""Two policies held against the same futures of a repository: what each leaves, what each costs, what one saves.

    courses of A ─┐ within a horizon
    courses of B ─┴─► Outlook ──► for each day the spread, for the whole time the money, and the pulls in vain

Both meet the same futures, so that what one saves is computed future by future, and only then spread out. What could
not be read has bounds only; it is never taken for nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from statistics import median

from ecrlab.analysis import amounts
from ecrlab.analysis.amounts import Amount
from ecrlab.analysis.prices import DAYS_OF_A_MONTH, Prices
from ecrlab.analysis.projection import Course, Evening, Future, Projection, course, prepare_all
from ecrlab.analysis.snapshot import Snapshot
from ecrlab.lifecycle import Policy


@dataclass(frozen=True)
class Outlook:
    """The courses of a repository under two policies, which have names of their own, within some days."""

    courses: Mapping[str, Sequence[Course]]
    """For the first policy, then for the second: a course in each future."""
    prices: Prices

    @property
    def days(self) -> int:
        """How many days it looks ahead."""
        return len(self._all[0].evenings)

    @property
    def dates(self) -> list[str]:
        """These days, as ISO 8601."""
        return [evening.day.isoformat() for evening in self._all[0].evenings]

    @property
    def is_exact(self) -> bool:
        """Whether all bytes are known."""
        return all(evening.stored.all.is_exact for one in self._all for evening in one.evenings)

    def cost(self, policy: str) -> list[Amount[float]]:
        """What storage costs over the whole time, in each future."""
        return [self._total(one) for one in self.courses[policy]]

    def saved(self) -> list[Amount[float]] | None:
        """What the second policy saves, in each future; less than nothing if it costs more, None if nobody can know."""
        first, second = self.courses
        pairs = list(zip(self.cost(first), self.cost(second), strict=True))
        if any(cheap.most is None for _, cheap in pairs):
            return None
        return [
            Amount(dear.least - (cheap.most or 0.0), None if dear.most is None else dear.most - cheap.least)
            for dear, cheap in pairs
        ]

    def per_month(self, evening: Evening) -> Amount[float]:
        """What a month costs of the bytes that are there on an evening."""
        return self.prices.per_month(evening.stored.standard, evening.stored.archive)

    def spread(self, policy: str, of: Callable[[Evening], float]) -> list[tuple[float, float, float]]:
        """For each day the lowest, the middle and the highest of a quantity over all futures."""
        return Projection("", {policy: tuple(self.courses[policy])}).spread(policy, of)

    def in_vain(self, policy: str) -> list[int]:
        """How many pulls find nothing, in each future."""
        return [len(one.in_vain) for one in self.courses[policy]]

    def _total(self, one: Course) -> Amount[float]:
        months = sum(map(self.per_month, one.evenings), Amount.exactly(0.0))
        return months.times(1 / DAYS_OF_A_MONTH)

    @property
    def _all(self) -> list[Course]:
        return [one for courses in self.courses.values() for one in courses]


class Courses:
    """What becomes of a repository under any policy from any start, computed when it is first asked for, then kept."""

    def __init__(self, snapshot: Snapshot, to_come: Sequence[Future]) -> None:
        self.snapshot = snapshot
        self._ready = prepare_all(snapshot, to_come)
        self._known: dict[tuple[str, int], tuple[Course, ...]] = {}

    @property
    def days(self) -> int:
        """How far ahead the futures reach."""
        return len(self._ready[0])

    def of(self, policy: Policy | None, start: int, days: int) -> tuple[Course, ...]:
        """A course in each future, of the first `days`, with the policy put after `start` of them."""
        # Without a policy it is all one when none begins.
        key = (policy.text, start) if policy else ("", 0)
        if key not in self._known:
            self._known[key] = tuple(course(self.snapshot, policy, ready, start=start) for ready in self._ready)
        return tuple(_within(one, days) for one in self._known[key])


def _within(one: Course, days: int) -> Course:
    """The beginning of a course. How many images each rule took is told of the whole only, so it is left out."""
    evenings = one.evenings[:days]
    end = datetime.combine(evenings[-1].day + timedelta(days=1), time(), UTC)
    in_vain = tuple(pull for pull in one.in_vain if pull.pulled_at < end)
    return replace(one, evenings=evenings, taken={}, in_vain=in_vain)


def told(values: Sequence[Amount[float]], spell: Callable[[float], str]) -> str:
    """Amounts of several futures as the middle one and the spread; as bounds where they are not known.

    >>> told([Amount.exactly(2.0), Amount.exactly(1.0), Amount.exactly(4.0)], "{:.0f}".format)
    '2 (1 to 4)'
    >>> told([Amount.exactly(2.0), Amount(1.0, 3.0)], "{:.0f}".format)
    '1 to 3'
    """
    least = min(value.least for value in values)
    mosts = [value.most for value in values]
    most = None if None in mosts else max(most for most in mosts if most is not None)
    if not all(value.is_exact for value in values):
        return amounts.bounds(Amount(least, most), spell)
    middle, low, high = spell(median(value.least for value in values)), spell(least), spell(most or 0.0)
    return middle if low == high else f"{middle} ({low} to {high})"
