"""A reader of strict JSON, which every other program reads alike (RFC 8259, and I-JSON, RFC 7493).

Python's reader accepts more: a repeated key, NaN, half a surrogate pair, UTF-16, numbers of any length. Two
programs can then disagree about one document, or a value cannot be stored. This reader rejects all of it,
for every text from outside.
"""

import json
import math
import re
from collections import Counter
from typing import Any, NoReturn

from ecrlab.errors import EcrLabError

DEEPEST = 100
"""Arrays and objects within each other."""
LARGEST_INTEGER = 2**63 - 1

_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


class InvalidJson(EcrLabError, ValueError):
    """A text that is not strict JSON; `place` is the place of the error, if known."""

    def __init__(self, why: str, place: str = "") -> None:
        super().__init__(f"{why} ({place})" if place else why)
        self.why = why
        self.place = place


def read(text: str | bytes, *, largest: int | None = None) -> Any:
    """Return the value of a JSON text of at most `largest` bytes or characters. Raises `InvalidJson`.

    >>> read('{"a": [1, 2.5]}')
    {'a': [1, 2.5]}
    >>> read('{"a": 1, "a": 2}')
    Traceback (most recent call last):
    ecrlab.oci.strict_json.InvalidJson: the key a, which occurs twice in one object
    """
    if largest is not None and len(text) > largest:
        raise InvalidJson(f"a text of more than {largest} bytes")
    try:
        if isinstance(text, bytes):
            text = text.decode()
        else:
            text.encode()
        document = _DECODER.decode(text)
        if _SURROGATE.search(text):
            json.dumps(document, ensure_ascii=False).encode()
    except UnicodeDecodeError as error:
        raise InvalidJson("not text in UTF-8", f"byte {error.start}") from error
    except UnicodeEncodeError as error:
        raise InvalidJson("half a surrogate pair, which is no character") from error
    except json.JSONDecodeError as error:
        raise InvalidJson(error.msg, f"line {error.lineno} column {error.colno}") from error
    except RecursionError as error:
        raise InvalidJson(_TOO_DEEP) from error
    if text.count("{") + text.count("[") > DEEPEST:
        _check_depth(document)
    return document


def read_object(text: str | bytes, *, largest: int | None = None) -> dict[str, Any]:
    """Return the object of a JSON text, as `read` does. Raises `InvalidJson` for any other value."""
    document = read(text, largest=largest)
    if not isinstance(document, dict):
        raise InvalidJson("not a JSON object")
    return document


_TOO_DEEP = f"objects or arrays are nested too deeply: more than {DEEPEST} levels"


def _check_depth(document: Any) -> None:
    level = [document]
    for _ in range(DEEPEST):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return
    raise InvalidJson(_TOO_DEEP)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) != len(pairs):
        twice = next(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
        raise InvalidJson(f"the key {_short(twice)}, which occurs twice in one object")
    return table


def _integer(digits: str) -> int:
    # The length first: Python takes long to read a million digits, and refuses some of them.
    if len(digits) > 20 or abs(value := int(digits)) > LARGEST_INTEGER:
        raise InvalidJson(f"{_short(digits)}, an integer of more than 64 bits")
    return value


def _float(digits: str) -> float:
    value = float(digits)
    if math.isinf(value):
        raise InvalidJson(f"{_short(digits)}, a number beyond all bounds")
    return value


def _constant(name: str) -> NoReturn:
    raise InvalidJson(f"{name}, which is not JSON")


def _short(text: str, most: int = 80) -> str:
    text = text[: most + 1].encode("unicode_escape").decode()
    return text if len(text) <= most else text[: most - 3] + "..."


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_int=_integer, parse_float=_float, parse_constant=_constant)
