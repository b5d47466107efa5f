"""How images go: by tag or by digest, with what hangs on them, and the layers that are free then.

An image goes with its last tag, or at once by its digest; not while an index lists it (AWS user guide, deleting an
image; API reference, BatchDeleteImage and ImageFailureCode).
"""

import json
from collections.abc import Sequence

from ecrlab.registry import announcements, repositories, tag_history
from ecrlab.registry.images import Failure, Image, ImageId, listed_by, parents_of, resolve
from ecrlab.registry.repositories import Repository
from ecrlab.registry.world import Change, Registry


def delete(
    registry: Registry, repository_name: str, ids: Sequence[ImageId], *, by: str = ""
) -> tuple[list[ImageId], list[Failure]]:
    """Delete by tag (the image goes with its last tag) or by digest (with all its tags); say what went and what not.

    `by` is who does it, for the history. Raises `RepositoryNotFoundException`.
    """
    with registry.world.change() as change:
        repository = repositories.get(change.db, registry, repository_name)
        gone, failures, freed = delete_in(change, registry, repository, ids, by=by)
        change.happened = bool(gone)
    collect(registry, repository, freed)
    return gone, failures


def delete_in(
    change: Change, registry: Registry, repository: Repository, ids: Sequence[ImageId], *, by: str
) -> tuple[list[ImageId], list[Failure], list[int]]:
    """The same as a part of a change; gives also the ids of the layers that are free, to be told to `collect` after."""
    gone: list[ImageId] = []
    failures: list[Failure] = []
    freed: list[int] = []
    for image_id in ids:
        found = resolve(change.db, repository, image_id)
        if isinstance(found, Failure):
            failures.append(found)
        elif image_id.tag is not None and len(found.tags) > 1:
            change.db.execute("DELETE FROM tag WHERE repository_id = ? AND name = ?", (repository.id, image_id.tag))
            tag_history.note_gone(change, registry, repository.name, "untagged", (image_id.tag,), found.digest, by)
            gone.append(ImageId(found.digest, image_id.tag))
        elif parents := parents_of(change.db, found.id):
            failures.append(Failure(image_id, "ImageReferencedByManifestList", listed_by(parents)))
        else:
            freed += _remove(change, repository, found)
            tag_history.note_gone(change, registry, repository.name, "deleted", found.tags or (None,), found.digest, by)
            gone += [ImageId(found.digest, tag) for tag in found.tags] or [ImageId(found.digest)]
    for image_id in gone:
        announcements.image_action(change, registry, repository.name, "DELETE", image_id.digest, image_id.tag)
    return gone, failures, freed


def collect(registry: Registry, repository: Repository, freed: Sequence[int]) -> None:
    """Clean up layers of a repository that images used which are deleted now; after the change that deleted them."""
    if freed:
        registry.world.collector.suspect((layer_id, repository.id) for layer_id in freed)
        registry.world.collector.collect()


def _remove(change: Change, repository: Repository, image: Image) -> list[int]:
    """Delete an image and its tags; give the ids of the layers it used."""
    db = change.db
    uses = db.execute("DELETE FROM image WHERE id = ? RETURNING layers", (image.id,)).fetchone()["layers"]
    db.execute("UPDATE layer SET images = images - 1 WHERE id IN (SELECT value FROM json_each(?))", (uses,))
    db.execute(
        "UPDATE image SET orphaned_at = ? WHERE repository_id = ? AND subject = ?",
        (change.at, repository.id, image.digest),
    )
    layer_ids: list[int] = json.loads(uses)
    return layer_ids
