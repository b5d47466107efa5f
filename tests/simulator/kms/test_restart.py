"""Keys outlive the server: an image pushed yesterday can be pulled today."""

import stat

import ecrlab
from ecrlab.registry import kms_keys
from ecrlab.registry.errors import ServerException
from ecrlab.registry.store import snapshots
from tests.simulator.client import Repository, refusal
from tests.simulator.kms.conftest import ROOT, policy


def test_an_image_of_yesterday_can_be_pulled_after_a_restart(lab):
    key = lab.key(Description="of the shop", Policy=policy(ROOT, {**ROOT, "Sid": "Again"}))
    lab.kms.create_alias(AliasName="alias/shop", TargetKeyId=key["KeyId"])
    lab.kms.tag_resource(KeyId=key["KeyId"], Tags=[{"TagKey": "team", "TagValue": "shop"}])
    lab.kms.enable_key_rotation(KeyId=key["KeyId"])
    digest = lab.create(key="alias/shop").push(b"layer", tag="v1")
    lab.create("web").push(b"layer", tag="v1")
    looks = {
        "describe_key": {},
        "list_grants": {},
        "get_key_policy": {},
        "list_aliases": {},
        "get_key_rotation_status": {},
        "list_resource_tags": {},
    }

    def seen():
        answers = {look: getattr(lab.kms, look)(KeyId=key["KeyId"]) for look in looks}
        return {look: {**answer, "ResponseMetadata": None} for look, answer in answers.items()}

    before, own_key = seen(), lab.kms.describe_key(KeyId="alias/aws/ecr")["KeyMetadata"]
    lab.stop()
    lab.start()

    for name in ("app", "web"):
        (image,) = Repository(lab.ecr, name).batch_get_image(imageIds=[{"imageTag": "v1"}])["images"]
        assert image["imageId"]["imageDigest"] == digest
    assert seen() == before
    assert lab.kms.describe_key(KeyId="alias/aws/ecr")["KeyMetadata"] == own_key
    new = lab.key()["KeyId"]
    assert {one["KeyId"] for one in lab.kms.list_keys()["Keys"]} == {key["KeyId"], own_key["KeyId"], new}


def test_a_new_key_never_has_the_id_of_one_before(lab):
    ids = [lab.key()["KeyId"]]
    for _ in "ab":
        lab.stop()
        lab.start()
        ids.append(lab.key()["KeyId"])

    assert sorted(one["KeyId"] for one in lab.kms.list_keys()["Keys"]) == sorted(set(ids))
    assert len(set(ids)) == 3


def test_a_disabled_key_is_still_disabled_and_a_scheduled_deletion_comes(lab):
    disabled, scheduled = lab.key()["KeyId"], lab.key()["KeyId"]
    lab.kms.disable_key(KeyId=disabled)
    lab.kms.schedule_key_deletion(KeyId=scheduled, PendingWindowInDays=7)
    lab.stop()
    lab.start()

    assert lab.kms.describe_key(KeyId=disabled)["KeyMetadata"]["KeyState"] == "Disabled"
    lab.kms.describe_key(KeyId=scheduled)
    lab.world.clock.advance(days=8)
    assert refusal(lab.kms.describe_key, KeyId=scheduled)[0] == "NotFoundException"
    lab.stop()
    lab.start()
    assert [one["KeyId"] for one in lab.kms.list_keys()["Keys"]] == [disabled]


def test_a_full_disk_leaves_the_keys_as_they_were(lab, monkeypatch):
    key = lab.key()["KeyId"]

    def full(world, changed):
        raise ServerException("No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(kms_keys, "store", full)
        assert refusal(lab.kms.disable_key, KeyId=key) == ("KMSInternalException", "No space left on device")
        assert refusal(lab.kms.create_key)[0] == "KMSInternalException"
    assert lab.kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "Enabled"
    assert len(lab.kms.list_keys()["Keys"]) == 1


def test_only_their_owner_reads_the_keys(lab):
    lab.key()
    for file in lab.directory.glob("registry.sqlite*"):
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_snapshot_has_the_keys_of_its_time(lab):
    key = lab.key()["KeyId"]
    before = snapshots.take(lab.world)
    lab.key()
    lab.kms.disable_key(KeyId=key)

    snapshots.put_back(lab.world, before)
    assert [one["KeyId"] for one in lab.kms.list_keys()["Keys"]] == [key]
    assert lab.kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "Enabled"


def test_a_unit_test_has_the_same_kms():
    import boto3

    with ecrlab.mock_aws():
        kms, ecr = boto3.client("kms"), boto3.client("ecr")
        early = kms.create_key()["KeyMetadata"]
        encryption = {"encryptionType": "KMS", "kmsKey": early["KeyId"]}
        ecr.create_repository(repositoryName="app", encryptionConfiguration=encryption)
        assert len(kms.list_grants(KeyId=early["Arn"])["Grants"]) == 2
        kms.disable_key(KeyId=early["Arn"])
        assert refusal(ecr.initiate_layer_upload, repositoryName="app")[0] == "KmsException"
    with ecrlab.mock_aws():
        assert boto3.client("kms").list_keys()["Keys"] == []
