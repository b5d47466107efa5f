"""What a registry looks up with every request, and what seldom changes: a repository, its policies, a layer.

Reading it from the database costs more than all else that a small request does. So it is remembered until a change may
have touched it, and every change may have, unless it says otherwise (`Store.keep_remembered`). A look that began
before such a change and ended after it is remembered for the time before, which is over.
"""

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

from ecrlab.registry.store.database import Store

T = TypeVar("T")

MOST = 10_000
"""How many things are remembered at a time."""


class Remembered:
    """What was found in a store since it last changed in a way that could matter."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._found: dict[Hashable, tuple[float, Any]] = {}

    def __call__(
        self, key: Hashable, look_up: Callable[[], T], *, lasts: Callable[[Any], bool] = lambda found: True
    ) -> T:
        """What `look_up` gives, or gave lately under this key. None is not remembered: it may be there in a moment.

        `lasts` tells of anything else whether it can be remembered.
        """
        epoch = self._store.epoch
        kept = self._found.get(key)
        if kept is not None and kept[0] == epoch:
            found: T = kept[1]
            return found
        found = look_up()
        if found is not None and lasts(found):
            if len(self._found) >= MOST:
                self._found.clear()
            self._found[key] = (epoch, found)
        return found
