"""A cache of frequent lookups whose results seldom change: a repository, its policies, a layer.

The database read costs more than the rest of a small request. So the cache keeps each entry until a change
touches its scope (see `Store.version`). A lookup that began before such a change and ended after it is kept under the
version before, which is out of date.
"""

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

from ecrlab.registry.store.database import Store

T = TypeVar("T")

MOST = 10_000
"""How many entries are kept at a time."""


class Cache:
    """Results of lookups in a store. Each stays until a change touches its scope."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._found: dict[Hashable, tuple[tuple[int, ...], Any]] = {}

    def __call__(
        self,
        key: Hashable,
        look_up: Callable[[], T],
        *,
        of: tuple[tuple[Hashable, ...], ...],
        lasts: Callable[[Any], bool] = lambda found: True,
    ) -> T:
        """Return what `look_up` returns, or what it returned since a change last touched one of the scopes `of`.

        None is not stored, because an absent row may appear at any time. `lasts` decides about other results.
        """
        version = self._store.version(*of)
        kept = self._found.get(key)
        if kept is not None and kept[0] == version:
            found: T = kept[1]
            return found
        found = look_up()
        if found is not None and lasts(found):
            if len(self._found) >= MOST:
                self._found.clear()
            self._found[key] = (version, found)
        return found
