"""ECR's grants: made with a repository, used by every push and pull, retired with the repository."""

import threading
import urllib.error
import urllib.request

import pytest
from botocore.exceptions import ClientError

from ecrlab.registry import repositories
from ecrlab.registry.errors import KmsException
from ecrlab.registry.repositories import Settings
from ecrlab.registry.store.keys import manifest_context
from ecrlab.simulator.moto import kms_store
from tests.registry.over_http import HttpClient, Refused
from tests.simulator.client import digest_of, refusal

CONTEXT = {"aws:ecr:arn": "arn:aws:ecr:us-east-1:123456789012:repository/app"}


def grants(lab, key):
    return lab.kms.list_grants(KeyId=key)["Grants"]


def test_a_repository_has_two_grants_of_its_key(lab):
    key = lab.key()
    lab.create(key=key["Arn"])

    first, second = grants(lab, key["KeyId"])
    assert first["GrantId"] != second["GrantId"]
    for grant in (first, second):
        assert grant["GranteePrincipal"] == grant["RetiringPrincipal"] == "ecr.us-east-1.amazonaws.com"
        assert grant["Operations"] == ["GenerateDataKey", "Decrypt"]
        assert grant["Constraints"] == {"EncryptionContextSubset": CONTEXT}
        assert len(grant["GrantId"]) == 64


def test_ecrs_own_key_is_made_once_and_has_the_grants_of_each_repository(lab):
    assert refusal(lab.kms.describe_key, KeyId="alias/aws/ecr")[0] == "NotFoundException"
    lab.create("app")
    lab.create("web")

    key = lab.kms.describe_key(KeyId="alias/aws/ecr")["KeyMetadata"]["KeyId"]
    assert len(grants(lab, key)) == 4
    assert [one["KeyId"] for one in lab.kms.list_keys()["Keys"]] == [key]


def test_a_repository_that_is_not_created_leaves_no_grant(lab):
    key = lab.key()["KeyId"]
    lab.create(key=key)

    assert refusal(lab.create, key=key)[0] == "RepositoryAlreadyExistsException"
    assert refusal(lab.create, name="Not_a-Name!", key=key)[0] == "InvalidParameterException"
    assert len(grants(lab, key)) == 2


def test_a_deleted_repository_takes_its_grants_along_and_no_other(lab):
    key = lab.key()["KeyId"]
    lab.create("app", key)
    lab.create("web", key)

    lab.ecr.delete_repository(repositoryName="web")
    assert [grant["Constraints"]["EncryptionContextSubset"] for grant in grants(lab, key)] == [CONTEXT, CONTEXT]


def test_a_change_that_makes_a_repository_can_encrypt_for_it_and_undoes_its_grants(lab):
    key, registry = lab.key()["Arn"], lab.world.registry("123456789012", "us-east-1")
    settings = Settings(encryption_type="KMS", kms_key=key)

    with pytest.raises(ZeroDivisionError), lab.world.change() as change:
        made = repositories.create_in(change, registry, "app", settings)
        context = manifest_context(made, digest_of(b"x"))
        data_key = lab.world.keys.data_key(made, context)
        assert lab.world.keys.unwrap(made, data_key.wrapped, context) == data_key.plaintext
        raise ZeroDivisionError
    with pytest.raises(KmsException):
        lab.world.keys.data_key(made, context)
    assert grants(lab, key) == []


def test_without_its_grants_ecr_reads_and_writes_nothing(lab):
    key = lab.key()
    app = lab.create(key=key["KeyId"])
    app.push(b"layer", tag="v1")
    url = app.get_download_url_for_layer(layerDigest=digest_of(b"layer"))["downloadUrl"]
    docker = HttpClient(lab.server.endpoint)

    first, second = grants(lab, key["KeyId"])
    lab.kms.revoke_grant(KeyId=key["Arn"], GrantId=first["GrantId"])
    assert app.batch_get_image(imageIds=[{"imageTag": "v1"}])["images"]
    lab.kms.revoke_grant(KeyId=key["Arn"], GrantId=second["GrantId"])

    said = (
        "User: ecr.us-east-1.amazonaws.com is not authorized to perform: kms:{} on resource: "
        f"{key['Arn']} because no resource-based policy allows the kms:{{}} action"
    )
    (failure,) = app.batch_get_image(imageIds=[{"imageTag": "v1"}])["failures"]
    assert (failure["failureCode"], failure["failureReason"]) == ("KmsError", said.format("Decrypt", "Decrypt"))
    with pytest.raises(ClientError) as refused:
        app.push(b"another")
    assert refused.value.response["kmsError"] == "AccessDeniedException"
    assert refused.value.response["message"] == said.format("GenerateDataKey", "GenerateDataKey")
    with pytest.raises(Refused, match="403 DENIED"):
        docker._v2("GET", "manifests/v1")
    docker.close()
    with pytest.raises(urllib.error.HTTPError) as not_downloaded:
        urllib.request.urlopen(url)
    assert b"<Code>KMS.AccessDeniedException</Code>" in not_downloaded.value.read()


