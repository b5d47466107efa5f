"""The nightly jobs of a registry, run in order at each midnight.

On AWS, lifecycle policies act within a day after an image meets a rule, and continuous scanning finds new advisories
(AWS user guide, lifecycle policies; enhanced scanning). In the lab both run at 00:00 UTC of the world's clock. A clock
that moves over many days runs every night in order. Each job sees the results of the earlier jobs.
"""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

Job = Callable[[datetime], datetime | None]
"""A function that runs at a midnight. It returns the first instant at which it would have something to do again if
nothing changed, or None for never. Nights without work are skipped, so that a century costs little.
"""

DAY = timedelta(days=1)


class Nights:
    """The jobs of a world and the last midnight they were done at."""

    def __init__(self, last: datetime) -> None:
        """Begin after `last`, any instant: the first night is the next midnight."""
        self._jobs: list[Job] = []
        self._lock = threading.RLock()
        self._next = _midnight_after(last)

    @property
    def next(self) -> datetime:
        """The midnight that comes next."""
        return self._next

    def add(self, job: Job) -> None:
        """Register a job, which runs from the next midnight on; an equal job is registered once."""
        if job not in self._jobs:
            self._jobs.append(job)

    def skip(self, until: datetime) -> None:
        """Let the nights up to an instant pass without their jobs."""
        self._next = max(self._next, _midnight_after(until))

    def live_through(self, until: datetime, stand_at: Callable[[datetime], None]) -> None:
        """Run all jobs of the nights up to `until`; call `stand_at` with each midnight before its jobs.

        The first and the last of several nights are never skipped: the first, because anything may have changed since
        the night before; the last, so that the recorded times of the last runs are right.
        """
        if until < self._next:
            return
        with self._lock:
            last = _midnight_after(until) - DAY
            while self._next <= until:
                midnight = self._next
                # Set first: a job that fails is not done again and again by every later request.
                self._next = midnight + DAY
                stand_at(midnight)
                wanted = [again for job in self._jobs if (again := job(midnight)) is not None]
                first = _midnight_after(max(min(wanted), midnight) - timedelta(microseconds=1)) if wanted else last
                self._next = max(self._next, min(first, last))


def _midnight_after(instant: datetime) -> datetime:
    return instant.replace(hour=0, minute=0, second=0, microsecond=0) + DAY
