"""What a push leaves behind: an image, and a tag that points at it.

A manifest is taken only when all it names is there (AWS user guide, pushing an image). A tag that pointed elsewhere
moves, if the repository lets it; the image it left stays, untagged. An image that is archived and pushed again is
restored at once (AWS user guide, restoring an archived image).
"""

import sqlite3
from dataclasses import replace
from typing import NamedTuple

from ecrlab.oci.manifest import Manifest
from ecrlab.registry import announcements, archive, names, repositories, tag_history
from ecrlab.registry.errors import (
    ImageAlreadyExistsException,
    ImageDigestDoesNotMatchException,
    ImageTagAlreadyExistsException,
    LayersNotFoundException,
    LimitExceededException,
    ReferencedImagesNotFoundException,
)
from ecrlab.registry.images import COLUMNS, Image, from_row
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
        repository = repositories.find(registry, repository_name)
        there, holder = db.execute(
            "SELECT (SELECT id FROM image WHERE repository_id = :repository AND digest = :digest), "
            "(SELECT image_id FROM tag WHERE repository_id = :repository AND name = :tag)",
            {"repository": repository.id, "digest": manifest.digest, "tag": tag},
        ).fetchone()
        image = None
        if there is not None:
            image = from_row(db.execute(f"SELECT {COLUMNS} FROM image WHERE id = ?", (there,)).fetchone())
        restored = image is not None and image.status(change.at) != "ACTIVE"
        if image is not None and not restored and (tag is None or holder == there):
            if not again:
                raise ImageAlreadyExistsException(manifest.digest, tag, repository_name, registry.account_id)
            change.happened = False
        # UNSURE: whether an immutable tag stands in the way of restoring its own image by a push; it does not.
        moves = holder is not None and not (restored and holder == there)
        if tag is not None and moves and is_immutable(repository.settings, tag):
            raise ImageTagAlreadyExistsException(tag, repository_name)
        layer_ids: list[int] = []
        if image is not None:
            if restored:
                archive.restore_in(change, registry, repository, image, change.at)
                image = replace(image, is_archived=False, activated_at=change.at)
            else:
                registry.world.store.keep_remembered()
            if tag is not None and holder != there:
                image = _with(image, tag)
        else:
            image, layer_ids = _insert(change, registry, repository, manifest, tag)
        if tag is not None and holder != image.id:
            _point(db, repository, tag, image.id)
        if change.happened:
            if there is None or (tag is not None and holder != there):
                what = "pushed" if there is None else "tagged"
                tag_history.note_put(change, registry, repository_name, what, tag, holder, manifest.digest, by)
            announcements.image_action(change, registry, repository_name, "PUSH", manifest.digest, tag)
    registry.world.collector.fulfil(layer_ids)
    if change.happened:
        registry.world.when_pushed(registry, repository, image)
    return image


def _insert(
    change: Change, registry: Registry, repository: Repository, manifest: Manifest, tag: str | None
) -> tuple[Image, list[int]]:
    """Keep a new image; give it as it will be under its tag, and the ids of the layers it uses."""
    db = change.db
    layers = _used_layers(db, registry, repository, manifest)
    children = _held_children(db, registry, repository, manifest)
    foreign = (
        0
        if len(layers) == len(manifest.blobs)
        else sum(blob.size for blob in manifest.blobs if blob.digest not in layers)
    )
    # An index has the size of its largest manifest (botocore model, ImageDetail); an image that of its stored blobs.
    # UNSURE: a blob that a manifest lists twice; counted once, because it is stored once.
    size = (
        max(children.values(), default=0)
        if manifest.is_index
        else sum([layer.size for layer in layers.values()]) + foreign
    )
    layer_ids = [layer.id for layer in layers.values()]
    image_id = db.execute(
        "INSERT INTO image "
        "(repository_id, digest, media_type, artifact_type, subject, size, pushed_at, layers, manifest) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            repository.id,
            manifest.digest,
            manifest.media_type,
            manifest.artifact_type,
            manifest.subject,
            size,
            change.at,
            str(layer_ids),
            manifest.body,
        ),
    ).lastrowid
    assert image_id is not None
    image = Image(
        id=image_id,
        digest=manifest.digest,
        tags=(tag,) if tag is not None else (),
        media_type=manifest.media_type,
        artifact_type=manifest.artifact_type,
        subject=manifest.subject,
        size=size,
        pushed_at=change.at,
        pulled_at=None,
    )
    renamed = [  # a push that renames none touches nothing that is remembered
        (blob.media_type, layer.id)
        for blob in manifest.blobs
        if (layer := layers.get(blob.digest)) is not None and layer.media_type != blob.media_type
    ]
    if renamed:
        db.executemany("UPDATE layer SET media_type = ? WHERE id = ?", renamed)
    else:
        registry.world.store.keep_remembered()
    if children:
        db.executemany("INSERT INTO image_child VALUES (?, ?)", [(image_id, child_id) for child_id in children])
    return image, layer_ids


def _with(image: Image, tag: str) -> Image:
    """An image with one tag more."""
    if len(image.tags) >= MOST_TAGS:
        # UNSURE: the exact text is not public.
        raise LimitExceededException(f"An image can have at most {MOST_TAGS} tags")
    return replace(image, tags=(*image.tags, tag))


class _Held(NamedTuple):
    """A layer as the repository holds it."""

    id: int
    size: int
    media_type: str | None


def _used_layers(
    db: sqlite3.Connection, registry: Registry, repository: Repository, manifest: Manifest
) -> dict[str, _Held]:
    """The blobs of a manifest as the repository holds them, by digest; each is in use by one image more from now on."""
    # Digests are figures and letters, so that nothing in them needs to be escaped.
    digests = '","'.join([blob.digest for blob in manifest.blobs])
    rows = db.execute(
        "UPDATE layer SET images = images + 1 WHERE repository_id = ? AND has_bytes "
        "AND digest IN (SELECT value FROM json_each(?)) RETURNING digest, id, size, media_type",
        (repository.id, f'["{digests}"]'),
    )
    held = {digest: _Held(*layer) for digest, *layer in rows}
    if len(held) < len(manifest.blobs):
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


def _point(db: sqlite3.Connection, repository: Repository, tag: str, image_id: int) -> None:
    """Let a tag point at an image, away from any other, as the newest of its tags."""
    db.execute(
        "INSERT OR REPLACE INTO tag "
        "SELECT :repository, :tag, :image, coalesce(max(place), 0) + 1 FROM tag WHERE image_id = :image",
        {"repository": repository.id, "tag": tag, "image": image_id},
    )
