"""KMS keys as the database stores them, so that they outlive a restart as the images do that they protect.

A row is a key with its material, state, policy, aliases and grants, as a JSON document. On AWS the material of a key
never leaves KMS; here it lies beside what it protects, in a file that only its owner may read.
"""

import base64
import hmac
import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ecrlab.registry.world import Change, Registry, World

GRANTS = 2
"""How many grants ECR has for a repository. UNSURE: how they differ; CloudTrail's example shows what both have here."""

OPERATIONS = ("GenerateDataKey", "Decrypt")
"""What they allow (AWS user guide, encryption at rest)."""


@dataclass(frozen=True, slots=True)
class Grant:
    """A permission to use a key, for one principal (KMS developer guide, grants)."""

    id: str
    grantee: str
    operations: tuple[str, ...]
    constraints: Mapping[str, Mapping[str, str]]

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "Grant":
        """Read a grant of a key's document."""
        operations, constraints = tuple(document["operations"]), document["constraints"] or {}
        return cls(document["id"], document["grantee_principal"], operations, constraints)

    def allows(self, principals: frozenset[str], operation: str, context: Mapping[str, str]) -> bool:
        """Tell whether one of these principals may call an operation, with this encryption context."""
        subset, whole = (self.constraints.get(f"EncryptionContext{kind}") for kind in ("Subset", "Equals"))
        return (
            self.grantee in principals
            and operation in self.operations
            and (not subset or subset.items() <= context.items())
            and (not whole or whole == context)
        )


@dataclass(frozen=True, slots=True)
class KmsKey:
    """A key; `deletion_date` in seconds since 1970, if it is scheduled."""

    arn: str
    state: str
    material: bytes = field(repr=False)
    deletion_date: float | None
    grants: tuple[Grant, ...]


def find(world: World, arn: str) -> KmsKey | None:
    """Return a key, or None if there is none, or its scheduled deletion has come.

    A change sees the grants that it makes itself: a copy makes its repository and stores the manifest in one.
    """

    def look_up() -> KmsKey | None:
        with world.store.read(one=True) as db:
            return read(db, arn)

    changing = world.store.change_under_way()
    if changing is not None:
        found = read(changing, arn)
    else:
        found = world.cached(("kms key", arn), look_up, of=(("kms key", arn),))
    if found is None or (found.deletion_date or float("inf")) <= world.clock.now().timestamp():
        return None
    return found


def documents(world: World) -> dict[str, str]:
    """Return the document of every key by its ARN."""
    with world.store.read() as db:
        return dict(map(tuple, db.execute("SELECT arn, document FROM kms_key ORDER BY arn")))


def store(world: World, changed: Mapping[str, str | None]) -> None:
    """Store documents by ARN; None deletes a key. It takes no time of the lab's clock."""
    with world.change() as change:
        change.happened = False
        for arn, document in changed.items():
            if document is None:
                change.db.execute("DELETE FROM kms_key WHERE arn = ?", (arn,))
            else:
                change.db.execute(
                    "INSERT INTO kms_key VALUES (?, ?) ON CONFLICT (arn) DO UPDATE SET document = excluded.document",
                    (arn, document),
                )


def service_name(region: str) -> str:
    """Return the principal that ECR is for KMS."""
    return f"ecr.{region}.amazonaws.com"


def grant(change: Change, registry: Registry, key_arn: str, repository_arn: str) -> None:
    """Let ECR use a key for a repository."""
    document = _document(change.db, key_arn)
    if document is None:
        return
    for number in range(GRANTS):
        secret, about = registry.world.id_key, f"{repository_arn} {change.at} {number}"
        grant_id, token = (
            hmac.digest(secret, f"{kind} {about}".encode(), "sha256").hex() for kind in ("grant", "token of grant")
        )
        document["grants"].append(
            {
                "id": grant_id,
                "token": token,
                "key_id": document["id"],
                "name": "",
                "grantee_principal": service_name(registry.region),
                "retiring_principal": service_name(registry.region),
                "operations": OPERATIONS,
                "constraints": _constraints(repository_arn),
            }
        )
    _update(change, document)


def grants_of(world: World, key_arn: str, repository_arn: str) -> list[Grant]:
    """Return the grants for a repository, oldest first."""
    key = find(world, key_arn)
    return [one for one in (key.grants if key else ()) if one.constraints == _constraints(repository_arn)]


def retire(world: World, key_arn: str, grants: Sequence[Grant]) -> None:
    """Take grants of a key away. It takes no time of the lab's clock."""
    with world.change() as change:
        change.happened = False
        document = _document(change.db, key_arn)
        if document is not None:
            retired = {one.id for one in grants}
            document["grants"] = [one for one in document["grants"] if one["id"] not in retired]
            _update(change, document)


def _constraints(repository_arn: str) -> dict[str, dict[str, str]]:
    return {"EncryptionContextSubset": {"aws:ecr:arn": repository_arn}}


def _document(db: sqlite3.Connection, arn: str) -> dict[str, Any] | None:
    row = db.execute("SELECT document FROM kms_key WHERE arn = ?", (arn,)).fetchone()
    return None if row is None else json.loads(row[0])


def _update(change: Change, document: dict[str, Any]) -> None:
    values = (json.dumps(document, sort_keys=True), document["arn"])
    change.db.execute("UPDATE kms_key SET document = ? WHERE arn = ?", values)


def read(db: sqlite3.Connection, arn: str) -> KmsKey | None:
    """Return a key of a database, also after the date of its deletion."""
    document = _document(db, arn)
    if document is None:
        return None
    return KmsKey(
        document["arn"],
        document["key_state"],
        base64.b64decode(document["key_material"]),
        document["deletion_date"],
        tuple(map(Grant.from_document, document["grants"])),
    )
