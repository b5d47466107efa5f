"""A push of a manifest, in four steps.

    resolve    find the repository, the image of that digest, and the image that the tag points at
    restore    an image that exists; an archived one becomes active at once (AWS user guide, archiving images)
    insert     a new image; the repository must hold everything that its manifest names (AWS user guide, pushing an
               image)
    announce   write the history, and note the event for EventBridge

A tag that pointed at another image moves, if the repository allows it; that image stays, untagged.
"""

import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from ecrlab.oci.manifest import Manifest
from ecrlab.registry import archive, image_events, names, replication, repositories, tag_history
from ecrlab.registry.errors import (
    ImageAlreadyExistsException,
    ImageDigestDoesNotMatchException,
    ImageTagAlreadyExistsException,
    LayersNotFoundException,
    LimitExceededException,
    ReferencedImagesNotFoundException,
)
from ecrlab.registry.images import COLUMNS, Image, from_row
from ecrlab.registry.repositories import Repository, Settings
from ecrlab.registry.store import manifests
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
    """Accept a manifest, and let `tag` point at it; `digest` is what the caller expects it to be.

    With `again`, a push that changes nothing is accepted, as Docker expects; without it, such a push is rejected, as by
    PutImage. `by` is the caller's ARN, for the history.
    Raises `RepositoryNotFoundException`, `ImageDigestDoesNotMatchException`, `LayersNotFoundException`,
    `ReferencedImagesNotFoundException`, `ImageAlreadyExistsException`, `ImageTagAlreadyExistsException`,
    `LimitExceededException`, and `KmsException` if the repository's KMS key cannot be used.
    """
    if tag is not None:
        names.check_tag(tag)
    if digest is not None and digest != manifest.digest:
        raise ImageDigestDoesNotMatchException(digest, repository_name, registry.account_id)
    with registry.world.change() as change:
        repository = repositories.find(registry, repository_name)
        push = _resolve(change, registry, repository, manifest, tag)
        image = push.image
        if push.changes_nothing and not again:
            raise ImageAlreadyExistsException(manifest.digest, tag, repository_name, registry.account_id)
        if tag is not None and push.sets_tag_again:
            check_may_move(push.repository.settings, tag, repository_name)
        if image is not None and push.changes_nothing:
            change.happened = replication.note_retry(change, image)
            return image
        image, layer_ids = _accept(change, push, manifest, by)
        replication.note_push(change, registry, push.repository, image, (tag,) if tag is not None else ())
    registry.world.collector.fulfil(layer_ids)
    registry.world.after_push.tell(registry, push.repository, image)
    return image


def copy_in(
    change: Change, registry: Registry, repository: Repository, manifest: Manifest, tags: Iterable[str], *, by: str
) -> None:
    """Store an image that replication or a cache brings, as a part of a change; the repository has its layers already.

    A tag that is immutable and points at another image stays there: then the image arrives without it (AWS user guide,
    private image replication). Raises `LimitExceededException`.
    """
    pushes = [_resolve(change, registry, repository, manifest, tag, is_copy=True) for tag in tags]
    if not (free := [push.tag for push in pushes if push.may_point]):
        free = [None]
    for tag in free:
        push = _resolve(change, registry, repository, manifest, tag, is_copy=True)
        if not push.changes_nothing:
            _accept(change, push, manifest, by)


def check_may_move(settings: Settings, tag: str, repository_name: str) -> None:
    """Return if a tag that points at an image may be set again. Raises `ImageTagAlreadyExistsException`."""
    if is_immutable(settings, tag):
        raise ImageTagAlreadyExistsException(tag, repository_name)


def check_listed(registry: Registry, repository_name: str, manifest: Manifest, held: Iterable[str]) -> None:
    """Return if a repository holds all images that an index lists; `held` are the digests of those it holds.

    Raises `ReferencedImagesNotFoundException`.
    """
    missing = dict.fromkeys(child.digest for child in manifest.children)
    for digest in held:
        missing.pop(digest, None)
    if missing:
        raise ReferencedImagesNotFoundException(missing, repository_name, registry.account_id)


