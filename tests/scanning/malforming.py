"""Documents with anything at every place, for tests of what reads them."""

import copy
from collections.abc import Callable, Iterator
from typing import Any

ODD = [
    None,
    True,
    7,
    -1,
    1.5,
    "",
    "x",
    "../../etc/passwd",
    "/etc/passwd",
    "a\0b",
    "\ud800",
    [],
    [None],
    [[]],
    {},
    {"x": None},
]


def places(document: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to each member of a document, and to the document itself."""
    yield path
    members = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    for key, value in members:
        yield from places(value, (*path, key))


def changed(document: Any, place: tuple[Any, ...], change: Callable[[Any, Any], None]) -> Any:
    holder = {"": copy.deepcopy(document)}
    inner: Any = holder
    for key in ("", *place)[:-1]:
        inner = inner[key]
    change(inner, ("", *place)[-1])
    return holder.get("")


def variants(document: Any) -> Iterator[Any]:
    """A document with each member left out, and replaced by values of every type."""
    for place in places(document):
        if place:
            yield changed(document, place, lambda inner, key: inner.pop(key))
        for odd in ODD:
            yield changed(document, place, lambda inner, key, odd=odd: inner.__setitem__(key, odd))
