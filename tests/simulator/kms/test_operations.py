"""KMS's own operations: moto's, with the states, ARNs and times of AWS."""

import json
import os
import subprocess
from datetime import timedelta

import pytest

from tests.simulator.accounts import HOME
from tests.simulator.client import refusal
from tests.simulator.kms.conftest import REGION, ROOT, policy

NOBODY = f"arn:aws:kms:{REGION}:{HOME}:key/00000000-0000-4000-8000-000000000000"
GRANT = {"GranteePrincipal": f"arn:aws:iam::{HOME}:role/ci", "Operations": ["Decrypt"]}
CRYPTOGRAPHY = {
    "generate_data_key": {"KeySpec": "AES_256"},
    "generate_data_key_without_plaintext": {"KeySpec": "AES_256"},
    "encrypt": {"Plaintext": b"x"},
    "create_grant": GRANT,
}
SETTINGS = {
    "disable_key": {},
    "enable_key": {},
    "schedule_key_deletion": {},
    "enable_key_rotation": {},
    "update_key_description": {"Description": "mine"},
    "tag_resource": {"Tags": [{"TagKey": "team", "TagValue": "shop"}]},
}
LOOKS = ("describe_key", "list_grants", "get_key_policy", "list_key_policies", "get_key_rotation_status")


@pytest.mark.parametrize("name", ["KeyId", "Arn"])
def test_every_operation_accepts_an_id_and_an_arn(lab, name):
    key = lab.key()[name]

    for look in LOOKS:
        getattr(lab.kms, look)(KeyId=key)
    for operation, members in (CRYPTOGRAPHY | SETTINGS).items():
        getattr(lab.kms, operation)(KeyId=key, **members)
        if operation == "disable_key":
            assert lab.kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "Disabled"
            lab.kms.enable_key(KeyId=key)
        if operation == "schedule_key_deletion":
            lab.kms.cancel_key_deletion(KeyId=key)
            lab.kms.enable_key(KeyId=key)
    lab.kms.put_key_policy(KeyId=key, Policy=policy(ROOT))
    lab.kms.create_alias(AliasName="alias/mine", TargetKeyId=key)
    assert lab.kms.list_aliases(KeyId=key)["Aliases"][0]["AliasName"] == "alias/mine"
    lab.kms.delete_alias(AliasName="alias/mine")


@pytest.mark.parametrize("operation", [*CRYPTOGRAPHY, *SETTINGS, *LOOKS, "revoke_grant", "cancel_key_deletion"])
def test_a_missing_key_is_named(lab, operation):
    members = (CRYPTOGRAPHY | SETTINGS).get(operation, {"GrantId": "x"} if operation == "revoke_grant" else {})
    call = getattr(lab.kms, operation)

    assert refusal(call, KeyId=NOBODY, **members) == ("NotFoundException", f"Key '{NOBODY}' does not exist")
    elsewhere = NOBODY.replace(REGION, "eu-west-1")
    assert refusal(call, KeyId=elsewhere, **members) == ("NotFoundException", "Invalid arn eu-west-1")
    abroad = NOBODY.replace(HOME, "333333333333")
    code, text = refusal(call, KeyId=abroad, **members)
    assert code == "AccessDeniedException"
    assert "on this resource because the resource does not exist in this Region" in text


def test_a_disabled_key_encrypts_and_decrypts_nothing(lab):
    key = lab.key()
    blob = lab.kms.encrypt(KeyId=key["KeyId"], Plaintext=b"x")["CiphertextBlob"]
    lab.kms.disable_key(KeyId=key["KeyId"])

    told = ("DisabledException", f"{key['Arn']} is disabled.")
    for operation, members in CRYPTOGRAPHY.items():
        assert refusal(getattr(lab.kms, operation), KeyId=key["KeyId"], **members) == told
    assert refusal(lab.kms.decrypt, CiphertextBlob=blob) == told
    lab.kms.enable_key(KeyId=key["KeyId"])
    assert lab.kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"


