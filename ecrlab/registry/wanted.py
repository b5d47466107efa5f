"""Repositories and images that a client wants and the registry lacks: listeners of the world may supply them.

Both faces call these functions before they look something up; if no listener supplies it, the lookup fails as usual.
Without a listener they cost nothing.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ecrlab.registry import repositories
from ecrlab.registry.errors import RepositoryNotFoundException
from ecrlab.registry.images import ImageId
from ecrlab.registry.world import Registry

PUSHING = frozenset({"ecr:BatchCheckLayerAvailability", "ecr:InitiateLayerUpload", "ecr:PutImage"})
PULLING = frozenset({"ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"})
"""The actions of a push and of a pull. Docker's HEAD of a layer, BatchCheckLayerAvailability, occurs in both."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A client's request to a repository: the action, the caller's ARN, and the images that a pull names.

    `check` raises `AccessDeniedException` unless the client may also do another action to that repository, such as
    ecr:CreateRepository.
    """

    registry: Registry
    repository_name: str
    action: str
    by: str
    check: Callable[[str], None]
    images: tuple[ImageId, ...] = ()


def repository(wanted: Wanted) -> None:
    """Ask for a repository that is absent."""
    world = wanted.registry.world
    if not world.repository_wanted or wanted.action not in PUSHING | PULLING:
        return
    try:
        repositories.find(wanted.registry, wanted.repository_name)
    except RepositoryNotFoundException:
        world.repository_wanted.ask(wanted)


def images(wanted: Wanted, ids: Sequence[ImageId]) -> None:
    """Ask for images that are about to be pulled: one may be absent, or newer elsewhere."""
    world = wanted.registry.world
    if not world.image_wanted:
        return
    there = repositories.find(wanted.registry, wanted.repository_name)
    for image_id in ids:
        world.image_wanted.ask(wanted, there, image_id)
