"""Images: how digests and tags find them, how they are listed and pulled, and when they go.

An image is its manifest, known by its digest; tags are names that point at one image each and may move. When a tag
moves away the image stays, untagged. An image that an index lists cannot be deleted before the index (AWS user guide,
deleting an image; API reference, ImageFailureCode).
"""

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from ecrlab.registry import history, names, repositories
from ecrlab.registry.errors import (
    ImageNotFoundException,
    InvalidParameterException,
)
from ecrlab.registry.repositories import Repository
from ecrlab.registry.world import Registry

PULL_RECORDED_EVERY = timedelta(hours=24)
"""How exact `lastRecordedPullTime` is (botocore model, ImageDetail)."""

_MALFORMED = ("MissingDigestAndTag", "InvalidImageDigest", "InvalidImageTag")
"""Failures of an id that can name no image (botocore model, ImageFailureCode)."""

COLUMNS = (
    "image.id, image.digest, image.media_type, image.artifact_type, image.subject, image.size, image.pushed_at, "
    "image.pulled_at, (SELECT group_concat(name, ' ') FROM "
    "(SELECT name FROM tag WHERE tag.image_id = image.id ORDER BY place)) AS tags"
)
"""What `from_row` reads."""


@dataclass(frozen=True, slots=True)
class Image:
    """An image as it is now: sizes in bytes (compressed), instants in seconds since 1970, tags in the order given."""

    id: int
    digest: str
    tags: tuple[str, ...]
    media_type: str
    artifact_type: str | None
    subject: str | None
    size: int
    pushed_at: float
    pulled_at: float | None
    body: bytes | None = None
    """The manifest, where it was asked for."""


@dataclass(frozen=True, slots=True)
class ImageId:
    """How a caller names an image: by digest, by tag, or by both, which must agree."""

    digest: str | None = None
    tag: str | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """Why one of several images was not served; codes are those of the botocore model's ImageFailureCode."""

    image_id: ImageId
    code: str
    reason: str


def describe(
    registry: Registry,
    repository_name: str,
    *,
    tagged: bool | None = None,
    after: int = 0,
    most: int = 1000,
) -> list[Image]:
    """Images in the order they were first pushed: up to `most` of them, `after` the one with that `Image.id`.

    `tagged` restricts to images with a tag (True) or without (False). Raises `RepositoryNotFoundException`.
    """
    some = {None: "", True: " AND EXISTS", False: " AND NOT EXISTS"}[tagged]
    condition = some and some + " (SELECT 1 FROM tag WHERE tag.image_id = image.id)"
    with registry.world.store.read() as db:
        repository = repositories.get(db, registry, repository_name)
        rows = db.execute(
            f"SELECT {COLUMNS} FROM image WHERE repository_id = ? AND id > ?{condition} ORDER BY id LIMIT ?",
            (repository.id, after, most),
        )
        return [from_row(row) for row in rows]


def list_ids(
    registry: Registry,
    repository_name: str,
    *,
    tagged: bool | None = None,
    after: tuple[int, int] = (0, 0),
    most: int = 1000,
) -> list[tuple[ImageId, tuple[int, int]]]:
    """One entry for each tag, and one for each image without: the id, and a position that `after` continues from.

    Raises `RepositoryNotFoundException`.
    """
    condition = {None: "", True: "AND place IS NOT NULL", False: "AND place IS NULL"}[tagged]
    with registry.world.store.read() as db:
        repository = repositories.get(db, registry, repository_name)
        rows = db.execute(
            "SELECT image.id, image.digest, tag.place, tag.name FROM image "
            "LEFT JOIN tag ON tag.image_id = image.id WHERE image.repository_id = ? "
            f"AND image.id >= ? AND (image.id > ? OR place > ?) {condition} ORDER BY image.id, place LIMIT ?",
            (repository.id, after[0], after[0], after[1], most),
        )
        return [(ImageId(row["digest"], row["name"]), (row["id"], row["place"] or 0)) for row in rows]


def find(registry: Registry, repository_name: str, image_id: ImageId) -> Image:
    """One image with its manifest, by digest or tag.

    Raises `RepositoryNotFoundException`, `ImageNotFoundException`, and `InvalidParameterException` for an id that names
    no image.
    """
    with registry.world.store.read() as db:
        repository = repositories.get(db, registry, repository_name)
        found = _resolve(db, repository, image_id, body=True)
    if isinstance(found, Image):
        return found
    if found.code in _MALFORMED:
        raise InvalidParameterException("imageIds", found.reason)
    raise ImageNotFoundException(image_id.digest, image_id.tag, repository_name, registry.account_id)


def pull(registry: Registry, repository_name: str, ids: Sequence[ImageId]) -> tuple[list[Image], list[Failure]]:
    """Images with their manifests, as a puller asks for them, and why others are not given; the pull is recorded.

    Raises `RepositoryNotFoundException`.
    """
    with registry.world.store.read() as db:
        repository = repositories.get(db, registry, repository_name)
        answers = [_resolve(db, repository, image_id, body=True) for image_id in ids]
    found = [answer for answer in answers if isinstance(answer, Image)]
    now = registry.world.clock.now().timestamp()
    stale = [
        (now, image.id, image.digest)
        for image in found
        if image.pulled_at is None or now - image.pulled_at >= PULL_RECORDED_EVERY.total_seconds()
    ]
    if stale:
        with registry.world.store.write() as db:
            db.executemany("UPDATE image SET pulled_at = ? WHERE id = ? AND digest = ?", stale)
            registry.world.store.keep_remembered()
    return found, [answer for answer in answers if isinstance(answer, Failure)]