def test_a_key_that_is_pending_deletion_accepts_only_the_end_of_that(lab):
    key = lab.key()
    now = lab.world.clock.now()

    scheduled = lab.kms.schedule_key_deletion(KeyId=key["KeyId"], PendingWindowInDays=7)
    assert scheduled["KeyId"] == key["Arn"]
    assert scheduled["DeletionDate"] == now + timedelta(days=7)
    assert (scheduled["KeyState"], scheduled["PendingWindowInDays"]) == ("PendingDeletion", 7)
    told = ("KMSInvalidStateException", f"{key['Arn']} is pending deletion.")
    for operation, members in (CRYPTOGRAPHY | SETTINGS).items():
        assert refusal(getattr(lab.kms, operation), KeyId=key["KeyId"], **members) == told
    for look in LOOKS:
        getattr(lab.kms, look)(KeyId=key["KeyId"])

    assert lab.kms.cancel_key_deletion(KeyId=key["KeyId"])["KeyId"] == key["Arn"]
    metadata = lab.kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]
    assert (metadata["KeyState"], metadata["Enabled"]) == ("Disabled", False)
    assert refusal(lab.kms.cancel_key_deletion, KeyId=key["KeyId"]) == (
        "KMSInvalidStateException",
        f"{key['Arn']} is not pending deletion.",
    )


@pytest.mark.parametrize("name", ["alias/mine", f"arn:aws:kms:{REGION}:{HOME}:alias/mine"])
@pytest.mark.parametrize("operation", ["enable_key", "cancel_key_deletion", "enable_key_rotation", "list_grants"])
def test_what_takes_no_alias_says_so_whatever_the_state_of_the_key(lab, operation, name):
    key = lab.key()["KeyId"]
    lab.kms.create_alias(AliasName="alias/mine", TargetKeyId=key)

    told = ("NotFoundException", f"Invalid keyId {name}")
    assert refusal(getattr(lab.kms, operation), KeyId=name) == told
    lab.kms.schedule_key_deletion(KeyId=key)
    assert refusal(getattr(lab.kms, operation), KeyId=name) == told
    assert lab.kms.describe_key(KeyId=name)["KeyMetadata"]["KeyId"] == key


@pytest.mark.parametrize(("members", "days"), [({}, 365), ({"RotationPeriodInDays": 90}, 90)])
def test_a_key_rotates_every_year_or_as_often_as_told(lab, members, days):
    key = lab.key()
    assert "RotationPeriodInDays" not in lab.kms.get_key_rotation_status(KeyId=key["KeyId"])

    lab.kms.enable_key_rotation(KeyId=key["KeyId"], **members)

    status = lab.kms.get_key_rotation_status(KeyId=key["KeyId"])
    assert (status["KeyId"], status["KeyRotationEnabled"], status["RotationPeriodInDays"]) == (key["Arn"], True, days)


@pytest.mark.parametrize("days", [89, 2561])
def test_a_key_rotates_between_90_and_2560_days(lab, days):
    key = lab.key()["KeyId"]

    assert refusal(lab.kms.enable_key_rotation, KeyId=key, RotationPeriodInDays=days)[0] == "ValidationException"
    assert not lab.kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"]


@pytest.mark.parametrize("days", [6, 31])
def test_a_deletion_is_scheduled_between_7_and_30_days_ahead(lab, days):
    key = lab.key()["KeyId"]

    assert refusal(lab.kms.schedule_key_deletion, KeyId=key, PendingWindowInDays=days)[0] == "ValidationException"
    assert lab.kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "Enabled"


def test_a_key_without_material_waits_for_its_import(lab):
    key = lab.key(Origin="EXTERNAL")

    assert key["KeyState"] == "PendingImport"
    told = f"{key['Arn']} is pending import."
    assert refusal(lab.kms.encrypt, KeyId=key["KeyId"], Plaintext=b"x") == ("KMSInvalidStateException", told)
    assert refusal(lab.create, key=key["Arn"]) == ("KmsException", told)


