"""A log of the requests to moto's services, which can be made again: so another process gets the same users and roles.

moto keeps its state in memory, in objects of its own. Its ids come from a seed, so the same requests in the same order
lead to the same state. What pulls images also depends on the time and on the registry; both are logged with a request.
"""

import base64
import io
import logging
import threading
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from ecrlab.registry.store import snapshots
from ecrlab.registry.world import World
from ecrlab.simulator.access.callers import read_signature

KEPT = ("REQUEST_METHOD", "PATH_INFO", "QUERY_STRING", "SERVER_PROTOCOL", "CONTENT_TYPE", "wsgi.url_scheme")
"""What a request needs besides its headers and its body."""

MADE_AGAIN = ("awslambda", "ec2", "ecs", "iam", "kms", "secretsmanager", "sts")
"""moto's names of the services that ECR or a lesson's judge asks. Requests may be forged, and others of moto's services
reach further: into the network, or into moto's own settings.
"""

CONSUMERS = ("ecs", "lambda")
"""Services that pull images, as signatures name them."""

MOST_REQUESTS, MOST_BYTES = 20_000, 4 * 1024 * 1024
"""Requests to keep, and the bytes of a body that is kept; a lesson makes a few hundred small ones."""

log = logging.getLogger("ecrlab.server")


class RequestLog:
    """WSGI middleware that keeps every request: a dictionary of strings, which JSON can hold.

    `at` is the time, and `registry` the name of the registry's state in `folder` for a service that pulls images.
    """

    def __init__(self, application: Any, world: World, folder: Path) -> None:
        self._application, self._world, self._folder = application, world, folder
        self._lock = threading.Lock()
        self._saved: tuple[int, int] | None = None
        self._state = ""
        self.requests: list[dict[str, str]] = []

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer one request, and keep it unless it is too large."""
        body = environ["wsgi.input"].read()
        if len(self.requests) < MOST_REQUESTS and len(body) <= MOST_BYTES:
            kept = {name: str(environ.get(name, "")) for name in KEPT}
            kept |= {name: value for name, value in environ.items() if name.startswith("HTTP_")}
            with self._lock:
                kept |= {"at": self._world.clock.now().isoformat(), "registry": self._registry(environ)}
                self.requests.append(kept | {"body": base64.b64encode(body).decode()})
        answer: Iterable[bytes] = self._application({**environ, "wsgi.input": io.BytesIO(body)}, start_response)
        return answer

    def _registry(self, environ: dict[str, Any]) -> str:
        """Save the registry if it has changed, and return the name of its state; nothing for most services."""
        signature = read_signature(environ.get("HTTP_AUTHORIZATION", ""))
        if signature is None or signature.service not in CONSUMERS:
            return ""
        if self._saved != self._world.store.changes:
            self._folder.mkdir(exist_ok=True)
            self._state = f"{sum(1 for _ in self._folder.iterdir()) + 1:04}"
            (self._folder / self._state).mkdir()
            snapshots.save(self._world, self._folder / self._state)
            self._saved = self._world.store.changes
        return self._state


def make_again(requests: Sequence[dict[str, str]], application: Any, world: World, folder: Path) -> None:
    """Make logged requests once more, in order, at their times and with the registry's states in a folder.

    A request that fails is the same as one that changes nothing. Raises `SnapshotError`.
    """
    state = ""
    for request in requests:
        world.skip_to(datetime.fromisoformat(request["at"]))
        if request["registry"] not in ("", state):
            state = request["registry"]
            snapshots.load(world, folder / f"{int(state):04}")
        body = base64.b64decode(request["body"])
        environ = {name: value for name, value in request.items() if name in KEPT or name.startswith("HTTP_")}
        environ |= {"SERVER_NAME": "127.0.0.1", "SERVER_PORT": "80", "CONTENT_LENGTH": str(len(body))}
        try:
            for _ in application({**environ, "wsgi.input": io.BytesIO(body)}, lambda *_: None):
                pass
        except Exception:
            log.exception("a request could not be made again")
