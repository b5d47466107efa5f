"""Repositories: named collections of images in a registry, with the settings that ECR keeps for each."""

import functools
import json
import sqlite3
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from ecrlab.registry import kms_keys, names, tag_history
from ecrlab.registry.errors import (
    RepositoryAlreadyExistsException,
    RepositoryNotEmptyException,
    RepositoryNotFoundException,
    RepositoryPolicyNotFoundException,
)
from ecrlab.registry.iam import resource_policy
from ecrlab.registry.store.blob_names import blob_name
from ecrlab.registry.world import Change, Registry

ALIAS_SETTING = "alias"
"""The setting of a public registry that stores its alias."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of a repository; the fields have AWS's names."""

    image_tag_mutability: str = "MUTABLE"
    exclusion_filters: tuple[str, ...] = ()
    scan_on_push: bool = False
    encryption_type: str = "AES256"
    kms_key: str | None = None
    resource_tags: tuple[tuple[str, str], ...] = ()

    @classmethod
    @functools.lru_cache(maxsize=1024)
    def from_json(cls, text: str) -> "Settings":
        """Read the text that `to_json` returns."""
        kept: dict[str, Any] = json.loads(text)
        kept["exclusion_filters"] = tuple(kept["exclusion_filters"])
        kept["resource_tags"] = tuple((key, value) for key, value in kept["resource_tags"])
        return cls(**kept)

    def to_json(self) -> str:
        """Return the text that the database stores."""
        return json.dumps(asdict(self))


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository as it is now; `created_at` in seconds since 1970."""

    id: int
    account_id: str
    region: str
    name: str
    created_at: float
    settings: Settings
    policy: str | None

    @property
    def arn(self) -> str:
        """Its name in IAM policies."""
        return names.repository_arn(self.account_id, self.region, self.name)

    @property
    def is_public(self) -> bool:
        """Whether it is a repository of Amazon ECR Public."""
        return self.region == names.PUBLIC

    @property
    def kms_key(self) -> str | None:
        """The ARN of its KMS key; None with AES256."""
        return self.settings.kms_key

    @property
    def uri(self) -> str:
        """Its name for Docker clients."""
        return names.repository_uri(self.account_id, self.region, self.name)


def create(registry: Registry, name: str, settings: Settings | None = None) -> Repository:
    """Create a repository.

    Raises `InvalidParameterException` for an invalid name, `RepositoryAlreadyExistsException`.
    """
    with registry.world.change() as change:
        return create_in(change, registry, name, settings or Settings())


def create_in(
    change: Change, registry: Registry, name: str, settings: Settings, policy: str | None = None
) -> Repository:
    """The same inside a change; `policy` is the resource policy as stored.

    The first repository of a public registry gives it its alias, which stays (ECR Public user guide, registries).
    """
    names.check_repository_name(name, registry.region)
    try:
        change.db.execute(
            "INSERT INTO repository (account_id, region, name, created_at, settings, policy) VALUES (?, ?, ?, ?, ?, ?)",
            (registry.account_id, registry.region, name, change.at, settings.to_json(), policy),
        )
    except sqlite3.IntegrityError as error:
        raise RepositoryAlreadyExistsException(name, registry.account_id) from error
    if registry.is_public:
        alias = names.default_alias(registry.account_id)
        values = (registry.account_id, registry.region, ALIAS_SETTING, alias)
        change.db.execute("INSERT OR IGNORE INTO registry_setting VALUES (?, ?, ?, ?)", values)
    made = get(change.db, registry, name)
    if made.kms_key is not None:
        kms_keys.grant(change, registry, made.kms_key, made.arn)
    return made


def get(db: sqlite3.Connection, registry: Registry, name: str) -> Repository:
    """Return one repository, inside a transaction. Raises `RepositoryNotFoundException`."""
    row = db.execute(
        "SELECT * FROM repository WHERE account_id = ? AND region = ? AND name = ?",
        (registry.account_id, registry.region, name),
    ).fetchone()
    if row is None:
        raise RepositoryNotFoundException(name, registry.account_id)
    return from_row(row)


def find(registry: Registry, name: str) -> Repository:
    """Return one repository as of the last change. Raises `RepositoryNotFoundException`."""

    def look_up() -> Repository:
        with registry.world.store.read(one=True) as db:
            return get(db, registry, name)

    scope = (registry.account_id, registry.region, name)
    return registry.world.cached(("repository", *scope), look_up, of=(scope,))


def describe(
    registry: Registry, only: Sequence[str] | None = None, *, after: str = "", most: int = 1000
) -> list[Repository]:
    """Return repositories sorted by name: those of `only`, or up to `most` that come `after` a name.

    Raises `RepositoryNotFoundException` for the first of `only` that does not exist.
    """
    with registry.world.store.read() as db:
        if only is not None:
            return [get(db, registry, name) for name in dict.fromkeys(only)]
        rows = db.execute(
            "SELECT * FROM repository WHERE account_id = ? AND region = ? AND name > ? ORDER BY name LIMIT ?",
            (registry.account_id, registry.region, after, most),
        )
        return [from_row(row) for row in rows]


def delete(registry: Registry, name: str, *, force: bool = False, by: str = "") -> Repository:
    """Delete a repository and return it. `force` also deletes a repository that holds images.

    `by` is the caller's ARN, for the history. Raises `RepositoryNotFoundException`, `RepositoryNotEmptyException`.
    """
    world = registry.world
    if force:
        find(registry, name)
        world.before_deletion.tell()
    with world.store.exclusively():
        with world.change() as change:
            repository = get(change.db, registry, name)
            one = change.db.execute("SELECT 1 FROM image WHERE repository_id = ? LIMIT 1", (repository.id,))
            if one.fetchone() is not None and not force:
                raise RepositoryNotEmptyException(name, registry.account_id)
            images = change.db.execute(
                "SELECT digest FROM image WHERE repository_id = ? ORDER BY id", (repository.id,)
            ).fetchall()
            layers = change.db.execute("SELECT digest FROM layer WHERE repository_id = ?", (repository.id,)).fetchall()
            tag_history.note_end(change, registry, name, repository.id, by)
            change.db.execute("DELETE FROM repository WHERE id = ?", (repository.id,))
        world.uploads.end_all(repository.id)
        world.collector.forget(blob_name(row["digest"], repository.kms_key) for row in layers)
    if images:
        world.after_deletion.tell(registry, repository, [row["digest"] for row in images])
    return repository


def update(registry: Registry, name: str, **settings: Any) -> Repository:
    """Change some `Settings` of a repository and return the changed repository.

    Raises `RepositoryNotFoundException`.
    """
    with registry.world.change() as change:
        repository = get(change.db, registry, name)
        changed = replace(repository, settings=replace(repository.settings, **settings))
        change.db.execute(
            "UPDATE repository SET settings = ? WHERE id = ?", (changed.settings.to_json(), repository.id)
        )
        return changed


def policy_kind(registry: Registry) -> resource_policy.Kind:
    """Return which actions the policies of a registry's repositories may be about."""
    return "public repository" if registry.is_public else "repository"


