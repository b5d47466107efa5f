"""CreateRepository, DescribeRepositories, DeleteRepository: the shelves and their settings."""

from typing import Any

from ecrlab.registry import repositories
from ecrlab.registry.errors import (
    InvalidParameterException,
    InvalidTagParameterException,
    TooManyTagsException,
)
from ecrlab.registry.repositories import Repository, Settings
from ecrlab.simulator import pages
from ecrlab.simulator.calls import Call, operation

MOST_RESOURCE_TAGS = 50
"""Per repository (botocore model, TooManyTagsException)."""

PAGE = 100
"""Results of a page unless `maxResults` says otherwise."""


@operation("CreateRepository")
def create_repository(call: Call) -> dict[str, Any]:
    """Make a repository with the settings given."""
    request = call.request
    mutability, filters = mutability_settings(request)
    encryption = request.get("encryptionConfiguration", {"encryptionType": "AES256"})
    settings = Settings(
        image_tag_mutability=mutability,
        exclusion_filters=filters,
        scan_on_push=request.get("imageScanningConfiguration", {}).get("scanOnPush", False),
        encryption_type=encryption["encryptionType"],
        kms_key=encryption.get("kmsKey"),
        resource_tags=resource_tags(request.get("tags", [])),
    )
    if settings.encryption_type == "AES256" and settings.kms_key is not None:
        raise InvalidParameterException(
            "encryptionConfiguration", "kmsKey can only be given with encryptionType KMS"
        )
    return {"repository": _shown(repositories.create(call.registry, call.repository_name, settings))}


@operation("DescribeRepositories")
def describe_repositories(call: Call) -> dict[str, Any]:
    """Repositories by name, or those asked for, in pages."""
    request = call.request
    only = request.get("repositoryNames")
    if only is not None:
        if "maxResults" in request or "nextToken" in request:
            raise InvalidParameterException(
                "repositoryNames", "cannot be combined with maxResults or nextToken"
            )
        return {"repositories": [_shown(found) for found in repositories.describe(call.registry, only)]}
    scope = f"{call.operation} {call.registry.account_id} {call.region}"
    after = pages.position(call.world, scope, request.get("nextToken")) or ""
    most = request.get("maxResults", PAGE)
    found = repositories.describe(call.registry, after=after, most=most + 1)
    answer: dict[str, Any] = {"repositories": [_shown(repository) for repository in found[:most]]}
    if len(found) > most:
        answer["nextToken"] = pages.token(call.world, scope, found[most - 1].name)
    return answer


@operation("DeleteRepository")
def delete_repository(call: Call) -> dict[str, Any]:
    """Delete a repository; with `force` also its images. The answer shows what it was, without its settings."""
    deleted = repositories.delete(call.registry, call.repository_name, force=call.request.get("force", False))
    shown = _shown(deleted)
    return {
        "repository": {
            name: shown[name] for name in shown if not name.startswith(("imageScanning", "encryption"))
        }
    }


def mutability_settings(request: dict[str, Any]) -> tuple[str, tuple[str, ...]]:
    """Mutability and exclusion filters of a request; filters belong to the modes `…_WITH_EXCLUSION`, and only there."""
    mutability = request.get("imageTagMutability", "MUTABLE")
    filters = tuple(one["filter"] for one in request.get("imageTagMutabilityExclusionFilters", []))
    # UNSURE: the exact texts of these three are not public.
    where = "imageTagMutabilityExclusionFilters"
    if mutability.endswith("_WITH_EXCLUSION") and not filters:
        raise InvalidParameterException(where, f"must be given when imageTagMutability is {mutability}")
    if filters and not mutability.endswith("_WITH_EXCLUSION"):
        raise InvalidParameterException(where, f"cannot be given when imageTagMutability is {mutability}")
    if any(wildcard.count("*") > 2 for wildcard in filters):
        raise InvalidParameterException(
            where, "Image tag mutability exclusion filter can contain a maximum of 2 wildcards"
        )
    return mutability, filters


def resource_tags(tags: list[dict[str, str]]) -> tuple[tuple[str, str], ...]:
    """Resource tags as kept. Raises `InvalidTagParameterException`, `TooManyTagsException`."""
    kept: dict[str, str] = {}
    for tag in tags:
        key, value = tag["Key"], tag["Value"]
        if not 1 <= len(key) <= 128 or len(value) > 256 or key.lower().startswith("aws:"):
            # UNSURE: the exact text; the bounds are those of AWS resource tags.
            raise InvalidTagParameterException(
                f"Invalid parameter at 'tags' failed to satisfy constraint: 'key {key[:128]!r} has 1 to 128 characters "
                "and does not begin with aws:, its value has at most 256'"
            )
        if key in kept:
            raise InvalidTagParameterException(
                f"Invalid parameter at 'tags' failed to satisfy constraint: 'key {key!r} is given twice'"
            )
        kept[key] = value
    if len(kept) > MOST_RESOURCE_TAGS:
        raise TooManyTagsException(f"A repository can have at most {MOST_RESOURCE_TAGS} tags")
    return tuple(kept.items())


def _shown(repository: Repository) -> dict[str, Any]:
    settings = repository.settings
    encryption = {"encryptionType": settings.encryption_type}
    if settings.kms_key is not None:
        encryption["kmsKey"] = settings.kms_key
    shown: dict[str, Any] = {
        "repositoryArn": repository.arn,
        "registryId": repository.account_id,
        "repositoryName": repository.name,
        "repositoryUri": repository.uri,
        "createdAt": repository.created_at,
        "imageTagMutability": settings.image_tag_mutability,
        "imageScanningConfiguration": {"scanOnPush": settings.scan_on_push},
        "encryptionConfiguration": encryption,
    }
    if settings.exclusion_filters:
        shown["imageTagMutabilityExclusionFilters"] = [
            {"filterType": "WILDCARD", "filter": wildcard} for wildcard in settings.exclusion_filters
        ]
    return shown
