"""A request to a route under `/v2/`, with the values that its handler needs."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from ecrlab.registry import names, repositories, wanted
from ecrlab.registry.errors import EcrError, InvalidParameterException, UploadNotFoundException
from ecrlab.registry.images import ImageId
from ecrlab.registry.repositories import Repository
from ecrlab.registry.store.uploads import Upload
from ecrlab.registry.tokens import Token
from ecrlab.registry.wanted import Wanted
from ecrlab.registry.world import Registry
from ecrlab.simulator.v2.auth import Authorize
from ecrlab.simulator.v2.errors import Refusal
from ecrlab.simulator.v2.quirks import Quirks
from ecrlab.simulator.v2.wire import Request, Response

PULLS = frozenset({"ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "ecr:ListImages"})
"""The actions that ECR Public allows to everybody; its API has no such operations."""


@dataclass(slots=True)
class Action:
    """An action that a request took on a repository, for CloudTrail: parameters, and the error if it was denied."""

    name: str
    repository: str
    parameters: dict[str, Any] = field(default_factory=dict)
    error: EcrError | None = None


@dataclass(frozen=True, slots=True)
class Visit:
    """One caller's request for one repository (`name`; empty for the registry itself) and one item in it."""

    request: Request
    token: Token
    registry: Registry
    name: str
    thing: str
    authorize: Authorize
    quirks: Quirks | None = None
    alias: str = ""
    """The alias of a public registry, which comes before the repository in paths."""
    actions: list[Action] = field(default_factory=list)

    def may(self, action: str) -> Repository:
        """Return the repository if the caller may do this to it.

        Raises `Refusal`, `RepositoryNotFoundException`, `AccessDeniedException`.
        """
        return self.may_in(self.name, action)

    def may_in(self, name: str, action: str) -> Repository:
        """Return another repository of the registry, if the caller may do this to it."""
        try:
            names.check_repository_name(name, self.registry.region)
        except InvalidParameterException as error:
            raise Refusal(400, "NAME_INVALID", error.message) from error
        # UNSURE: whether ECR tells a caller without permission that a repository does not exist; here it does, as in
        # public reports of pushes.
        taken = Action(action, name)
        self.actions.append(taken)
        try:
            wanted.repository(self.wanted(action, name))
            repository = repositories.find(self.registry, name)
            self.authorize(self.token, action, self.registry, name)
        except EcrError as error:
            taken.error = error
            raise
        return repository

    def wanted(self, action: str, name: str | None = None) -> Wanted:
        """Return the action that this request requires on its own or another repository."""
        name = self.name if name is None else name
        return Wanted(
            self.registry,
            name,
            action,
            self.token.principal,
            lambda other: self.authorize(self.token, other, self.registry, name),
            (self._image,) if action == "ecr:BatchGetImage" else (),
        )

    @property
    def _image(self) -> ImageId:
        """The image that the path names; only a digest has a colon."""
        return ImageId(digest=self.thing) if ":" in self.thing else ImageId(tag=self.thing)

    def upload(self, repository: Repository) -> Upload:
        """Return the open upload that the path names. Raises `UploadNotFoundException`."""
        upload = self.registry.world.uploads.find(self.thing, repository.id)
        if upload is None:
            raise UploadNotFoundException(self.thing, self.name, self.registry.account_id)
        return upload

    @property
    def full_name(self) -> str:
        """The repository as its clients write it after the host."""
        return f"{self.alias}/{self.name}" if self.alias else self.name

    def url(self, rest: str) -> str:
        """Return the path of an item in this repository."""
        return f"/v2/{quote(self.full_name)}/{rest}"


Handler = Callable[[Visit], Response]