def delete(
    registry: Registry, repository_name: str, ids: Sequence[ImageId], *, by: str = ""
) -> tuple[list[ImageId], list[Failure]]:
    """Delete by tag (the image goes with its last tag) or by digest (with all its tags); say what went and what not.

    `by` is who does it, for the history. Raises `RepositoryNotFoundException`.
    """
    gone: list[ImageId] = []
    failures: list[Failure] = []
    freed: list[int] = []
    with registry.world.change() as change:
        repository = repositories.get(change.db, registry, repository_name)
        for image_id in ids:
            found = _resolve(change.db, repository, image_id)
            if isinstance(found, Failure):
                failures.append(found)
            elif image_id.tag is not None and len(found.tags) > 1:
                change.db.execute("DELETE FROM tag WHERE repository_id = ? AND name = ?", (repository.id, image_id.tag))
                history.note_gone(change, registry, repository_name, "untagged", (image_id.tag,), found.digest, by)
                gone.append(ImageId(found.digest, image_id.tag))
            elif parents := _parents(change.db, found.id):
                reason = f"Requested image referenced by manifest list: [{', '.join(parents)}]"
                failures.append(Failure(image_id, "ImageReferencedByManifestList", reason))
            else:
                freed += _remove(change.db, found.id)
                history.note_gone(change, registry, repository_name, "deleted", found.tags or (None,), found.digest, by)
                gone += [ImageId(found.digest, tag) for tag in found.tags] or [ImageId(found.digest)]
        change.happened = bool(gone)
    if freed:
        registry.world.collector.suspect((layer_id, repository.id) for layer_id in freed)
        registry.world.collector.collect()
    return gone, failures


def tags(registry: Registry, repository_name: str, *, after: str = "", most: int | None = None) -> list[str]:
    """Tags in lexical order, `after` one, at most `most`. Raises `RepositoryNotFoundException`."""
    with registry.world.store.read() as db:
        repository = repositories.get(db, registry, repository_name)
        rows = db.execute(
            "SELECT name FROM tag WHERE repository_id = ? AND name > ? ORDER BY name LIMIT ?",
            (repository.id, after, -1 if most is None else most),
        )
        return [row["name"] for row in rows]


def _resolve(
    db: sqlite3.Connection, repository: Repository, image_id: ImageId, *, body: bool = False
) -> Image | Failure:
    """The image that a caller means, or the failure that BatchGetImage and BatchDeleteImage report."""
    problem = _malformed(image_id)
    if problem is not None:
        return Failure(image_id, *problem)
    columns = COLUMNS + (", image.manifest" if body else "")
    if image_id.tag is not None:
        row = db.execute(
            f"SELECT {columns} FROM tag JOIN image ON image.id = tag.image_id "
            "WHERE tag.repository_id = ? AND tag.name = ?",
            (repository.id, image_id.tag),
        ).fetchone()
        if row is not None and image_id.digest not in (None, row["digest"]):
            return Failure(image_id, "ImageTagDoesNotMatchDigest", "Requested image tag does not match the digest")
    else:
        row = db.execute(
            f"SELECT {columns} FROM image WHERE repository_id = ? AND digest = ?",
            (repository.id, image_id.digest),
        ).fetchone()
    if row is None:
        return Failure(image_id, "ImageNotFound", "Requested image not found")
    image = from_row(row)
    return replace(image, body=row["manifest"]) if body else image


def _malformed(image_id: ImageId) -> tuple[str, str] | None:
    if image_id.digest is None and image_id.tag is None:
        return "MissingDigestAndTag", "Invalid request parameters: both tag and digest cannot be null"
    checks = (
        (names.check_digest, image_id.digest, "InvalidImageDigest"),
        (names.check_tag, image_id.tag, "InvalidImageTag"),
    )
    for check, value, code in checks:
        try:
            if value is not None:
                check(value)
        except InvalidParameterException as error:
            _, _, constraint = error.message.partition("constraint: ")
            return code, f"Invalid request parameters: {constraint.strip(chr(39))}"
    return None


def _parents(db: sqlite3.Connection, image_id: int) -> list[str]:
    """The indexes that list an image."""
    rows = db.execute(
        "SELECT digest FROM image JOIN image_child ON image_child.image_id = image.id "
        "WHERE child_id = ? ORDER BY image.id",
        (image_id,),
    )
    return [row["digest"] for row in rows]


def _remove(db: sqlite3.Connection, image_id: int) -> list[int]:
    """Delete an image and its tags; give the ids of the layers it used."""
    uses = db.execute("DELETE FROM image WHERE id = ? RETURNING layers", (image_id,)).fetchone()["layers"]
    db.execute("UPDATE layer SET images = images - 1 WHERE id IN (SELECT value FROM json_each(?))", (uses,))
    layer_ids: list[int] = json.loads(uses)
    return layer_ids


def from_row(row: sqlite3.Row) -> Image:
    """An image from the `COLUMNS` of a query."""
    return Image(
        id=row["id"],
        digest=row["digest"],
        tags=tuple(row["tags"].split(" ")) if row["tags"] else (),
        media_type=row["media_type"],
        artifact_type=row["artifact_type"],
        subject=row["subject"],
        size=row["size"],
        pushed_at=row["pushed_at"],
        pulled_at=row["pulled_at"],
    )