def size_of(manifest: Manifest, layers: Mapping[str, int], children: Iterable[int]) -> int:
    """Return the bytes of an image: of an index those of its largest manifest (botocore model, ImageDetail), of any
    other those of its blobs. `layers` are the sizes of the blobs that are stored, by digest.
    """
    if manifest.is_index:
        return max(children, default=0)
    if len(layers) == len(manifest.blobs):
        return sum(layers.values())
    # UNSURE: a blob that a manifest lists twice; counted once, because it is stored once.
    return sum(({blob.digest: blob.size for blob in manifest.blobs} | dict(layers)).values())


@dataclass(slots=True)
class _Push:
    """A push, and what it finds in its repository."""

    registry: Registry
    repository: Repository
    tag: str | None
    image: Image | None
    """The image of the manifest's digest."""
    holder: int | None
    """The id of the image that the tag points at."""
    restores: bool
    """Whether the image is there, but not active."""
    is_copy: bool = False
    """Whether replication or a cache brings the image."""

    @property
    def may_point(self) -> bool:
        """Whether the tag points at this image already, or may point at it."""
        is_own = self.image is not None and self.holder == self.image.id
        return self.tag is None or self.holder is None or is_own or not is_immutable(self.repository.settings, self.tag)

    @property
    def sets_tag_again(self) -> bool:
        """Whether the tag points at an image already; an immutable one refuses even the same image."""
        # UNSURE: whether an immutable tag stands in the way of restoring its own image by a push; it does not.
        is_own = self.image is not None and self.holder == self.image.id
        return self.holder is not None and not (self.restores and is_own)

    @property
    def changes_nothing(self) -> bool:
        """Whether the image is there already, active, and under the tag."""
        return self.image is not None and not self.restores and (self.tag is None or self.holder == self.image.id)


def _resolve(
    change: Change,
    registry: Registry,
    repository: Repository,
    manifest: Manifest,
    tag: str | None,
    *,
    is_copy: bool = False,
) -> _Push:
    """Return a push with its image and tag."""
    there, holder = change.db.execute(
        "SELECT (SELECT id FROM image WHERE repository_id = :repository AND digest = :digest), "
        "(SELECT image_id FROM tag WHERE repository_id = :repository AND name = :tag)",
        {"repository": repository.id, "digest": manifest.digest, "tag": tag},
    ).fetchone()
    if there is None:
        return _Push(registry, repository, tag, None, holder, restores=False, is_copy=is_copy)
    image = from_row(change.db.execute(f"SELECT {COLUMNS} FROM image WHERE id = ?", (there,)).fetchone())
    return _Push(registry, repository, tag, image, holder, image.status(change.at) != "ACTIVE", is_copy)


def _accept(change: Change, push: _Push, manifest: Manifest, by: str) -> tuple[Image, list[int]]:
    """Store the image, move the tag, and announce it; return the image, and the ids of the layers of a new one."""
    layer_ids: list[int] = []
    if push.image is None:
        image, layer_ids = _insert(change, push, manifest)
    else:
        image = _restore(change, push, push.image)
    if push.tag is not None and push.holder != image.id:
        _point(change.db, push.repository, push.tag, image.id)
    _announce(change, push, image, by)
    return image, layer_ids


def _restore(change: Change, push: _Push, image: Image) -> Image:
    """Bring an image back at once if it is archived; return it as restored, with its new tag."""
    if push.restores:
        archive.restore_in(change, push.registry, push.repository, image, change.at)
        image = replace(image, is_archived=False, activated_at=change.at)
    if push.tag is None or push.holder == image.id:
        return image
    if len(image.tags) >= MOST_TAGS:
        # UNSURE: the exact text is not public.
        raise LimitExceededException(f"An image can have at most {MOST_TAGS} tags")
    return replace(image, tags=(*image.tags, push.tag))


