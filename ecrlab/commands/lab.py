"""Open your copies of the lessons in JupyterLab, on this machine only.

The copies are in the folder `work/`, or that of --work. The first start makes them, and later starts never change them.
A lesson that is newer than your copy is put beside it, with -newer in its name; `reset` replaces copies.

Until a notebook starts a lab, no command in JupyterLab can reach a real account (see `ecrlab.machine.jupyter`).
"""

import argparse
import os
import socket
import sys
from collections.abc import Mapping
from pathlib import Path

from ecrlab.errors import EcrLabError
from ecrlab.machine import copies
from ecrlab.machine.jupyter import FIRST_PORT, prepare


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `lab`."""
    parser.add_argument("--port", type=int, help=f"listen on this port (default: the first free one from {FIRST_PORT})")
    parser.add_argument("--no-browser", action="store_true", help="only print the address")
    add_work(parser)


def add_work(parser: argparse.ArgumentParser) -> None:
    """Declare the option that names the folder of the copies."""
    parser.add_argument("--work", metavar="DIR", help="the folder for your copies of the lessons (default: work/)")


def run(options: argparse.Namespace) -> int:
    """Replace this process with JupyterLab; return only if that fails."""
    if options.port is not None:
        _refuse_taken(options.port)
    work = copies.work_folder(options.work)
    offers = copies.bring(work)
    folder = copies.home() / ".jupyter"
    try:
        environment = prepare(folder, base=os.environ)
    except OSError as error:
        raise EcrLabError(f"JupyterLab's files cannot be written in {folder}: {error.strerror or error}") from error
    for offer in offers:
        print(f"a newer lesson is beside your copy: {offer.relative_to(work)}", file=sys.stderr)
    print(f"your copies of the lessons are in {work}", file=sys.stderr)
    print("starting JupyterLab; stop it with Ctrl-C", file=sys.stderr, flush=True)
    os.execve(sys.executable, command(options, work), environment)  # noqa: S606 - no shell is wanted


def command(options: argparse.Namespace, work: Path) -> list[str]:
    """Return the command line of JupyterLab, for the environment that `prepare` returns."""
    return [sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={work}", *_arguments(options)]


def _arguments(options: argparse.Namespace) -> list[str]:
    arguments = []
    if options.port is not None:
        arguments += [f"--ServerApp.port={options.port}", "--ServerApp.port_retries=0"]
    if options.no_browser or not _has_browser(os.environ):
        arguments.append("--no-browser")
    if os.geteuid() == 0:
        arguments.append("--allow-root")
    return arguments


def _has_browser(environment: Mapping[str, str]) -> bool:
    """Tell whether a browser can open a window. Without a display, Python would start one in the terminal."""
    return sys.platform == "darwin" or any(environment.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"))


def _refuse_taken(port: int) -> None:
    if not 0 < port < 65536:
        raise EcrLabError(f"a port is a number from 1 to 65535, got {port}")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise EcrLabError(
                f"port {port} cannot be used ({error.strerror}): leave --port out to get a free one"
            ) from error
