"""Who is told what happens in a world, and who is asked for what it lacks.

    events             each event of EventBridge's     told after the change that it is about is kept
    after_push         an image was pushed             told before the push is answered
    after_deletion     images were deleted             told when their layers are freed
    repository_wanted  a repository is absent          asked before a push or a pull is refused
    image_wanted       an image is absent              asked before a pull is refused
    blob_wanted        a layer is absent               asked before a look or a pull is refused

Listeners stand outside of every transaction. What one of them fails at is logged: it concerns neither the others nor
the client, whose change is made.
"""

import logging
from collections.abc import Callable
from typing import Generic, ParamSpec, TypeVar

from ecrlab.registry.errors import EcrError

P = ParamSpec("P")
T = TypeVar("T")

log = logging.getLogger("ecrlab.listeners")


class Told(Generic[P]):
    """Listeners that are told, each in its turn."""

    def __init__(self) -> None:
        self._listeners: list[Callable[P, None]] = []

    def __bool__(self) -> bool:
        return bool(self._listeners)

    def add(self, listener: Callable[P, None]) -> None:
        """Tell this one too; an equal listener is told once."""
        if listener not in self._listeners:
            self._listeners.append(listener)

    def tell(self, *args: P.args, **kwargs: P.kwargs) -> None:
        """Tell every listener."""
        for listener in self._listeners:
            try:
                listener(*args, **kwargs)
            except Exception:
                log.exception("a listener failed: %r", listener)


class Asked(Generic[P, T]):
    """Listeners that are asked for something, one after the other, until one returns it."""

    def __init__(self) -> None:
        self._listeners: list[Callable[P, T | None]] = []

    def __bool__(self) -> bool:
        return bool(self._listeners)

    def add(self, listener: Callable[P, T | None]) -> None:
        """Ask this one too; an equal listener is asked once."""
        if listener not in self._listeners:
            self._listeners.append(listener)

    def ask(self, *args: P.args, **kwargs: P.kwargs) -> T | None:
        """Return what the first listener that has it returns, or None. An `EcrError` is a listener's refusal: raised
        to the client.
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
