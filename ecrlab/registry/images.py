"""Images: find, list and pull them by digest or tag.

An image is a manifest with a digest. A tag is a name that points at one image and may move. An image stays when its
last tag moves to another image. An image that is archived or being restored cannot be pulled. See also
`ecrlab.registry.pushes` and `ecrlab.registry.deletions`.
"""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from ecrlab.registry import names, repositories
from ecrlab.registry.errors import (
    ImageNotFoundException,
    InvalidParameterException,
    KmsException,
)
from ecrlab.registry.repositories import Repository
from ecrlab.registry.store import manifests
from ecrlab.registry.world import Registry

PULL_RECORDED_EVERY = timedelta(hours=24)
"""How exact `lastRecordedPullTime` is (botocore model, ImageDetail)."""

_MALFORMED = ("MissingDigestAndTag", "InvalidImageDigest", "InvalidImageTag")
"""Failures of an id that can name no image (botocore model, ImageFailureCode)."""

COLUMNS = (
    "image.id, image.digest, image.media_type, image.artifact_type, image.subject, image.size, image.pushed_at, "
    "image.pulled_at, image.archived, image.archived_at, image.activated_at, (SELECT group_concat(name, ' ') FROM "
    "(SELECT name FROM tag WHERE tag.image_id = image.id ORDER BY place)) AS tags"
)
"""The columns that `from_row` reads."""


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
    """The manifest, if the caller requested it."""
    is_archived: bool = False
    archived_at: float | None = None
    activated_at: float | None = None
    """The end of its last restore from the archive, past or future."""

    def status(self, now: float) -> str:
        """ACTIVE, ARCHIVED or ACTIVATING (botocore model, ImageStatus) at an instant in seconds since 1970."""
        if self.is_archived:
            return "ARCHIVED"
        return "ACTIVATING" if self.activated_at is not None and self.activated_at > now else "ACTIVE"


@dataclass(frozen=True, slots=True)
class ImageId:
    """How a caller names an image: by digest, by tag, or by both, which must agree."""

    digest: str | None = None
    tag: str | None = None


@dataclass(frozen=True, slots=True)
class Failure:
    """The reason why a request failed for one image; codes are the botocore model's ImageFailureCode."""

    image_id: ImageId
    code: str
    reason: str


def describe(
    registry: Registry,
    repository_name: str,
    *,
    tagged: bool | None = None,
    status: str = "ANY",
    after: int = 0,
    most: int = 1000,
) -> list[Image]:
    """Return images in the order of their first push: up to `most` of them, `after` the one with that `Image.id`.

    `tagged` restricts to images with a tag (True) or without (False), `status` to those of an `Image.status`. Raises
    `RepositoryNotFoundException`.
    """
    some = {None: "", True: " AND EXISTS", False: " AND NOT EXISTS"}[tagged]
    condition = some and some + " (SELECT 1 FROM tag WHERE tag.image_id = image.id)"
    condition += of_status(registry, status)
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
    status: str = "ANY",
    after: tuple[int, int] = (0, 0),
    most: int = 1000,
) -> list[tuple[ImageId, tuple[int, int]]]:
    """Return one entry for each tag, and one for each untagged image: the id, and a position that `after` continues
    from.

    Raises `RepositoryNotFoundException`.
    """
    condition = {None: "", True: "AND place IS NOT NULL", False: "AND place IS NULL"}[tagged]
    condition += of_status(registry, status)
    with registry.world.store.read() as db:
        repository = repositories.get(db, registry, repository_name)
        rows = db.execute(
            "SELECT image.id, image.digest, tag.place, tag.name FROM image "
            "LEFT JOIN tag ON tag.image_id = image.id WHERE image.repository_id = ? "
            f"AND image.id >= ? AND (image.id > ? OR place > ?) {condition} ORDER BY image.id, place LIMIT ?",
            (repository.id, after[0], after[0], after[1], most),
        )
        return [(ImageId(row["digest"], row["name"]), (row["id"], row["place"] or 0)) for row in rows]


def find(registry: Registry, repository_name: str, image_id: ImageId, *, body: bool = True) -> Image:
    """Return one image by digest or tag; with `body` also its manifest, which a KMS key may have to decrypt.

    Raises `RepositoryNotFoundException`, `ImageNotFoundException`, `InvalidParameterException` for a malformed id,
    `KmsException`.
    """
    with registry.world.store.read() as db:
        repository = repositories.get(db, registry, repository_name)
        found = resolve(db, repository, image_id, body=body)
    if isinstance(found, Image):
        return with_manifest(registry, repository, found) if body else found
    if found.code in _MALFORMED:
        raise InvalidParameterException("imageIds", found.reason)
    raise ImageNotFoundException(image_id.digest, image_id.tag, repository_name, registry.account_id)


