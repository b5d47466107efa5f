"""The upload of a layer in parts: InitiateLayerUpload, UploadLayerPart for each part, CompleteLayerUpload.

Parts come in order and without gaps. Each but the last has at least 5 MiB, which is checked when the upload is
completed; there are at most 4,200 of them, or 1,000 in ECR Public (the user guides of both, service quotas; botocore
model of `ecr`).
"""

from collections.abc import Sequence

from ecrlab.registry import layers, names
from ecrlab.registry.errors import (
    EmptyUploadException,
    InvalidLayerException,
    InvalidLayerPartException,
    LayerAlreadyExistsException,
    LayerPartTooSmallException,
    LimitExceededException,
)
from ecrlab.registry.layers import Layer
from ecrlab.registry.world import Registry

# UNSURE: the quota page says that a part has at most 10 MiB, the model 20 MiB; clients are asked for parts of 10, and
# parts of 20 are accepted.
PART = 10 * 1024 * 1024
"""Bytes of a part: the size that InitiateLayerUpload asks for."""

SMALLEST_PART = 5 * 1024 * 1024
MOST_PARTS, MOST_PARTS_PUBLIC = 4200, 1000


def upload(registry: Registry, repository_name: str, upload_id: str, *, first: int, last: int, part: bytes) -> int:
    """Append a part, the bytes `first` to `last` of the layer; return the number of the last byte received.

    Raises `RepositoryNotFoundException`, `UploadNotFoundException`, `InvalidLayerPartException`,
    `LimitExceededException`, `ServerException`.
    """
    begun = layers.find_upload(registry, repository_name, upload_id)
    with begun.lock:
        size = begun.blob.size
        # UNSURE: what ECR answers when partLastByte does not fit the length of the part, or the part is empty.
        if not part or first != size or last != size + len(part) - 1:
            raise InvalidLayerPartException(upload_id, size - 1, repository_name, registry.account_id)
        most = MOST_PARTS_PUBLIC if registry.is_public else MOST_PARTS
        if len(begun.parts) >= most:
            # UNSURE: the exact text is not public.
            raise LimitExceededException(f"A layer can be uploaded in at most {most} parts")
        size = layers.grow(registry, repository_name, begun, part)
        begun.parts.append(len(part))
        return size - 1


def complete(registry: Registry, repository_name: str, upload_id: str, digests: Sequence[str]) -> Layer:
    """Complete an upload and store its parts as a layer; `digests` are those that the caller expects.

    Raises `RepositoryNotFoundException`, `UploadNotFoundException`, `EmptyUploadException`,
    `LayerPartTooSmallException`, `InvalidLayerException`; `LayerAlreadyExistsException`, and then the upload is over;
    `InvalidParameterException` for a malformed digest.
    """
    for digest in digests:
        names.check_digest(digest, "layerDigests")
    begun = layers.find_upload(registry, repository_name, upload_id)
    with begun.lock:
        if begun.blob.size == 0:
            raise EmptyUploadException(upload_id)
        if any(size < SMALLEST_PART for size in begun.parts[:-1]):
            raise LayerPartTooSmallException()
        # UNSURE: several digests can be given; here each of them must be one of the layer's.
        for digest in digests:
            if begun.blob.digest(digest.partition(":")[0]) != digest:
                raise InvalidLayerException
        there = layers.reserve(registry, repository_name, digests[0])
        # A layer that is out of reach in the archive is pushed again.
        if there is not None and not there.is_archived:
            registry.world.uploads.end(begun)
            raise LayerAlreadyExistsException(digests[0], repository_name, registry.account_id)
        return layers.complete_upload(registry, repository_name, begun, digests[0])
