"""The settings of the kit's JupyterLab, and the environment of its kernels and terminals.

JupyterLab listens on this machine only, shows its address, and does not use the network. Until a notebook starts a lab,
its kernels and terminals have invented AWS keys and an endpoint without a server, so no command there can reach a real
account. JupyterLab stores everything in one folder. It neither reads nor writes the user's own Jupyter and IPython
settings, in files or in variables.
"""

import json
import os
import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ecrlab.machine.bootstrap import importable_from
from ecrlab.machine.environment import DEAD_ENDPOINT, inside_lab, lab_environment, shell_lines, write_files
from ecrlab.machine.originals import FIRST_LESSON
from ecrlab.machine.requirements import CHECKOUT
from ecrlab.machine.running import JUPYTER

FIRST_PORT = 8888

# Variables with settings, ports, tokens and start-up files of another Jupyter or IPython; JPY_ is of its kernels.
# Without compiled modules (.pyc) every kernel starts seconds later.
FOREIGN = ("JUPYTER", "JPY_", "IPYTHON", "PYTHONSTARTUP", "PYTHONDONTWRITEBYTECODE")


def prepare(folder: Path, *, base: Mapping[str, str]) -> dict[str, str]:
    """Write JupyterLab's settings into `folder` and return the environment to start it in."""
    nowhere = folder / "no-lab"
    write_files(nowhere, base=base)
    _write_json(folder / "config" / "jupyter_server_config.json", _server_settings(folder))
    _write_json(folder / "config" / "labconfig" / "default_setting_overrides.json", INTERFACE_SETTINGS)
    style = folder / "config" / "custom" / "custom.css"
    style.parent.mkdir(exist_ok=True)
    style.write_text(NAMES_WHOLE, encoding="utf-8")
    # Every kernel warns about unencrypted loopback connections, which are correct here.
    _write_json(
        folder / "ipython" / "profile_default" / "ipython_kernel_config.json", {"IPKernelApp": {"log_level": 40}}
    )
    lines = shell_lines(lab_environment(DEAD_ENDPOINT, nowhere, base=base))
    (folder / "bashrc").write_text(f"[ -r ~/.bashrc ] && . ~/.bashrc\n{lines}", encoding="utf-8")
    inside = importable_from(CHECKOUT, inside_lab(DEAD_ENDPOINT, nowhere, base=base))
    kept = {name: value for name, value in inside.items() if not name.startswith(FOREIGN)}
    return kept | {
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "JUPYTER_DATA_DIR": str(folder / "data"),
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
        "JUPYTER_PREFER_ENV_PATH": "1",
        "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"),
        "IPYTHONDIR": str(folder / "ipython"),
        JUPYTER: secrets.token_hex(8),
        **font_cache(folder, base),
    }


def font_cache(folder: Path, base: Mapping[str, str]) -> dict[str, str]:
    """Name a folder for matplotlib's font list if the home directory is not writable; else each notebook warns."""
    home = Path(base.get("XDG_CONFIG_HOME") or Path(base.get("HOME") or "/") / ".config")
    return {} if "MPLCONFIGDIR" in base or is_writable(home) else {"MPLCONFIGDIR": str(folder / "matplotlib")}


def is_writable(folder: Path) -> bool:
    """Tell whether a folder is writable, or can be created."""
    existing = next(parent for parent in (folder, *folder.absolute().parents) if parent.exists())
    return existing.is_dir() and os.access(existing, os.W_OK)


NAMES_WHOLE = ".jp-DirListing .jp-DirListing-itemText { font-size: 12px }\n"
"""A pixel smaller than JupyterLab writes them, the names in the list of files are shown whole."""

INTERFACE_SETTINGS = {
    # By default JupyterLab asks its makers' site for news and newer versions.
    "@jupyterlab/apputils-extension:notification": {
        "fetchNews": "false",
        "checkForUpdates": False,
        "doNotDisturbMode": False,
    },
    # Beside the dates, the names of the lessons are cut off.
    "@jupyterlab/filebrowser-extension:browser": {"showLastModifiedColumn": False, "sortNotebooksFirst": True},
}


def _server_settings(folder: Path) -> dict[str, Any]:
    return {
        "ServerApp": {
            "ip": "127.0.0.1",
            "port": FIRST_PORT,
            "terminado_settings": {"shell_command": _shell(folder)},
            "answer_yes": True,  # Ctrl-C stops it at once
            "log_level": "WARN",  # leaves the address
        },
        "LabApp": {
            "custom_css": True,
            "log_level": "WARN",
            "default_url": f"/lab/tree/{FIRST_LESSON}.ipynb",
            "news_url": None,
            "check_for_updates_class": "jupyterlab.NeverCheckForUpdate",
            "extension_manager": "readonly",
        },
        "LanguageServerManager": {"autodetect": False},  # the search for language servers starts npm
    }


def _shell(folder: Path) -> list[str]:
    """Return the terminals' shell: bash with the kit's start-up file, which runs after the user's own."""
    bash = shutil.which("bash")
    return [bash, "--rcfile", str(folder / "bashrc"), "-i"] if bash else ["sh"]


def _write_json(path: Path, value: Mapping[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=2) + "\n")
