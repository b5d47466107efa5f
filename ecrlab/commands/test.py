"""Run the kit's tests: does everything, notebooks included, work on this machine?

The default run takes a few minutes. It runs the unit tests and every notebook, and compares each notebook's outputs
with its stored ones. With --all (or CI=true in the environment) it also runs the tests that drive other programs and a
browser; a missing program is then a failure, not a reason to skip.

examples:
  python3 -m ecrlab test
  python3 -m ecrlab test --all
  python3 -m ecrlab test -- tests/lifecycle -k priority    arguments for pytest after --
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from ecrlab.lessons.seeds import VARIABLE
from ecrlab.machine.jupyter import prepare
from ecrlab.machine.requirements import CHECKOUT
from ecrlab.machine.running import temporary_folder

# Set if a missing program is a failure; tests/conftest.py reads it.
EVERY_CLIENT = "ECRLAB_TEST_EVERY_CLIENT"
NO_TESTS_RAN = 5  # pytest's exit status for it


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `test`."""
    parser.add_argument("--all", action="store_true", help="also drive other programs and a browser (as CI=true does)")
    parser.add_argument(
        "arguments",
        nargs="*",
        metavar="ARGUMENT",
        help="arguments for pytest, after --; they replace the default selection",
    )


def run(options: argparse.Namespace) -> int:
    """Run pytest in its own process and return its exit status; a run without tests also fails."""
    everything = options.all or os.environ.get("CI") == "true"
    command = [sys.executable, "-m", "pytest", *plan(options.arguments, everything=everything)]
    with temporary_folder("ecrlab-test-") as folder:
        environment = surroundings(folder, everything=everything, base=os.environ)
        status = subprocess.run(command, cwd=CHECKOUT, env=environment, check=False).returncode
    if status == NO_TESTS_RAN:
        print("ecrlab: no test ran, so nothing is known", file=sys.stderr)
    return status


def plan(arguments: list[str], *, everything: bool) -> list[str]:
    """Return the arguments for pytest: the user's, or all tests of the package and all notebooks."""
    wanted = "not long" if everything else "not long and not client and not browser and not slow"
    chosen = ["-m", wanted]
    notebooks = ["--nbval", "--nbval-current-env", "--nbval-cell-timeout=120"]
    # A notebook's cells share one kernel, so all of a file go to one worker.
    workers = ["-n", str(max(2, min(4, os.cpu_count() or 2))), "--dist", "loadscope"]
    return [*chosen, *notebooks, *(arguments or [*workers, "ecrlab", "tests", "notebooks"])]


def surroundings(folder: Path, *, everything: bool, base: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of the tests: without AWS and the user's settings, with compiled modules stored."""
    environment = prepare(folder, base=base)
    environment.pop(VARIABLE, None)  # the stored outputs are those of the default seed
    environment["ECRLAB_PROGRESS"] = str(folder / "progress.json")  # a test's solutions are not the user's progress
    return environment | ({EVERY_CLIENT: "1"} if everything else {})
