"""Patterns of paths: `.dockerignore`, and the wildcards of COPY.

`*` and `?` match within one name, `**` matches any number of directories, and `[…]` one character of a set. In
`.dockerignore` the last pattern that matches a path, or a directory above it, decides; `!` includes a path again.
Source: Dockerfile reference, .dockerignore file.

A regular expression may take years for `*a*a*a*a*b`. A `Pattern` reads each character of a path once, and keeps the
set of all places in the pattern that it may have reached.
"""

import re
from collections.abc import Callable, Iterator
from functools import cache

from ecrlab.docker.errors import DockerError

_MOST_REMEMBERED = 10_000
_STAR, _DEEP = "*", "**"
_FOLDERS, _IN_FOLDERS = "**/", "…/"
"""`**/` matches an empty text, or any text that ends with a slash."""


class Pattern:
    """One pattern, matched against whole paths.

    >>> Pattern("**/*.pyc").matches("a/b/c.pyc"), Pattern("*.pyc").matches("a/b.pyc")
    (True, False)
    """

    def __init__(self, pattern: str):
        self._tokens = list(_tokens(pattern))
        self._start = self._with_skips({0})
        self._known: dict[tuple[frozenset[int], str], frozenset[int]] = {}

    def matches(self, path: str) -> bool:
        """Tell whether the pattern matches this path."""
        return len(self._tokens) in self._after(self._start, path)

    def matches_above(self, path: str) -> bool:
        """Tell whether the pattern matches this path or a directory above it."""
        places, first = self._start, True
        for name in path.split("/"):
            places = self._after(places, name if first else f"/{name}")
            first = False
            if len(self._tokens) in places:
                return True
        return False

    def _after(self, places: frozenset[int], text: str) -> frozenset[int]:
        known = self._known
        for char in text:
            if not places:
                break
            key = (places, char)
            following = known.get(key)
            if following is None:
                if len(known) > _MOST_REMEMBERED:
                    known.clear()
                following = known[key] = self._step(places, char)
            places = following
        return places

    def _step(self, places: frozenset[int], char: str) -> frozenset[int]:
        found = set()
        for place in places - {len(self._tokens)}:
            token = self._tokens[place]
            if token in (_DEEP, _IN_FOLDERS) or (token == _STAR and char != "/"):
                found.add(place)
            if (token == _IN_FOLDERS and char == "/") or (callable(token) and token(char)):
                found.add(place + 1)
        return self._with_skips(found)

    def _with_skips(self, places: set[int]) -> frozenset[int]:
        """Return these places, and those after wildcards that may match an empty text."""
        ahead, found = list(places), set()
        while ahead:
            place = ahead.pop()
            if place not in found:
                found.add(place)
                token = self._tokens[place] if place < len(self._tokens) else None
                if token in (_STAR, _DEEP, _FOLDERS):
                    ahead.append(place + 1)
                if token == _FOLDERS:
                    ahead.append(place + 2)
        return frozenset(found)


pattern = cache(Pattern)


def _tokens(text: str) -> Iterator[str | Callable[[str], object]]:
    """Return the wildcards, and a test for every other character."""
    at = 0
    while at < len(text):
        char = text[at]
        end = text.find("]", at + 2) if char == "[" else -1
        if text.startswith("**/", at):
            yield _FOLDERS
            yield _IN_FOLDERS
            at += 3
        elif text.startswith("**", at):
            yield _DEEP
            at += 2
        elif char == "*":
            yield _STAR
            at += 1
        elif char == "?":
            yield "/".__ne__
            at += 1
        elif end > 0:
            yield _set(text[at : end + 1])
            at = end + 1
        else:
            at += char == "\\" and at + 1 < len(text)
            yield text[at].__eq__
            at += 1


def _set(text: str) -> Callable[[str], object]:
    try:
        return re.compile(text.replace("\\", r"\\").replace("[[", r"[\[", 1)).fullmatch
    except re.error as error:
        raise DockerError(f"syntax error in pattern: {text}") from error


class Ignore:
    """The rules of a `.dockerignore`."""

    def __init__(self, text: str = ""):
        self._rules: list[tuple[bool, Pattern]] = []
        for line in text.removeprefix("\ufeff").splitlines():
            rule = line.strip()
            if not rule or line.startswith("#"):
                continue
            keeps = rule.startswith("!")
            cleaned = _clean(rule.removeprefix("!").strip())
            if cleaned:
                self._rules.append((keeps, pattern(cleaned)))
        self.has_exceptions = any(keeps for keeps, _ in self._rules)
        """Tell whether a later rule may include something below an ignored directory."""

    def ignores(self, path: str) -> bool:
        """Tell whether the rules exclude a path, relative to the context and with `/`."""
        ignored = False
        for keeps, rule in self._rules:
            if ignored == keeps and rule.matches_above(path):
                ignored = not keeps
        return ignored


def _clean(text: str) -> str:
    """Return a pattern without `./`, doubled and outer slashes."""
    return "/".join(part for part in text.split("/") if part not in ("", "."))
