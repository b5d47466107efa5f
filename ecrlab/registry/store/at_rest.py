"""A look at the disk: the objects of a repository as they are stored, encrypted or not."""

import contextlib
import io
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from ecrlab.oci.media_types import CONFIGS
from ecrlab.registry import repositories
from ecrlab.registry.repositories import Repository
from ecrlab.registry.store.blob_names import blob_name
from ecrlab.registry.store.encryption import Header, plaintext_size, read_header
from ecrlab.registry.world import Registry

SAMPLE = 1024 * 1024
"""Bytes at the beginning of an object that are read."""


@dataclass(frozen=True, slots=True)
class StoredObject:
    """A manifest, config or layer on the disk. `size` are its bytes in clear, `stored` those on the disk."""

    repository: str
    kind: str
    digest: str
    path: Path
    """Its file; of a manifest, the database."""
    size: int
    stored: int
    header: Header | None
    """What tells its key; None if it is not encrypted."""
    sample: bytes = field(repr=False)
    """The beginning of what is stored, without the header."""


def stored_objects(registry: Registry, repository_name: str) -> list[StoredObject]:
    """Return the objects of a repository: manifests in the order of their pushes, then configs and layers.

    Layers without a file are left out. Raises `RepositoryNotFoundException`, `DamagedObject` for a damaged header.
    """
    world = registry.world
    with world.store.read() as db:
        repository = repositories.get(db, registry, repository_name)
        images = db.execute(
            "SELECT digest, manifest FROM image WHERE repository_id = ? ORDER BY id", (repository.id,)
        ).fetchall()
        layers = db.execute(
            "SELECT digest, media_type FROM layer WHERE repository_id = ? AND has_bytes ORDER BY id", (repository.id,)
        ).fetchall()
    found = []
    for digest, manifest in images:
        found.append(_read(repository, "manifest", digest, world.store.path, io.BytesIO(manifest)))
    for digest, media_type in layers:
        path = world.blobs.path(blob_name(digest, repository.kms_key))
        with contextlib.suppress(FileNotFoundError), path.open("rb") as file:
            found.append(_read(repository, "config" if media_type in CONFIGS else "layer", digest, path, file))
    return found


def _read(repository: Repository, kind: str, digest: str, path: Path, file: BinaryIO) -> StoredObject:
    header = None if repository.kms_key is None else read_header(file, digest)
    sample = file.read(SAMPLE)
    stored = file.seek(0, io.SEEK_END)
    size = stored if header is None else plaintext_size(stored - header.size)
    return StoredObject(repository.name, kind, digest, path, size, stored, header, sample)
