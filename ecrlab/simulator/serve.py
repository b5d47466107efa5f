"""The simulator as a server of its own, for terminals, other programs and real Docker clients.

The first line on standard output is the endpoint; after it come the lines that point clients at it.
"""

import argparse
import os
import socket
from pathlib import Path
from typing import Any

from granian.constants import Interfaces
from granian.http import HTTP1Settings
from granian.net import SocketSpec  # type: ignore[attr-defined]  # granian uses this name, without exporting it
from granian.server.mt import MTServer

from ecrlab import environment
from ecrlab.clock import Clock, LabClock, WallClock
from ecrlab.docker import install
from ecrlab.errors import EcrLabError
from ecrlab.registry.world import World
from ecrlab.running import LabFolder
from ecrlab.simulator.idle import IDLE_SECONDS, IdleWatch
from ecrlab.simulator.server import HOST, PortTaken, application

BACKLOG = 1024
"""How many connections may wait to be taken."""

THREADS = 64
"""How many requests are answered at a time."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `ecrlab serve`."""
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1 (default: any free one)")
    parser.add_argument("--state", type=Path, metavar="DIR", help="keep ECR's data in DIR (default: forget it)")
    parser.add_argument(
        "--clock",
        choices=("wall", "lab"),
        default="wall",
        help="wall time (default), or the lab's, moved by `ecrlab clock`",
    )
    parser.add_argument("--quirks", choices=("ecr",), help="deviate from the OCI specification where ECR does")


def run(options: argparse.Namespace) -> int:
    """Serve until Ctrl-C or SIGTERM."""
    clock: Clock = LabClock() if options.clock == "lab" else WallClock()
    folder = LabFolder()
    try:
        environment.write_files(folder.path, base=os.environ)
        install(folder.path / "bin")
        world = World(options.state or folder.path / "state", clock, durable=options.state is not None)
        try:
            server = GranianServer(application(world, quirks=options.quirks == "ecr"), port=options.port)
            folder.announce(server.endpoint)
            print(server.endpoint, how_to_use(server.endpoint), sep="\n", flush=True)
            server.serve()
        finally:
            world.close()
    finally:
        folder.remove()
    return 0


def how_to_use(endpoint: str) -> str:
    """How to point an AWS client and a Docker client at an endpoint."""
    host = endpoint.removeprefix("http://")
    return f"""
In another terminal, in this folder, point AWS clients here:

  eval "$(python3 -m ecrlab env)"
  aws ecr create-repository --repository-name my-app

or, without it: export AWS_ENDPOINT_URL={endpoint} AWS_DEFAULT_REGION={environment.REGION}
                export AWS_ACCESS_KEY_ID={environment.ACCESS_KEY_ID}
                export AWS_SECRET_ACCESS_KEY={environment.SECRET_ACCESS_KEY}

and a Docker client:

  aws ecr get-login-password | skopeo login --tls-verify=false --username AWS --password-stdin {host}
  skopeo copy --dest-tls-verify=false oci:DIRECTORY docker://{host}/my-app:v1

Ctrl-C stops the server."""


class GranianServer(MTServer):
    """granian, with its one worker in this process.

    granian puts its workers into processes of their own; the registry wants exactly one process, which holds the lock
    on its state directory, so that whoever ends it ends all of it. Its thread server does that, and does not need the
    free-threaded Python it asks for.
    """

    def __init__(self, target: Any, *, port: int, idle_seconds: float = IDLE_SECONDS) -> None:
        """Listen on `port` of 127.0.0.1 (0: any free one), and end connections that are silent too long.

        Raises `PortTaken`.
        """
        super().__init__(
            "ecrlab",
            address=HOST,
            port=port,
            interface=Interfaces.WSGI,
            blocking_threads=THREADS,
            backpressure=4 * THREADS,
            websockets=False,
            log_enabled=False,
            http1_settings=HTTP1Settings(header_read_timeout=30_000),
        )
        self._application = target
        self._listen(port)
        self._idle_watch = IdleWatch(self._address, seconds=idle_seconds)

    def serve(self, *_: Any, **__: Any) -> None:
        """Serve until a signal comes."""
        self._idle_watch.start()
        super().serve(target_loader=lambda: self._application, wrap_loader=False)

    def _listen(self, port: int) -> None:
        if not 0 <= port < 65536:
            raise EcrLabError(f"a port is a number from 1 to 65535 (0: any free one), got {port}")
        # granian's sockets share a port with each other; a plain one finds out whether somebody is there.
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError as error:
                raise PortTaken(f"port {port} of {HOST} is taken; choose another, or none for a free one") from error
        holder = SocketSpec(HOST, port, BACKLOG).build()
        self._ssp = None
        self._shd = holder  # type: ignore[assignment]  # granian declares only None
        with socket.socket(fileno=os.dup(holder.get_fd())) as listening:
            # Connections wait from now on; granian's worker takes them when it is ready.
            listening.listen(BACKLOG)
            self._address: tuple[str, int] = listening.getsockname()
            self.endpoint = f"http://{HOST}:{self._address[1]}"

    def _init_shared_socket(self) -> None:
        """It is there already."""

    def _check_gil(self) -> None:
        """One worker thread in front of a pool of Python threads: the GIL is no hindrance."""
