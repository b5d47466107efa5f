"""Public registries: one for each account, in Amazon ECR Public, which have no Region.

    public.ecr.aws / h5k0v3i0 / team/app       alias of the account, and the name of a repository

A public registry is a `Registry` with `names.PUBLIC` in place of a Region, so it has the same tables and rules as a
private one. An account gets its alias with its first public repository, and keeps it; it can request another one only
in the console, so here the default alias is also the primary one (ECR Public user guide, registries). The alias
`docker` is AWS's own: the kit's gallery serves its repositories.
"""

from ecrlab.registry import names
from ecrlab.registry.errors import InvalidParameterException, RegistryNotFoundException
from ecrlab.registry.world import Registry, World


def alias(registry: Registry) -> str | None:
    """Return the alias of a public registry; None before its first repository."""
    if registry.account_id == names.DOCKER_ACCOUNT:
        return names.DOCKER_ALIAS
    with registry.world.store.read(one=True) as db:
        row = db.execute(
            "SELECT value FROM registry_setting WHERE account_id = ? AND region = ? AND name = 'alias'",
            (registry.account_id, registry.region),
        ).fetchone()
    return None if row is None else str(row["value"])


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
            "SELECT account_id FROM registry_setting WHERE region = ? AND name = 'alias' AND value = ?",
            (names.PUBLIC, id_or_alias),
        ).fetchone()
    if row is None:
        raise RegistryNotFoundException(id_or_alias)
    return world.registry(row["account_id"], names.PUBLIC)
