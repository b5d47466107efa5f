"""What a push leaves behind: an image, and a tag that points at it.

A manifest is taken only when all it names is there (AWS user guide, pushing an image). A tag that pointed elsewhere
moves, if the repository lets it; the image it left stays, untagged.
"""

import json
import sqlite3
from dataclasses import replace

from ecrlab.registry import history, names, repositories
from ecrlab.registry.errors import (
    ImageAlreadyExistsException,
    ImageDigestDoesNotMatchException,
    ImageTagAlreadyExistsException,
    LayersNotFoundException,
    LimitExceededException,
    ReferencedImagesNotFoundException,
)
from ecrlab.registry.images import COLUMNS, Image, from_row
from ecrlab.registry.manifest import Manifest
from ecrlab.registry.repositories import Repository
from ecrlab.registry.tags import is_immutable
from ecrlab.registry.world import Change, Registry

MOST_TAGS = 1000
"""Tags per image (AWS user guide, service quotas)."""


def put(
    registry: Registry,
    repository_name: str,
    manifest: Manifest,
    *,
    tag: str | None = None,
    digest: str | None = None,
    again: bool = False,
    by: str = "",
) -> Image:
    """Take in a manifest, and let `tag` point at it; `digest` is what the caller expects it to be.

    With `again`, a push that changes nothing is taken, as Docker expects; without, it is refused as PutImage does.
    `by` is who does it, for the history.
    Raises `RepositoryNotFoundException`, `ImageDigestDoesNotMatchException`, `LayersNotFoundException`,
    `ReferencedImagesNotFoundException`, `ImageAlreadyExistsException`, `ImageTagAlreadyExistsException`,
    `LimitExceededException`.
    """
    if tag is not None:
        names.check_tag(tag)
    if digest is not None and digest != manifest.digest:
        raise ImageDigestDoesNotMatchException(digest, repository_name, registry.account_id)
    with registry.world.change() as change:
        db = change.db
        repository = repositories.get(db, registry, repository_name)
        there, holder = db.execute(
            "SELECT (SELECT id FROM image WHERE repository_id = ?1 AND digest = ?2), "
            "(SELECT image_id FROM tag WHERE repository_id = ?1 AND name = ?3)",
            (repository.id, manifest.digest, tag),
        ).fetchone()
        if there is not None and (tag is None or holder == there):
            if not again:
                raise ImageAlreadyExistsException(manifest.digest, tag, repository_name, registry.account_id)
            change.happened = False
        if tag is not None and holder is not None and is_immutable(repository.settings, tag):
            raise ImageTagAlreadyExistsException(tag, repository_name)
        layer_ids: list[int] = []
        if there is not None:
            image = from_row(db.execute(f"SELECT {COLUMNS} FROM image WHERE id = ?", (there,)).fetchone())
        else:
            image, layer_ids = _insert(change, registry, repository, manifest)
        if tag is not None and holder != image.id:
            image = _point(db, repository, tag, image)
        if change.happened:
            what = "pushed" if there is None else "tagged"
            history.note_put(change, registry, repository_name, what, tag, holder, manifest.digest, by)
    registry.world.collector.fulfil(layer_ids)
    return image


def _insert(change: Change, registry: Registry, repository: Repository, manifest: Manifest) -> tuple[Image, list[int]]:
    """Keep a new image, still without a tag; give it, and the ids of the layers it uses."""
    db = change.db
    layers = _held_layers(db, registry, repository, manifest)
    children = _held_children(db, registry, repository, manifest)
    foreign = sum(blob.size for blob in manifest.blobs if blob.digest not in layers)
    # An index has the size of its largest manifest (botocore model, ImageDetail); an image that of its stored blobs.
    # UNSURE: a blob that a manifest lists twice; counted once, because it is stored once.
    size = max(children.values(), default=0) if manifest.is_index else sum(s for _, s in layers.values()) + foreign
    image_id = db.execute(
        "INSERT INTO image (repository_id, digest, media_type, artifact_type, subject, size, pushed_at, manifest) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
        (
            repository.id,
            manifest.digest,
            manifest.media_type,
            manifest.artifact_type,
            manifest.subject,
            size,
            change.at,
            manifest.body,
        ),
    ).fetchone()[0]
    image = Image(
        id=image_id,
        digest=manifest.digest,
        tags=(),
        media_type=manifest.media_type,
        artifact_type=manifest.artifact_type,
        subject=manifest.subject,
        size=size,
        pushed_at=change.at,
        pulled_at=None,
    )
    layer_ids = [layer_id for layer_id, _ in layers.values()]
    db.executemany("INSERT INTO image_layer VALUES (?, ?)", [(image_id, layer_id) for layer_id in layer_ids])
    media_types = {blob.digest: blob.media_type for blob in manifest.blobs}
    db.executemany(
        "UPDATE layer SET images = images + 1, media_type = ? WHERE id = ?",
        [(media_types[digest], layer_id) for digest, (layer_id, _) in layers.items()],
    )
    if children:
        db.executemany("INSERT INTO image_child VALUES (?, ?)", [(image_id, child_id) for child_id in children])
    return image, layer_ids


def _held_layers(
    db: sqlite3.Connection, registry: Registry, repository: Repository, manifest: Manifest
) -> dict[str, tuple[int, int]]:
    """The blobs of a manifest as the repository holds them: digest -> (layer id, bytes)."""
    digests = json.dumps([blob.digest for blob in manifest.blobs])
    rows = db.execute(
        "SELECT id, digest, size FROM layer WHERE repository_id = ? AND digest IN (SELECT value FROM json_each(?))",
        (repository.id, digests),
    )
    held = {row["digest"]: (row["id"], row["size"]) for row in rows}
    missing = [blob.digest for blob in manifest.blobs if blob.digest not in held and not blob.is_foreign]
    if missing:
        raise LayersNotFoundException(dict.fromkeys(missing), repository.name, registry.account_id)
    return held


def _held_children(
    db: sqlite3.Connection, registry: Registry, repository: Repository, manifest: Manifest
) -> dict[int, int]:
    """The manifests of an index as the repository holds them: image id -> bytes."""
    held: dict[int, int] = {}
    missing: list[str] = []
    for child in manifest.children:
        row = db.execute(
            "SELECT id, size FROM image WHERE repository_id = ? AND digest = ?", (repository.id, child.digest)
        ).fetchone()
        if row is not None:
            held[row["id"]] = row["size"]
        elif child.digest not in missing:
            missing.append(child.digest)
    if missing:
        raise ReferencedImagesNotFoundException(missing, repository.name, registry.account_id)
    return held


def _point(db: sqlite3.Connection, repository: Repository, tag: str, image: Image) -> Image:
    """Let a tag point at an image, away from any other; give the image with it, as its newest."""
    if len(image.tags) >= MOST_TAGS:
        # UNSURE: the exact text is not public.
        raise LimitExceededException(f"An image can have at most {MOST_TAGS} tags")
    last = 0
    if image.tags:
        last = db.execute("SELECT max(place) FROM tag WHERE image_id = ?", (image.id,)).fetchone()[0]
    db.execute("INSERT OR REPLACE INTO tag VALUES (?, ?, ?, ?)", (repository.id, tag, image.id, last + 1))
    return replace(image, tags=(*image.tags, tag))
