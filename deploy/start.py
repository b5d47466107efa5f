#!/usr/bin/env python3
"""Start a learner's JupyterLab on a hub: `start.py jupyterhub-singleuser`, or any other command, with its arguments.

The command starts in `work/` of the home directory, among copies of the lessons, with the environment and settings of
`python3 -m ecrlab` and the hub's own variables. Nothing is installed here: the image, or the machine, has all packages.
"""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from ecrlab.errors import EcrLabError
from ecrlab.machine import copies, jupyter

HUB = ("JUPYTERHUB_", "JUPYTER_IMAGE")
"""What a hub and a Binder tell a server; the kit removes all other variables of Jupyter."""


def environment(folder: Path) -> dict[str, str]:
    """Write JupyterLab's settings into `folder`, and return the variables of a server that a hub started."""
    told = {name: value for name, value in os.environ.items() if name.startswith(HUB)}
    return jupyter.prepare(folder, base=os.environ) | told


def main(command: list[str]) -> None:
    """Replace this process with `command`."""
    work = Path.home() / "work"
    copies.bring(work)
    os.chdir(work)
    inside = environment(Path.home() / ".local" / "share" / "ecrlab" / ".jupyter")
    try:
        os.execvpe(command[0], command, inside)  # noqa: S606 - no shell is wanted
    except OSError as error:
        raise EcrLabError(f"{command[0]}: {error.strerror}") from error


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(f"usage: {sys.argv[0]} COMMAND [ARGUMENT …]")
    try:
        main(sys.argv[1:])
    except (EcrLabError, OSError) as error:
        sys.exit(f"ecrlab: {error}")
