"""The manifests in the database: as they were pushed, or encrypted if their repository has a KMS key."""

from ecrlab.registry.store.encryption import decrypt, encrypt
from ecrlab.registry.store.keys import KeyService, Owner, manifest_context


def to_stored(keys: KeyService, owner: Owner, digest: str, body: bytes) -> bytes:
    """Return what the database stores of a manifest. Raises `KmsException`."""
    return body if owner.kms_key is None else encrypt(keys, owner, body, manifest_context(owner, digest))


def from_stored(keys: KeyService, owner: Owner, digest: str, stored: bytes) -> bytes:
    """Return a manifest as it was pushed. Raises `KmsException`, `DamagedObject`."""
    return stored if owner.kms_key is None else decrypt(keys, owner, stored, digest)
