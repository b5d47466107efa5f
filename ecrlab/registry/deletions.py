"""Delete images by tag or digest, with the layers that become unused.

Deleting its last tag, or its digest, deletes an image. An image that an index lists cannot be deleted (AWS user guide,
deleting an image; API reference, BatchDeleteImage and ImageFailureCode).
"""

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field

from ecrlab.registry import image_events, replication, replication_copies, repositories, tag_history
from ecrlab.registry.errors import AccessDeniedException, RepositoryNotFoundException
from ecrlab.registry.images import Failure, Image, ImageId, listed_by, parents_of, resolve
from ecrlab.registry.repositories import Repository
from ecrlab.registry.world import Change, Registry


@dataclass(frozen=True, slots=True)
class Deletion:
    """The result of a deletion: the deleted ids, and the failures."""

    gone: list[ImageId] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    digests: list[str] = field(default_factory=list)
    """The deleted images, without images that only lost a tag."""
    freed: list[int] = field(default_factory=list)
    """The ids of the layers that they used."""
    elsewhere: list[tuple[Registry, Repository, "Deletion"]] = field(default_factory=list)
    """The deletions that it caused at the destinations of its registry."""


def delete(
    registry: Registry, repository_name: str, ids: Sequence[ImageId], *, by: str = ""
) -> tuple[list[ImageId], list[Failure]]:
    """Delete by tag (the image goes with its last tag) or by digest (with all its tags).

    Returns the ids that are gone, and why the others are not. `by` is the caller's ARN, for the history. Raises
    `RepositoryNotFoundException`.
    """
    with registry.world.store.read() as db:
        repository = repositories.get(db, registry, repository_name)
        is_accepted = any(_may_go(db, repository, image_id) for image_id in ids)
    # UNSURE: what becomes of a copy that is under way when its image is deleted; here it is made first.
    if is_accepted:
        registry.world.before_deletion.tell()
    with registry.world.change() as change:
        repository = repositories.get(change.db, registry, repository_name)
        deletion = delete_in(change, registry, repository, ids, by=by)
        change.happened = bool(deletion.gone)
    finish(registry, repository, deletion)
    return deletion.gone, deletion.failures


def delete_in(
    change: Change, registry: Registry, repository: Repository, ids: Sequence[ImageId], *, by: str
) -> Deletion:
    """Delete as a part of a change, here and where deletions are replicated to; call `finish` after that change."""
    deletion = _delete(change, registry, repository, ids, by)
    if deletion.gone:
        for destination in replication.destinations(registry, repository.name, deleting=True):
            _replicate(change, registry, repository.name, deletion, destination)
    return deletion


def _delete(change: Change, registry: Registry, repository: Repository, ids: Sequence[ImageId], by: str) -> Deletion:
    deletion = Deletion()
    for image_id in ids:
        found = resolve(change.db, repository, image_id)
        if isinstance(found, Failure):
            deletion.failures.append(found)
        elif image_id.tag is not None and len(found.tags) > 1:
            change.db.execute("DELETE FROM tag WHERE repository_id = ? AND name = ?", (repository.id, image_id.tag))
            tag_history.note_gone(change, registry, repository.name, "untagged", (image_id.tag,), found.digest, by)
            deletion.gone.append(ImageId(found.digest, image_id.tag))
        elif parents := parents_of(change.db, found.id):
            deletion.failures.append(Failure(image_id, "ImageReferencedByManifestList", listed_by(parents)))
        else:
            deletion.freed.extend(_remove(change, repository, found))
            deletion.digests.append(found.digest)
            tag_history.note_gone(change, registry, repository.name, "deleted", found.tags or (None,), found.digest, by)
            deletion.gone.extend([ImageId(found.digest, tag) for tag in found.tags] or [ImageId(found.digest)])
    for image_id in deletion.gone:
        image_events.image_action(change, registry, repository.name, "DELETE", image_id.digest, image_id.tag)
    return deletion


def finish(registry: Registry, repository: Repository, deletion: Deletion) -> None:
    """After the change that deleted images: clean up the layers that nobody uses now, and tell the listeners."""
    if deletion.freed:
        registry.world.collector.suspect((layer_id, repository.id) for layer_id in deletion.freed)
        registry.world.collector.collect()
    if deletion.digests:
        registry.world.after_deletion.tell(registry, repository, deletion.digests)
    for there in deletion.elsewhere:
        finish(*there)


def _replicate(change: Change, source: Registry, name: str, deletion: Deletion, destination: Registry) -> None:
    """Delete the same at a destination: an image with all tags that it has there, or one tag of an image that stays.

    A tag that points at another image there stays (AWS user guide, delete replication).
    """
    # UNSURE: the action that another account has to allow; here the one that lets the source write. Whether a failure,
    # as of an image that an index lists there, is reported anywhere; here it is not.
    try:
        repository = repositories.get(change.db, destination, name)
        replication_copies.check_permission(source, destination, "ecr:ReplicateImage", name)
    except (RepositoryNotFoundException, AccessDeniedException):
        return
    removed = set(deletion.digests)
    ids = [ImageId(digest) for digest in deletion.digests]
    ids += [image_id for image_id in deletion.gone if image_id.digest not in removed]
    by = replication_copies.role_session(source)
    deletion.elsewhere.append((destination, repository, _delete(change, destination, repository, ids, by)))


def _may_go(db: sqlite3.Connection, repository: Repository, image_id: ImageId) -> bool:
    found = resolve(db, repository, image_id)
    if isinstance(found, Failure):
        return False
    return (image_id.tag is not None and len(found.tags) > 1) or not parents_of(db, found.id)


def _remove(change: Change, repository: Repository, image: Image) -> list[int]:
    """Delete an image and its tags; return the ids of the layers it used."""
    db = change.db
    uses = db.execute("DELETE FROM image WHERE id = ? RETURNING layers", (image.id,)).fetchone()["layers"]
    db.execute("UPDATE layer SET images = images - 1 WHERE id IN (SELECT value FROM json_each(?))", (uses,))
    db.execute(
        "UPDATE image SET orphaned_at = ? WHERE repository_id = ? AND subject = ?",
        (change.at, repository.id, image.digest),
    )
    layer_ids: list[int] = json.loads(uses)
    return layer_ids
