"""Patterns of policies: `*` stands for any characters, `?` for one, `${key}` for a fact of the request."""

import fnmatch
import functools
import re

from ecrlab.registry.iam.request import Context

_VARIABLE = re.compile(r"\$\{([^{}]*)\}")
_LITERALS = {"*": "*", "?": "?", "$": "$"}


@functools.lru_cache(maxsize=4096)
def _compiled(pattern: str) -> re.Pattern[str]:
    # fnmatch's expressions take linear time whatever the pattern; the class of characters, [abc], is not IAM's.
    return re.compile(fnmatch.translate(pattern))


def like(pattern: str, text: str, context: Context | None = None) -> bool:
    """Return whether a text matches a pattern; a `context` replaces its variables first.

    >>> like("arn:aws:ecr:*:*:repository/team-?/*", "arn:aws:ecr:us-east-1:123456789012:repository/team-a/web")
    True
    """
    escaped = pattern.replace("[", "[[]")
    if context is not None:
        filled = _fill(escaped, context, literally=False)
        if filled is None:
            return False
        escaped = filled
    return _compiled(escaped).match(text) is not None


def equal(wanted: str, text: str, context: Context | None = None) -> bool:
    """Return whether two texts are equal; a `context` replaces the variables of `wanted` first."""
    return (wanted if context is None else _fill(wanted, context, literally=True)) == text


def _fill(pattern: str, context: Context, *, literally: bool) -> str | None:
    """Replace the variables of a pattern; return None if one has no single value.

    Unless `literally`, wildcards in the values are escaped, so that they match only themselves.
    """
    missing = False

    def value(found: re.Match[str]) -> str:
        nonlocal missing
        name, comma, default = found[1].partition(",")
        text = _LITERALS.get(name)
        if text is None:
            values = context.get(name.strip().lower(), ())
            if len(values) == 1:
                text = values[0]
            elif comma and not values:
                text = default.strip().strip("'")
            else:
                missing = True
                return ""
        return text if literally else re.sub(r"[*?[]", r"[\g<0>]", text)

    filled = _VARIABLE.sub(value, pattern)
    return None if missing else filled
