"""The lab's own requests to moto's services, which run before the first request of a client.

A scenario has tasks running in ECS. moto's ECS takes a second to load, and most labs never use it. So the lab's
requests to a service wait until the service gets its first request.
"""

import io
import json
import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ecrlab.machine.environment import ACCESS_KEY_ID, REGION

log = logging.getLogger("ecrlab.server")


@dataclass(frozen=True, slots=True)
class Request:
    """A request of the learner's account to a JSON service; `target` is its X-Amz-Target."""

    service: str
    target: str
    body: Mapping[str, Any]

    def environ(self) -> dict[str, Any]:
        """Return the request as a WSGI environment."""
        body = json.dumps(self.body).encode()
        credential = f"{ACCESS_KEY_ID}/20261001/{REGION}/{self.service}/aws4_request"
        return {
            "REQUEST_METHOD": "POST",
            "PATH_INFO": "/",
            "QUERY_STRING": "",
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "HTTP_HOST": f"{self.service}.{REGION}.amazonaws.com",
            # Signatures are not checked; only the key, the Region and the service are read.
            "HTTP_AUTHORIZATION": f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=0",
            "HTTP_X_AMZ_TARGET": self.target,
            "CONTENT_TYPE": "application/x-amz-json-1.1",
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body),
        }


class WarmUp:
    """A queue of requests for each moto service."""

    def __init__(self) -> None:
        self._waiting: dict[str, list[Request]] = {}
        self._lock = threading.Lock()

    def ask(self, request: Request) -> None:
        """Queue a request. It runs before the next client's request to that service."""
        with self._lock:
            self._waiting.setdefault(request.service, []).append(request)

    @property
    def is_waiting(self) -> bool:
        """Whether requests wait."""
        return bool(self._waiting)

    def make_all(self, application: Any) -> None:
        """Run the queued requests of every service."""
        for service in list(self._waiting):
            self.make(service, application)

    def make(self, service: str, application: Any) -> None:
        """Run the queued requests of a service through moto's WSGI application. Other requests wait meanwhile."""
        if not self._waiting:
            return
        with self._lock:
            for request in self._waiting.pop(service, ()):
                statuses: list[str] = []
                body = b"".join(application(request.environ(), lambda status, *_, to=statuses: to.append(status)))
                if statuses != ["200 OK"]:
                    log.error("%s was refused: %s %r", request.target, statuses, body)