def test_the_encryption_context_and_the_key_must_be_those_of_the_encryption(lab):
    key, other = lab.key()["KeyId"], lab.key()["KeyId"]
    made = lab.kms.generate_data_key(KeyId=key, KeySpec="AES_256", EncryptionContext={"for": "app"})
    blob = made["CiphertextBlob"]

    opened = lab.kms.decrypt(CiphertextBlob=blob, EncryptionContext={"for": "app"})
    assert opened["Plaintext"] == made["Plaintext"]
    assert refusal(lab.kms.decrypt, CiphertextBlob=blob, EncryptionContext={"for": "web"})[0] == (
        "InvalidCiphertextException"
    )
    assert refusal(lab.kms.decrypt, CiphertextBlob=blob, EncryptionContext={"for": "app"}, KeyId=other)[0] == (
        "IncorrectKeyException"
    )
    assert refusal(lab.kms.decrypt, CiphertextBlob=b"nothing")[0] == "AccessDeniedException"


def test_a_policy_that_locks_its_setter_out_is_refused_unless_he_insists(lab):
    key = lab.key()["KeyId"]
    nobody = policy({**ROOT, "Principal": {"AWS": f"arn:aws:iam::{HOME}:role/ci"}})

    assert refusal(lab.kms.put_key_policy, KeyId=key, Policy=nobody)[0] == "MalformedPolicyDocumentException"
    assert refusal(lab.kms.put_key_policy, KeyId=key, Policy="{}")[0] == "MalformedPolicyDocumentException"
    lab.kms.describe_key(KeyId=key)
    lab.kms.put_key_policy(KeyId=key, Policy=nobody, BypassPolicyLockoutSafetyCheck=True)
    code, text = refusal(lab.kms.describe_key, KeyId=key)
    assert code == "AccessDeniedException"
    assert text.endswith("because no resource-based policy allows the kms:DescribeKey action")


def test_keys_carry_the_labs_time(lab):
    assert lab.key()["CreationDate"] == lab.world.clock.now()


def test_the_trail_has_kmss_calls_without_secrets(lab):
    key = lab.key()
    made = lab.kms.generate_data_key(KeyId=key["KeyId"], KeySpec="AES_256", EncryptionContext={"for": "app"})
    lab.kms.disable_key(KeyId=key["KeyId"])
    refusal(lab.kms.decrypt, CiphertextBlob=made["CiphertextBlob"], EncryptionContext={"for": "app"})

    (generated,), (refused,) = lab.trail("GenerateDataKey"), lab.trail("Decrypt")
    assert generated["requestParameters"] == {
        "keyId": key["KeyId"],
        "keySpec": "AES_256",
        "encryptionContext": {"for": "app"},
    }
    assert generated["responseElements"] is None
    assert refused["errorCode"] == "DisabledException"
    assert refused["requestParameters"] == {"encryptionContext": {"for": "app"}}
    (created,) = lab.trail("CreateKey")
    assert created["responseElements"]["keyMetadata"]["keyId"] == key["KeyId"]
    found = lab.client("cloudtrail").lookup_events(
        LookupAttributes=[{"AttributeKey": "ResourceName", "AttributeValue": key["Arn"]}]
    )
    events = [event["EventName"] for event in found["Events"]]
    assert events == ["Decrypt", "DisableKey", "GenerateDataKey", "CreateKey"]


def test_the_command_line_does_the_same(lab):
    environment = os.environ | {"AWS_ENDPOINT_URL": lab.server.endpoint, "AWS_DEFAULT_REGION": REGION}

    def aws(*words: str) -> dict:
        done = subprocess.run(["aws", "kms", *words], env=environment, capture_output=True, text=True, check=True)
        return json.loads(done.stdout or "{}")

    arn = aws("create-key", "--description", "of the shop")["KeyMetadata"]["Arn"]
    aws("create-alias", "--alias-name", "alias/shop", "--target-key-id", arn)
    aws("schedule-key-deletion", "--key-id", arn, "--pending-window-in-days", "7")
    assert aws("describe-key", "--key-id", "alias/shop")["KeyMetadata"]["KeyState"] == "PendingDeletion"
