"""Referrers: images that are about another image - its signature, its list of software, a scan of it.

A manifest says so with `subject`, the digest of the other image, which need not be there (OCI distribution
specification 1.1, referrers; AWS API reference, ListImageReferrers).
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from ecrlab.registry import repositories
from ecrlab.registry.world import Registry


@dataclass(frozen=True, slots=True)
class Referrer:
    """An image with a `subject`; `size` in bytes of its manifest."""

    id: int
    digest: str
    media_type: str
    artifact_type: str | None
    size: int
    annotations: dict[str, str]


def find(
    registry: Registry,
    repository_name: str,
    subject: str,
    *,
    types: Sequence[str] = (),
    after: int = 0,
    most: int | None = None,
) -> list[Referrer]:
    """Images that are about the digest `subject`, in the order pushed: `most` of them, `after` a
    `Referrer.id`.

    `types` restricts to images of these artifact types. Raises `RepositoryNotFoundException`.
    """
    only = f"AND artifact_type IN ({', '.join('?' * len(types))})" if types else ""
    with registry.world.store.read() as db:
        repository = repositories.get(db, registry, repository_name)
        rows = db.execute(
            "SELECT id, digest, media_type, artifact_type, manifest FROM image "
            f"WHERE repository_id = ? AND subject = ? AND id > ? {only} ORDER BY id LIMIT ?",
            (repository.id, subject, after, *types, -1 if most is None else most),
        ).fetchall()
    return [
        Referrer(
            row["id"],
            row["digest"],
            row["media_type"],
            row["artifact_type"],
            len(row["manifest"]),
            json.loads(row["manifest"]).get("annotations") or {},
        )
        for row in rows
    ]
