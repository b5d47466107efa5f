"""KMS keys of repositories: looked up, or made."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from ecrlab.simulator.server import Server
from tests.simulator.client import client_of, refusal, session

Create = Callable[..., dict[str, str]]


REGIONS = iter(sorted(session.get_available_regions("kms")))


@pytest.fixture
def region() -> str:
    """A Region of its own, among those that moto's KMS knows."""
    return next(REGIONS)


@pytest.fixture
def kms(server: Server, region: str) -> Any:
    return client_of(server.endpoint, "kms", region)


@pytest.fixture
def create(ecr: Any) -> Create:
    def create(**encryption: str) -> dict[str, str]:
        answer = ecr.create_repository(repositoryName="secret", encryptionConfiguration=encryption)
        configuration: dict[str, str] = answer["repository"]["encryptionConfiguration"]
        return configuration

    return create


def test_without_a_key_it_is_the_one_aws_makes_for_ecr(create: Create, ecr: Any, kms: Any) -> None:
    made = create(encryptionType="KMS")
    described = kms.describe_key(KeyId="alias/aws/ecr")["KeyMetadata"]
    assert made == {"encryptionType": "KMS", "kmsKey": described["Arn"]}
    assert described["KeyManager"] == "AWS"
    again = ecr.create_repository(repositoryName="another", encryptionConfiguration={"encryptionType": "KMS"})
    assert again["repository"]["encryptionConfiguration"] == made


@pytest.mark.parametrize("name", ["KeyId", "Arn", "alias", "alias ARN"])
def test_a_key_is_found_by_any_of_its_names(create: Create, kms: Any, region: str, name: str) -> None:
    key = kms.create_key()["KeyMetadata"]
    kms.create_alias(AliasName="alias/mine", TargetKeyId=key["KeyId"])
    key |= {"alias": "alias/mine", "alias ARN": f"arn:aws:kms:{region}:123456789012:alias/mine"}
    assert create(encryptionType="KMS", kmsKey=key[name]) == {"encryptionType": "KMS", "kmsKey": key["Arn"]}


@pytest.mark.parametrize(
    "key",
    [
        "nope",
        "alias/nope",
        "arn:aws:kms:{region}:123456789012:key/nope",
        "arn:aws:kms:us-west-2:123456789012:alias/aws/ecr",
        "arn:aws:s3:::x",
        "é",
    ],
)
def test_a_key_that_is_not_there(create: Create, ecr: Any, region: str, key: str) -> None:
    before = ecr.describe_repositories()["repositories"]
    with pytest.raises(ClientError) as refused:
        create(encryptionType="KMS", kmsKey=key.format(region=region))
    assert refused.value.response["Error"]["Code"] == "KmsException"
    assert refused.value.response["kmsError"] == "NotFoundException"
    assert ecr.describe_repositories()["repositories"] == before


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("nope", "Invalid keyId nope"),
        ("{here}key/nope", "Key '{here}key/nope' does not exist"),
        ("alias/nope", "Alias {here}alias/nope is not found."),
        ("{here}alias/nope", "Alias {here}alias/nope is not found."),
        ("arn:aws:kms:us-west-2:123456789012:key/nope", "Invalid arn us-west-2"),
    ],
)
def test_kms_says_what_is_wrong_with_a_key(create: Create, region: str, key: str, said: str) -> None:
    here = f"arn:aws:kms:{region}:123456789012:"
    message = refusal(create, encryptionType="KMS", kmsKey=key.format(here=here))[1]
    assert message == said.format(here=here)


def test_a_key_that_is_not_enabled(create: Create, kms: Any) -> None:
    key_id = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.disable_key(KeyId=key_id)
    with pytest.raises(ClientError) as refused:
        create(encryptionType="KMS", kmsKey=key_id)
    assert refused.value.response["kmsError"] == "DisabledException"
    kms.enable_key(KeyId=key_id)
    kms.schedule_key_deletion(KeyId=key_id)
    with pytest.raises(ClientError) as refused:
        create(encryptionType="KMS", kmsKey=key_id)
    assert refused.value.response["kmsError"] == "KMSInvalidStateException"


def test_a_region_without_kms(server: Server) -> None:
    nowhere = client_of(server.endpoint, region="lab-nowhere-1")
    code, _ = refusal(
        nowhere.create_repository, repositoryName="app", encryptionConfiguration={"encryptionType": "KMS"}
    )
    assert code == "KmsException"


def test_other_encryption(create: Create) -> None:
    assert refusal(create, encryptionType="AES256", kmsKey="alias/aws/ecr") == (
        "InvalidParameterException",
        "Invalid parameter at 'encryptionConfiguration' failed to satisfy constraint: "
        "'Invalid encryption configuration: Encryption key should not be set for AES256 encryption.'",
    )
    assert refusal(create, encryptionType="KMS_DSSE")[0] == "InvalidParameterException"
    assert refusal(create, encryptionType="ROT13")[0] == "InvalidParameterException"
    assert create(encryptionType="AES256") == {"encryptionType": "AES256"}
