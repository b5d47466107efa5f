"""The archive: cheap storage for images, which cannot be pulled until they are restored.

    ACTIVE ── archive ──► ARCHIVED ── restore ──► ACTIVATING ── 20 minutes ──► ACTIVE
                              └── the same image is pushed again ─────────────────┘

An archived image can be described and deleted, but not pulled, and layers that only archived images use are archived
with them (AWS user guide, archiving and restoring images). These restrictions hold until a restore is over.
"""

import sqlite3
from datetime import timedelta

from ecrlab.registry import image_events, images, replication, repositories
from ecrlab.registry.errors import ImageStorageClassUpdateNotSupportedException
from ecrlab.registry.images import Image, ImageId
from ecrlab.registry.repositories import Repository
from ecrlab.registry.world import Change, Registry

STANDARD, ARCHIVE = "STANDARD", "ARCHIVE"

# UNSURE: the guide says that a restore takes up to 20 minutes; here it takes 20 minutes of the lab's time.
RESTORE = timedelta(minutes=20)


def update(registry: Registry, repository_name: str, image_id: ImageId, target: str) -> Image:
    """Archive an image, or begin to restore it, and return the changed image.

    Raises `RepositoryNotFoundException`, `ImageNotFoundException`, `InvalidParameterException` for a malformed id,
    `ImageStorageClassUpdateNotSupportedException`.
    """
    found = images.find(registry, repository_name, image_id, body=False)
    with registry.world.change() as change:
        repository = repositories.get(change.db, registry, repository_name)
        image = images.find_in(change.db, repository, found.digest) or found
        _check(change, image, target)
        if target == ARCHIVE:
            archive_in(change, registry, repository, image)
        else:
            restore_in(change, registry, repository, image, change.at + RESTORE.total_seconds())
            replication.note_push(change, registry, repository, image, image.tags)
        changed = images.find_in(change.db, repository, found.digest) or image
    if target == STANDARD:
        # A restored image counts as pushed. UNSURE: when it is scanned; here as the restore begins.
        registry.world.after_push.tell(registry, repository, changed)
    return changed


def archive_in(change: Change, registry: Registry, repository: Repository, image: Image) -> None:
    """Archive an image, as a part of a change."""
    change.db.execute("UPDATE image SET archived = 1, archived_at = ? WHERE id = ?", (change.at, image.id))
    image_events.storage_class(change, registry, repository.name, image, ARCHIVE)


def restore_in(change: Change, registry: Registry, repository: Repository, image: Image, until: float) -> None:
    """Restore an image by the instant `until` (seconds since 1970), as a part of a change."""
    change.db.execute("UPDATE image SET archived = 0, activated_at = ? WHERE id = ?", (until, image.id))
    image_events.storage_class(change, registry, repository.name, image, STANDARD, until)


def hides(db: sqlite3.Connection, repository: Repository, digest: str, now: float) -> bool:
    """Tell whether a layer is out of reach, because every image that uses it is archived or being restored."""
    once = "SELECT 1 FROM image WHERE repository_id = ? AND archived_at IS NOT NULL LIMIT 1"
    if db.execute(once, (repository.id,)).fetchone() is None:
        return False
    users = db.execute(
        "SELECT max(NOT archived AND coalesce(activated_at, 0) <= ?) FROM image WHERE repository_id = ? AND EXISTS "
        "(SELECT 1 FROM json_each(image.layers) JOIN layer ON layer.id = value WHERE layer.digest = ?)",
        (now, repository.id, digest),
    )
    active: int | None = users.fetchone()[0]
    return active == 0


def _check(change: Change, image: Image, target: str) -> None:
    """Return if the image can change its storage class. Raises `ImageStorageClassUpdateNotSupportedException`."""
    # UNSURE: what AWS refuses by this exception, and all its texts; the guide says that an index must be archived
    # before what it lists.
    status = image.status(change.at)
    if (status == "ACTIVE") != (target == ARCHIVE):
        said = {"ACTIVE": "is in the standard storage class already", "ARCHIVED": "is archived already"}
        raise _refused(image, said.get(status, "is being restored"))
    if target == ARCHIVE and (parents := images.parents_of(change.db, image.id, active=True)):
        raise ImageStorageClassUpdateNotSupportedException(images.listed_by(parents))


def _refused(image: Image, why: str) -> ImageStorageClassUpdateNotSupportedException:
    return ImageStorageClassUpdateNotSupportedException(f"The image with digest '{image.digest}' {why}")
