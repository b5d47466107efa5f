"""The WSGI application: it routes a request to its handler, and writes every result or error as a response."""

import logging
import re
from collections.abc import Callable, Iterable
from typing import Any

from ecrlab.registry.errors import EcrError
from ecrlab.registry.world import World
from ecrlab.simulator.v2 import auth, blobs, listings, manifests
from ecrlab.simulator.v2.auth import Authorize, NotAuthorized
from ecrlab.simulator.v2.errors import Refusal, not_here, refusal, wrong_method
from ecrlab.simulator.v2.quirks import Quirks
from ecrlab.simulator.v2.recording import recorded
from ecrlab.simulator.v2.visit import Handler, Visit
from ecrlab.simulator.v2.wire import Request, Response

log = logging.getLogger("ecrlab.v2")


def ping(visit: Visit) -> Response:
    """GET /v2/: confirm that this is a registry and that the token is valid."""
    del visit
    return Response(200, [("Content-Type", "application/json")], b"{}")


_NAME = r"/v2/(?P<name>.+)"
_THING = r"(?P<thing>[^/]+)"
_PLACES: dict[str, dict[str, Handler]] = {
    r"/v2/?": {"GET": ping, "HEAD": ping},
    r"/v2/_catalog": {"GET": listings.catalog, "HEAD": listings.catalog},
    rf"{_NAME}/blobs/uploads/?": {"POST": blobs.begin},
    rf"{_NAME}/blobs/uploads/{_THING}": {
        "GET": blobs.status,
        "PATCH": blobs.append,
        "PUT": blobs.complete,
        "DELETE": blobs.cancel,
    },
    rf"{_NAME}/blobs/{_THING}": {"GET": blobs.send, "HEAD": blobs.look, "DELETE": blobs.remove},
    rf"{_NAME}/manifests/{_THING}": {
        "GET": manifests.send,
        "HEAD": manifests.look,
        "PUT": manifests.put,
        "DELETE": manifests.remove,
    },
    rf"{_NAME}/tags/list": {"GET": listings.tags, "HEAD": listings.tags},
    rf"{_NAME}/referrers/{_THING}": {"GET": listings.list_referrers, "HEAD": listings.list_referrers},
}
_COMPILED = [(re.compile(pattern, re.DOTALL), handlers) for pattern, handlers in _PLACES.items()]


class DockerFace:
    """The registry API of a world for Docker clients.

    `authorize` authorizes each request (see `auth.Authorize`). By default an account may do everything in its own
    registry, and nothing in others'. `quirks` turns on ECR's deviations from the specification (see `quirks`).
    """

    def __init__(self, world: World, *, authorize: Authorize | None = None, quirks: bool = False) -> None:
        self._world = world
        self._authorize = authorize or auth.owners_only
        self._bearer = auth.Bearers(world)
        self._quirks = Quirks() if quirks else None

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer one request."""
        return respond(environ, self._answer).send(environ, start_response)

    def _answer(self, request: Request) -> Response:
        self._world.keep_up()
        token = self._bearer(request.host, request.header("Authorization"))
        registry = auth.registry_of(self._world, request.host, token)
        handler, name, thing = route(request)
        return recorded(handler, Visit(request, token, registry, name, thing, self._authorize, self._quirks))


def respond(environ: dict[str, Any], answer: Callable[[Request], Response]) -> Response:
    """Return the answer to a request, or the response that reports its error."""
    try:
        return answer(Request(environ))
    except NotAuthorized as nobody:
        return Response(401, nobody.headers, b"Not Authorized\n")
    except Refusal as bad:
        return Response.of_refusal(bad)
    except EcrError as error:
        return Response.of_refusal(refusal(error))
    except Exception:
        log.exception("%s %s failed", environ["REQUEST_METHOD"], environ["PATH_INFO"])
        return Response.of_refusal(Refusal(500, "UNKNOWN", "The lab itself failed; its log says how"))


def route(request: Request) -> tuple[Handler, str, str]:
    """Return the handler of a request, and the repository and the item that its path names. Raises `Refusal`."""
    for pattern, handlers in _COMPILED:
        if found := pattern.fullmatch(request.path):
            handler = handlers.get(request.method)
            if handler is None:
                raise wrong_method(request.method, list(handlers))
            where = {"name": "", "thing": ""} | found.groupdict()
            return handler, where["name"], where["thing"]
    raise not_here(request.path)
