"""Delete images by tag or digest, with the layers that become unused.

Deleting its last tag, or its digest, deletes an image. An image that an index lists cannot be deleted (AWS user guide,
deleting an image; API reference, BatchDeleteImage and ImageFailureCode).
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field

from ecrlab.registry import image_events, repositories, tag_history
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


def delete(
    registry: Registry, repository_name: str, ids: Sequence[ImageId], *, by: str = ""
) -> tuple[list[ImageId], list[Failure]]:
    """Delete by tag (the image goes with its last tag) or by digest (with all its tags).

    Returns the ids that are gone, and why the others are not. `by` is the caller's ARN, for the history. Raises
    `RepositoryNotFoundException`.
    """
    with registry.world.change() as change:
        repository = repositories.get(change.db, registry, repository_name)
        deletion = delete_in(change, registry, repository, ids, by=by)
        change.happened = bool(deletion.gone)
    finish(registry, repository, deletion)
    return deletion.gone, deletion.failures


def delete_in(
    change: Change, registry: Registry, repository: Repository, ids: Sequence[ImageId], *, by: str
) -> Deletion:
    """Delete as a part of a change; call `finish` after that change."""
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
