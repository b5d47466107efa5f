"""A KMS for tests: each ARN stands for a key, also after a restart, and grants are not asked for."""

import json
import os
from collections.abc import Mapping
from hashlib import sha256

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ecrlab.registry.errors import KmsException
from ecrlab.registry.repositories import Settings
from ecrlab.registry.store.keys import DataKey, Owner

KEY, OTHER_KEY = (f"arn:aws:kms:us-east-1:123456789012:key/{number * 8}-aaaa-bbbb-cccc-dddddddddddd" for number in "12")
ENCRYPTED, ENCRYPTED_OTHERWISE = (Settings(encryption_type="KMS", kms_key=key) for key in (KEY, OTHER_KEY))


class Kms:
    """See `ecrlab.registry.store.keys.KeyService`."""

    def __init__(self) -> None:
        self.disabled: set[str] = set()
        self.calls: list[str] = []

    def data_key(self, owner: Owner, context: Mapping[str, str]) -> DataKey:
        cipher = self._cipher("GenerateDataKey", owner)
        nonce, plaintext = os.urandom(12), os.urandom(32)
        return DataKey(plaintext, nonce + cipher.encrypt(nonce, plaintext, _canonical(context)))

    def unwrap(self, owner: Owner, wrapped: bytes, context: Mapping[str, str]) -> bytes:
        cipher = self._cipher("Decrypt", owner)
        try:
            return cipher.decrypt(wrapped[:12], wrapped[12:], _canonical(context))
        except InvalidTag as error:
            raise KmsException("", "InvalidCiphertextException") from error

    def _cipher(self, operation: str, owner: Owner) -> AESGCM:
        assert owner.kms_key is not None
        self.calls.append(operation)
        if owner.kms_key in self.disabled:
            raise KmsException(f"{owner.kms_key} is disabled.", "DisabledException")
        return AESGCM(sha256(owner.kms_key.encode()).digest())


def _canonical(context: Mapping[str, str]) -> bytes:
    return json.dumps(dict(sorted(context.items()))).encode()
