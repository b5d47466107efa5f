"""The words of a Dockerfile line: quotes, escapes and variables, by the rules of a shell.

    $name  ${name}  ${name:-word}  ${name:+word}  ${name-word}  ${name+word}  ${name:?word}

Single quotes prevent all expansion; an escape character makes the next one literal. Source: Dockerfile reference,
environment replacement.
"""

import re
from collections.abc import Mapping

from ecrlab.docker.errors import DockerError

LONGEST = 128 << 10
"""Characters of a value: Linux rejects a longer variable of a program (execve(2), MAX_ARG_STRLEN)."""
DEEPEST = 50
"""Substitutions within each other."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|[0-9]")
_MODIFIER = re.compile(r":?[-+?]")


def split(text: str, escape: str = "\\") -> list[str]:
    """Split a text at white space outside quotes; quotes and escapes stay in the words.

    >>> split('a="b c" d')
    ['a="b c"', 'd']
    """
    words: list[str] = []
    begun: int | None = None
    quote = ""
    at = 0
    while at < len(text):
        char = text[at]
        if not quote and char.isspace():
            if begun is not None:
                words.append(text[begun:at])
            begun = None
        else:
            begun = at if begun is None else begun
            if char == escape and quote != "'" and at + 1 < len(text):
                at += 1
            elif char in "\"'" and quote in ("", char):
                quote = "" if quote else char
        at += 1
    return words if begun is None else [*words, text[begun:]]


def expand(word: str, variables: Mapping[str, str], escape: str = "\\") -> str:
    """Return a word with its variables replaced, and its quotes and escapes removed.

    >>> expand("${NAME:-nobody}-'$NAME'", {"NAME": "ada"})
    'ada-$NAME'
    """
    return _expand(word, variables, escape, 0, 0)[0]


def _expand(text: str, variables: Mapping[str, str], escape: str, at: int, depth: int) -> tuple[str, int]:
    """Return the expanded text from `at` on, and its end: that of the text, or `}` within a substitution."""
    done: list[str] = []
    length = 0
    quote = ""
    while at < len(text):
        char = text[at]
        if depth and char == "}" and not quote:
            return "".join(done), at
        piece = ""
        if char == escape and quote != "'" and at + 1 < len(text):
            following = text[at + 1]
            # Within double quotes an escape character acts only on these; before others it stays.
            piece = following if not quote or following in f'"${escape}' else escape + following
            at += 2
        elif char in "\"'" and quote in ("", char):
            quote = "" if quote else char
            at += 1
        elif char == "$" and quote != "'":
            piece, at = _variable(text, variables, escape, at, depth)
        else:
            piece = char
            at += 1
        done.append(piece)
        length += len(piece)
        if length > LONGEST:
            raise DockerError(f"a value becomes longer than {LONGEST} characters")
    if quote:
        raise DockerError(f"unexpected end of statement while looking for matching {quote}")
    if depth:
        raise DockerError("syntax error: missing '}'")
    return "".join(done), at


def _variable(text: str, variables: Mapping[str, str], escape: str, at: int, depth: int) -> tuple[str, int]:
    """Return the value of the variable expression at `at`, and the end of that expression."""
    if not text.startswith("${", at):
        name = _NAME.match(text, at + 1)
        return (variables.get(name[0], ""), name.end()) if name else ("$", at + 1)
    if depth == DEEPEST:
        raise DockerError(f"substitutions are nested more than {DEEPEST} levels deep")
    name = _NAME.match(text, at + 2)
    if not name:
        raise DockerError(f"bad substitution: {text[at : at + 80]}")
    value = variables.get(name[0])
    if text.startswith("}", name.end()):
        return value or "", name.end() + 1
    modifier = _MODIFIER.match(text, name.end())
    if not modifier:
        raise DockerError(f"unsupported modifier ({text[name.end() : name.end() + 2]}) in substitution")
    word, end = _expand(text, variables, escape, modifier.end(), depth + 1)
    present = bool(value) if modifier[0][0] == ":" else value is not None
    match modifier[0][-1]:
        case "-":
            return (value or "") if present else word, end + 1
        case "+":
            return word if present else "", end + 1
    if not present:
        raise DockerError(f"{name[0]}: {word or 'not allowed to be empty'}")
    return value or "", end + 1
