"""The functions of templates: Go's own (text/template), and those that Docker adds (docker/cli, templates)."""

import json
import re
from collections.abc import Callable
from typing import Any


def shown(value: Any) -> str:
    """Return a value as Go prints it."""
    if isinstance(value, dict):
        return "map[" + " ".join(f"{key}:{shown(value[key])}" for key in sorted(value)) + "]"
    if isinstance(value, list):
        return "[" + " ".join(map(shown, value)) + "]"
    if isinstance(value, bool):
        return "true" if value else "false"
    return "<nil>" if value is None else str(value)


def is_true(value: Any) -> bool:
    """Tell whether a value is true for Go's `if`: not false, zero, nil or empty."""
    return bool(value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"wrong type for value; expected string; got {type(value).__name__}")
    return value


def _json(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _index(within: Any, *keys: Any) -> Any:
    for key in keys:
        if not isinstance(within, list | dict | str):
            raise TypeError(f"can't index item of type {type(within).__name__}")
        if isinstance(within, dict):
            within = within.get(key)
        elif not 0 <= key < len(within):
            raise IndexError(f"index out of range: {key}")
        else:
            within = within[key]
    return within


def _printf(template: str, *values: Any) -> str:
    left = list(values)
    verbs: dict[str, Callable[[Any], str]] = {"s": shown, "v": shown, "d": shown, "q": _json}

    def fill(found: re.Match[str]) -> str:
        if found[0] == "%%":
            return "%"
        if not left:
            return f"%!{found[2]}(MISSING)"
        text = verbs.get(found[2], shown)(left.pop(0))
        width = int(found[1] or 0)
        return text.ljust(min(-width, 1000)) if width < 0 else text.rjust(min(width, 1000))

    return re.sub(r"%(-?\d{0,4})([a-z%])", fill, template)


def _first(wanted: bool, values: tuple[Any, ...]) -> Any:
    return next((value for value in values if is_true(value) is wanted), values[-1])


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "json": _json,
    "split": lambda text, separator: _text(text).split(separator),
    "join": lambda items, separator: separator.join(items),
    "title": lambda text: _text(text).title(),
    "lower": lambda text: _text(text).lower(),
    "upper": lambda text: _text(text).upper(),
    "pad": lambda text, before, after: " " * min(before, 1000) + _text(text) + " " * min(after, 1000) if text else text,
    "truncate": lambda text, length: _text(text)[:length],
    "println": lambda *values: " ".join(map(shown, values)) + "\n",
    "print": lambda *values: "".join(map(shown, values)),
    "printf": _printf,
    "len": len,
    "index": _index,
    "eq": lambda first, *others: any(first == other for other in others),
    "ne": lambda first, second: first != second,
    "lt": lambda first, second: first < second,
    "le": lambda first, second: first <= second,
    "gt": lambda first, second: first > second,
    "ge": lambda first, second: first >= second,
    "and": lambda *values: _first(False, values),
    "or": lambda *values: _first(True, values),
    "not": lambda value: not is_true(value),
}
