"""The limit on pulls from public.ecr.aws without a login: on AWS one a second (ECR Public user guide, service quotas).

Each GET of a manifest counts, and each listing of tags (dependabot/dependabot-core#11921). A pull of an index asks for
two manifests, so it meets the limit first (aws/aws-lambda-web-adapter#429).
"""

import threading
from datetime import datetime

from ecrlab.simulator.v2.errors import Refusal

AT_ONCE = 2
"""How many requests may come at once: one pull of an index. UNSURE: AWS's number."""


class PullLimit:
    """A bucket that fills with `per_second` requests each second of the lab's clock; None turns it off.

    All clients of a lab without a login share the bucket, as those behind one address do.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._per_second: float | None = None
        self._left = 0.0
        self._filled_at: datetime | None = None

    @property
    def per_second(self) -> float | None:
        """The limit."""
        return self._per_second

    @per_second.setter
    def per_second(self, limit: float | None) -> None:
        with self._lock:
            self._per_second, self._filled_at = limit, None

    def take(self, now: datetime) -> None:
        """Count one request. Raises `Refusal` if the bucket is empty."""
        with self._lock:
            if self._per_second is None:
                return
            most = max(self._per_second, AT_ONCE)
            if self._filled_at is None:
                self._left = most
            else:
                seconds = (now - self._filled_at).total_seconds()
                self._left = min(most, self._left + seconds * self._per_second)
            self._filled_at = now
            if self._left < 1:
                raise Refusal(429, "TOOMANYREQUESTS", "Rate exceeded")
            self._left -= 1
