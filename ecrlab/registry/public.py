"""Public registries: one for each account, in Amazon ECR Public, which have no Region.

    public.ecr.aws / h5k0v3i0 / team/app       alias of the account, and the name of a repository

A public registry is a `Registry` with `names.PUBLIC` in place of a Region, so it has the same tables and rules as a
private one. An account gets its alias with its first public repository, and keeps it; it can request another one only
in the console, so here the default alias is also the primary one (ECR Public user guide, registries). The alias
`docker` is AWS's own: the kit's gallery serves its repositories.
"""

from typing import NamedTuple

from ecrlab.registry import names, repositories, settings
from ecrlab.registry.errors import InvalidParameterException, RegistryNotFoundException
from ecrlab.registry.images import COLUMNS, Image, from_row
from ecrlab.registry.world import Registry, World


class TaggedImage(NamedTuple):
    """A tag, the instant at which it came to its image (seconds since 1970), and the image."""

    tag: str
    at: float
    image: Image


def alias(registry: Registry) -> str | None:
    """Return the alias of a public registry; None before its first repository."""
    if registry.account_id == names.DOCKER_ACCOUNT:
        return names.DOCKER_ALIAS
    return settings.setting(registry, repositories.ALIAS_SETTING)


def registry_of_alias(world: World, id_or_alias: str) -> Registry:
    """Return the public registry of an account number or an alias.

    Raises `InvalidParameterException` for a text that is neither, `RegistryNotFoundException` for an unknown alias.
    """
    if names.ACCOUNT.fullmatch(id_or_alias):
        return world.registry(id_or_alias, names.PUBLIC)
    if not 2 <= len(id_or_alias) <= 50 or not names.ALIAS.fullmatch(id_or_alias):
        raise InvalidParameterException("registryId", f"must satisfy regular expression '{names.ALIAS.pattern}'")
    if id_or_alias == names.DOCKER_ALIAS:
        return world.registry(names.DOCKER_ACCOUNT, names.PUBLIC)
    with world.store.read(one=True) as db:
        row = db.execute(
            "SELECT account_id FROM registry_setting WHERE region = ? AND name = ? AND value = ?",
            (names.PUBLIC, repositories.ALIAS_SETTING, id_or_alias),
        ).fetchone()
    if row is None:
        raise RegistryNotFoundException(id_or_alias)
    return world.registry(row["account_id"], names.PUBLIC)


def registries(world: World) -> list[Registry]:
    """Return the public registries that have an alias, sorted by it; AWS's own, `docker`, is not in the world."""
    with world.store.read(one=True) as db:
        rows = db.execute(
            "SELECT account_id FROM registry_setting WHERE region = ? AND name = ? ORDER BY value",
            (names.PUBLIC, repositories.ALIAS_SETTING),
        ).fetchall()
    return [world.registry(row["account_id"], names.PUBLIC) for row in rows]


def tagged_images(
    registry: Registry, repository_name: str, *, after: str = "", most: int | None = None
) -> list[TaggedImage]:
    """Return the tags of a repository in lexical order, `after` one, at most `most`.

    Raises `RepositoryNotFoundException`.
    """
    with registry.world.store.read() as db:
        repository = repositories.get(db, registry, repository_name)
        rows = db.execute(
            f"SELECT tag.name, moved.at, {COLUMNS} FROM tag JOIN image ON image.id = tag.image_id JOIN "
            "(SELECT tag, max(at) AS at FROM history WHERE account_id = ? AND region = ? AND repository = ? "
            "AND what IN ('pushed', 'tagged') GROUP BY tag) AS moved ON moved.tag = tag.name "
            "WHERE tag.repository_id = ? AND tag.name > ? ORDER BY tag.name LIMIT ?",
            (registry.account_id, registry.region, repository.name, repository.id, after, -1 if most is None else most),
        ).fetchall()
    return [TaggedImage(row["name"], row["at"], from_row(row)) for row in rows]
