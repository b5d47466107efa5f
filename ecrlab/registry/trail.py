"""What a registry did by itself, for the record: the runs and previews of lifecycle policies.

On AWS CloudTrail keeps these service events among the calls of people (AWS user guide, logging Amazon ECR actions);
each is one document, written in the transaction that does what it tells of.
"""

import json
from typing import Any

from ecrlab.registry.world import Change, Registry


def record(change: Change, registry: Registry, repository: str, document: dict[str, Any]) -> None:
    """Write a document down, as of the instant of a change."""
    change.db.execute(
        "INSERT INTO trail (account_id, region, repository, at, document) VALUES (?, ?, ?, ?, ?)",
        (registry.account_id, registry.region, repository, change.at, json.dumps(document)),
    )


def of(registry: Registry, repository: str | None = None) -> list[dict[str, Any]]:
    """The documents of a registry, or about one name of a repository, from the first to the last."""
    where, more = ("", ()) if repository is None else (" AND repository = ?", (repository,))
    with registry.world.store.read(one=True) as db:
        rows = db.execute(
            f"SELECT document FROM trail WHERE account_id = ? AND region = ?{where} ORDER BY id",
            (registry.account_id, registry.region, *more),
        ).fetchall()
    return [json.loads(row["document"]) for row in rows]
