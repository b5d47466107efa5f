"""An image as a lifecycle policy sees it: its digest, its tags, its dates, and what hangs on it."""

from dataclasses import dataclass
from datetime import datetime

from ecrlab.oci.media_types import INDEXES

INDEX_MEDIA_TYPES = frozenset(INDEXES)
ACTIVATING = "activating"
"""The storage class of an image on its way back from the archive."""


@dataclass(frozen=True, slots=True)
class Image:
    """One image of a repository: all tags of one digest.

    Dates are aware datetimes. `storage_class` is "standard", "archive", or "activating" while ECR restores
    the image. `children` are the digests an index lists, `subject_digest` is what a signature or SBOM is
    about.
    """

    image_digest: str
    image_tags: tuple[str, ...]
    pushed_at: datetime
    last_pulled_at: datetime | None = None
    storage_class: str = "standard"
    last_archived_at: datetime | None = None
    last_activated_at: datetime | None = None
    subject_digest: str | None = None
    children: tuple[str, ...] = ()
    media_type: str = ""
    size_in_bytes: int = 0

    @property
    def is_index(self) -> bool:
        """Whether it lists other images (a multi-architecture image)."""
        return bool(self.children) or self.media_type in INDEX_MEDIA_TYPES
