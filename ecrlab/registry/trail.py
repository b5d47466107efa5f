"""CloudTrail's service events of a registry: the runs and previews of lifecycle policies.

AWS stores them in CloudTrail with the API calls (AWS user guide, logging Amazon ECR actions). Each event is one
document. The transaction of the run writes it.
"""

import json
from typing import Any

from ecrlab.registry.world import Change, Registry


def record(change: Change, registry: Registry, repository: str, document: dict[str, Any]) -> None:
    """Store a document with the instant of a change."""
    change.db.execute(
        "INSERT INTO trail (account_id, region, repository, at, document) VALUES (?, ?, ?, ?, ?)",
        (registry.account_id, registry.region, repository, change.at, json.dumps(document)),
    )


def of(registry: Registry, repository: str | None = None) -> list[dict[str, Any]]:
    """Return the documents of a registry, or of one repository name, oldest first."""
    where, more = ("", ()) if repository is None else (" AND repository = ?", (repository,))
    with registry.world.store.read(one=True) as db:
        rows = db.execute(
            f"SELECT document FROM trail WHERE account_id = ? AND region = ?{where} ORDER BY id",
            (registry.account_id, registry.region, *more),
        ).fetchall()
    return [json.loads(row["document"]) for row in rows]
