"""The command line: a table of commands, and a reader of options like that of Docker's client."""

from dataclasses import dataclass, field
from getopt import GetoptError, gnu_getopt

from ecrlab.docker.errors import DockerError


@dataclass(frozen=True, slots=True)
class Command:
    """One command: its usage, options and help."""

    usage: str
    """The usage after the name, e.g. `[OPTIONS] NAME[:TAG]`."""
    summary: str
    least: int = 0
    most: int | None = None
    options: str = ""
    """Names; `t/tag=` has a short form and a value. Docker's options without effect here are included."""
    help: str = ""
    """More lines for `--help`."""


@dataclass(frozen=True, slots=True)
class Options:
    """The given options: each name with its values (a flag has the value `true`)."""

    given: dict[str, list[str]] = field(default_factory=dict)

    def flag(self, name: str) -> bool:
        """Tell whether a flag was given."""
        return name in self.given

    def last(self, name: str, default: str = "") -> str:
        """Return the last value of an option."""
        return self.given.get(name, [default])[-1]

    def all(self, name: str) -> list[str]:
        """Return every value of an option that may be repeated."""
        return self.given.get(name, [])


def read(name: str, command: Command, arguments: list[str]) -> tuple[Options, list[str]]:
    """Return the options and other arguments. Raises `DockerError` with Docker's words and the usage."""
    names = [option.rpartition("/")[::2] for option in command.options.split()]
    short = {letter: full for letter, full in names if letter}
    letters = "".join(letter + (":" if full.endswith("=") else "") for letter, full in short.items())
    try:
        found, rest = gnu_getopt(arguments, letters, [full for _, full in names])
    except GetoptError as error:
        raise DockerError(f"{_flag_error(error)}\n\n{_usage(name, command)}", 125) from error
    given: dict[str, list[str]] = {}
    for option, value in found:
        full = option[2:] if option.startswith("--") else short[option[1:]].rstrip("=")
        given.setdefault(full, []).append(value or "true")
    most = command.least if command.most is None else command.most
    if not command.least <= len(rest) <= most:
        bound = (
            "at least "
            if len(rest) < command.least and most > command.least
            else "at most "
            if most != command.least
            else ""
        )
        number = command.least if len(rest) < command.least else most
        noun = "argument" if number == 1 else "arguments"
        wanted = f"requires {bound}{number} {noun}" if number else "accepts no arguments"
        raise DockerError(f"docker: 'docker {name}' {wanted}\n\n{_usage(name, command)}")
    return Options(given), rest


def show_help(name: str, command: Command) -> str:
    """Return the text of `docker NAME --help`."""
    lines = [f"Usage:  docker {name} {command.usage}", "", command.summary]
    options = []
    for option in command.options.split():
        letter, _, full = option.rpartition("/")
        value = " string" if full.endswith("=") else ""
        options.append(f"  {f'-{letter},' if letter else '   '} --{full.rstrip('=')}{value}")
    if options:
        lines += ["", "Options:", *options]
    return "\n".join([*lines, *(["", command.help] if command.help else [])])


def _usage(name: str, command: Command) -> str:
    return f"Usage:  docker {name} {command.usage}\n\nRun 'docker {name} --help' for more information"


def _flag_error(error: GetoptError) -> str:
    dashed = ("--" if len(error.opt) > 1 else "-") + error.opt
    if "requires argument" in error.msg:
        return f"flag needs an argument: {dashed}"
    return f"unknown flag: {dashed}" if len(error.opt) > 1 else f"unknown shorthand flag: '{error.opt}' in {dashed}"
