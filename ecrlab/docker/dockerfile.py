"""A Dockerfile as a list of instructions.

Grammar: Dockerfile reference. An instruction is one logical line: a line that ends with the escape character continues
on the next, and comment lines in between are dropped. Parser directives (`# escape=`, `# syntax=`) may precede
everything else. This module checks only the form; `build` executes the instructions.

No parser on PyPI fits: `dockerfile-parse` silently drops what it does not understand and reads neither heredocs nor
`${X:-y}`; `dockerfile`, Docker's own Go parser, has no wheel for ARM. The tests compare this parser with the latter.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches

from ecrlab.docker.errors import DockerError
from ecrlab.docker.words import split
from ecrlab.oci import strict_json
from ecrlab.oci.strict_json import InvalidJson

KNOWN = (
    *("ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL", "MAINTAINER"),
    *("ONBUILD", "RUN", "SHELL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR"),
)
_JSON = {"ADD", "CMD", "COPY", "ENTRYPOINT", "RUN", "SHELL", "VOLUME"}
_FLAGGED = {"ADD", "COPY", "FROM", "HEALTHCHECK", "RUN"}
_FLAG = re.compile(r"--([a-z-]+)(?:=(\S*))?(?:\s+|$)")
_HEREDOC = re.compile(r"(?<!<)<<-?\s*[\"']?[A-Za-z_]")
_DIRECTIVE = re.compile(r"#\s*([A-Za-z][\w-]*)\s*=\s*(.*?)\s*$")


LARGEST = 1 << 20
"""Characters of a Dockerfile. BuildKit has no such bound, but nobody writes a longer one by hand."""
MOST = 5_000
"""Instructions of a Dockerfile."""
LONGEST_LINE = 65_535
"""BuildKit's bound (bufio.MaxScanTokenSize)."""


class DockerfileError(DockerError):
    """A line is wrong; `line` counts from 1, and 0 means the whole file."""

    def __init__(self, text: str, line: int = 0):
        self.line = line
        super().__init__(text)


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction."""

    name: str
    """In capitals."""
    text: str
    """The text after the flags."""
    line: int
    flags: dict[str, str]
    json: tuple[str, ...] | None = None
    """The items of the text, if it is a JSON array."""
    escape: str = "\\"

    @property
    def words(self) -> list[str]:
        """Return the items of the JSON array, or the words with their quotes."""
        return list(self.json) if self.json is not None else split(self.text, self.escape)

    def __str__(self) -> str:
        flags = "".join(f"--{name}={value} " if value else f"--{name} " for name, value in self.flags.items())
        return f"{self.name} {flags}{self.text}"


def parse(text: str) -> list[Instruction]:
    """Return the instructions of a Dockerfile. Raises `DockerfileError`."""
    lines = [line.removesuffix("\r") for line in text.removeprefix("\ufeff").split("\n")]
    if len(text) > LARGEST:
        raise DockerfileError(f"the Dockerfile has more than {LARGEST} characters")
    for number, line in enumerate(lines, 1):
        if len(line) > LONGEST_LINE:
            raise DockerfileError(f"dockerfile line greater than max allowed size of {LONGEST_LINE}", number)
    escape = _escape(lines)
    instructions = [instruction(line, number, escape) for number, line in _logical(lines, escape)]
    if len(instructions) > MOST:
        raise DockerfileError(f"the Dockerfile has more than {MOST} instructions", instructions[MOST].line)
    if not instructions:
        raise DockerfileError("the Dockerfile cannot be empty")
    return instructions


def instruction(text: str, line: int, escape: str = "\\") -> Instruction:
    """Return the instruction of one logical line."""
    word, _, rest = text.strip().partition(" ") if " " in text.strip() else (text.strip(), "", "")
    if "\t" in word:
        word, _, before = word.partition("\t")
        rest = f"{before} {rest}".strip()
    name = word.upper()
    if name not in KNOWN:
        word = word[:80]
        near = get_close_matches(name[:80], KNOWN, 1)
        hint = f" (did you mean {near[0]}?)" if near else ""
        raise DockerfileError(f"dockerfile parse error on line {line}: unknown instruction: {word}{hint}", line)
    rest = rest.strip()
    flags: dict[str, str] = {}
    at = 0
    while name in _FLAGGED and (flag := _FLAG.match(rest, at)):
        flags[flag[1]] = flag[2] or ""
        at = flag.end()
    rest = rest[at:]
    if name in ("ADD", "COPY", "RUN") and _HEREDOC.search(rest):
        raise DockerfileError(
            f"{name} with a here-document (<<) is not read by the lab's docker: put the text into a file and COPY it",
            line,
        )
    if not rest:
        raise DockerfileError(f"dockerfile parse error on line {line}: {name} requires at least one argument", line)
    return Instruction(name, rest, line, flags, _array(rest) if name in _JSON else None, escape)


def _array(text: str) -> tuple[str, ...] | None:
    if not text.startswith("["):
        return None
    try:
        items = strict_json.read(text)
    except InvalidJson:
        return None  # as Docker has it, this is then no array but a shell command that begins with a bracket
    return tuple(items) if all(isinstance(item, str) for item in items) else None


def _escape(lines: list[str]) -> str:
    for line in lines:
        directive = _DIRECTIVE.match(line.strip())
        if not directive:
            break
        if directive[1].lower() == "escape":
            if directive[2] not in ("\\", "`"):
                raise DockerfileError(f"invalid ESCAPE '{directive[2]}' does not match ` or \\")
            return directive[2]
    return "\\"


def _logical(lines: list[str], escape: str) -> Iterator[tuple[int, str]]:
    """Return each logical line with the number of its first line."""
    mark = re.escape(escape)
    goes_on = re.compile(rf"(?<!{mark}){mark}[ \t]*$")  # two of them mean one literal escape character
    text, begun = "", 0
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        begun = begun or number
        continued = goes_on.search(line)
        text += line[: continued.start()] if continued else line
        if not continued:
            yield begun, text
            text, begun = "", 0
    if text.strip():
        yield begun, text
