"""What a registry looks up with every request, and what seldom changes: a repository, its policies, a layer.

Reading it from the database costs more than all else that a small request does. So it is remembered until a change
touches the scope that it is about (see `Store.version`). A look that began before such a change and ended after it is
remembered for the version before, which is over.
"""

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

from ecrlab.registry.store.database import Store

T = TypeVar("T")

MOST = 10_000
"""How many things are remembered at a time."""


class Remembered:
    """What was found in a store, each thing until its scope is touched."""

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
        """Return what `look_up` returns, or returned since the scopes `of` which it tells were last touched.

        None is not remembered: it may be there in a moment. `lasts` tells of anything else whether it can be
        remembered.
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