def test_a_grant_of_the_same_form_brings_the_images_back(lab):
    key = lab.key()["KeyId"]
    app = lab.create(key=key)
    digest = app.push(b"layer", tag="v1")
    for grant in grants(lab, key):
        lab.kms.revoke_grant(KeyId=key, GrantId=grant["GrantId"])
    ecr, other = "ecr.us-east-1.amazonaws.com", {"aws:ecr:arn": f"{CONTEXT['aws:ecr:arn']}lication"}

    for operations, context in ((["Decrypt"], other), (["GenerateDataKey"], CONTEXT)):
        lab.kms.create_grant(
            KeyId=key,
            GranteePrincipal=ecr,
            Operations=operations,
            Constraints={"EncryptionContextSubset": context},
        )
        assert app.batch_get_image(imageIds=[{"imageTag": "v1"}])["images"] == []
    lab.kms.create_grant(
        KeyId=key, GranteePrincipal=ecr, Operations=["Decrypt"], Constraints={"EncryptionContextSubset": CONTEXT}
    )
    (image,) = app.batch_get_image(imageIds=[{"imageTag": "v1"}])["images"]
    assert image["imageId"]["imageDigest"] == digest


def test_a_key_that_sleeps_locks_the_images_until_it_wakes(lab):
    key = lab.key()
    app = lab.create(key=key["KeyId"])
    app.push(b"layer", tag="v1")

    lab.kms.disable_key(KeyId=key["Arn"])
    (failure,) = app.batch_get_image(imageIds=[{"imageTag": "v1"}])["failures"]
    assert (failure["failureCode"], failure["failureReason"]) == ("KmsError", f"{key['Arn']} is disabled.")
    lab.kms.enable_key(KeyId=key["Arn"])
    assert app.batch_get_image(imageIds=[{"imageTag": "v1"}])["images"]

    lab.kms.schedule_key_deletion(KeyId=key["Arn"], PendingWindowInDays=7)
    (failure,) = app.batch_get_image(imageIds=[{"imageTag": "v1"}])["failures"]
    assert failure["failureReason"] == f"{key['Arn']} is pending deletion."
    lab.world.clock.advance(days=6, hours=23)
    lab.kms.cancel_key_deletion(KeyId=key["Arn"])
    lab.kms.enable_key(KeyId=key["Arn"])
    assert app.batch_get_image(imageIds=[{"imageTag": "v1"}])["images"]


def test_when_the_day_comes_the_key_is_gone_and_the_images_cannot_be_read(lab):
    key = lab.key()
    app = lab.create(key=key["KeyId"])
    app.push(b"layer", tag="v1")
    lab.kms.schedule_key_deletion(KeyId=key["KeyId"], PendingWindowInDays=7)

    lab.world.clock.advance(days=7)
    gone = f"Key '{key['Arn']}' does not exist"
    (failure,) = app.batch_get_image(imageIds=[{"imageTag": "v1"}])["failures"]
    assert failure["failureReason"] == gone
    assert len(app.describe_images()["imageDetails"]) == 1
    assert refusal(lab.kms.describe_key, KeyId=key["Arn"]) == ("NotFoundException", gone)
    assert refusal(lab.create, name="web", key=key["Arn"]) == ("KmsException", gone)
    assert lab.kms.list_keys()["Keys"] == []
    app.delete_repository(force=True)


def test_a_change_of_a_key_does_not_undo_the_grants_of_a_repository_made_meanwhile(lab, monkeypatch):
    key, registry = lab.key()["Arn"], lab.world.registry("123456789012", "us-east-1")
    making, keep = [], kms_store.keep

    def keep_late(world):
        if not making:
            settings = Settings(encryption_type="KMS", kms_key=key)
            making.append(threading.Thread(target=repositories.create, args=(registry, "app", settings)))
            making[0].start()
            making[0].join(0.3)
        keep(world)

    with monkeypatch.context() as patched:
        patched.setattr(kms_store, "keep", keep_late)
        lab.kms.update_key_description(KeyId=key, Description="of the shop")
    making[0].join()
    assert len(grants(lab, key)) == 2


def test_a_multi_region_key_encrypts_as_any_other(lab):
    app = lab.create(key=lab.key(MultiRegion=True)["Arn"])
    app.push(b"layer", tag="v1")

    assert app.batch_get_image(imageIds=[{"imageTag": "v1"}])["images"]


def test_the_trail_tells_what_ecr_asked_of_kms_and_for_which_repository(lab):
    key = lab.key()
    app = lab.create(key=key["KeyId"])
    app.push(b"layer", tag="v1")
    app.batch_get_image(imageIds=[{"imageTag": "v1"}])
    grant_ids = [grant["GrantId"] for grant in grants(lab, key["KeyId"])]
    app.delete_repository(force=True)

    made = lab.trail("CreateGrant")
    assert [one["responseElements"]["grantId"] for one in made] == grant_ids
    assert made[0]["userIdentity"]["arn"].endswith(":user/learner")
    assert made[0]["userIdentity"]["invokedBy"] == made[0]["sourceIPAddress"] == "AWS Internal"
    assert made[0]["requestParameters"]["constraints"] == {"encryptionContextSubset": CONTEXT}
    assert made[0]["resources"] == [{"ARN": key["Arn"], "accountId": "123456789012", "type": "AWS::KMS::Key"}]
    assert [one["requestParameters"]["grantId"] for one in lab.trail("RetireGrant")] == grant_ids
    written, read = lab.trail("GenerateDataKey"), lab.trail("Decrypt")
    assert len(written) == 3
    assert {"aws:ecr:arn", "aws:s3:arn"} == set(read[-1]["requestParameters"]["encryptionContext"])
    assert read[-1]["requestParameters"]["encryptionContext"]["aws:ecr:arn"] == CONTEXT["aws:ecr:arn"]
    assert read[-1]["userIdentity"] == {"type": "AWSService", "invokedBy": "ecr.us-east-1.amazonaws.com"}
    assert read[-1]["readOnly"] is True
