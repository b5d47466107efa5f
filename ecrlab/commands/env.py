"""Print what attaches a terminal to the lab that is running: `eval "$(python3 -m ecrlab env)"`.

The lines are for bash and zsh. After them `aws`, `boto3` and the lab's `docker` in that terminal speak to the lab, and
to nothing else.
"""

import argparse
import os

from ecrlab.errors import EcrLabError
from ecrlab.machine import environment, running


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `ecrlab env`."""
    parser.add_argument("--endpoint", help="the lab to attach to, when several run (default: the newest)")


def run(options: argparse.Namespace) -> int:
    """Print the lines."""
    lab = chosen(options.endpoint)
    print(environment.shell_lines(environment.lab_environment(lab.endpoint, lab.directory, base=os.environ)), end="")
    return 0


def chosen(endpoint: str | None = None) -> running.RunningLab:
    """The running lab meant. Raises `EcrLabError` when there is none."""
    labs = [lab for lab in running.find() if endpoint in (None, lab.endpoint)]
    if not labs:
        which = f"at {endpoint}" if endpoint else "on this machine"
        raise EcrLabError(
            f"no lab is running {which}: start one in a notebook with ecrlab.start(), "
            "or in a terminal with: python3 -m ecrlab serve"
        )
    return labs[0]
