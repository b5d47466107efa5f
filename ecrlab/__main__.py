"""The door of the kit: `python3 -m ecrlab` in a checkout works on a machine that has nothing but Python.

This file and what it imports first use the standard library only. The first lines run (and everything here parses)
on Pythons too old for the kit, so that such a machine is told so instead of being shown a traceback.
"""

import sys

if sys.version_info < (3, 11):
    sys.exit(
        "ecrlab needs Python 3.11 or newer, and this is Python {}.{} ({}).\n"
        "Install a newer one and name it, for example: python3.12 -m ecrlab".format(
            sys.version_info[0], sys.version_info[1], sys.executable
        )
    )

from collections.abc import Sequence

from ecrlab.commands.cli import answer_at_once, extra_of
from ecrlab.commands.status import TROUBLE, with_exit_status
from ecrlab.machine.bootstrap import DEVELOPER, LEARNER, SetupError, fit_here, hand_over, prepare


@with_exit_status
def main(arguments: Sequence[str]) -> int:
    """Run a command of the kit in an environment that has what it needs, making that environment first if
    need be.
    """
    status = answer_at_once(arguments)
    if status is not None:
        return status
    lock = DEVELOPER if extra_of(arguments) == "test" else LEARNER
    try:
        if not fit_here(lock):
            return hand_over(prepare(lock), list(arguments))
    except SetupError as error:
        print(f"ecrlab: {error}", file=sys.stderr)
        return TROUBLE
    except KeyboardInterrupt:
        print("\necrlab: stopped; the same command begins the set-up again", file=sys.stderr)
        return 130
    from ecrlab.commands import cli

    return cli.main(arguments)


def run() -> None:
    """Run the command line of this process: the installed command `ecrlab`."""
    sys.exit(main(sys.argv[1:]))


if __name__ == "__main__":
    run()
