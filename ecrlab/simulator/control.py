"""The lab's own API under `/_ecrlab/`: it moves the clock of a lab in another process."""

import json
import urllib.parse
from datetime import timedelta
from typing import Any

from ecrlab.clock import ClockError, LabClock
from ecrlab.registry.errors import ServerException
from ecrlab.registry.world import World
from ecrlab.simulator.aws.face import Answer

PREFIX = "/_ecrlab/"


class Control:
    """Answers GET /_ecrlab/clock and POST /_ecrlab/clock?seconds=N or ?instant=ISO-8601, as JSON.

    A POST needs the header `X-Ecrlab: 1`, which a web page cannot send to another site without a preflight.
    """

    def __init__(self, world: World) -> None:
        self._world = world

    def answer(self, environ: dict[str, Any]) -> Answer:
        """Answer one request."""
        if environ["PATH_INFO"] != PREFIX + "clock":
            return _json(404, error="there is /_ecrlab/clock, and nothing else")
        if environ["REQUEST_METHOD"] == "GET":
            return self._shown()
        if environ["REQUEST_METHOD"] != "POST" or environ.get("HTTP_X_ECRLAB") != "1":
            return _json(405, error="GET, or POST with the header X-Ecrlab: 1")
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


def _json(status: int, **members: str) -> Answer:
    return Answer(status, {"Content-Type": "application/json"}, json.dumps(members).encode())
