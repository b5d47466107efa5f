"""Print the lines that attach a terminal to the running lab: `eval "$(python3 -m ecrlab env)"`.

The lines are for bash and zsh. After them `aws`, `boto3` and the lab's `docker` in that terminal use the lab only.
"""

import argparse
import os

from ecrlab.machine import environment, running


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `ecrlab env`."""
    parser.add_argument("--endpoint", help="the lab to attach to, if several run")


def run(options: argparse.Namespace) -> int:
    """Print the lines."""
    lab = running.choose(options.endpoint, attaching=True)
    variables = environment.lab_environment(
        lab.endpoint, lab.directory, base=os.environ, docker=lab.docker, secret=lab.secret
    )
    print(environment.shell_lines(variables), end="")
    return 0
