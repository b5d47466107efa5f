"""The history of a registry: who moved which tag when.

Each push, each tag that came, moved or went, and each image that was deleted is one event, written in the transaction
that does it, so that the history never tells of a change that did not happen. AWS has the same knowledge in CloudTrail
(AWS user guide, logging ECR API calls); here it is the registry's own, and it outlives the repositories it tells of.

    pushed     a new image came, under a tag or under none
    tagged     an image that was there got a tag
    untagged   a tag was deleted; the image has others
    deleted    an image was deleted, with this tag of its own or without any
"""

from dataclasses import dataclass

from ecrlab.registry.world import Change, Registry


@dataclass(frozen=True, slots=True)
class Event:
    """One change: the tag went from the digest `before` to the digest `after`; either may be missing.

    `at` is in seconds since 1970, `by` the ARN of who did it (empty if nobody said). An event without a tag is about an
    image that has none.
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
    """Note that `tag` went from the image of id `holder` to the digest `after`, or that an image came without a tag."""
    change.db.execute(
        "INSERT INTO history (account_id, region, repository, at, what, tag, before, after, by) "
        "VALUES (?, ?, ?, ?, ?, ?, (SELECT digest FROM image WHERE id = ?), ?, ?)",
        (registry.account_id, registry.region, repository, change.at, what, tag, holder, after, by),
    )


def note_gone(
    change: Change, registry: Registry, repository: str, what: str, tags: tuple[str | None, ...], digest: str, by: str
) -> None:
    """Note that these tags of an image are gone, with the image when `what` is "deleted"."""
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
    """What happened in a registry, or to one name of a repository, from the first event to the last.

    A name that nothing ever happened to has no events; it is no error.
    """
    where, more = ("", ()) if repository is None else (" AND repository = ?", (repository,))
    with registry.world.store.read(one=True) as db:
        rows = db.execute(
            "SELECT at, repository, what, tag, before, after, by FROM history "
            f"WHERE account_id = ? AND region = ?{where} ORDER BY id",
            (registry.account_id, registry.region, *more),
        ).fetchall()
    return [Event(*row) for row in rows]
