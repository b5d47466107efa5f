"""One call of an operation, and the table of operations.

An operation is a function from a `Call` to the members of its response. `@operation(...)` adds it to the table under
AWS's name. The face answers any other operation with an AWS error.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ecrlab.registry import public, repositories
from ecrlab.registry.repositories import Repository
from ecrlab.registry.world import Registry, World
from ecrlab.simulator.access.callers import Caller

PUBLIC = "ecr-public"
"""The service whose registries have no Region."""


@dataclass(frozen=True, slots=True)
class Call:
    """A checked request: the caller, the Region, the operation and its parameters."""

    world: World
    caller: Caller
    region: str
    operation: str
    request: dict[str, Any]
    host: str = "127.0.0.1"
    """The `Host` header: the address of the lab as the caller knows it."""
    service: str = "ecr"

    @property
    def registry(self) -> Registry:
        """The registry of `registryId` (default: the caller's own): in the Region of the call, or the public one.

        Raises `InvalidParameterException`, and `RegistryNotFoundException` for an unknown alias of a public registry.
        """
        asked = self.request.get("registryId", self.caller.account_id)
        if self.service == PUBLIC:
            return public.registry_of_alias(self.world, asked)
        return self.world.registry(asked, self.region)

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
        """The two members at the start of most responses about a repository."""
        return {"registryId": self.registry.account_id, "repositoryName": self.repository_name}


Operation = Callable[[Call], dict[str, Any]]

OPERATIONS: dict[tuple[str, str], Operation] = {}
"""(service, operation) -> its function."""

PARTIAL: dict[tuple[str, str], str] = {}
"""(service, operation) -> the part that is not simulated, for `docs/fidelity.md`."""


def operation(name: str, service: str = "ecr", *, partial: str | None = None) -> Callable[[Operation], Operation]:
    """Add the decorated function to the table; `partial` names the part that is not simulated."""

    def register(function: Operation) -> Operation:
        OPERATIONS[service, name] = function
        if partial is not None:
            PARTIAL[service, name] = partial
        return function

    return register
