"""Referrers: images about another image, such as its signature, its SBOM or a scan report.

The manifest of a referrer has a `subject`: the digest of the other image, which need not exist (OCI distribution
specification 1.1, referrers; AWS API reference, ListImageReferrers). ECR deletes or archives
referrers within a day after their subject (AWS user guide, lifecycle policies); the lab does so at the next midnight.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ecrlab.oci import manifest
from ecrlab.registry import archive, deletions, names, repositories
from ecrlab.registry.images import COLUMNS, ImageId, from_row, of_status
from ecrlab.registry.store import manifests
from ecrlab.registry.world import Registry, World


@dataclass(frozen=True, slots=True)
class Referrer:
    """An image with a `subject`; `size` in bytes of its manifest."""

    id: int
    digest: str
    media_type: str
    artifact_type: str | None
    size: int
    annotations: dict[str, str]
    status: str = "ACTIVE"


def find(
    registry: Registry,
    repository_name: str,
    subject: str,
    *,
    types: Sequence[str] = (),
    status: str = "ACTIVE",
    after: int = 0,
    most: int | None = None,
) -> list[Referrer]:
    """Return the referrers of the digest `subject` in the order of their pushes: `most` of them, `after` a
    `Referrer.id`.

    `types` restricts to images of these artifact types, `status` to those of an `Image.status`, unless ANY.
    Raises `RepositoryNotFoundException`, `KmsException`.
    """
    only = f"AND artifact_type IN ({', '.join('?' * len(types))})" if types else ""
    with registry.world.store.read() as db:
        repository = repositories.get(db, registry, repository_name)
        rows = db.execute(
            f"SELECT {COLUMNS}, image.manifest FROM image "
            f"WHERE repository_id = ? AND subject = ? AND id > ? {only}{of_status(registry, status)} "
            "ORDER BY id LIMIT ?",
            (repository.id, subject, after, *types, -1 if most is None else most),
        ).fetchall()
    now, keys = registry.world.clock.now().timestamp(), registry.world.keys
    found = [(from_row(row), manifests.from_stored(keys, repository, row["digest"], row["manifest"])) for row in rows]
    return [
        Referrer(
            image.id,
            image.digest,
            image.media_type,
            image.artifact_type,
            len(body),
            dict(manifest.read(body, image.media_type).annotations),
            image.status(now),
        )
        for image, body in found
    ]


def follow_subjects(world: World, midnight: datetime, *, by: str) -> datetime | None:
    """Delete the referrers of deleted images, and archive those of archived ones; a job of `World.nights`.

    `by` is the caller's ARN, for the history. Referrers of a referrer that is deleted now follow the night after.
    """
    with world.store.read() as db:
        # UNSURE: a referrer that was there before its subject, or lost it by a repository's end, waits for it for ever.
        gone = db.execute(
            "SELECT account_id, region, name, digest FROM image JOIN repository ON repository.id = repository_id "
            "WHERE orphaned_at IS NOT NULL AND region <> ? AND NOT EXISTS (SELECT 1 FROM image AS subject WHERE "
            "subject.repository_id = image.repository_id AND subject.digest = image.subject) ORDER BY image.id",
            (names.PUBLIC,),  # ECR Public has no referrers
        ).fetchall()
        archived = db.execute(
            f"SELECT account_id, region, repository.name, {COLUMNS} FROM image AS subject "
            "JOIN image ON image.repository_id = subject.repository_id AND image.subject = subject.digest "
            "JOIN repository ON repository.id = image.repository_id "
            "WHERE subject.archived_at IS NOT NULL AND subject.archived AND NOT image.archived ORDER BY image.id"
        ).fetchall()
    again = False
    for row in gone:
        registry = world.registry(row["account_id"], row["region"])
        with world.change(at=midnight) as change:
            repository = repositories.get(change.db, registry, row["name"])
            deletion = deletions.delete_in(change, registry, repository, [ImageId(row["digest"])], by=by)
        deletions.finish(registry, repository, deletion)
        again = again or bool(deletion.gone)
    for row in archived:
        registry = world.registry(row["account_id"], row["region"])
        with world.change(at=midnight) as change:
            archive.archive_in(change, registry, repositories.get(change.db, registry, row["name"]), from_row(row))
        again = True
    return midnight if again else None
