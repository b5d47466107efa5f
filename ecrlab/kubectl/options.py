"""The command line: commands with their options, and a reader like that of kubectl."""

from dataclasses import dataclass, field
from getopt import GetoptError, gnu_getopt

from ecrlab.kubectl.errors import KubectlError


@dataclass(frozen=True, slots=True)
class Command:
    """One command: its usage after the name, a summary, and the options besides `-n`; `o/output=` has a value."""

    usage: str
    summary: str
    options: str = ""


@dataclass(frozen=True, slots=True)
class Options:
    """The given options: each name with its values (a flag has the value `true`)."""

    given: dict[str, list[str]] = field(default_factory=dict)

    def flag(self, name: str) -> bool:
        """Tell whether a flag was given."""
        return self.value(name, "false") != "false"

    def value(self, name: str, default: str = "") -> str:
        """Return the last value of an option."""
        return self.given.get(name, [default])[-1]

    def values(self, name: str) -> list[str]:
        """Return the values of an option that may be repeated, or whose value is a list with commas."""
        return [one for value in self.given.get(name, []) for one in value.split(",")]


EVERYWHERE = "n/namespace= h/help"


def read(name: str, command: Command, arguments: list[str]) -> tuple[Options, list[str]]:
    """Return the options and the other arguments. Raises `KubectlError` in kubectl's words."""
    names = [one.rpartition("/")[::2] for one in f"{command.options} {EVERYWHERE}".split()]
    short = {letter: full for letter, full in names if letter}
    letters = "".join(letter + (":" if full.endswith("=") else "") for letter, full in short.items())
    flags = {full for _, full in names if not full.endswith("=")}
    # A flag may have a value, as in --watch=false; getopt does not know that.
    given: dict[str, list[str]] = {}
    for one in arguments:
        if _is_set(one, flags):
            given.setdefault(one.partition("=")[0][2:], []).append(one.partition("=")[2])
    try:
        found, rest = gnu_getopt([one for one in arguments if not _is_set(one, flags)], letters, [n for _, n in names])
    except GetoptError as error:
        raise KubectlError(f"{_flag_error(error)}\nSee 'kubectl {name} --help' for usage.") from error
    for option, value in found:
        full = option[2:] if option.startswith("--") else short[option[1:]].rstrip("=")
        given.setdefault(full, []).append("true" if full in flags else value)
    return Options(given), rest


def show_help(name: str, command: Command) -> str:
    """Return the text of `kubectl NAME --help`."""
    lines = [command.summary, "", "Options:"]
    for option in f"{command.options} {EVERYWHERE}".split():
        letter, _, full = option.rpartition("/")
        value = "=''" if full.endswith("=") else "=false"
        lines.append(f"    {f'-{letter}, ' if letter else '    '}--{full.rstrip('=')}{value}")
    return "\n".join([*lines, "", "Usage:", f"  kubectl {name} {command.usage}"])


def _is_set(argument: str, flags: set[str]) -> bool:
    return argument.startswith("--") and argument[2:].partition("=")[0] in flags and "=" in argument


def _flag_error(error: GetoptError) -> str:
    dashed = ("--" if len(error.opt) > 1 else "-") + error.opt
    if "requires argument" in error.msg:
        return f"flag needs an argument: {dashed}"
    return f"unknown flag: {dashed}" if len(error.opt) > 1 else f"unknown shorthand flag: '{error.opt}' in {dashed}"
