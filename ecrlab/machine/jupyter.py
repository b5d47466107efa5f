"""Start JupyterLab on the kit's notebooks.

JupyterLab listens on this machine only, shows its address, and asks nothing of the network. Until a notebook
starts a lab, its kernels and terminals have invented AWS keys and an endpoint nobody serves, so that no
command typed there can reach a real account. The user's own Jupyter and IPython settings are neither read nor
written: everything JupyterLab keeps is in the folder .jupyter of this checkout.
"""

import argparse
import json
import os
import shlex
import shutil
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ecrlab.errors import EcrLabError
from ecrlab.machine.bootstrap import CHECKOUT, importable_from
from ecrlab.machine.environment import DEAD_ENDPOINT, inside_lab, lab_environment, shell_lines, write_files

FIRST_NOTEBOOK = "notebooks/00-start-here.ipynb"
FIRST_PORT = 8888


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `lab`."""
    parser.add_argument("--port", type=int, help=f"listen on this port (default: the first free one from {FIRST_PORT})")
    parser.add_argument("--no-browser", action="store_true", help="only print the address")


def run(options: argparse.Namespace) -> int:
    """Become JupyterLab; returns only if that fails."""
    if options.port is not None:
        _refuse_taken(options.port)
    if not (CHECKOUT / FIRST_NOTEBOOK).exists():
        raise EcrLabError(f"the lessons are not in {CHECKOUT}: start this in a copy of the whole project")
    if not os.access(CHECKOUT, os.W_OK):
        raise EcrLabError(f"{CHECKOUT} is not writable, so notebooks could not be saved: copy the project first")
    folder = CHECKOUT / ".jupyter"
    environment = prepare(folder, base=os.environ)
    print("starting JupyterLab; stop it with Ctrl-C", file=sys.stderr, flush=True)
    os.execve(sys.executable, command(options), environment)  # noqa: S606 - no shell is wanted


def command(options: argparse.Namespace) -> list[str]:
    """The command line that is JupyterLab, to be run in the environment that `prepare` returns."""
    return [sys.executable, "-m", "jupyterlab", *_arguments(options)]


def prepare(folder: Path, *, base: Mapping[str, str]) -> dict[str, str]:
    """Write JupyterLab's settings into `folder` and return the environment to start it in."""
    nowhere = folder / "no-lab"
    write_files(nowhere, base=base)
    _write_json(folder / "config" / "jupyter_server_config.json", _server_settings(folder))
    _write_json(folder / "config" / "labconfig" / "default_setting_overrides.json", INTERFACE_SETTINGS)
    # Every kernel warns that it talks over loopback unencrypted; here that is as it should be.
    _write_json(
        folder / "ipython" / "profile_default" / "ipython_kernel_config.json", {"IPKernelApp": {"log_level": 40}}
    )
    _write_shell_start(folder, lab_environment(DEAD_ENDPOINT, nowhere, base=base))
    return importable_from(CHECKOUT, inside_lab(DEAD_ENDPOINT, nowhere, base=base)) | {
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "JUPYTER_DATA_DIR": str(folder / "data"),
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
        "JUPYTER_PREFER_ENV_PATH": "1",
        "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"),
        "IPYTHONDIR": str(folder / "ipython"),
    }


# JupyterLab asks its makers' site for news and for newer versions unless told not to.
INTERFACE_SETTINGS = {
    "@jupyterlab/apputils-extension:notification": {
        "fetchNews": "false",
        "checkForUpdates": False,
        "doNotDisturbMode": False,
    }
}


def _server_settings(folder: Path) -> dict[str, Any]:
    return {
        "ServerApp": {
            "ip": "127.0.0.1",
            "port": FIRST_PORT,
            "root_dir": str(CHECKOUT),
            "terminado_settings": {"shell_command": _shell(folder)},
            "answer_yes": True,  # Ctrl-C stops it at once
            "log_level": "WARN",  # leaves the address
        },
        "LabApp": {
            "log_level": "WARN",
            "default_url": f"/lab/tree/{FIRST_NOTEBOOK}",
            "news_url": None,
            "check_for_updates_class": "jupyterlab.NeverCheckForUpdate",
            "extension_manager": "readonly",
        },
        "LanguageServerManager": {"autodetect": False},  # the search for language servers starts npm
    }


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
    """Whether a browser can open a window; without a display, Python would look for one that fills the
    terminal.
    """
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


def _shell(folder: Path) -> list[str]:
    """The terminals' shell: bash with a start-up file of the kit's, since the user's own may undo the
    environment.
    """
    bash = shutil.which("bash")
    return [bash, "--rcfile", str(folder / "bashrc"), "-i"] if bash else ["sh"]


def _write_shell_start(folder: Path, variables: Mapping[str, str]) -> None:
    own = Path("~/.bashrc").expanduser()
    source = f"[ -r {shlex.quote(str(own))} ] && . {shlex.quote(str(own))}\n"
    (folder / "bashrc").write_text(source + shell_lines(variables))


def _write_json(path: Path, value: Mapping[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=2) + "\n")
