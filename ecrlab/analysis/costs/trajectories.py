"""What becomes of a repository under any policy from any start, computed when it is first asked for, then kept.

Who tries one policy after the other always meets the same futures; a policy meets them once, over the whole time, and a
nearer horizon is the beginning of that.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

from ecrlab.analysis.costs import outlook
from ecrlab.analysis.costs.bounds import Bounds
from ecrlab.analysis.costs.prices import Prices
from ecrlab.analysis.costs.projection import Course, Future, course, prepare_all
from ecrlab.analysis.inventory.snapshot import Snapshot
from ecrlab.lifecycle import Policy


class Courses:
    """The courses of one repository in some futures."""

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


def saved(first: Sequence[Course], second: Sequence[Course], prices: Prices) -> list[Bounds[float]] | None:
    """What the second courses cost less than the first, future by future; None if nobody can know.

    Less than nothing means more.
    """
    pairs = [(outlook.paid(one, prices), outlook.paid(other, prices)) for one, other in zip(first, second, strict=True)]
    if any(cheap.most is None for _, cheap in pairs):
        return None
    return [
        Bounds(dear.least - (cheap.most or 0.0), None if dear.most is None else dear.most - cheap.least)
        for dear, cheap in pairs
    ]


def _within(one: Course, days: int) -> Course:
    """The beginning of a course. How many images each rule took is told of the whole only, so it is left out."""
    evenings = one.evenings[:days]
    end = datetime.combine(evenings[-1].day + timedelta(days=1), time(), UTC)
    in_vain = tuple(pull for pull in one.in_vain if pull.pulled_at < end)
    return replace(one, evenings=evenings, taken={}, in_vain=in_vain)
