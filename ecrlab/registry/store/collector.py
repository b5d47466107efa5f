"""Garbage collection: layers without an image, and files without a layer.

A layer is needed while an image of its repository uses it, and for a grace period after a client pushed or found it,
because that client is about to push an image that uses it. ECR says only that unused layers may be cleaned up at any
time (API reference, LayerInaccessibleException); here that is when an image is deleted, or when the grace period ends.
"""

import contextlib
import threading
import time
from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Iterator

from ecrlab.registry.errors import ServerException
from ecrlab.registry.store.blob_names import KMS_KEY, blob_name, stored_blobs
from ecrlab.registry.store.blobs import BlobStore
from ecrlab.registry.store.database import Store
from ecrlab.registry.store.uploads import Uploads

GRACE_SECONDS = 60.0
"""How long a layer is kept for a client; longer while something is uploaded into its repository."""


class Collector:
    """The layers that may be unused, and the layers that are promised to a client.

    Locks are taken in one order: the store's, then this one's, then that of the uploads.
    """

    def __init__(self, store: Store, blobs: BlobStore, uploads: Uploads) -> None:
        self._store = store
        self._blobs = blobs
        self._uploads = uploads
        self._lock = threading.Lock()
        self._promises: defaultdict[int, deque[float]] = defaultdict(deque)
        self._suspects: dict[int, int] = {}
        self._arriving: Counter[str] = Counter()
        self._left_behind: set[str] = set()
        self._timer: threading.Timer | None = None
        self._stopped = False
        self._run_before: str | None = None
        self._strays_after = time.monotonic() + GRACE_SECONDS

    def promise(self, layer_id: int) -> None:
        """Keep a layer for a client until its image is pushed, or the grace is over.

        Call it while no collection can run: within a change, or `Store.exclusively`.
        """
        now = time.monotonic()
        with self._lock:
            promises = self._promises[layer_id]
            while promises and promises[0] <= now:
                promises.popleft()
            promises.append(now + GRACE_SECONDS)

    def fulfil(self, layer_ids: Iterable[int]) -> None:
        """Fulfil one promise on each layer of a pushed image."""
        if not self._promises:
            return
        with self._lock:
            for layer_id in layer_ids:
                promises = self._promises.get(layer_id)
                if promises:
                    promises.popleft()
                    if not promises:
                        del self._promises[layer_id]

    def suspect(self, layers: Iterable[tuple[int, int]]) -> None:
        """Note layers (layer id, repository id) that may be unused; `collect` checks them."""
        with self._lock:
            self._suspects.update(layers)

    @contextlib.contextmanager
    def awaiting(self, name: str) -> Iterator[None]:
        """Keep the file of a `blob_name` while its layer is being stored; if that fails, remove the file."""
        with self._lock:
            self._arriving[name] += 1
        try:
            yield
        except BaseException:
            self._arrived(name)
            self.forget([name])
            raise
        if self._arrived(name):
            self.forget([name])

    def collect(self, *, grace: bool = True) -> None:
        """Delete the suspects that no image uses and no client was promised; check the rest again later."""
        self._uploads.drop_idle()
        try:
            if not grace or time.monotonic() > self._strays_after:
                self._remove_strays()
            with self._store.exclusively():
                condemned = self._condemned(grace=grace)
                if condemned:
                    self.forget(self._drop(condemned))
        finally:
            self._look_again_later()

    def forget(self, names: Iterable[str]) -> None:
        """Remove the files of each `blob_name` that no repository holds any more."""
        with self._store.exclusively(), self._store.read() as db:
            for name in set(names):
                digest = name.partition(".")[0]
                held = db.execute(f"SELECT {KMS_KEY} FROM layer WHERE digest = ? AND has_bytes", (digest,))
                if all(blob_name(digest, kms_key) != name for (kms_key,) in held):
                    # A later upload of this blob writes the file again.
                    with self._lock:
                        if name in self._arriving:
                            self._left_behind.add(name)
                        else:
                            self._blobs.remove(name)

    def begin(self, run_before: str | None) -> None:
        """Start without deleting anything. Unused layers get a new grace period. After it the collector also
        deletes what a killed run (`run_before`) had begun to write; without `run_before`, unknown files stay.
        """
        self._run_before = run_before
        with self._store.read(one=True) as db:
            unused = db.execute("SELECT id, repository_id FROM layer WHERE images = 0").fetchall()
        for row in unused:
            self.promise(row["id"])
        self.suspect((row["id"], row["repository_id"]) for row in unused)
        self._look_again_later()

    def _remove_strays(self) -> None:
        """Delete the files of a killed run: uploads, and blobs that it stored without a row in the database."""
        run, self._run_before = self._run_before, None
        if run is None:
            return
        self._blobs.remove_uploads_of(run)
        with self._store.exclusively(), self._store.read(one=True) as db:
            known = stored_blobs(db)
            with self._lock:
                for name in self._blobs:
                    if name not in known and name not in self._arriving:
                        self._blobs.remove_if_whole(name)

    def begin_anew(self, names: Iterable[str]) -> None:
        """Start over after a snapshot was restored; `names` are the blobs of the state before. All promises end."""
        with self._lock:
            self._promises.clear()
            self._suspects.clear()
        with self._store.exclusively(), self._store.read(one=True) as db:
            unused = db.execute("SELECT id, repository_id FROM layer WHERE images = 0").fetchall()
        self.forget(names)
        for row in unused:
            self.promise(row["id"])
        self.suspect((row["id"], row["repository_id"]) for row in unused)
        self._look_again_later()

    def stop(self) -> None:
        """Stop; wait for a collection that is running."""
        with self._lock:
            self._stopped = True
            timer = self._timer
        if timer is not None:
            timer.cancel()
            timer.join()

    def _drop(self, condemned: dict[int, int]) -> list[str]:
        """Delete the condemned layers that are still unused from the database; return the names of their blobs."""
        try:
            with self._store.write() as db:
                return [
                    blob_name(*row)
                    for layer_id in condemned
                    for row in db.execute(
                        f"DELETE FROM layer WHERE id = ? AND images = 0 RETURNING digest, {KMS_KEY}",
                        (layer_id,),
                    )
                ]
        except BaseException:
            # A disk that is too full for a deletion may have room later.
            self.suspect(condemned.items())
            raise

    def _condemned(self, *, grace: bool) -> dict[int, int]:
        now = time.monotonic()
        with self._lock:
            condemned = {}
            for layer_id, repository_id in self._suspects.items():
                promises = [deadline for deadline in self._promises.get(layer_id, ()) if deadline > now]
                counted_on = promises or (layer_id in self._promises and self._uploads.any_into(repository_id))
                if not (grace and counted_on):
                    condemned[layer_id] = repository_id
            for layer_id in condemned:
                del self._suspects[layer_id]
                self._promises.pop(layer_id, None)
            return condemned

    def _arrived(self, name: str) -> bool:
        """Tell whether the file should be removed, because its repository was deleted during the upload."""
        with self._lock:
            self._arriving[name] -= 1
            if self._arriving[name]:
                return False
            del self._arriving[name]
            was_left = name in self._left_behind
            self._left_behind.discard(name)
            return was_left

    def _look_again_later(self) -> None:
        with self._lock:
            is_needed = self._suspects or self._run_before
            if is_needed and not self._stopped and self._timer is None:
                self._timer = threading.Timer(GRACE_SECONDS, self._look_again)
                self._timer.daemon = True
                self._timer.start()

    def _look_again(self) -> None:
        try:
            # No client waits for this; after a full disk the next attempt follows by itself.
            with contextlib.suppress(ServerException):
                self.collect()
        finally:
            with self._lock:
                self._timer = None
            self._look_again_later()
