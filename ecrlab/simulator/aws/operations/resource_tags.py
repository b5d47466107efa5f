"""TagResource, UntagResource, ListTagsForResource: labels of a repository, which the request names by its ARN."""

from typing import Any

from ecrlab.registry import names, repositories
from ecrlab.registry.errors import (
    InvalidParameterException,
    InvalidTagParameterException,
    TooManyTagsException,
)
from ecrlab.registry.repositories import Repository
from ecrlab.registry.world import Registry
from ecrlab.simulator.aws.calls import PUBLIC, Call, operation

MOST_RESOURCE_TAGS = 50
"""Per repository (botocore model, TooManyTagsException)."""


@operation("TagResource")
@operation("TagResource", PUBLIC)
def tag_resource(call: Call) -> dict[str, Any]:
    """Add tags to a repository, or change their values."""
    registry, repository = _named(call)
    tags = dict(repository.settings.resource_tags) | dict(checked(call.request["tags"]))
    _bound(tags)
    repositories.update(registry, repository.name, resource_tags=tuple(tags.items()))
    return {}


@operation("UntagResource")
@operation("UntagResource", PUBLIC)
def untag_resource(call: Call) -> dict[str, Any]:
    """Remove tags from a repository; ignore tags that it does not have."""
    registry, repository = _named(call)
    tags = tuple(tag for tag in repository.settings.resource_tags if tag[0] not in call.request["tagKeys"])
    repositories.update(registry, repository.name, resource_tags=tags)
    return {}


@operation("ListTagsForResource")
@operation("ListTagsForResource", PUBLIC)
def list_tags_for_resource(call: Call) -> dict[str, Any]:
    """Return the tags of a repository."""
    _, repository = _named(call)
    return {"tags": [{"Key": key, "Value": value} for key, value in repository.settings.resource_tags]}


def checked(tags: list[dict[str, str]]) -> tuple[tuple[str, str], ...]:
    """Return resource tags as they are stored. Raises `InvalidTagParameterException`, `TooManyTagsException`."""
    kept: dict[str, str] = {}
    for tag in tags:
        # In the model of ECR Public both may be absent.
        key, value = tag.get("Key", ""), tag.get("Value", "")
        if not 1 <= len(key) <= 128 or len(value) > 256 or key.lower().startswith("aws:"):
            # UNSURE: the exact text; the bounds are those of AWS resource tags.
            raise _invalid(
                f"key {key[:128]!r} has 1 to 128 characters and does not begin with aws:, its value has at most 256"
            )
        if key in kept:
            raise _invalid(f"key {key!r} is given twice")
        kept[key] = value
    _bound(kept)
    return tuple(kept.items())


def _named(call: Call) -> tuple[Registry, Repository]:
    """Return the repository that `resourceArn` names.

    Raises `InvalidParameterException`, `RepositoryNotFoundException`.
    """
    found = names.read_repository_arn(call.request["resourceArn"])
    if found is None or found[1] != call.registry.region:
        # UNSURE: how ECR answers the ARN of another Region; here it is an invalid ARN.
        raise InvalidParameterException("resourceArn", "Invalid ARN")
    account_id, region, name = found
    registry = call.world.registry(account_id, region)
    return registry, repositories.find(registry, name)


def _bound(tags: dict[str, str]) -> None:
    if len(tags) > MOST_RESOURCE_TAGS:
        # UNSURE: the exact text is not public.
        raise TooManyTagsException(f"A repository can have at most {MOST_RESOURCE_TAGS} tags")


def _invalid(constraint: str) -> InvalidTagParameterException:
    return InvalidTagParameterException(f"Invalid parameter at 'tags' failed to satisfy constraint: '{constraint}'")
