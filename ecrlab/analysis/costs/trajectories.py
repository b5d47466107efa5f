"""The trajectories of a repository under any policy and start, computed on first use and then kept.

All policies are simulated in the same futures, each once and over the whole time; a nearer horizon is a prefix of that.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

from ecrlab.analysis.costs import outlook
from ecrlab.analysis.costs.bounds import Bounds
from ecrlab.analysis.costs.prices import Prices
from ecrlab.analysis.costs.projection import Future, Trajectory, prepare_all, simulate
from ecrlab.analysis.inventory.snapshot import Snapshot
from ecrlab.lifecycle import Policy


class Trajectories:
    """The trajectories of one repository in some futures."""

    def __init__(self, snapshot: Snapshot, to_come: Sequence[Future]) -> None:
        self.snapshot = snapshot
        self._ready = prepare_all(snapshot, to_come)
        self._known: dict[tuple[str, int], tuple[Trajectory, ...]] = {}

    @property
    def days(self) -> int:
        """The number of days in each future."""
        return len(self._ready[0])

    def of(self, policy: Policy | None, start: int, days: int) -> tuple[Trajectory, ...]:
        """A trajectory in each future, of the first `days`, with the policy put after `start` of them."""
        # Without a policy the start makes no difference.
        key = (policy.text, start) if policy else ("", 0)
        if key not in self._known:
            self._known[key] = tuple(simulate(self.snapshot, policy, ready, start=start) for ready in self._ready)
        return tuple(_within(one, days) for one in self._known[key])


def saved(first: Sequence[Trajectory], second: Sequence[Trajectory], prices: Prices) -> list[Bounds[float]] | None:
    """What the second trajectories cost less than the first, future by future; None if that is unknown.

    A negative amount means that they cost more.
    """
    pairs = [(outlook.paid(one, prices), outlook.paid(other, prices)) for one, other in zip(first, second, strict=True)]
    if any(cheap.most is None for _, cheap in pairs):
        return None
    return [
        Bounds(dear.least - (cheap.most or 0.0), None if dear.most is None else dear.most - cheap.least)
        for dear, cheap in pairs
    ]


def _within(one: Trajectory, days: int) -> Trajectory:
    """The beginning of a trajectory, without `taken`, which is known only for the whole."""
    daily = one.daily[:days]
    end = datetime.combine(daily[-1].day + timedelta(days=1), time(), UTC)
    failed_pulls = tuple(pull for pull in one.failed_pulls if pull.pulled_at < end)
    return replace(one, daily=daily, taken={}, failed_pulls=failed_pulls)
