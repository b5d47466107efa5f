"""Which paths a pattern means: `.dockerignore`, and the wildcards of COPY.

`*` and `?` stay within one name, `**` goes through any number of directories, `[…]` is one character of a
set. In `.dockerignore` the last pattern that matches a path, or a directory above it, decides; `!` takes
back. Source: Dockerfile reference, .dockerignore file.
"""

import re
from functools import cache


@cache
def expression(pattern: str) -> re.Pattern[str]:
    """A pattern as a regular expression for a whole path.

    >>> bool(expression("**/*.pyc").fullmatch("a/b/c.pyc")), bool(expression("*.pyc").fullmatch("a/b.pyc"))
    (True, False)
    """
    made = ""
    at = 0
    while at < len(pattern):
        char = pattern[at]
        if pattern.startswith("**", at):
            at += 2
            if pattern.startswith("/", at):
                at += 1
                made += "(?:.*/)?"
            else:
                made += ".*"
            continue
        end = pattern.find("]", at + 2) if char == "[" else -1
        if end > 0:
            made += "[" + pattern[at + 1 : end].replace("\\", r"\\") + "]"
            at = end
        elif char == "\\" and at + 1 < len(pattern):
            at += 1
            made += re.escape(pattern[at])
        else:
            made += {"*": "[^/]*", "?": "[^/]"}.get(char) or re.escape(char)
        at += 1
    return re.compile(made, re.DOTALL)


class Ignore:
    """The rules of a `.dockerignore`."""

    def __init__(self, text: str = ""):
        self._rules: list[tuple[bool, re.Pattern[str]]] = []
        for line in text.removeprefix("\ufeff").splitlines():
            rule = line.strip()
            if not rule or line.startswith("#"):
                continue
            keeps = rule.startswith("!")
            pattern = _clean(rule.removeprefix("!").strip())
            if pattern:
                self._rules.append((keeps, expression(pattern)))
        self.takes_back = any(keeps for keeps, _ in self._rules)
        """Whether something below an ignored directory may still be wanted."""

    def ignores(self, path: str) -> bool:
        """Whether a path, relative to the context and with `/`, stays out of the build."""
        parts = path.split("/")
        above = ["/".join(parts[:depth]) for depth in range(1, len(parts) + 1)]
        ignored = False
        for keeps, rule in self._rules:
            if ignored == keeps and any(rule.fullmatch(part) for part in above):
                ignored = not keeps
        return ignored


def _clean(pattern: str) -> str:
    """A pattern without what does not count: `./`, doubled and outer slashes."""
    return "/".join(part for part in pattern.split("/") if part not in ("", "."))
