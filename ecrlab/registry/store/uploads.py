"""Uploads of layers: a client opens an upload, appends pieces, and completes or drops it.

Uploads do not survive a restart: a client that loses its server starts over, and no partial file is left. An upload
that is idle for an hour is dropped.
"""

import threading
import time
from dataclasses import dataclass, field

from ecrlab.registry.errors import LimitExceededException
from ecrlab.registry.store.blob_writer import BlobWriter
from ecrlab.registry.store.blobs import BlobStore
from ecrlab.registry.store.keys import Owner

IDLE_SECONDS = 3600
"""How long an upload may be idle."""

MOST_OPEN = 10_000
"""How many uploads may be open at a time, in the whole lab."""


HOLD = 64 * 1024
"""Bytes of an upload that may stay in memory."""

MOST_HELD = 500
"""How many uploads may stay in memory; while more are open, new ones are in files from their first byte."""


@dataclass(slots=True)
class Upload:
    """One layer that is uploaded into one repository. Hold `lock` while growing or completing it.

    It can end at any moment, also while a thread holds the lock: then `blob` accepts no more.
    """

    id: str
    repository_id: int
    blob: BlobWriter
    lock: threading.RLock = field(default_factory=threading.RLock)
    touched: float = field(default_factory=time.monotonic)
    is_growing: bool = False
    """Whether a piece is arriving; another one has to wait."""
    is_over: bool = False
    parts: list[int] = field(default_factory=list)
    """Bytes of each part that came by the API."""


class Uploads:
    """The open uploads of a lab."""

    def __init__(self, blobs: BlobStore) -> None:
        self._blobs = blobs
        self._open: dict[str, Upload] = {}
        self._lock = threading.Lock()

    def begin(self, upload_id: str, owner: Owner) -> Upload:
        """Open an upload into a repository. Raises `LimitExceededException` when far too many are open,
        `ServerException` when the disk is full, `KmsException` if the repository's KMS key cannot be used.
        """
        self.drop_idle()
        # Not within the lock: KMS may have to be asked for a key.
        hold = HOLD if len(self._open) < MOST_HELD else 0
        upload = Upload(upload_id, owner.id, self._blobs.writer(owner, upload_id, hold=hold))
        with self._lock:
            if len(self._open) < MOST_OPEN:
                self._open[upload_id] = upload
                return upload
        upload.blob.discard()
        raise LimitExceededException(f"{MOST_OPEN} layer uploads are open; complete or cancel some of them")

    def find(self, upload_id: str, repository_id: int) -> Upload | None:
        """Return the open upload of that id in that repository, or None."""
        upload = self._open.get(upload_id)
        if upload is None or upload.repository_id != repository_id:
            return None
        upload.touched = time.monotonic()
        return upload

    def end(self, upload: Upload) -> None:
        """Close an upload; its bytes are discarded unless the blob store adopted them.

        It does not wait for the upload's lock: a slow client may hold it, and the caller may hold the store.
        """
        upload.is_over = True
        with self._lock:
            self._open.pop(upload.id, None)
        upload.blob.discard()

    def any_into(self, repository_id: int) -> bool:
        """Tell whether an upload into that repository is open."""
        with self._lock:
            return any(upload.repository_id == repository_id for upload in self._open.values())

    def end_all(self, repository_id: int | None = None) -> None:
        """Close every upload, or every one into one repository."""
        with self._lock:
            ending = [u for u in self._open.values() if repository_id in (None, u.repository_id)]
        for upload in ending:
            self.end(upload)

    def drop_idle(self) -> None:
        """Close the uploads that were idle for an hour."""
        deadline = time.monotonic() - IDLE_SECONDS
        with self._lock:
            idle = [upload for upload in self._open.values() if upload.touched < deadline]
        for upload in idle:
            # The thread that holds the lock is at work, however slowly.
            if upload.lock.acquire(blocking=False):
                try:
                    self.end(upload)
                finally:
                    upload.lock.release()
