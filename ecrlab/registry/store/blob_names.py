"""The names of blobs: a digest, and for an encrypted blob a dot and 16 digits that stand for its KMS key.

    sha256:0a1b…                      the bytes themselves, shared by all repositories without a KMS key
    sha256:0a1b….9f86d081884c7d65     the same bytes encrypted, shared by all repositories with that key

Its file is called the same, in a folder for the algorithm and the first two digits.
"""

import hashlib
import re
import sqlite3
from functools import lru_cache

from ecrlab.registry.names import DIGEST

NAME = re.compile(rf"(?:{DIGEST.pattern})(?:\.[0-9a-f]{{16}})?")

KMS_KEY = "(SELECT json_extract(settings, '$.kms_key') FROM repository WHERE id = layer.repository_id)"
"""The KMS key of a row of `layer`, in SQL."""


def blob_name(digest: str, kms_key: str | None) -> str:
    """Return the name of a blob under a KMS key, or without one.

    >>> blob_name("sha256:0a1b", None)
    'sha256:0a1b'
    """
    return digest if kms_key is None else f"{digest}.{_digits(kms_key)}"


@lru_cache(maxsize=1024)
def _digits(kms_key: str) -> str:
    return hashlib.sha256(kms_key.encode()).hexdigest()[:16]


def stored_blobs(db: sqlite3.Connection) -> set[str]:
    """Return the names of the blobs that a database knows."""
    return {blob_name(*row) for row in db.execute(f"SELECT DISTINCT digest, {KMS_KEY} FROM layer")}
