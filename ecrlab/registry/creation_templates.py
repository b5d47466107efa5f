"""Repository creation templates: the settings of repositories that ECR makes by itself.

    prefix      of the names that a template is for: `prod` is for `prod/web`, not for `prod` or `production`;
                `ROOT` is for all names without another template
    appliedFor  who makes the repository: REPLICATION, PULL_THROUGH_CACHE or CREATE_ON_PUSH

The longest prefix wins. A template acts when a repository is made, and never later. Replication and caches make a
repository with default settings if there is no template; a push makes none. Resource tags and KMS keys need the
template's `customRoleArn` (AWS user guide, private repository creation templates).
"""

import json
import sqlite3
from collections.abc import Mapping
from typing import Any, Literal

from ecrlab.registry import lifecycle_policies, names, repositories
from ecrlab.registry.errors import (
    LimitExceededException,
    RepositoryAlreadyExistsException,
    TemplateAlreadyExistsException,
    TemplateNotFoundException,
    ValidationException,
)
from ecrlab.registry.repositories import Repository, Settings
from ecrlab.registry.world import Change, Registry

AppliedFor = Literal["REPLICATION", "PULL_THROUGH_CACHE", "CREATE_ON_PUSH"]
Template = dict[str, Any]
"""A template in AWS's members, and `keyArn`: the ARN of the KMS key that its repositories get."""

# UNSURE: the number of templates that a registry can have; the API only has an exception for it.
MOST_TEMPLATES = 50

_OPTIONAL = ("description", "customRoleArn", "repositoryPolicy", "lifecyclePolicy", "keyArn")
"""Members that an empty text removes."""


def create(registry: Registry, template: Template) -> Template:
    """Store a new template and return it. Raises `TemplateAlreadyExistsException`, `LimitExceededException`."""
    with registry.world.change() as change:
        kept = _read(change.db, registry)
        # UNSURE: whether `prod` and `prod/` are one prefix; both are for the same names, so they are here.
        key = _key(template["prefix"])
        if key in kept:
            raise TemplateAlreadyExistsException(template["prefix"], registry.account_id)
        if len(kept) >= MOST_TEMPLATES:
            # UNSURE: the exact text is not public.
            raise LimitExceededException(f"A registry can have at most {MOST_TEMPLATES} repository creation templates")
        made = _tidy({**template, "createdAt": change.at, "updatedAt": change.at})
        _write(change.db, registry, {**kept, key: made})
        return made


def update(registry: Registry, prefix: str, members: Mapping[str, Any]) -> Template:
    """Change members of a template and return it; the others stay. Raises `TemplateNotFoundException`."""
    with registry.world.change() as change:
        kept = _read(change.db, registry)
        changed = _tidy({**_get(kept, registry, prefix), **members, "updatedAt": change.at})
        _write(change.db, registry, {**kept, _key(prefix): changed})
        return changed


def delete(registry: Registry, prefix: str) -> Template:
    """Delete a template and return it. Raises `TemplateNotFoundException`."""
    with registry.world.change() as change:
        kept = _read(change.db, registry)
        gone = _get(kept, registry, prefix)
        _write(change.db, registry, {key: one for key, one in kept.items() if key != _key(prefix)})
        return gone


def describe(registry: Registry) -> list[Template]:
    """Return all templates of a registry, in the order of their prefixes."""
    with registry.world.store.read() as db:
        return [one for _, one in sorted(_read(db, registry).items())]


def find(registry: Registry, prefix: str) -> Template:
    """Return the template of a prefix. Raises `TemplateNotFoundException`."""
    with registry.world.store.read() as db:
        return _get(_read(db, registry), registry, prefix)


def matching(registry: Registry, name: str, applied_for: AppliedFor) -> Template | None:
    """Return the template for a repository that is about to be made, or None."""
    # UNSURE: whether a longer prefix that is not applied for this hides a shorter one that is; here it does not.
    applied = {one["prefix"]: one for one in describe(registry) if applied_for in one["appliedFor"]}
    prefix = names.longest_prefix(applied, name)
    return None if prefix is None else applied[prefix]


def create_from_template(registry: Registry, name: str, applied_for: AppliedFor) -> Repository:
    """Make a repository with the settings of its template, or with ECR's defaults if there is none.

    If another request makes it at the same time, that one is returned. Raises `ValidationException` for a template that
    lacks a role, `InvalidParameterException` for an invalid name.
    """
    try:
        with registry.world.change() as change:
            return create_in(change, registry, name, applied_for)
    except RepositoryAlreadyExistsException:
        return repositories.find(registry, name)


def create_in(change: Change, registry: Registry, name: str, applied_for: AppliedFor) -> Repository:
    """The same inside a change, but an existing repository raises `RepositoryAlreadyExistsException`."""
    template = matching(registry, name, applied_for) or {}
    settings = _settings(template)
    if (settings.resource_tags or settings.kms_key) and "customRoleArn" not in template:
        # UNSURE: class and text; the user guide says that the repository's creation fails.
        raise ValidationException(
            f"The repository with name '{name}' cannot be created: the repository creation template with the prefix "
            f"'{template['prefix']}' has resource tags or KMS encryption, and no customRoleArn"
        )
    made = repositories.create_in(change, registry, name, settings, template.get("repositoryPolicy"))
    if "lifecyclePolicy" in template:
        lifecycle_policies.put_in(change, registry, made, template["lifecyclePolicy"])
    return made


def _settings(template: Template) -> Settings:
    return Settings(
        image_tag_mutability=template.get("imageTagMutability", "MUTABLE"),
        exclusion_filters=tuple(one["filter"] for one in template.get("imageTagMutabilityExclusionFilters", [])),
        encryption_type=template.get("encryptionConfiguration", {}).get("encryptionType", "AES256"),
        kms_key=template.get("keyArn"),
        resource_tags=tuple((tag["Key"], tag["Value"]) for tag in template.get("resourceTags", [])),
    )


def _key(prefix: str) -> str:
    return prefix.removesuffix("/")


def _tidy(template: Template) -> Template:
    return {name: value for name, value in template.items() if value or name not in _OPTIONAL}


def _get(templates: dict[str, Template], registry: Registry, prefix: str) -> Template:
    found = templates.get(_key(prefix))
    if found is None:
        raise TemplateNotFoundException(prefix, registry.account_id)
    return found


def _read(db: sqlite3.Connection, registry: Registry) -> dict[str, Template]:
    row = db.execute(
        "SELECT value FROM registry_setting WHERE account_id = ? AND region = ? AND name = 'creation templates'",
        (registry.account_id, registry.region),
    ).fetchone()
    return {} if row is None else dict(json.loads(row["value"]))


def _write(db: sqlite3.Connection, registry: Registry, templates: dict[str, Template]) -> None:
    db.execute(
        "INSERT OR REPLACE INTO registry_setting VALUES (?, ?, 'creation templates', ?)",
        (registry.account_id, registry.region, json.dumps(templates)),
    )
