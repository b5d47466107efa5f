"""Replication: what a push, a restore and a deletion cause in other Regions and accounts.

    push or restore ── rules ──► a row for each destination: IN_PROGRESS ── replication_copies ──► COMPLETE or FAILED
    deletion ── rules with deleteReplication ──► the same deletion at each destination

The row is written with the push, so a crash loses none. A rule is about the repositories whose names begin with one of
its filters, and about pushes after it (AWS user guide, private image replication). A copy is no push: it causes no
other copy, so there are no chains.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ecrlab.registry import settings
from ecrlab.registry.images import Image
from ecrlab.registry.repositories import Repository
from ecrlab.registry.world import Change, Registry, World

IN_PROGRESS, COMPLETE, FAILED = "IN_PROGRESS", "COMPLETE", "FAILED"


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy to make: of one image, with some of its tags, to one registry."""

    id: int
    source: Registry
    repository_name: str
    digest: str
    tags: tuple[str, ...]
    destination: Registry


@dataclass(frozen=True, slots=True)
class Status:
    """How the replication of an image to one destination stands; `failure` is a code."""

    region: str
    account_id: str
    status: str
    failure: str | None


def destinations(registry: Registry, repository_name: str, *, deleting: bool = False) -> list[Registry]:
    """Return the registries that a repository is replicated to; with `deleting`, those that deletions go to, too."""
    found = {}
    for rule in settings.replication(registry)["rules"]:
        if not matches(rule, repository_name) or (deleting and not _deletes(rule)):
            continue
        for one in rule["destinations"]:
            found[one["registryId"], one["region"]] = Registry(registry.world, one["registryId"], one["region"])
    return list(found.values())


def matches(rule: dict[str, Any], repository_name: str) -> bool:
    """Tell whether a rule is about a repository. A rule without filters is about all.

    >>> rule = {"repositoryFilters": [{"filter": "prod", "filterType": "PREFIX_MATCH"}]}
    >>> matches(rule, "prod/api"), matches(rule, "production"), matches(rule, "dev/prod")
    (True, True, False)
    """
    filters = rule.get("repositoryFilters") or [{"filter": ""}]
    return any(repository_name.startswith(one["filter"]) for one in filters)


def note_push(change: Change, registry: Registry, repository: Repository, image: Image, tags: Sequence[str]) -> None:
    """Write the copies that a push of an image under `tags`, or its restore, causes. They retry what failed before."""
    wanted = destinations(registry, repository.name)
    if not wanted:
        return
    note_retry(change, image)
    for there in wanted:
        where = (image.id, there.account_id, there.region)
        change.db.execute(
            "DELETE FROM replication WHERE image_id = ? AND account_id = ? AND region = ? AND status = 'COMPLETE'",
            where,
        )
        change.db.execute(
            "INSERT INTO replication (image_id, account_id, region, tags, status) VALUES (?, ?, ?, ?, 'IN_PROGRESS')",
            (*where, json.dumps(tags)),
        )


def note_retry(change: Change, image: Image) -> bool:
    """Let the failed copies of an image be made again, with the tags that it still has; tell whether there are any."""
    rows = change.db.execute(
        "SELECT id, tags FROM replication WHERE image_id = ? AND status = 'FAILED'", (image.id,)
    ).fetchall()
    change.db.executemany(
        "UPDATE replication SET status = 'IN_PROGRESS', failure = NULL, tags = ? WHERE id = ?",
        [(json.dumps([tag for tag in json.loads(row["tags"]) if tag in image.tags]), row["id"]) for row in rows],
    )
    return bool(rows)


def note_result(change: Change, copy: Copy, failure: str | None) -> None:
    """Note that a copy was made, or the code of the failure."""
    status = COMPLETE if failure is None else FAILED
    change.db.execute("UPDATE replication SET status = ?, failure = ? WHERE id = ?", (status, failure, copy.id))


def under_way(world: World) -> Iterator[Copy]:
    """Yield the copies that are to be made, in the order of the pushes."""
    last = 0
    while True:
        with world.store.read(one=True) as db:
            row = db.execute(
                "SELECT replication.*, digest, repository.account_id AS from_account, "
                "repository.region AS from_region, name FROM replication JOIN image ON image.id = image_id "
                "JOIN repository ON repository.id = repository_id "
                "WHERE status = 'IN_PROGRESS' AND replication.id > ? ORDER BY replication.id LIMIT 1",
                (last,),
            ).fetchone()
        if row is None:
            return
        last = row["id"]
        yield Copy(
            last,
            Registry(world, row["from_account"], row["from_region"]),
            row["name"],
            row["digest"],
            tuple(json.loads(row["tags"])),
            Registry(world, row["account_id"], row["region"]),
        )


def statuses(registry: Registry, image: Image) -> list[Status]:
    """Return the status for each destination of an image; none for one that was pushed before the rules."""
    with registry.world.store.read(one=True) as db:
        rows = db.execute(
            "SELECT region, account_id, CASE WHEN max(status = 'IN_PROGRESS') THEN 'IN_PROGRESS' "
            "WHEN max(status = 'FAILED') THEN 'FAILED' ELSE 'COMPLETE' END, max(failure) "
            "FROM replication WHERE image_id = ? GROUP BY region, account_id ORDER BY min(id)",
            (image.id,),
        ).fetchall()
    return [
        Status(region, account, status, failure if status == FAILED else None)
        for region, account, status, failure in rows
    ]


def _deletes(rule: dict[str, Any]) -> bool:
    return bool(rule.get("deleteReplication", {}).get("enabled"))
