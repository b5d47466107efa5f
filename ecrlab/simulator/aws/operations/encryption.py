"""The KMS key of a repository: one of the account's keys, or ECR's own key, which is created on first use.

A repository is encrypted with AES256, or with a KMS key named by id, ARN or alias. The default KMS key is the AWS
managed key `alias/aws/ecr` of the account and Region (AWS user guide, encryption at rest). The keys are in moto's KMS,
so `aws kms describe-key` finds them. ecrlab checks and stores the key's ARN; it encrypts no bytes.
"""

import re
import uuid
from typing import Any

from ecrlab.registry.errors import InvalidParameterException, KmsException
from ecrlab.simulator.aws.calls import Call

AWS_MANAGED_ALIAS = "alias/aws/ecr"

_ARN = re.compile(r"arn:aws[a-z-]*:kms:([a-z0-9-]+):([0-9]{12}):((?:key|alias)/.+)")


def settled(call: Call, asked: dict[str, str]) -> tuple[str, str | None]:
    """Return the encryption type and key ARN (None for AES256) of an `encryptionConfiguration`.

    Raises `InvalidParameterException`, `KmsException`.
    """
    kind, key = asked["encryptionType"], asked.get("kmsKey")
    if kind == "KMS_DSSE":
        # UNSURE: the exact text.
        raise InvalidParameterException(
            "encryptionConfiguration", "KMS_DSSE is available in AWS GovCloud (US) Regions only"
        )
    if kind == "KMS":
        return kind, _key_arn(call, key)
    if key is not None:
        raise InvalidParameterException(
            "encryptionConfiguration",
            "Invalid encryption configuration: Encryption key should not be set for AES256 encryption.",
        )
    return kind, None


def _key_arn(call: Call, named: str | None) -> str:
    # moto's KMS takes a second to import, and most repositories never use it.
    from moto.kms.models import kms_backends

    from ecrlab.simulator.moto import seams

    seams.begin(call.world)
    account_id, name = call.registry.account_id, named or AWS_MANAGED_ALIAS
    if found := _ARN.fullmatch(name):
        region, account_id, name = found.groups()
        if region != call.region:
            raise _refused("NotFoundException", f"Invalid arn {region}")
    if call.region not in kms_backends[account_id].regions:
        raise _refused("NotFoundException", f"There is no KMS in the Region {call.region}")
    backend = kms_backends[account_id][call.region]
    if name == AWS_MANAGED_ALIAS and not backend.alias_exists(name):
        _make_managed_key(backend, account_id, call.region)
    key = _find(backend, name.removeprefix("key/"))
    if key is None:
        # UNSURE: ECR's own texts; these are KMS's.
        arn = f"arn:aws:kms:{call.region}:{account_id}:"
        if name.startswith("alias/"):
            raise _refused("NotFoundException", f"Alias {arn}{name} is not found.")
        raise _refused("NotFoundException", f"Key '{arn}key/{name.removeprefix('key/')}' does not exist")
    if key.key_state != "Enabled":
        code = "DisabledException" if key.key_state == "Disabled" else "KMSInvalidStateException"
        raise _refused(code, f"{key.arn} is {'disabled' if code[0] == 'D' else 'pending deletion'}.")
    if key.key_spec != "SYMMETRIC_DEFAULT" or key.key_usage not in (None, "ENCRYPT_DECRYPT"):
        raise _refused("InvalidKeyUsageException", f"{key.arn} is not a symmetric encryption key.")
    arn_of_key: str = key.arn
    return arn_of_key


def _find(backend: Any, name: str) -> Any:
    """Return a key of moto's KMS by id or alias, or None."""
    if name.startswith("alias/"):
        return next((key for key in list(backend.keys.values()) if name in key.aliases), None)
    return backend.keys.get(name)


def _make_managed_key(backend: Any, account_id: str, region: str) -> None:
    """Return the key that AWS creates for ECR in an account; its id is the same in every run."""
    key = backend.create_key(
        policy=None,
        key_usage="ENCRYPT_DECRYPT",
        key_spec="SYMMETRIC_DEFAULT",
        description="Default key that protects my ECR data when no other key is defined",
        tags=None,
    )
    del backend.keys[key.id]
    key.id = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{AWS_MANAGED_ALIAS} {account_id} {region}"))
    key.arn = f"arn:aws:kms:{region}:{account_id}:key/{key.id}"
    key.key_manager = "AWS"
    backend.keys[key.id] = key
    backend.create_alias(key.id, AWS_MANAGED_ALIAS)


def _refused(kms_error: str, message: str) -> KmsException:
    return KmsException(message, kms_error)
