"""Layers: the blobs of a repository, and their uploads and mounts.

A layer belongs to one repository. Another repository has it only after a push or a mount (AWS user guide, blob
mounting). The disk stores the same bytes once.

A layer that came with a past (see `backfill`) has no bytes. The images that use it have its size, but a client that
checks for it before a push does not find it. The client pushes the layer, which is then like any other.
"""

import sqlite3
import time
from dataclasses import dataclass, replace

from ecrlab.registry import archive, names, repositories
from ecrlab.registry.errors import InvalidLayerException, RepositoryNotFoundException, UploadNotFoundException
from ecrlab.registry.repositories import Repository
from ecrlab.registry.store.blob_names import blob_name
from ecrlab.registry.store.uploads import Upload
from ecrlab.registry.world import Registry

NO_BYTES = "has no bytes here: it came with a history that was loaded into this lab, which keeps manifests only"
"""Why a layer of a past cannot be pulled."""


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer of one repository; `size` in bytes, as stored (compressed)."""

    id: int
    digest: str
    size: int
    media_type: str | None
    """Its media type in the newest image that uses it; None before the first image."""
    has_bytes: bool = True
    """False for a layer of a past, which cannot be pulled."""
    is_archived: bool = False
    """Whether only archived images use it, so that it is out of reach."""


def begin_upload(registry: Registry, repository_name: str) -> Upload:
    """Open an upload into a repository. Raises `RepositoryNotFoundException`, `LimitExceededException`."""
    repository = repositories.find(registry, repository_name)
    return registry.world.uploads.begin(registry.world.new_id(), repository)


def find_upload(registry: Registry, repository_name: str, upload_id: str) -> Upload:
    """Return an open upload. Raises `RepositoryNotFoundException`, `UploadNotFoundException`."""
    repository = repositories.find(registry, repository_name)
    upload = registry.world.uploads.find(upload_id, repository.id)
    if upload is None:
        raise UploadNotFoundException(upload_id, repository_name, registry.account_id)
    return upload


def grow(registry: Registry, repository_name: str, upload: Upload, piece: bytes | memoryview) -> int:
    """Append a piece to an upload; return the upload's size in bytes. A failure leaves the upload as it was, open.

    Raises `UploadNotFoundException` when it is over, `LimitExceededException` beyond the largest layer,
    `ServerException` when the disk accepts no more.
    """
    with upload.lock:
        try:
            upload.blob.write(piece)
        except FileNotFoundError as error:
            raise UploadNotFoundException(upload.id, repository_name, registry.account_id) from error
        upload.touched = time.monotonic()
        return upload.blob.size


def complete_upload(registry: Registry, repository_name: str, upload: Upload, digest: str) -> Layer:
    """Store the uploaded bytes as the layer `digest`, and close the upload.

    Raises `InvalidParameterException` for a malformed digest and `InvalidLayerException` when the bytes have another
    one: then the upload stays open. After any later failure (a full disk) it is over, and nothing is stored:
    `UploadNotFoundException`, `RepositoryNotFoundException`, `ServerException`.
    """
    names.check_digest(digest)
    with upload.lock:
        try:
            if upload.is_over:
                raise FileNotFoundError(upload.blob.path)
            if upload.blob.digest(digest.partition(":")[0]) != digest:
                raise InvalidLayerException
            return _keep(registry, repository_name, upload, digest)
        except FileNotFoundError as error:
            raise UploadNotFoundException(upload.id, repository_name, registry.account_id) from error


def find(registry: Registry, repository_name: str, digest: str) -> Layer | None:
    """Return a layer of a repository, or None. A layer whose file is missing is not there: pushing it again repairs it.

    Raises `RepositoryNotFoundException`.
    """
    world = registry.world
    repository = repositories.find(registry, repository_name)

    def look_up() -> Layer | None:
        with world.store.read() as db:
            layer = _get(db, repository.id, digest)
            if layer is not None and archive.hides(db, repository, digest, world.clock.now().timestamp()):
                layer = replace(layer, is_archived=True)
            return layer

    layer = world.cached(("layer", repository.id, digest), look_up, of=((repository.id,),), lasts=_is_in_reach)
    if layer is not None and layer.has_bytes and not world.blobs.has(repository, digest):
        return None
    return layer


def reserve(registry: Registry, repository_name: str, digest: str) -> Layer | None:
    """Return a layer that a client need not push, and keep it for that client's image for a while; return None if the
    client must push it.

    Raises `RepositoryNotFoundException`.
    """
    layer = find(registry, repository_name, digest)
    if layer is None or not layer.has_bytes:
        return None
    # The collector must not run between the check and the promise.
    with registry.world.store.exclusively():
        layer = find(registry, repository_name, digest)
        if layer is not None:
            _count_on(registry, repositories.find(registry, repository_name), layer)
        return layer


def holders(registry: Registry, digest: str) -> list[str]:
    """Return the names of the repositories of this registry that hold a layer."""
    with registry.world.store.read() as db:
        rows = db.execute(
            "SELECT name FROM layer JOIN repository ON repository.id = layer.repository_id "
            "WHERE digest = ? AND has_bytes AND account_id = ? AND region = ? ORDER BY name",
            (digest, registry.account_id, registry.region),
        )
        return [row["name"] for row in rows]


def is_used(registry: Registry, repository_name: str, digest: str) -> bool:
    """Tell whether an image of the repository has this layer. Raises `RepositoryNotFoundException`."""
    with registry.world.store.read() as db:
        repository = repositories.get(db, registry, repository_name)
        row = db.execute(
            "SELECT 1 FROM layer WHERE repository_id = ? AND digest = ? AND images > 0",
            (repository.id, digest),
        ).fetchone()
    return row is not None


def without_bytes(registry: Registry, image_id: int) -> int:
    """Count the layers of an image (`Image.id`) that have no bytes."""
    with registry.world.store.read(one=True) as db:
        count: int = db.execute(
            "SELECT count(*) FROM image, json_each(image.layers) AS used JOIN layer ON layer.id = used.value "
            "WHERE image.id = ? AND NOT has_bytes",
            (image_id,),
        ).fetchone()[0]
    return count


def mount(registry: Registry, repository_name: str, digest: str, source_name: str) -> Layer | None:
    """Let a repository hold a layer of another one of this registry; return None if the source does not have it.

    Raises `RepositoryNotFoundException` for the target; a source that does not exist has no layers.
    """
    world = registry.world
    with world.store.write() as db:
        target = repositories.get(db, registry, repository_name)
        try:
            source = repositories.get(db, registry, source_name)
        except RepositoryNotFoundException:
            return None
        there = _get(db, source.id, digest)
        # ECR mounts only between repositories with the same encryption (AWS user guide, blob mounting).
        if there is None or not there.has_bytes or source.kms_key != target.kms_key:
            return None
        if not world.blobs.has(source, digest):
            return None
        layer = hold(db, target, digest, there.size)
        _count_on(registry, target, layer)
        return layer


def delete(registry: Registry, repository_name: str, digest: str) -> bool:
    """Delete a layer that no image of the repository uses; return False if it is absent or in use.

    Raises `RepositoryNotFoundException`.
    """
    world = registry.world
    with world.store.exclusively():
        with world.store.write() as db:
            repository = repositories.get(db, registry, repository_name)
            gone = db.execute(
                "DELETE FROM layer WHERE repository_id = ? AND digest = ? AND images = 0 RETURNING digest",
                (repository.id, digest),
            ).fetchall()
        world.collector.forget(blob_name(row["digest"], repository.kms_key) for row in gone)
    return bool(gone)


def _keep(registry: Registry, repository_name: str, upload: Upload, digest: str) -> Layer:
    world = registry.world
    try:
        world.blobs.sync(upload.blob)
        with world.collector.awaiting(blob_name(digest, upload.blob.owner.kms_key)):
            # The file first: the collector removes a file without a row, but a row without a file is a lost layer.
            world.blobs.adopt(upload.blob, digest)
            with world.store.write() as db:
                repository = repositories.find(registry, repository_name)
                if repository.id != upload.repository_id:
                    raise UploadNotFoundException(upload.id, repository_name, registry.account_id)
                layer = hold(db, repository, digest, upload.blob.size)
                _count_on(registry, repository, layer)
                return layer
    finally:
        world.uploads.end(upload)


def hold(db: sqlite3.Connection, repository: Repository, digest: str, size: int) -> Layer:
    """Let a repository hold a layer whose bytes are stored, inside a transaction."""
    new = db.execute(
        "INSERT OR IGNORE INTO layer (repository_id, digest, size) VALUES (?, ?, ?) RETURNING id",
        (repository.id, digest, size),
    ).fetchone()
    layer = _get(db, repository.id, digest) if new is None else Layer(new["id"], digest, size, None, has_bytes=True)
    assert layer is not None
    if layer.has_bytes:
        return layer
    db.execute("UPDATE layer SET size = ?, has_bytes = 1 WHERE id = ?", (size, layer.id))
    return replace(layer, size=size, has_bytes=True)


def _get(db: sqlite3.Connection, repository_id: int, digest: str) -> Layer | None:
    row = db.execute(
        "SELECT id, digest, size, media_type, has_bytes FROM layer WHERE repository_id = ? AND digest = ?",
        (repository_id, digest),
    ).fetchone()
    return (
        None if row is None else Layer(row["id"], row["digest"], row["size"], row["media_type"], bool(row["has_bytes"]))
    )


def _is_in_reach(layer: Layer) -> bool:
    # Cached only while true: a restore from the archive ends without a change of the database.
    return not layer.is_archived


def _count_on(registry: Registry, repository: Repository, layer: Layer) -> None:
    registry.world.collector.promise(layer.id)
    registry.world.collector.suspect([(layer.id, repository.id)])
