"""Replication at work: makes the copies that pushes and backfills wait for.

They are made at the first question about a status, before images are deleted, and when the clock moves; under `serve`
also by a worker, each second. A copy that fails stays FAILED until the next push of its image.
"""

import contextlib
import json
import logging
import threading
from dataclasses import dataclass

from ecrlab.registry import replication, replication_backfill, replication_copies
from ecrlab.registry.errors import (
    AccessDeniedException,
    EcrError,
    ImageNotFoundException,
    RepositoryNotFoundException,
    ServerException,
)
from ecrlab.registry.replication import Copy
from ecrlab.registry.replication_backfill import Backfill, Result
from ecrlab.registry.trail import ApiCall
from ecrlab.registry.world import Change, Registry, World

STEP = 100
"""Copies of a backfill between two questions about it."""

log = logging.getLogger("ecrlab.replication")


@dataclass(frozen=True, slots=True)
class Replication:
    """Makes the copies of a world that are under way; one thread at a time does."""

    world: World

    def __call__(self) -> None:
        """Do all work that waits."""
        with self.world.copying:
            self.copy_all()
            for backfill in replication_backfill.running(self.world):
                while self._advance(backfill):
                    ...

    def copy_all(self) -> None:
        """Make the copies of all pushes, in their order."""
        with self.world.copying:
            for copy in replication.under_way(self.world):
                self._make(copy)

    def advance(self, backfill: Backfill) -> None:
        """Take one step of a backfill: collect the images, or make up to `STEP` copies."""
        with self.world.copying:
            self._advance(backfill)

    def _advance(self, backfill: Backfill) -> bool:
        """Take one step of a backfill; tell whether there is another."""
        if replication_backfill.collect(backfill):
            return True
        for result in replication_backfill.waiting(backfill, STEP):
            if not replication_backfill.goes_on(backfill):
                break
            self._backfill(backfill, result)
        return replication_backfill.settle(backfill)

    def _backfill(self, backfill: Backfill, result: Result) -> None:
        def note(change: Change) -> None:
            replication_backfill.note_result(change, backfill, result, None)

        tags = () if result.tag is None else (result.tag,)
        what = (backfill.source, result.repository_name, result.digest, tags, backfill.destination)
        try:
            replication_copies.make(*what, note)
        except EcrError as error:
            report(backfill.source, backfill.destination, result.repository_name, result.digest, tags, error)
            # A disk that takes not even this leaves the replication to the next step.
            with contextlib.suppress(ServerException), self.world.change(at=self.world.clock.now()) as change:
                replication_backfill.note_result(change, backfill, result, error.code)

    def _make(self, copy: Copy) -> None:
        def note(change: Change) -> None:
            replication.note_result(change, copy, None)

        try:
            replication_copies.make(copy.source, copy.repository_name, copy.digest, copy.tags, copy.destination, note)
        except (ImageNotFoundException, RepositoryNotFoundException):
            log.debug("%s was deleted before it was replicated", copy.digest)
        except EcrError as error:
            report(copy.source, copy.destination, copy.repository_name, copy.digest, copy.tags, error)
            # A disk that takes not even this leaves the copy IN_PROGRESS.
            with contextlib.suppress(ServerException), self.world.change(at=self.world.clock.now()) as change:
                replication.note_result(change, copy, error.code)


def report(
    source: Registry, destination: Registry, repository_name: str, digest: str, tags: tuple[str, ...], error: EcrError
) -> None:
    """Record a failure in the destination's trail, and send its event."""
    world = source.world
    at = world.clock.now().timestamp()
    is_denied = isinstance(error, AccessDeniedException)
    is_creation = is_denied and ":CreateRepository " in error.message
    # UNSURE: the members of the record, except that it is in the trail of the destination.
    call = ApiCall(
        account_id=destination.account_id,
        region=destination.region,
        repository=repository_name,
        at=at,
        source="ecr.amazonaws.com",
        event="CreateRepository" if is_creation else "ReplicateImage",
        owner=destination.account_id,
        caller_account=source.account_id,
        caller=replication_copies.role_session(source),
        access_key="",
        agent=replication_copies.SERVICE,
        request_id="",
        request=json.dumps({"repositoryName": repository_name}),
        error="AccessDenied" if is_denied else error.code,
        message=error.message,
    )
    world.trail.add(call)
    for event in replication_copies.events(source, destination, repository_name, digest, tags, at, "FAILED"):
        world.events.tell(event)


class Worker:
    """A thread that makes the copies of a world each second, from creation until `stop`."""

    def __init__(self, work: Replication) -> None:
        self._work = work
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="ecrlab-replication", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End after the copy that is being made."""
        self._is_over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._is_over.wait(1):
            with contextlib.suppress(EcrError):
                self._work()