def set_policy(registry: Registry, name: str, text: str) -> str:
    """Set the resource policy of a repository; return its text as stored.

    Raises `RepositoryNotFoundException`, `InvalidParameterException` for an invalid policy.
    """
    kept = resource_policy.as_stored(resource_policy.check(text, policy_kind(registry)))
    with registry.world.change() as change:
        repository = get(change.db, registry, name)
        change.db.execute("UPDATE repository SET policy = ? WHERE id = ?", (kept, repository.id))
    return kept


def get_policy(registry: Registry, name: str) -> str:
    """Return the resource policy of a repository.

    Raises `RepositoryNotFoundException`, `RepositoryPolicyNotFoundException`.
    """
    policy = find(registry, name).policy
    if policy is None:
        raise RepositoryPolicyNotFoundException(name, registry.account_id)
    return policy


def delete_policy(registry: Registry, name: str) -> str:
    """Delete the resource policy of a repository; return its text.

    Raises `RepositoryNotFoundException`, `RepositoryPolicyNotFoundException`.
    """
    with registry.world.change() as change:
        repository = get(change.db, registry, name)
        if repository.policy is None:
            raise RepositoryPolicyNotFoundException(name, registry.account_id)
        change.db.execute("UPDATE repository SET policy = NULL WHERE id = ?", (repository.id,))
        return repository.policy


def from_row(row: sqlite3.Row) -> Repository:
    """Convert a row of the table `repository`."""
    return Repository(
        row["id"],
        row["account_id"],
        row["region"],
        row["name"],
        row["created_at"],
        Settings.from_json(row["settings"]),
        row["policy"],
    )