def with_manifest(registry: Registry, repository: Repository, image: Image) -> Image:
    """Return an image of `resolve` with its manifest as it was pushed. Raises `KmsException`, `DamagedObject`."""
    assert image.body is not None
    body = manifests.from_stored(registry.world.keys, repository, image.digest, image.body)
    return image if body is image.body else replace(image, body=body)


def find_in(db: sqlite3.Connection, repository: Repository, digest: str) -> Image | None:
    """Return one image by its digest, inside a transaction."""
    found = resolve(db, repository, ImageId(digest))
    return found if isinstance(found, Image) else None


def pull(registry: Registry, repository_name: str, ids: Sequence[ImageId]) -> tuple[list[Image], list[Failure]]:
    """Return images with their manifests for a pull, and why others cannot be pulled; record the pull.

    Raises `RepositoryNotFoundException`.
    """
    with registry.world.store.read() as db:
        repository = repositories.get(db, registry, repository_name)
        answers = [resolve(db, repository, image_id, body=True) for image_id in ids]
    now = registry.world.clock.now().timestamp()
    answers = [
        _pulled(registry, repository, image_id, answer, now) if isinstance(answer, Image) else answer
        for image_id, answer in zip(ids, answers, strict=True)
    ]
    found = [answer for answer in answers if isinstance(answer, Image)]
    stale = [
        (now, image.id, image.digest)
        for image in found
        if image.pulled_at is None or now - image.pulled_at >= PULL_RECORDED_EVERY.total_seconds()
    ]
    if stale:
        with registry.world.store.write() as db:
            db.executemany("UPDATE image SET pulled_at = ? WHERE id = ? AND digest = ?", stale)
    return found, [answer for answer in answers if isinstance(answer, Failure)]


def _pulled(registry: Registry, repository: Repository, image_id: ImageId, image: Image, now: float) -> Image | Failure:
    """Return an image with its manifest for a pull, or the reason why it cannot be pulled."""
    if image.status(now) != "ACTIVE":
        return Failure(image_id, "ImageInaccessible", not_active(image.status(now)))
    try:
        return with_manifest(registry, repository, image)
    except KmsException as error:
        # UNSURE: the reason; here KMS's own words.
        return Failure(image_id, "KmsError", error.message)


def tags(registry: Registry, repository_name: str, *, after: str = "", most: int | None = None) -> list[str]:
    """Return tags in lexical order, `after` one, at most `most`. Raises `RepositoryNotFoundException`."""
    with registry.world.store.read() as db:
        repository = repositories.get(db, registry, repository_name)
        rows = db.execute(
            "SELECT name FROM tag WHERE repository_id = ? AND name > ? ORDER BY name LIMIT ?",
            (repository.id, after, -1 if most is None else most),
        )
        return [row["name"] for row in rows]


def resolve(
    db: sqlite3.Connection, repository: Repository, image_id: ImageId, *, body: bool = False
) -> Image | Failure:
    """Return the image that a caller means, or the failure that BatchGetImage and BatchDeleteImage report.

    With `body` it has what the database stores of its manifest, for `with_manifest`.
    """
    problem = malformed(image_id)
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


def malformed(image_id: ImageId) -> tuple[str, str] | None:
    """Return the code and the reason of the failure for an id that can name no image, or None."""
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
            return code, f"Invalid request parameters: {constraint[1:-1]}"
    return None


def parents_of(db: sqlite3.Connection, image_id: int, *, active: bool = False) -> list[str]:
    """Return the digests of the indexes that list an image; with `active`, of those that are not archived."""
    rows = db.execute(
        "SELECT digest FROM image JOIN image_child ON image_child.image_id = image.id "
        f"WHERE child_id = ? {'AND NOT archived' if active else ''} ORDER BY image.id",
        (image_id,),
    )
    return [row["digest"] for row in rows]


def listed_by(parents: Sequence[str]) -> str:
    """Return AWS's text for an image that cannot be deleted because indexes list it."""
    return f"Requested image referenced by manifest list: [{', '.join(parents)}]"


def not_active(status: str) -> str:
    """Return the reason why an image of that status cannot be pulled."""
    # UNSURE: class and text; ImageInaccessible is the one code of the model that fits.
    said = "is archived" if status == "ARCHIVED" else "is being restored from the archive"
    return f"Requested image {said} and cannot be pulled"


def of_status(registry: Registry, status: str) -> str:
    """Return an SQL condition for the images of a status now."""
    if status == "ANY":
        return ""
    restored_later = f"coalesce(image.activated_at, 0) > {registry.world.clock.now().timestamp()!r}"
    return {
        "ACTIVE": f" AND NOT image.archived AND NOT {restored_later}",
        "ARCHIVED": " AND image.archived",
        "ACTIVATING": f" AND NOT image.archived AND {restored_later}",
    }[status]


def from_row(row: sqlite3.Row) -> Image:
    """Convert a row of `COLUMNS` to an image."""
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
        is_archived=bool(row["archived"]),
        archived_at=row["archived_at"],
        activated_at=row["activated_at"],
    )
