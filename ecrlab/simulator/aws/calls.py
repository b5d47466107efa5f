"""One call of an operation, and the table of operations.

An operation is a function from a `Call` to the members of its answer, put into the table with `@operation(...)` under
the name that AWS gives it. What is not in the table is answered by an AWS error that says so.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ecrlab.registry import repositories
from ecrlab.registry.repositories import Repository
from ecrlab.registry.world import Registry, World
from ecrlab.simulator.access.callers import Caller


@dataclass(frozen=True, slots=True)
class Call:
    """A request that passed the door: who asks for what, where."""

    world: World
    caller: Caller
    region: str
    operation: str
    request: dict[str, Any]
    host: str = "127.0.0.1"
    """Where the caller reached the lab, as in the `Host` header."""

    @property
    def registry(self) -> Registry:
        """The registry meant: that of `registryId`, or the caller's own, in the Region of the call."""
        return self.world.registry(self.request.get("registryId", self.caller.account_id), self.region)

    @property
    def repository_name(self) -> str:
        """The `repositoryName` of the request."""
        name: str = self.request["repositoryName"]
        return name

    @property
    def repository(self) -> Repository:
        """The repository of `repositoryName`. Raises `RepositoryNotFoundException`."""
        return repositories.find(self.registry, self.repository_name)

    @property
    def names(self) -> dict[str, str]:
        """The two members that most answers about a repository begin with."""
        return {"registryId": self.registry.account_id, "repositoryName": self.repository_name}


Operation = Callable[[Call], dict[str, Any]]

OPERATIONS: dict[tuple[str, str], Operation] = {}
"""(service, operation) -> what answers it."""

PARTIAL: dict[tuple[str, str], str] = {}
"""(service, operation) -> what of it is not simulated, for `docs/fidelity.md`."""


def operation(name: str, service: str = "ecr", *, partial: str | None = None) -> Callable[[Operation], Operation]:
    """Put the decorated function into the table; `partial` says what the operation does not do here."""

    def register(function: Operation) -> Operation:
        OPERATIONS[service, name] = function
        if partial is not None:
            PARTIAL[service, name] = partial
        return function

    return register
