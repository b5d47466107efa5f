"""The server of a lab: one port on 127.0.0.1 that carries every face.

Inside a notebook's kernel it is werkzeug's threaded server in a thread; `ecrlab serve` uses granian (see
`ecrlab.simulator.serve`). Neither writes a word to the screen: what there is to say goes to a log file.
"""

import logging
import threading
from typing import Any

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from ecrlab.errors import EcrLabError
from ecrlab.registry.world import World
from ecrlab.simulator.access import authorize
from ecrlab.simulator.aws import AwsFace
from ecrlab.simulator.beforehand import Beforehand
from ecrlab.simulator.control import Control
from ecrlab.simulator.dispatch import Dispatcher
from ecrlab.simulator.proxy import ProxyGate
from ecrlab.simulator.recorder import Recorder
from ecrlab.simulator.v2 import DockerFace
from ecrlab.simulator.v2.wire import safe_input

HOST = "127.0.0.1"

STOP_SECONDS = 0.1
"""How soon the server notices that it should stop."""


class PortTaken(EcrLabError):
    """Something else listens on the port that was asked for."""


def application(
    world: World, aws: AwsFace | None = None, *, beforehand: Beforehand | None = None, quirks: bool = False
) -> Any:
    """The WSGI application that shows a world to AWS clients and to Docker clients."""
    docker = DockerFace(world, authorize=authorize, quirks=quirks)
    return ProxyGate(Dispatcher(aws or AwsFace(world), docker, Control(world), beforehand or Beforehand()))


class Server:
    """A lab's server in a thread of this process."""

    def __init__(self, world: World, *, port: int = 0, quirks: bool = False) -> None:
        """Listen on `port` (0: any free one). Raises `PortTaken`."""
        self.aws = AwsFace(world)
        self.beforehand = Beforehand()
        self.recorder = Recorder(application(world, self.aws, beforehand=self.beforehand, quirks=quirks))
        try:
            self._server: BaseWSGIServer = make_server(
                HOST, port, self.recorder, threaded=True, request_handler=_QuietHandler
            )
        except (OSError, SystemExit) as error:
            raise PortTaken(f"port {port} of {HOST} is taken; choose another, or none for a free one") from error
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(STOP_SECONDS,), name="ecrlab-server", daemon=True
        )
        self._thread.start()

    @property
    def endpoint(self) -> str:
        """Where it listens, as a URL."""
        return f"http://{HOST}:{self._server.server_port}"

    def stop(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _QuietHandler(WSGIRequestHandler):
    """Logs requests instead of printing them, and does not wait for ever for a client that stopped sending."""

    timeout = 60

    def make_environ(self) -> dict[str, Any]:
        """The request for WSGI, with a body that is safe to read (see `safe_input`)."""
        environ = super().make_environ()
        return {**environ, "wsgi.input": safe_input(environ["wsgi.input"])}

    def log(self, type: str, message: str, *args: Any) -> None:
        logging.getLogger("ecrlab.server").log(getattr(logging, type.upper(), logging.INFO), message, *args)
