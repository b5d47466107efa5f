"""Make the kit ready without starting it: for images, classrooms, and machines about to go offline.

The environment itself is made before any command runs (see `ecrlab.machine.bootstrap`); what is left is what would
make the first notebook slow: matplotlib's list of this machine's fonts.

example:
  python3 -m ecrlab setup --again    make the environment again from the start, when it is damaged
"""

import argparse
import os
import sys
import time

from ecrlab.errors import EcrLabError
from ecrlab.machine.bootstrap import CHECKOUT, SetupError, hand_over, prepare
from ecrlab.machine.jupyter import font_cache


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `setup`."""
    parser.add_argument("--again", action="store_true", help="make .venv again, even though it looks whole")


def run(options: argparse.Namespace) -> int:
    """Finish the set-up and say where the environment is."""
    if options.again:
        try:
            return hand_over(prepare(afresh=True), ["setup"])
        except SetupError as error:
            raise EcrLabError(str(error)) from error
    started = time.monotonic()
    os.environ.update(font_cache(CHECKOUT / ".jupyter", os.environ))
    import matplotlib.font_manager  # noqa: F401 - importing it builds the font list

    print(f"ready: {sys.prefix} (fonts listed in {time.monotonic() - started:.0f} s)")
    print(f"start the lab with: cd {CHECKOUT} && python3 -m ecrlab")
    return 0
