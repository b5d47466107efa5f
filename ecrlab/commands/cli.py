"""`python3 -m ecrlab COMMAND`, in an installed kit `ecrlab COMMAND`: finds the command's module, and imports only it.

A command module has two functions: `configure(parser)` declares its options; `run(options)` does the work and returns
the exit status. An `EcrLabError` ends the command with its text and exit status 2 (see `ecrlab.commands.status`).
"""

import argparse
import difflib
import importlib
import sys
from collections.abc import Sequence
from typing import Any, NamedTuple

from ecrlab import __version__
from ecrlab.commands.status import TROUBLE, with_exit_status
from ecrlab.errors import EcrLabError
from ecrlab.machine.requirements import is_project, need, program

PROGRAM = program()


class Command(NamedTuple):
    """A command's module, its line in the help, and the extra whose packages it needs (see pyproject.toml)."""

    module: str
    summary: str
    extra: str = ""


COMMANDS = {
    "lab": Command("ecrlab.commands.lab", "open the lessons in JupyterLab (the default command)", "lab"),
    "test": Command("ecrlab.commands.test", "check that the kit and its notebooks work on this machine", "test"),
    "setup": Command("ecrlab.commands.setup", "prepare the environment only, for a later start without network", "lab"),
    "reset": Command("ecrlab.commands.reset", "put fresh copies of the lessons in place, and yours aside"),
    "progress": Command("ecrlab.commands.progress", "show, export or delete your progress; collect that of a class"),
    "grade": Command("ecrlab.commands.grade", "grade the notebooks of a class", "lab"),
    "doctor": Command("ecrlab.commands.doctor", "check this machine, and name a cure for each problem"),
    "lifecycle": Command("ecrlab.commands.lifecycle", "lint, preview, compare and explain lifecycle policies"),
    "report": Command("ecrlab.commands.report", "report a repository's ages and costs, and a policy's savings", "lab"),
    "tour": Command("ecrlab.commands.tour", "follow an image from login to clean-up in the terminal"),
    "serve": Command("ecrlab.commands.serve", "run the simulator for terminals and real Docker clients"),
    "scan": Command("ecrlab.commands.scan", "list the packages in an image, and their CVEs"),
    "env": Command("ecrlab.commands.env", "print the lines that attach a terminal to the running lab"),
    "clock": Command("ecrlab.commands.clock", "show or move the running lab's clock"),
    "notebooks": Command(
        "ecrlab.commands.notebooks", "re-execute and tidy the notebooks (for authors of lessons)", "test"
    ),
}

EXAMPLES = f"""\
examples:
  {PROGRAM}                 start the lab in the browser
  {PROGRAM} lab --port 8899 start it on a port that you choose
  {PROGRAM} test            run the tests
  {PROGRAM} COMMAND --help  what a command can do
"""


@with_exit_status
def main(arguments: Sequence[str]) -> int:
    """Run one command line (without the program's name) and return its exit status."""
    status = answer_at_once(arguments)
    if status is not None:
        return status
    name, rest = _named(arguments)
    return _run(name, rest)


def answer_at_once(arguments: Sequence[str]) -> int | None:
    """Answer help, the version and unknown commands, and return the exit status; return None for a command.

    Standard library only: a list of commands should not wait for a set-up.
    """
    first = arguments[0] if arguments else ""
    if first in ("-h", "--help", "help"):
        print(overview())
        return 0
    if first == "--version":
        print(f"ecrlab {__version__}")
        return 0
    name, _ = _named(arguments)
    if name not in COMMANDS:
        print(f"ecrlab: {_unknown(name)}", file=sys.stderr)
        return TROUBLE
    return None


def extra_of(arguments: Sequence[str]) -> str:
    """Return the extra that the command of a line needs."""
    return COMMANDS[_named(arguments)[0]].extra


def _named(arguments: Sequence[str]) -> tuple[str, Sequence[str]]:
    """Return the command of a line, and the command's arguments. A line without a command means `lab`."""
    if not arguments or arguments[0].startswith("-"):
        return "lab", arguments
    return arguments[0], arguments[1:]


def overview() -> str:
    """Return the page of `--help`: a line for each command, and examples."""
    width = max(map(len, COMMANDS))
    lines = [f"  {name:<{width}}  {command.summary}" for name, command in COMMANDS.items()]
    return "\n".join(
        [
            f"usage: {PROGRAM} [command] [options]",
            "",
            "Learn Amazon ECR in notebooks, against a simulator on this machine.",
            "",
            "commands:",
            *lines,
            "",
            EXAMPLES.rstrip(),
        ]
    )


def _unknown(name: str) -> str:
    """Return the error text for an unknown command.

    >>> _unknown("docter")
    "there is no command 'docter'; did you mean doctor? (python3 -m ecrlab --help lists them all)"
    """
    near = difflib.get_close_matches(name, COMMANDS, n=1)
    meant = f"did you mean {near[0]}?" if near else f"there are {', '.join(COMMANDS)}"
    return f"there is no command {name!r}; {meant} ({PROGRAM} --help lists them all)"


class _Parser(argparse.ArgumentParser):
    """A parser that reports a failure to write its help."""

    def _print_message(self, message: str, file: Any = None) -> None:
        if message:
            (file or sys.stderr).write(message)


def _run(name: str, arguments: Sequence[str]) -> int:
    command, whole = COMMANDS[name], f"{PROGRAM} {name}"
    try:
        module = importlib.import_module(command.module)
        parser = _Parser(
            prog=whole,
            description=(module.__doc__ or "").replace("python3 -m ecrlab", PROGRAM),
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        module.configure(parser)
        options = parser.parse_args(arguments)
        if command.extra == "test" and not is_project():
            raise EcrLabError(f"{whole} works in a copy of the whole project, which an installed kit is not")
        if command.extra:
            need(command.extra, whole)
        status: int = module.run(options)
    except ModuleNotFoundError:
        need("", whole)
        need("lab", whole)  # for a part of the command, such as a table
        raise
    return status
