"""Run the kit's tests: does everything, notebooks included, work on this machine?

A newcomer's run takes a few minutes: the unit tests, and every notebook from top to bottom, its outputs
compared with those printed in it. With --all (or CI=true in the environment) also the tests that drive other
programs and a browser; then a program that is missing is a failure, not a reason to skip.

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

from ecrlab.machine.bootstrap import CHECKOUT
from ecrlab.machine.jupyter import prepare
from ecrlab.machine.running import temporary_folder

# Set for the tests when a missing program is a failure; tests/conftest.py reads it.
EVERY_CLIENT = "ECRLAB_TEST_EVERY_CLIENT"
NO_TESTS_RAN = 5  # pytest's exit status for it


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `test`."""
    parser.add_argument("--all", action="store_true", help="also drive other programs and a browser (as CI=true does)")
    parser.add_argument(
        "arguments", nargs="*", metavar="ARGUMENT", help="for pytest, after --: what to run instead of all"
    )


def run(options: argparse.Namespace) -> int:
    """Run pytest in a process of its own and return its exit status; a run without a test has failed too."""
    everything = options.all or os.environ.get("CI") == "true"
    command = [sys.executable, "-m", "pytest", *plan(options.arguments, everything=everything)]
    with temporary_folder("ecrlab-test-") as folder:
        environment = surroundings(folder, everything=everything, base=os.environ)
        status = subprocess.run(command, cwd=CHECKOUT, env=environment, check=False).returncode
    if status == NO_TESTS_RAN:
        print("ecrlab: no test ran, so nothing is known", file=sys.stderr)
    return status


def plan(arguments: list[str], *, everything: bool) -> list[str]:
    """The arguments for pytest: what was asked for, or all tests of the package and all notebooks."""
    chosen = [] if everything else ["-m", "not client and not browser"]
    notebooks = ["--nbval", "--nbval-current-env", "--nbval-cell-timeout=120"]
    # A notebook's cells share one kernel, so all of a file go to one worker.
    workers = ["-n", str(max(2, min(4, os.cpu_count() or 2))), "--dist", "loadscope"]
    return [*chosen, *notebooks, *(arguments or [*workers, "ecrlab", "tests", "notebooks"])]


def surroundings(folder: Path, *, everything: bool, base: Mapping[str, str]) -> dict[str, str]:
    """The environment of the tests: no AWS and no settings of the user's, and compiled modules kept."""
    environment = prepare(folder, base=base)
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # without .pyc files every kernel starts 10 s slower
    environment["ECRLAB_PROGRESS"] = str(folder / "progress.json")  # what a test solves is not the user's progress
    return environment | ({EVERY_CLIENT: "1"} if everything else {})
