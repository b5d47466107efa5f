"""Callbacks of a world: listeners receive events, and suppliers may create what is absent.

    events             an event for EventBridge    called after the change is committed
    after_push         an image was pushed         called before the push is answered
    before_deletion    images may be deleted       called before the change begins
    after_deletion     images were deleted         called after their layers are cleaned up
    time_passes        the lab's clock is moved    called before the nights on the way
    repository_wanted  a repository is absent      called before a push or a pull is refused
    image_wanted       an image may be pulled      called before a pull looks for it

Listeners run outside of every transaction. A listener that fails is logged; the others run, and the client's change
stays.
"""

import logging
from collections.abc import Callable
from typing import Generic, ParamSpec, TypeVar

from ecrlab.registry.errors import EcrError

P = ParamSpec("P")
T = TypeVar("T")

log = logging.getLogger("ecrlab.listeners")


class Listeners(Generic[P]):
    """Callbacks that receive an event, each in turn."""

    def __init__(self) -> None:
        self._listeners: list[Callable[P, None]] = []

    def __bool__(self) -> bool:
        return bool(self._listeners)

    def add(self, listener: Callable[P, None]) -> None:
        """Add a listener; an equal one is called once."""
        if listener not in self._listeners:
            self._listeners.append(listener)

    def tell(self, *args: P.args, **kwargs: P.kwargs) -> None:
        """Call every listener."""
        for listener in self._listeners:
            try:
                listener(*args, **kwargs)
            except Exception:
                log.exception("a listener failed: %r", listener)


class Suppliers(Generic[P, T]):
    """Callbacks that may supply something. They are called in turn until one returns it."""

    def __init__(self) -> None:
        self._listeners: list[Callable[P, T | None]] = []

    def __bool__(self) -> bool:
        return bool(self._listeners)

    def add(self, listener: Callable[P, T | None]) -> None:
        """Add a listener; an equal one is asked once."""
        if listener not in self._listeners:
            self._listeners.append(listener)

    def ask(self, *args: P.args, **kwargs: P.kwargs) -> T | None:
        """Return the first result that is not None, or None.

        Raises the `EcrError` of a callback that rejects the client's request.
        """
        for listener in self._listeners:
            try:
                found = listener(*args, **kwargs)
            except EcrError:
                raise
            except Exception:
                log.exception("a listener failed: %r", listener)
            else:
                if found is not None:
                    return found
        return None
