"""CreateRepository, DescribeRepositories, DeleteRepository, PutImageTagMutability, PutImageScanningConfiguration."""

from typing import Any

from ecrlab.registry import repositories
from ecrlab.registry.errors import InvalidParameterException
from ecrlab.registry.repositories import Repository, Settings
from ecrlab.simulator.aws import pages
from ecrlab.simulator.aws.calls import PUBLIC, Call, operation
from ecrlab.simulator.aws.operations import encryption, resource_tags
from ecrlab.simulator.moto import kms

PAGE = 100
"""Results on a page without `maxResults`."""


@operation("CreateRepository")
def create_repository(call: Call) -> dict[str, Any]:
    """Create a repository with the requested settings."""
    request = call.request
    mutability, filters = checked_mutability(request)
    encryption_type, kms_key = encryption.settled(
        call, request.get("encryptionConfiguration", {"encryptionType": "AES256"})
    )
    settings = Settings(
        image_tag_mutability=mutability,
        exclusion_filters=filters,
        scan_on_push=request.get("imageScanningConfiguration", {}).get("scanOnPush", False),
        encryption_type=encryption_type,
        kms_key=kms_key,
        resource_tags=resource_tags.checked(request.get("tags", [])),
    )
    made = repositories.create(call.registry, call.repository_name, settings)
    kms.note_grants(call.registry, call.caller, made)
    return {"repository": shown(made)}


@operation("DescribeRepositories")
@operation("DescribeRepositories", PUBLIC)
def describe_repositories(call: Call) -> dict[str, Any]:
    """Return pages of repositories in the order of their names, or the repositories of `repositoryNames`."""
    request = call.request
    only = request.get("repositoryNames")
    if only is not None:
        if "maxResults" in request or "nextToken" in request:
            raise InvalidParameterException("repositoryNames", "cannot be combined with maxResults or nextToken")
        return {"repositories": [shown(found) for found in repositories.describe(call.registry, only)]}
    scope = f"{call.operation} {call.registry.account_id} {call.registry.region}"
    after = pages.position(call.world, scope, request.get("nextToken")) or ""
    most = request.get("maxResults", PAGE)
    found = repositories.describe(call.registry, after=after, most=most + 1)
    answer: dict[str, Any] = {"repositories": [shown(repository) for repository in found[:most]]}
    if len(found) > most:
        answer["nextToken"] = pages.token(call.world, scope, found[most - 1].name)
    return answer


@operation("DeleteRepository")
@operation("DeleteRepository", PUBLIC)
def delete_repository(call: Call) -> dict[str, Any]:
    """Delete a repository, and with `force` its images. Return it without its settings."""
    deleted = repositories.delete(
        call.registry, call.repository_name, force=call.request.get("force", False), by=call.caller.arn
    )
    # UNSURE: how the API reports it; the guide says only that the repository is gone, and what the console shows.
    kms.retire(call.registry, call.caller, deleted)
    members = shown(deleted)
    hidden = ("imageScanning", "encryption")
    return {"repository": {name: value for name, value in members.items() if not name.startswith(hidden)}}


@operation("PutImageTagMutability")
def put_image_tag_mutability(call: Call) -> dict[str, Any]:
    """Set which tags may move."""
    mutability, filters = checked_mutability(call.request)
    changed = repositories.update(
        call.registry, call.repository_name, image_tag_mutability=mutability, exclusion_filters=filters
    )
    return {**call.names, "imageTagMutability": mutability, **_shown_filters(changed)}


@operation("PutImageScanningConfiguration")
def put_image_scanning_configuration(call: Call) -> dict[str, Any]:
    """Set whether a push scans the image."""
    scan_on_push = call.request["imageScanningConfiguration"].get("scanOnPush", False)
    repositories.update(call.registry, call.repository_name, scan_on_push=scan_on_push)
    return {**call.names, "imageScanningConfiguration": {"scanOnPush": scan_on_push}}


def checked_mutability(request: dict[str, Any]) -> tuple[str, tuple[str, ...]]:
    """Return the mutability and exclusion filters of a request; only the modes `…_WITH_EXCLUSION` have filters."""
    mutability = request.get("imageTagMutability", "MUTABLE")
    filters = tuple(one["filter"] for one in request.get("imageTagMutabilityExclusionFilters", []))
    where = "imageTagMutabilityExclusionFilters"
    set_as = f"when imageTagMutability is set as {mutability}"
    # UNSURE: the exact text of the last is not public.
    if mutability.endswith("_WITH_EXCLUSION") and not filters:
        raise InvalidParameterException(where, f"ImageTagMutabilityExclusionFilters can't be null {set_as}")
    if filters and not mutability.endswith("_WITH_EXCLUSION"):
        raise InvalidParameterException(where, f"ImageTagMutabilityExclusionFilters are not allowed {set_as}")
    if any(wildcard.count("*") > 2 for wildcard in filters):
        raise InvalidParameterException(
            where, "Image tag mutability exclusion filter can contain a maximum of 2 wildcards"
        )
    return mutability, filters


def shown(repository: Repository) -> dict[str, Any]:
    """Return a repository as the API describes it; a public one has no settings."""
    members: dict[str, Any] = {
        "repositoryArn": repository.arn,
        "registryId": repository.account_id,
        "repositoryName": repository.name,
        "repositoryUri": repository.uri,
        "createdAt": repository.created_at,
    }
    if repository.is_public:
        return members
    settings = repository.settings
    encryption = {"encryptionType": settings.encryption_type}
    if settings.kms_key is not None:
        encryption["kmsKey"] = settings.kms_key
    members |= {
        "imageTagMutability": settings.image_tag_mutability,
        "imageScanningConfiguration": {"scanOnPush": settings.scan_on_push},
        "encryptionConfiguration": encryption,
    }
    return members | _shown_filters(repository)


def _shown_filters(repository: Repository) -> dict[str, Any]:
    filters = repository.settings.exclusion_filters
    listed = [{"filterType": "WILDCARD", "filter": wildcard} for wildcard in filters]
    return {"imageTagMutabilityExclusionFilters": listed} if listed else {}
