"""The lab's own API under `/_ecrlab/`: it moves the clock of a lab in another process, and serves its kubectl."""

import json
import urllib.parse
from datetime import timedelta
from typing import Any

from ecrlab.clock import ClockError, LabClock
from ecrlab.registry.errors import ServerException
from ecrlab.registry.world import World
from ecrlab.simulator.aws.face import LARGEST_BODY, Answer
from ecrlab.simulator.consumers.kubernetes.face import KubernetesFace
from ecrlab.simulator.v2.errors import Refusal
from ecrlab.simulator.v2.wire import Body

PREFIX = "/_ecrlab/"
KUBERNETES = PREFIX + "kubernetes/"


class Control:
    """Answers GET /_ecrlab/clock and POST /_ecrlab/clock?seconds=N or ?instant=ISO-8601, and the cluster, as JSON.

    A private lab answers only signed requests (`ecrlab.machine.signing`). A POST needs the header `X-Ecrlab: 1`, which
    a web page cannot send to another site without a preflight.
    """

    def __init__(self, world: World, kubernetes: KubernetesFace) -> None:
        self._world = world
        self._kubernetes = kubernetes

    def answer(self, environ: dict[str, Any]) -> Answer:
        """Answer one request."""
        path, method = environ["PATH_INFO"], environ["REQUEST_METHOD"]
        if path != PREFIX + "clock" and not path.startswith(KUBERNETES):
            return _json(404, error="there are /_ecrlab/clock and /_ecrlab/kubernetes/, and nothing else")
        if method != "GET" and (method != "POST" or environ.get("HTTP_X_ECRLAB") != "1"):
            return _json(405, error="GET, or POST with the header X-Ecrlab: 1")
        if path.startswith(KUBERNETES):
            return self._about_kubernetes(environ, path.removeprefix(KUBERNETES), method)
        return self._shown() if method == "GET" else self._moved(environ)

    def _about_kubernetes(self, environ: dict[str, Any], path: str, method: str) -> Answer:
        try:
            if method == "GET":
                status, answer = self._kubernetes.look(path)
            else:
                body = Body(environ).whole(LARGEST_BODY)
                status, answer = self._kubernetes.change(path, environ.get("QUERY_STRING", ""), body)
        except Refusal as error:
            return _json(error.status, error=error.message)
        except ServerException as error:
            return _json(500, error=error.message)
        return _json(status, **answer)

    def _moved(self, environ: dict[str, Any]) -> Answer:
        clock = self._world.clock
        if not isinstance(clock, LabClock):
            return _json(409, error="this lab runs on wall time; start it with `serve --clock lab` to move its clock")
        asked = dict(urllib.parse.parse_qsl(environ.get("QUERY_STRING", "")))
        try:
            if "instant" in asked:
                clock.travel_to(asked["instant"])
            else:
                clock.advance(seconds=timedelta(seconds=float(asked.get("seconds", "nan"))).total_seconds())
        except (ClockError, ValueError, OverflowError) as error:
            return _json(400, error=str(error))
        except ServerException as error:
            return _json(500, error=error.message)
        return self._shown()

    def _shown(self) -> Answer:
        kind = "lab" if isinstance(self._world.clock, LabClock) else "wall"
        return _json(200, now=self._world.clock.now().isoformat(), clock=kind)


def refusal() -> Answer:
    """Return the error of a private lab for a request that is not signed with its secret."""
    return _json(403, error="this lab answers only requests that are signed with its secret")


def _json(status: int, **members: Any) -> Answer:
    return Answer(status, {"Content-Type": "application/json"}, json.dumps(members).encode())
