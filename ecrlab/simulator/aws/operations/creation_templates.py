"""Create-, Update-, Delete- and DescribeRepositoryCreationTemplate(s).

Each setting is checked by the operation that sets it on a repository: CreateRepository, SetRepositoryPolicy and
PutLifecyclePolicy. An empty text or list removes a setting (the Terraform provider relies on it).
"""

from typing import Any

from ecrlab.registry import creation_templates
from ecrlab.registry.creation_templates import Template
from ecrlab.registry.errors import InvalidParameterException
from ecrlab.simulator.aws import pages
from ecrlab.simulator.aws.calls import Call, operation
from ecrlab.simulator.aws.operations import encryption, lifecycle, policies, repositories, resource_tags

PAGE = 100
"""Results on a page without `maxResults`."""

_PARTIAL = "the permissions of customRoleArn are not checked"


@operation("CreateRepositoryCreationTemplate", partial=_PARTIAL)
def create_repository_creation_template(call: Call) -> dict[str, Any]:
    """Store a new template."""
    defaults = {
        "imageTagMutability": "MUTABLE",
        "encryptionConfiguration": {"encryptionType": "AES256"},
        "resourceTags": [],
    }
    return _shown(call, creation_templates.create(call.registry, _checked(call, defaults | call.request)))


@operation("UpdateRepositoryCreationTemplate")
def update_repository_creation_template(call: Call) -> dict[str, Any]:
    """Change the members that the request has."""
    prefix, members = call.request["prefix"], {name: one for name, one in call.request.items() if name != "prefix"}
    before = creation_templates.find(call.registry, prefix)
    filters = "imageTagMutabilityExclusionFilters"
    if "imageTagMutability" in members:
        # The filters belong to the mode: a new mode without filters has none.
        members.setdefault(filters, [])
    elif filters in members:
        members["imageTagMutability"] = before["imageTagMutability"]
    return _shown(call, creation_templates.update(call.registry, prefix, _checked(call, members)))


@operation("DeleteRepositoryCreationTemplate")
def delete_repository_creation_template(call: Call) -> dict[str, Any]:
    """Delete a template, and return it; repositories made from it stay as they are."""
    return _shown(call, creation_templates.delete(call.registry, call.request["prefix"]))


@operation("DescribeRepositoryCreationTemplates")
def describe_repository_creation_templates(call: Call) -> dict[str, Any]:
    """Return pages of templates in the order of their prefixes, or the templates of `prefixes`."""
    request = call.request
    # UNSURE: how ECR answers an unknown prefix; the operation has no error for it, so it is left out.
    wanted = {prefix.removesuffix("/") for prefix in request.get("prefixes") or []}
    found = [
        one
        for one in creation_templates.describe(call.registry)
        if not wanted or one["prefix"].removesuffix("/") in wanted
    ]
    scope = f"{call.operation} {call.registry.account_id} {call.region} {sorted(wanted)}"
    start = pages.position(call.world, scope, request.get("nextToken")) or 0
    end = start + request.get("maxResults", PAGE)
    answer: dict[str, Any] = {
        "registryId": call.registry.account_id,
        "repositoryCreationTemplates": [_members(one) for one in found[start:end]],
    }
    if end < len(found):
        answer["nextToken"] = pages.token(call.world, scope, end)
    return answer


def _checked(call: Call, members: dict[str, Any]) -> Template:
    """Return the members as they are stored. Raises the errors of the operations whose settings they are."""
    kept = dict(members)
    if "appliedFor" in kept:
        if not kept["appliedFor"]:
            # UNSURE: whether ECR accepts a template that is applied for nothing; the text is the lab's.
            raise InvalidParameterException("appliedFor", "Member must have length greater than or equal to 1")
        kept["appliedFor"] = list(dict.fromkeys(kept["appliedFor"]))
    if "imageTagMutability" in kept:
        repositories.checked_mutability(kept)
    if "encryptionConfiguration" in kept:
        asked = {name: value for name, value in kept["encryptionConfiguration"].items() if value}
        # UNSURE: whether ECR looks for the key when it stores a template or when it makes a repository; here at once.
        _, kept["keyArn"] = encryption.settled(call, asked)
        kept["encryptionConfiguration"] = asked
    if "resourceTags" in kept:
        tags = resource_tags.checked(kept["resourceTags"])
        kept["resourceTags"] = [{"Key": key, "Value": value} for key, value in tags]
    if kept.get("repositoryPolicy"):
        kept["repositoryPolicy"] = policies.checked(kept["repositoryPolicy"], "repository")
    if kept.get("lifecyclePolicy"):
        kept["lifecyclePolicy"] = lifecycle.checked(kept["lifecyclePolicy"]).minified()
    return kept


def _shown(call: Call, template: Template) -> dict[str, Any]:
    return {"registryId": call.registry.account_id, "repositoryCreationTemplate": _members(template)}


def _members(template: Template) -> Template:
    return {name: value for name, value in template.items() if name != "keyArn"}
