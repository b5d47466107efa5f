"""The history of a registry's tags: which caller moved which tag, and when.

Each push, each tag that was set, moved or deleted, and each deleted image is one event, written in the transaction of
that change: the history never contains a change that did not happen. On AWS, CloudTrail has these events (AWS user
guide, logging ECR API calls); here the registry keeps them, also after their repositories are deleted.

    pushed     a new image was pushed, with a tag or without
    tagged     an existing image got a tag
    untagged   a tag was deleted; the image has others
    deleted    an image was deleted, with this tag or without any
"""

from dataclasses import dataclass

from ecrlab.registry.world import Change, Registry


@dataclass(frozen=True, slots=True)
class Event:
    """One change: the tag went from the digest `before` to the digest `after`; either may be missing.

    `at` is in seconds since 1970, `by` the caller's ARN (empty if unknown). An event without a tag is about an untagged
    image.
    """

    at: float
    repository: str
    what: str
    tag: str | None
    before: str | None
    after: str | None
    by: str


def note_put(
    change: Change,
    registry: Registry,
    repository: str,
    what: str,
    tag: str | None,
    holder: int | None,
    after: str,
    by: str,
) -> None:
    """Note that `tag` moved from the image `holder` to the digest `after`, or that an untagged image was pushed."""
    change.db.execute(
        "INSERT INTO history (account_id, region, repository, at, what, tag, before, after, by) "
        "VALUES (?, ?, ?, ?, ?, ?, (SELECT digest FROM image WHERE id = ?), ?, ?)",
        (registry.account_id, registry.region, repository, change.at, what, tag, holder, after, by),
    )


def note_gone(
    change: Change, registry: Registry, repository: str, what: str, tags: tuple[str | None, ...], digest: str, by: str
) -> None:
    """Note that these tags of an image were deleted, with the image when `what` is "deleted"."""
    change.db.executemany(
        "INSERT INTO history (account_id, region, repository, at, what, tag, before, by) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [(registry.account_id, registry.region, repository, change.at, what, tag, digest, by) for tag in tags],
    )


def note_end(change: Change, registry: Registry, repository: str, repository_id: int, by: str) -> None:
    """Note that all images of a repository are about to be deleted with it."""
    change.db.execute(
        "INSERT INTO history (account_id, region, repository, at, what, tag, before, by) "
        "SELECT ?, ?, ?, ?, 'deleted', tag.name, image.digest, ? FROM image "
        "LEFT JOIN tag ON tag.image_id = image.id WHERE image.repository_id = ? ORDER BY image.id, tag.place",
        (registry.account_id, registry.region, repository, change.at, by, repository_id),
    )


def of(registry: Registry, repository: str | None = None) -> list[Event]:
    """Return the events of a registry, or of one repository name, from the first to the last.

    A name without events is no error.
    """
    where, more = ("", ()) if repository is None else (" AND repository = ?", (repository,))
    with registry.world.store.read(one=True) as db:
        rows = db.execute(
            "SELECT at, repository, what, tag, before, after, by FROM history "
            f"WHERE account_id = ? AND region = ?{where} ORDER BY id",
            (registry.account_id, registry.region, *more),
        ).fetchall()
    return [Event(*row) for row in rows]
