"""Settings of a whole registry: account settings, registry policy and replication.

Account settings are three switches (API reference, PutAccountSetting): the kind of basic scanning, of which
only AWS's own is left; the scope of the registry policy, V2 for every registry made since December 2024 (AWS
user guide, registry permissions); and whether pushes may mount layers of other repositories (AWS user guide,
blob mounting).
"""

import json
from typing import Any

from ecrlab.registry import names
from ecrlab.registry.errors import InvalidParameterException, RegistryPolicyNotFoundException, ValidationException
from ecrlab.registry.iam import resource_policy
from ecrlab.registry.world import Registry

ACCOUNT_SETTINGS = {
    "BASIC_SCAN_TYPE_VERSION": ("AWS_NATIVE",),
    # UNSURE: the newest model lists only V2; older ones and the Terraform provider also list V1, so the lab takes both.
    "REGISTRY_POLICY_SCOPE": ("V2", "V1"),
    # UNSURE: the guide does not state the default; it explains how to turn mounting on, so a new registry has it off.
    "BLOB_MOUNTING": ("DISABLED", "ENABLED"),
}
"""Name of an account setting -> its values; the default is first."""

MOST_DESTINATIONS = 25
"""Different destinations of all replication rules together (AWS user guide, private image replication)."""


def account_setting(registry: Registry, name: str) -> str:
    """Return the value of an account setting. Raises `ValidationException` for an unknown name."""
    return setting(registry, _account_setting(name)) or ACCOUNT_SETTINGS[name][0]


def put_account_setting(registry: Registry, name: str, value: str) -> None:
    """Change an account setting. Raises `ValidationException`, `InvalidParameterException`."""
    stored_name = _account_setting(name)
    if value not in ACCOUNT_SETTINGS[name]:
        # UNSURE: the exact text is not public.
        raise InvalidParameterException("value", f"must be one of [{', '.join(ACCOUNT_SETTINGS[name])}] for {name}")
    put_setting(registry, stored_name, value)


def blob_mounting(registry: Registry) -> bool:
    """Whether a push may take layers from other repositories of the registry."""
    return account_setting(registry, "BLOB_MOUNTING") == "ENABLED"


def registry_policy_kind(registry: Registry) -> resource_policy.Kind:
    """Return which actions the policy of a registry may be about: those of its scope."""
    return "registry V1" if account_setting(registry, "REGISTRY_POLICY_SCOPE") == "V1" else "registry"


def policy(registry: Registry) -> str:
    """Return the policy of a registry. Raises `RegistryPolicyNotFoundException`."""
    text = setting(registry, "policy")
    if text is None:
        raise RegistryPolicyNotFoundException(registry.account_id)
    return text


def put_policy(registry: Registry, text: str) -> str:
    """Store a registry policy; return the stored text.

    Raises `InvalidParameterException` for a malformed policy, and for an action outside the scope of the registry.
    """
    stored = resource_policy.as_stored(resource_policy.check(text, registry_policy_kind(registry)))
    put_setting(registry, "policy", stored)
    return stored


def delete_policy(registry: Registry) -> str:
    """Delete the policy of a registry and return it. Raises `RegistryPolicyNotFoundException`."""
    text = policy(registry)
    put_setting(registry, "policy", None)
    return text


def replication(registry: Registry) -> dict[str, Any]:
    """Return the replication configuration with AWS's members; `rules` is empty without replication."""
    where = (registry.account_id, registry.region)

    def look_up() -> dict[str, Any]:
        text = setting(registry, "replication")
        configuration: dict[str, Any] = {"rules": []} if text is None else json.loads(text)
        return configuration

    # Each push reads it.
    return registry.world.cached(("replication", *where), look_up, of=(where,))


def put_replication(registry: Registry, configuration: dict[str, Any]) -> None:
    """Store a replication configuration; the shapes of its members are already checked.

    Raises `InvalidParameterException` for the registry itself as a destination, a Region of another partition, or too
    many destinations.
    """
    destinations = {
        (destination["registryId"], destination["region"])
        for rule in configuration["rules"]
        for destination in rule["destinations"]
    }
    where = "replicationConfiguration"
    if (registry.account_id, registry.region) in destinations:
        raise InvalidParameterException(where, "Replication destination cannot be the same as the source registry")
    for _, region in sorted(destinations):
        if names.partition(region) != names.partition(registry.region):
            raise InvalidParameterException(where, f"Invalid region '{region}'")
    if len(destinations) > MOST_DESTINATIONS:
        # UNSURE: the exact text is not public.
        raise InvalidParameterException(
            where, f"Replication rules can have at most {MOST_DESTINATIONS} unique destinations"
        )
    put_setting(registry, "replication", json.dumps(configuration))


def _account_setting(name: str) -> str:
    if name not in ACCOUNT_SETTINGS:
        # UNSURE: class and text are not public.
        raise ValidationException(f"{name} is not an account setting; there are {', '.join(ACCOUNT_SETTINGS)}")
    return f"account setting {name}"


def setting(registry: Registry, name: str) -> str | None:
    """Return a stored value, or None."""
    with registry.world.store.read() as db:
        row = db.execute(
            "SELECT value FROM registry_setting WHERE account_id = ? AND region = ? AND name = ?",
            (registry.account_id, registry.region, name),
        ).fetchone()
    return None if row is None else str(row["value"])


def put_setting(registry: Registry, name: str, value: str | None) -> None:
    """Store a value; None deletes it."""
    key = (registry.account_id, registry.region, name)
    with registry.world.change() as change:
        if value is None:
            change.db.execute("DELETE FROM registry_setting WHERE account_id = ? AND region = ? AND name = ?", key)
        else:
            change.db.execute("INSERT OR REPLACE INTO registry_setting VALUES (?, ?, ?, ?)", (*key, value))
