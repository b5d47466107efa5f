"""Run the simulator as a server for terminals, other programs and real Docker clients.

The first line on standard output is the endpoint. The next lines point clients at it.
"""

import argparse
import contextlib
import os
import signal
import threading
from pathlib import Path

from ecrlab.clock import Clock, LabClock, WallClock
from ecrlab.docker import install
from ecrlab.machine import environment
from ecrlab.machine.requirements import is_project, program
from ecrlab.machine.running import LabFolder, in_temporary_files
from ecrlab.registry.world import World
from ecrlab.simulator.jobs.replication import Replication, Worker
from ecrlab.simulator.server import Server


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `ecrlab serve`."""
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1 (default: any free one)")
    parser.add_argument(
        "--state", type=_folder, metavar="DIR", help="store ECR's data in DIR (default: delete it at the end)"
    )
    parser.add_argument(
        "--clock",
        choices=("wall", "lab"),
        default="wall",
        help="wall time (default), or the lab's, moved by `ecrlab clock`",
    )
    parser.add_argument(
        "--private", action="store_true", help="answer only to a secret key of its own (default: to any access key)"
    )
    parser.add_argument("--quirks", choices=("ecr",), help="deviate from the OCI specification where ECR does")


def run(options: argparse.Namespace) -> int:
    """Serve until Ctrl-C or SIGTERM."""
    clock: Clock = LabClock() if options.clock == "lab" else WallClock()
    with contextlib.ExitStack() as undo:
        folder = LabFolder()
        undo.callback(folder.remove)
        with in_temporary_files():
            environment.write_files(folder.path, base=os.environ)
            install(folder.path / "bin")
        world = World(options.state or folder.path / "state", clock, durable=options.state is not None)
        undo.callback(world.close)
        secret = environment.new_secret() if options.private else None
        server = Server(world, port=options.port, quirks=options.quirks == "ecr", secret=secret)
        undo.callback(server.stop)
        undo.callback(Worker(Replication(world)).stop)
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        with contextlib.suppress(KeyboardInterrupt):
            with in_temporary_files():
                folder.announce(server.endpoint, secret=secret or environment.SECRET_ACCESS_KEY)
            print(server.endpoint, how_to_use(server.endpoint, secret), sep="\n", flush=True)
            threading.Event().wait()
    return 0


def _folder(name: str) -> Path:
    """Return a folder by its name. An empty name, such as an unset variable, would be the current folder."""
    if not name.strip():
        raise argparse.ArgumentTypeError("the name of the folder is empty")
    return Path(name)


def how_to_use(endpoint: str, secret: str | None) -> str:
    """Return the lines that point an AWS client and a Docker client at an endpoint; a private one has a secret."""
    host = endpoint.removeprefix("http://")
    accepts = "only the keys below" if secret else "any access key, from every user of this machine (see --private)"
    return f"""It accepts {accepts}.

In another terminal{", in this folder" if is_project() else ""}, point AWS clients here:

  eval "$({program()} env)"
  aws ecr create-repository --repository-name my-app

or, without it: export AWS_ENDPOINT_URL={endpoint} AWS_DEFAULT_REGION={environment.REGION}
                export AWS_ACCESS_KEY_ID={environment.ACCESS_KEY_ID}
                export AWS_SECRET_ACCESS_KEY={secret or environment.SECRET_ACCESS_KEY}

and a Docker client:

  aws ecr get-login-password | skopeo login --tls-verify=false --username AWS --password-stdin {host}
  skopeo copy --dest-tls-verify=false oci:DIRECTORY docker://{host}/my-app:v1

Ctrl-C stops the server."""
