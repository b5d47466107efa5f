"""The KMS key of a repository: one of the account's keys, or ECR's own key, which is created on first use.

A repository is encrypted with AES256, or with a KMS key named by id, ARN or alias. The default KMS key is the AWS
managed key `alias/aws/ecr` of the account and Region (AWS user guide, encryption at rest). The keys are in moto's KMS,
so `aws kms describe-key` finds them. How KMS words its errors is known; how ECR wraps them is not.
"""

from ecrlab.registry.errors import InvalidParameterException
from ecrlab.simulator.aws.calls import Call
from ecrlab.simulator.moto import kms
from ecrlab.simulator.moto.kms_store import AWS_MANAGED_ALIAS


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
        # UNSURE: whether ECR puts words before those of KMS.
        return kind, kms.key_for(call.registry, call.caller, key or AWS_MANAGED_ALIAS)
    if key is not None:
        raise InvalidParameterException(
            "encryptionConfiguration",
            "Invalid encryption configuration: Encryption key should not be set for AES256 encryption.",
        )
    return kind, None