def _insert(change: Change, push: _Push, manifest: Manifest) -> tuple[Image, list[int]]:
    """Store a new image; return it with its tag, and return the ids of its layers."""
    layers = _used_layers(change.db, push, manifest)
    children = _listed_images(change.db, push, manifest)
    size = size_of(manifest, {digest: layer.size for digest, layer in layers.items()}, children.values())
    layer_ids = [layer.id for layer in layers.values()]
    values = (
        push.repository.id,
        manifest.digest,
        manifest.media_type,
        manifest.artifact_type,
        manifest.subject,
        size,
        change.at,
        str(layer_ids),
        manifests.to_stored(push.registry.world.keys, push.repository, manifest.digest, manifest.body),
    )
    image_id = change.db.execute(
        "INSERT INTO image "
        "(repository_id, digest, media_type, artifact_type, subject, size, pushed_at, layers, manifest) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        values,
    ).lastrowid
    assert image_id is not None
    renamed = [  # a push that renames none touches nothing
        (blob.media_type, layer.id)
        for blob in manifest.blobs
        if (layer := layers.get(blob.digest)) is not None and layer.media_type != blob.media_type
    ]
    if renamed:
        change.db.executemany("UPDATE layer SET media_type = ? WHERE id = ?", renamed)
    if children:
        listed = [(image_id, child_id) for child_id in children]
        change.db.executemany("INSERT INTO image_child VALUES (?, ?)", listed)
    tags = (push.tag,) if push.tag is not None else ()
    kinds = (manifest.media_type, manifest.artifact_type, manifest.subject)
    return Image(image_id, manifest.digest, tags, *kinds, size, change.at, pulled_at=None), layer_ids


class _Held(NamedTuple):
    """A layer as the repository holds it."""

    id: int
    size: int
    media_type: str | None


def _used_layers(db: sqlite3.Connection, push: _Push, manifest: Manifest) -> dict[str, _Held]:
    """Return the layers that a manifest uses, by digest, and add one to their counts of images."""
    # A digest has only letters and digits, so it needs no escaping.
    digests = '","'.join([blob.digest for blob in manifest.blobs])
    rows = db.execute(
        "UPDATE layer SET images = images + 1 WHERE repository_id = ? AND has_bytes >= ? "
        "AND digest IN (SELECT value FROM json_each(?)) RETURNING digest, id, size, media_type",
        # A copy of an image of a past has layers without bytes, too.
        (push.repository.id, not push.is_copy, f'["{digests}"]'),
    )
    held = {digest: _Held(*layer) for digest, *layer in rows}
    if len(held) < len(manifest.blobs):
        missing = [blob.digest for blob in manifest.blobs if blob.digest not in held and not blob.is_foreign]
        if missing:
            raise LayersNotFoundException(dict.fromkeys(missing), push.repository.name, push.registry.account_id)
    return held


def _listed_images(db: sqlite3.Connection, push: _Push, manifest: Manifest) -> dict[int, int]:
    """Return the images that an index lists: image id -> bytes."""
    if not manifest.children:
        return {}
    rows = db.execute(
        "SELECT id, digest, size FROM image WHERE repository_id = ? AND digest IN (SELECT value FROM json_each(?))",
        (push.repository.id, json.dumps([child.digest for child in manifest.children])),
    ).fetchall()
    check_listed(push.registry, push.repository.name, manifest, (row["digest"] for row in rows))
    return {row["id"]: row["size"] for row in rows}


def _point(db: sqlite3.Connection, repository: Repository, tag: str, image_id: int) -> None:
    """Move a tag to an image, as the newest of its tags."""
    db.execute(
        "INSERT OR REPLACE INTO tag "
        "SELECT :repository, :tag, :image, coalesce(max(place), 0) + 1 FROM tag WHERE image_id = :image",
        {"repository": repository.id, "tag": tag, "image": image_id},
    )


def _announce(change: Change, push: _Push, image: Image, by: str) -> None:
    """Add a new image or tag to the history, and send every push to EventBridge."""
    name = push.repository.name
    if push.image is None or (push.tag is not None and push.holder != image.id):
        what = "pushed" if push.image is None else "tagged"
        tag_history.note_put(change, push.registry, name, what, push.tag, push.holder, image.digest, by)
    image_events.image_action(change, push.registry, name, "PUSH", image.digest, push.tag)
