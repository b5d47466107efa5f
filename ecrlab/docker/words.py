"""The words of a Dockerfile line: quotes, escapes, and variables as a shell would take them.

    $name  ${name}  ${name:-word}  ${name:+word}  ${name-word}  ${name+word}  ${name:?word}

Nothing is expanded within single quotes; an escape character takes the next one literally. Source:
Dockerfile reference, environment replacement.
"""

import re
from collections.abc import Mapping

from ecrlab.docker.errors import DockerError

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|[0-9]")


def split(text: str, escape: str = "\\") -> list[str]:
    """Words at white space outside quotes; quotes and escapes stay in them.

    >>> split('a="b c" d')
    ['a="b c"', 'd']
    """
    words: list[str] = []
    word = quote = ""
    at = 0
    while at < len(text):
        char = text[at]
        if char == escape and quote != "'" and at + 1 < len(text):
            word += text[at : at + 2]
            at += 2
            continue
        if not quote and char.isspace():
            if word:
                words.append(word)
            word = ""
        else:
            if char in "\"'" and quote in ("", char):
                quote = "" if quote else char
            word += char
        at += 1
    return [*words, word] if word else words


def expand(word: str, variables: Mapping[str, str], escape: str = "\\") -> str:
    """A word with its variables replaced and its quotes and escapes taken away.

    >>> expand("${NAME:-nobody}-'$NAME'", {"NAME": "ada"})
    'ada-$NAME'
    """
    done, rest = _expand(word, variables, escape, stop="")
    if rest:
        raise DockerError(f"unexpected end of {word}")
    return done


def _expand(text: str, variables: Mapping[str, str], escape: str, stop: str) -> tuple[str, str]:
    """What stands before an unquoted `stop`, expanded, and what stands after it."""
    done = ""
    quote = ""
    at = 0
    while at < len(text):
        char = text[at]
        if stop and char == stop and not quote:
            return done, text[at:]
        if char == escape and quote != "'" and at + 1 < len(text):
            following = text[at + 1]
            # Within double quotes only these are escaped; before others the character stays.
            done += following if not quote or following in f'"${escape}' else escape + following
            at += 2
        elif char == "'" and quote != '"':
            quote = "" if quote else "'"
            at += 1
        elif char == '"' and quote != "'":
            quote = "" if quote else '"'
            at += 1
        elif char == "$" and quote != "'":
            value, length = _variable(text[at:], variables, escape)
            done += value
            at += length
        else:
            done += char
            at += 1
    if quote:
        raise DockerError(f"unexpected end of statement while looking for matching {quote}")
    if stop:
        raise DockerError(f"syntax error: missing '{stop}'")
    return done, ""


def _variable(text: str, variables: Mapping[str, str], escape: str) -> tuple[str, int]:
    """The value of the variable that `text` begins with, and how long its expression is."""
    if text.startswith("${"):
        name = _NAME.match(text, 2)
        if not name:
            raise DockerError(f"bad substitution: {text}")
        value = variables.get(name[0])
        after = text[name.end() :]
        if after.startswith("}"):
            return value or "", name.end() + 1
        modifier = re.match(r":?[-+?]", after)
        if not modifier:
            raise DockerError(f"unsupported modifier ({after[:2]}) in substitution")
        word, rest = _expand(after[modifier.end() :], variables, escape, stop="}")
        present = bool(value) if modifier[0][0] == ":" else value is not None
        length = len(text) - len(rest) + 1
        match modifier[0][-1]:
            case "-":
                return (value or "") if present else word, length
            case "+":
                return word if present else "", length
        if not present:
            raise DockerError(f"{name[0]}: {word or 'not allowed to be empty'}")
        return value or "", length
    name = _NAME.match(text, 1)
    return (variables.get(name[0], ""), name.end()) if name else ("$", 1)
