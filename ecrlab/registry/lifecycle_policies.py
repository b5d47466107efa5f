"""Lifecycle policies as a registry stores them: a text for each repository, and its last preview.

The registry does not read a policy; it stores the text, the time of its last run, and the result of a preview (API
reference, GetLifecyclePolicy and GetLifecyclePolicyPreview).
"""

import json
import sqlite3
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from ecrlab.registry import repositories
from ecrlab.registry.errors import (
    LifecyclePolicyNotFoundException,
    LifecyclePolicyPreviewInProgressException,
    LifecyclePolicyPreviewNotFoundException,
)
from ecrlab.registry.repositories import Repository
from ecrlab.registry.world import Change, Registry, World

# UNSURE: how long a preview takes; here it ends when a client reads its result, or after 5 seconds, the interval
# at which the waiters of the SDKs poll.
RUNS_FOR = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class LifecyclePolicy:
    """A repository's policy; `evaluated_at` is when it last ran, in seconds since 1970, and 0 means never.

    `refused` names the images that the run could not delete, to tell a known failure from a new one.
    """

    text: str
    id: str
    version: int
    evaluated_at: float
    refused: str = ""


@dataclass(frozen=True, slots=True)
class Preview:
    """The result of a preview; `results` and `summary` in AWS's members, dates in seconds since 1970."""

    text: str
    at: float
    results: list[dict[str, Any]]
    summary: dict[str, Any]


def put(registry: Registry, name: str, text: str) -> None:
    """Set a repository's policy. Raises `RepositoryNotFoundException`."""
    with registry.world.change() as change:
        put_in(change, registry, repositories.get(change.db, registry, name), text)


def put_in(change: Change, registry: Registry, repository: Repository, text: str) -> None:
    """The same inside a change."""
    before = _row(change.db, repository)
    policy_id, version = (
        (registry.world.new_id(), 1) if before is None else (before["policy_id"], before["policy_version"] + 1)
    )
    # UNSURE: whether a new text keeps the time of the previous text's last run; here it does not.
    change.db.execute(
        "INSERT OR REPLACE INTO lifecycle (repository_id, policy, policy_id, policy_version) VALUES (?, ?, ?, ?)",
        (repository.id, text, policy_id, version),
    )


def get(registry: Registry, name: str) -> LifecyclePolicy:
    """Return the policy of a repository. Raises `RepositoryNotFoundException`, `LifecyclePolicyNotFoundException`."""
    with registry.world.store.read() as db:
        return get_in(db, registry, repositories.get(db, registry, name))


def get_in(db: sqlite3.Connection, registry: Registry, repository: Repository) -> LifecyclePolicy:
    """Return the policy of a repository inside a transaction. Raises `LifecyclePolicyNotFoundException`."""
    row = _row(db, repository)
    if row is None:
        raise LifecyclePolicyNotFoundException(repository.name, registry.account_id)
    return LifecyclePolicy(
        row["policy"], row["policy_id"], row["policy_version"], row["evaluated_at"] or 0.0, row["refused"]
    )


def delete(registry: Registry, name: str) -> LifecyclePolicy:
    """Delete a repository's policy; return it.

    Raises `RepositoryNotFoundException`, `LifecyclePolicyNotFoundException`.
    """
    with registry.world.change() as change:
        repository = repositories.get(change.db, registry, name)
        policy = get_in(change.db, registry, repository)
        change.db.execute("DELETE FROM lifecycle WHERE repository_id = ?", (repository.id,))
        return policy


def note_evaluated(change: Change, repository: Repository, refused: str) -> None:
    """Store that a repository's policy has just run, and that it could not delete the images in `refused`."""
    change.db.execute(
        "UPDATE lifecycle SET evaluated_at = ?, refused = ? WHERE repository_id = ?",
        (change.at, refused, repository.id),
    )


def holders(world: World) -> list[tuple[Registry, str]]:
    """Return the repositories of all registries that have a policy, by registry and name."""
    with world.store.read(one=True) as db:
        rows = db.execute(
            "SELECT account_id, region, name FROM lifecycle JOIN repository ON repository.id = repository_id "
            "ORDER BY account_id, region, name"
        ).fetchall()
    return [(world.registry(row["account_id"], row["region"]), row["name"]) for row in rows]


def begin_preview(change: Change, repository: Repository) -> None:
    """Raise `LifecyclePolicyPreviewInProgressException` while the previous preview is running."""
    before = change.db.execute(
        "SELECT at, polled FROM lifecycle_preview WHERE repository_id = ?", (repository.id,)
    ).fetchone()
    if before is not None and not before["polled"] and change.at - before["at"] < RUNS_FOR.total_seconds():
        raise LifecyclePolicyPreviewInProgressException


def keep_preview(change: Change, repository: Repository, preview: Preview) -> None:
    """Store the result of a preview, in place of the previous one."""
    change.db.execute(
        "INSERT OR REPLACE INTO lifecycle_preview VALUES (?, ?, ?, 0, ?, ?)",
        (repository.id, preview.text, preview.at, json.dumps(preview.results), json.dumps(preview.summary)),
    )


def preview(registry: Registry, name: str) -> Preview:
    """Return the result of the last preview of a repository.

    Raises `RepositoryNotFoundException`, `LifecyclePolicyPreviewNotFoundException`.
    """
    with registry.world.store.read() as db:
        repository = repositories.get(db, registry, name)
        row = db.execute("SELECT * FROM lifecycle_preview WHERE repository_id = ?", (repository.id,)).fetchone()
    if row is None:
        raise LifecyclePolicyPreviewNotFoundException(name, registry.account_id)
    return Preview(row["policy"], row["at"], json.loads(row["results"]), json.loads(row["summary"]))


def complete_preview(registry: Registry, name: str) -> None:
    """End the last preview of a repository, because a client has read its result."""
    with registry.world.store.write() as db:
        repository = repositories.get(db, registry, name)
        db.execute("UPDATE lifecycle_preview SET polled = 1 WHERE repository_id = ? AND NOT polled", (repository.id,))


def _row(db: sqlite3.Connection, repository: Repository) -> sqlite3.Row | None:
    row: sqlite3.Row | None = db.execute("SELECT * FROM lifecycle WHERE repository_id = ?", (repository.id,)).fetchone()
    return row
