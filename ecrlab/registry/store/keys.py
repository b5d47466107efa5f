"""Data keys: what the store asks of KMS.

Each object of a repository with a KMS key is encrypted with a data key of its own. KMS returns a data key twice: in
clear, and wrapped, which means encrypted under the repository's key. The store keeps the wrapped one beside the object
(AWS user guide, encryption at rest; KMS developer guide, envelope encryption).

The simulator attaches its KMS as `World.keys`.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from ecrlab.registry.errors import KmsException


class Owner(Protocol):
    """The repository that an object is kept for, as far as the store knows it."""

    @property
    def id(self) -> int:
        """Its id in the database."""

    @property
    def arn(self) -> str:
        """Its ARN."""

    @property
    def kms_key(self) -> str | None:
        """The ARN of its KMS key; None if its objects are stored as they are (AES256)."""


@dataclass(frozen=True, slots=True)
class DataKey:
    """A key for one object: 32 bytes in clear, and the same wrapped by KMS."""

    plaintext: bytes = field(repr=False)
    wrapped: bytes


class KeyService(Protocol):
    """KMS, as ECR uses it through the grants of a repository.

    Both operations are called from many threads, and also inside a change: they must not write to the store.
    """

    def data_key(self, owner: Owner, context: Mapping[str, str]) -> DataKey:
        """Return a new data key under the owner's key (GenerateDataKey). Raises `KmsException`."""

    def unwrap(self, owner: Owner, wrapped: bytes, context: Mapping[str, str]) -> bytes:
        """Return a data key in clear, for the owner (Decrypt). Raises `KmsException`.

        `context` is what the data key was made with. It can name another repository with the same key, because
        repositories with the same key share a file; the grants that count are those of `owner`.
        """


class NoKeys:
    """A world without KMS."""

    def data_key(self, owner: Owner, context: Mapping[str, str]) -> DataKey:
        """Raise `KmsException`."""
        del context
        raise _no_kms(owner)

    def unwrap(self, owner: Owner, wrapped: bytes, context: Mapping[str, str]) -> bytes:
        """Raise `KmsException`."""
        del wrapped, context
        raise _no_kms(owner)


def layer_context(owner: Owner, upload_id: str) -> dict[str, str]:
    """Return the encryption context of a layer's data key.

    UNSURE: the name of the object; the guide shows only a manifest's, and a layer's digest is not known yet.
    """
    return _context(owner, f"prod-{_region(owner)}-starport-layer-bucket/{_folder(owner)}/{upload_id}")


def manifest_context(owner: Owner, digest: str) -> dict[str, str]:
    """Return the encryption context of a manifest's data key (AWS user guide, encryption at rest)."""
    return _context(owner, f"{_region(owner)}-starport-manifest-bucket/{_folder(owner)}/{digest}")


def _context(owner: Owner, name: str) -> dict[str, str]:
    return {"aws:s3:arn": f"arn:aws:s3:::{name}", "aws:ecr:arn": owner.arn}


def _region(owner: Owner) -> str:
    return owner.arn.split(":")[3]


def _folder(owner: Owner) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, owner.arn))


def _no_kms(owner: Owner) -> KmsException:
    return KmsException(f"There is no KMS here to use the key {owner.kms_key}", "KMSInternalException")
