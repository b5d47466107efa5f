"""The lab's clock, the only source of time in the simulated ECR.

A lesson needs images from yesterday, and a token that is thirteen hours old. So ECR and ECR Public never ask the
machine for the time; they ask a clock. `LabClock` starts at a fixed instant. It moves only on request, and by one
second for each change, so that the order of events is strict and every run prints the same dates. `WallClock` is the
machine's own time, for `ecrlab serve`.
"""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol

from ecrlab.errors import EcrLabError

START = datetime(2026, 10, 1, 9, 0, tzinfo=UTC)
"""The default start of a lab's clock: a Thursday morning, two weeks after the newest gallery images."""

CHANGE = timedelta(seconds=1)
"""How long one change of the registry takes."""

LAST = datetime(9999, 1, 1, tzinfo=UTC)
"""How far a lab's clock can be moved; the year after it is left for changes and expiries."""


class ClockError(EcrLabError):
    """A clock rejects a request."""


class Clock(Protocol):
    """The interface of a clock that the registry uses."""

    def now(self) -> datetime:
        """The present instant, in UTC."""
        ...

    def after_change(self) -> datetime:
        """The instant of a change that begins now; the clock does not move yet."""
        ...

    def settle(self, instant: datetime) -> None:
        """End the change of `instant`: the clock stands at or after it."""
        ...


class WallClock:
    """The machine's own time, to the millisecond, as AWS returns it.

    Changes may share a millisecond (the registry numbers them as well), but none is earlier than one before it, even
    when the machine's time is set back.
    """

    def __init__(self) -> None:
        self._last_change = datetime.min.replace(tzinfo=UTC)

    def now(self) -> datetime:
        """The present instant, in UTC."""
        return datetime.fromtimestamp(int(time.time() * 1000) / 1000, UTC)

    def after_change(self) -> datetime:
        """The present instant: on a wall clock a change takes no extra time."""
        return max(self.now(), self._last_change)

    def settle(self, instant: datetime) -> None:
        """Remember the change; wall time moves by itself."""
        self._last_change = max(self._last_change, instant)


class LabClock:
    """Simulated time: it stands still until it is moved, or until something changes.

    >>> clock = LabClock()
    >>> clock.advance(days=1, hours=13).isoformat()
    '2026-10-02T22:00:00+00:00'
    >>> clock.advance(seconds=-1)
    Traceback (most recent call last):
    ecrlab.clock.ClockError: time only moves forward: cannot advance by -1 day, 23:59:59
    """

    on_the_way: Callable[[datetime], None] = staticmethod(lambda there: None)
    """Called with the instant that the clock will be moved to: the world lives through the nights between."""

    before_moving: Callable[[datetime], None] = staticmethod(lambda there: None)
    """Called with the instant that the clock is being moved to, first of all: the world that runs on it remembers the
    time. An exception, such as for a full disk, leaves the clock unmoved.
    """

    def __init__(self, start: datetime = START) -> None:
        """Start at `start`; an instant without a zone is UTC. Raises `ClockError` beyond the year 9998."""
        self._lock = threading.Lock()
        self._moving = threading.RLock()  # held while the clock is moved
        self._now = datetime.min.replace(tzinfo=UTC)
        self.travel_to(start)

    def now(self) -> datetime:
        """The present instant of the lab, in UTC."""
        return self._now

    def after_change(self) -> datetime:
        """One second from now: the instant of the next change."""
        return self._now + CHANGE

    def settle(self, instant: datetime) -> None:
        """Move to `instant`, unless the clock is later already."""
        with self._lock:
            self._now = max(self._now, instant)

    def advance(self, **duration: float) -> datetime:
        """Move the clock forward by a `timedelta` (`days=30`, `hours=13`), and return the new instant.

        Raises `ClockError` for a negative duration, or one that leads beyond the year 9998.
        """
        try:
            step = timedelta(**duration)
        except (OverflowError, ValueError) as error:
            raise ClockError(f"not a duration: {duration}") from error
        if step < timedelta(0):
            raise ClockError(f"time only moves forward: cannot advance by {step}")
        with self._moving:
            if step > LAST - self._now:
                raise ClockError(f"the lab's calendar ends with the year 9998: cannot advance by {step}")
            return self._move(self._now + step)

    def travel_to(self, instant: datetime | str) -> datetime:
        """Move the clock to a later instant (a datetime, or ISO 8601 such as `2026-12-24T18:00`), and return it.

        Raises `ClockError` for an instant in the lab's past or beyond the year 9998, or an invalid text.
        """
        try:
            there = _in_utc(datetime.fromisoformat(instant) if isinstance(instant, str) else instant)
        except (OverflowError, ValueError) as error:
            raise ClockError(f"not an ISO 8601 instant: {instant!r}") from error
        with self._moving:
            if there < self._now:
                raise ClockError(f"time only moves forward: it is {self._now.isoformat()}, past {there.isoformat()}")
            if there > LAST:
                raise ClockError(f"the lab's calendar ends with the year 9998: cannot go to {there.isoformat()}")
            return self._move(there)

    def _move(self, there: datetime) -> datetime:
        self.before_moving(there)
        self.on_the_way(there)
        self.settle(there)
        return there


def _in_utc(instant: datetime) -> datetime:
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
