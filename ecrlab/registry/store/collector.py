"""Throwing away what nobody needs: layers without an image, and files without a layer.

A layer is needed while an image of its repository uses it, and for a little while after a client pushed it or
asked whether it is there, because that client is about to push an image that counts on it. ECR says only that
unused layers may be cleaned up at any time (API reference, LayerInaccessibleException); here it happens at
once when an image is deleted, or as soon as the little while is over.
"""

import contextlib
import threading
import time
from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Iterator

from ecrlab.registry.errors import ServerException
from ecrlab.registry.store.blobs import BlobStore
from ecrlab.registry.store.database import Store
from ecrlab.registry.store.uploads import Uploads

GRACE_SECONDS = 60.0
"""How long a layer is kept for a client that counts on it; longer while something is uploaded into its
repository.
"""


class Collector:
    """Knows which layers may be unused, and who still counts on them.

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
        self._timer: threading.Timer | None = None
        self._stopped = False

    def promise(self, layer_id: int) -> None:
        """A client is told that this layer is there: keep it until the client's image is, or the grace is
        over.

        Say so while no collection can happen: within a change, or `Store.exclusively`.
        """
        now = time.monotonic()
        with self._lock:
            promises = self._promises[layer_id]
            while promises and promises[0] <= now:
                promises.popleft()
            promises.append(now + GRACE_SECONDS)

    def fulfil(self, layer_ids: Iterable[int]) -> None:
        """An image that uses these layers was pushed: one promise on each is kept."""
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
        """These (layer id, repository id) may be unused from now on; `collect` finds out."""
        with self._lock:
            self._suspects.update(layers)

    @contextlib.contextmanager
    def awaiting(self, digest: str) -> Iterator[None]:
        """A file of that digest is put in place, and its layer is about to be known; if that fails, the file
        goes.
        """
        with self._lock:
            self._arriving[digest] += 1
        try:
            yield
        except BaseException:
            self._arrived(digest)
            self.forget([digest])
            raise
        self._arrived(digest)

    def collect(self, *, grace: bool = True) -> None:
        """Drop the suspects that no image uses and no client counts on; look again later at the rest."""
        self._uploads.drop_idle()
        try:
            with self._store.exclusively():
                condemned = self._condemned(grace=grace)
                if condemned:
                    self.forget(self._drop(condemned))
        finally:
            self._look_again_later()

    def forget(self, digests: Iterable[str]) -> None:
        """Remove the files of those digests that no repository holds any more."""
        with self._store.exclusively(), self._store.read() as db:
            for digest in set(digests):
                held = db.execute("SELECT 1 FROM layer WHERE digest = ? AND has_bytes LIMIT 1", (digest,))
                if held.fetchone() is None:
                    # Who awaits it from now on puts the file in place again.
                    with self._lock:
                        if digest not in self._arriving:
                            self._blobs.remove(digest)

    def sweep_strays(self) -> None:
        """At the start of a lab: files without a layer go; layers without an image are suspects with a new
        grace.
        """
        with self._store.exclusively(), self._store.read() as db:
            known = {row["digest"] for row in db.execute("SELECT DISTINCT digest FROM layer WHERE has_bytes")}
            for digest in self._blobs:
                if digest not in known:
                    self._blobs.remove(digest)
            unused = db.execute("SELECT id, repository_id FROM layer WHERE images = 0").fetchall()
        for row in unused:
            self.promise(row["id"])
        self.suspect((row["id"], row["repository_id"]) for row in unused)
        self._look_again_later()

    def begin_anew(self) -> None:
        """Another state was put in place: nobody counts on what was promised in the one before."""
        with self._lock:
            self._promises.clear()
            self._suspects.clear()
        with self._store.exclusively(), self._store.read(one=True) as db:
            known = {row["digest"] for row in db.execute("SELECT DISTINCT digest FROM layer")}
            unused = db.execute("SELECT id, repository_id FROM layer WHERE images = 0").fetchall()
            self.forget(digest for digest in list(self._blobs) if digest not in known)
        for row in unused:
            self.promise(row["id"])
        self.suspect((row["id"], row["repository_id"]) for row in unused)
        self._look_again_later()

    def stop(self) -> None:
        """No more looking; a look under way is waited for."""
        with self._lock:
            self._stopped = True
            timer = self._timer
        if timer is not None:
            timer.cancel()
            timer.join()

    def _drop(self, condemned: dict[int, int]) -> list[str]:
        """Let the database forget those layers that are unused indeed; give the digests."""
        try:
            with self._store.write() as db:
                return [
                    row["digest"]
                    for layer_id in condemned
                    for row in db.execute(
                        "DELETE FROM layer WHERE id = ? AND images = 0 RETURNING digest",
                        (layer_id,),
                    )
                ]
        except BaseException:
            # A disk too full to forget anything now may not be so later.
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

    def _arrived(self, digest: str) -> None:
        with self._lock:
            self._arriving[digest] -= 1
            if not self._arriving[digest]:
                del self._arriving[digest]

    def _look_again_later(self) -> None:
        with self._lock:
            if self._suspects and not self._stopped and self._timer is None:
                self._timer = threading.Timer(GRACE_SECONDS, self._look_again)
                self._timer.daemon = True
                self._timer.start()

    def _look_again(self) -> None:
        try:
            # Nobody waits for an answer here: after a full disk the next look comes by itself.
            with contextlib.suppress(ServerException):
                self.collect()
        finally:
            with self._lock:
                self._timer = None
            self._look_again_later()
