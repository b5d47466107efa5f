"""Prepare the kit without starting it, for images, classrooms, and machines that go offline.

The environment itself is made before any command runs (see `ecrlab.machine.bootstrap`). This command adds matplotlib's
list of this machine's fonts, which would slow down the first notebook.

examples:
  python3 -m ecrlab setup --tests    also bring what `test` needs, and a developer's tools
  python3 -m ecrlab setup --again    make a damaged environment again from the start
"""

import argparse
import os
import sys
import time

from ecrlab.errors import EcrLabError
from ecrlab.machine import copies
from ecrlab.machine.bootstrap import DEVELOPER, LEARNER, SetupError, hand_over, is_whole, made_from, prepare
from ecrlab.machine.jupyter import font_cache
from ecrlab.machine.requirements import CHECKOUT, is_project, program


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `setup`."""
    parser.add_argument("--tests", action="store_true", help="also install what the tests and a developer need")
    parser.add_argument("--again", action="store_true", help="make .venv again, even if it looks complete")


def run(options: argparse.Namespace) -> int:
    """Finish the set-up, and print the environment's folder."""
    if (options.again or options.tests) and not is_project():
        raise EcrLabError("this kit is installed without the project: its installer makes its environment again")
    if options.again or (options.tests and not is_whole(DEVELOPER)):
        lock = DEVELOPER if options.tests else made_from() or LEARNER
        try:
            return hand_over(prepare(lock, afresh=options.again), ["setup"])
        except SetupError as error:
            raise EcrLabError(str(error)) from error
    started = time.monotonic()
    os.environ.update(font_cache(copies.home() / ".jupyter", os.environ))
    import matplotlib.font_manager  # noqa: F401 - importing it builds the font list

    print(f"ready: {sys.prefix} (fonts listed in {time.monotonic() - started:.0f} s)")
    print(f"start the lab with: {f'cd {CHECKOUT} && ' if is_project() else ''}{program()}")
    return 0
