"""Who needs which permission of KMS: the creator of a repository three, who pulls and pushes none."""

import pytest
from botocore.exceptions import ClientError

from tests.simulator.accounts import ABROAD, HOME, document
from tests.simulator.client import Repository, refusal
from tests.simulator.kms.conftest import REGION, ROOT, policy

ECR = document("ecr:*", Resource="*")
CREATOR = ("kms:DescribeKey", "kms:CreateGrant", "kms:RetireGrant")


def user(lab, *policies):
    """Name, ECR client and KMS client of a new user."""
    name, key, ecr = lab.account.user(ECR, *policies)
    return f"arn:aws:iam::{HOME}:user/{name}", ecr, lab.client("kms", key)


def kms_error(call, **members):
    """The kmsError and text of a refused call."""
    with pytest.raises(ClientError) as refused:
        call(**members)
    assert refused.value.response["Error"]["Code"] == "KmsException"
    return refused.value.response["kmsError"], refused.value.response["message"]


@pytest.mark.parametrize("missing", ["kms:DescribeKey", "kms:CreateGrant"])
def test_who_creates_a_repository_must_be_allowed_to_look_at_the_key_and_to_grant(lab, missing):
    key = lab.key()["Arn"]
    arn, ecr, _ = user(lab, document(*(action for action in CREATOR if action != missing), Resource="*"))

    encryption = {"encryptionType": "KMS", "kmsKey": key}
    assert kms_error(ecr.create_repository, repositoryName="app", encryptionConfiguration=encryption) == (
        "AccessDeniedException",
        f"User: {arn} is not authorized to perform: {missing} on resource: {key} "
        f"because no identity-based policy allows the {missing} action",
    )
    assert lab.ecr.describe_repositories()["repositories"] == []
    assert lab.kms.list_grants(KeyId=key)["Grants"] == []


def test_with_those_permissions_it_works_and_ends_with_the_repository(lab):
    key = lab.key()["Arn"]
    _, ecr, _ = user(lab, document(*CREATOR, Resource="*"))

    lab.create(key=key, ecr=ecr)
    ecr.delete_repository(repositoryName="app")
    assert lab.kms.list_grants(KeyId=key)["Grants"] == []


def test_who_may_not_retire_deletes_the_repository_and_leaves_its_grants(lab):
    key = lab.key()["Arn"]
    arn, ecr, _ = user(lab, document(*CREATOR[:2], Resource="*"))
    lab.create(key=key, ecr=ecr)

    code, text = kms_error(ecr.delete_repository, repositoryName="app")
    assert code == "AccessDeniedException"
    assert text.startswith(f"User: {arn} is not authorized to perform: kms:RetireGrant on resource: {key}")
    assert lab.ecr.describe_repositories()["repositories"] == []
    assert [event["errorCode"] for event in lab.trail("RetireGrant")] == ["AccessDeniedException"] * 2
    for grant in lab.kms.list_grants(KeyId=key)["Grants"]:
        lab.kms.retire_grant(KeyId=key, GrantId=grant["GrantId"])
    assert lab.kms.list_grants(KeyId=key)["Grants"] == []


def test_who_pushes_and_pulls_needs_no_permission_of_the_key(lab):
    key = lab.key()["Arn"]
    lab.create(key=key)
    _, ecr, kms = user(lab)

    app = Repository(ecr, "app")
    app.push(b"layer", tag="v1")
    assert app.batch_get_image(imageIds=[{"imageTag": "v1"}])["images"]
    assert refusal(kms.generate_data_key, KeyId=key, KeySpec="AES_256")[0] == "AccessDeniedException"


def test_ecrs_own_key_needs_no_permission_but_to_retire(lab):
    _, ecr, kms = user(lab)
    lab.create(ecr=ecr)

    key = lab.kms.describe_key(KeyId="alias/aws/ecr")["KeyMetadata"]["Arn"]
    assert refusal(kms.encrypt, KeyId=key, Plaintext=b"x")[0] == "AccessDeniedException"
    assert "kms:RetireGrant" in kms_error(ecr.delete_repository, repositoryName="app")[1]


def test_a_key_policy_that_forgets_the_creator_refuses_even_an_administrator(lab):
    others = {"Sid": "Others", **ROOT, "Principal": {"AWS": f"arn:aws:iam::{HOME}:role/ci"}}
    key = lab.key(Policy=policy(others), BypassPolicyLockoutSafetyCheck=True)["Arn"]

    code, text = kms_error(lab.create, key=key)
    assert code == "AccessDeniedException"
    assert text.endswith("because no resource-based policy allows the kms:DescribeKey action")


@pytest.mark.parametrize(("service", "works"), [(f"ecr.{REGION}.amazonaws.com", True), ("s3.amazonaws.com", False)])
def test_a_key_can_be_for_use_through_ecr_alone(lab, service, works):
    arn, ecr, kms = user(lab, document("kms:RetireGrant", Resource="*"))
    via = {"StringEquals": {"kms:ViaService": service}}
    look = {**ROOT, "Principal": {"AWS": arn}, "Action": "kms:DescribeKey", "Condition": via}
    for_aws = {**via, "Bool": {"kms:GrantIsForAWSResource": "true"}}
    grant = {**look, "Action": "kms:CreateGrant", "Condition": for_aws}
    key = lab.key(Policy=policy(ROOT, look, grant))["Arn"]

    assert refusal(kms.describe_key, KeyId=key)[0] == "AccessDeniedException"
    if works:
        lab.create(key=key, ecr=ecr)
    else:
        assert kms_error(lab.create, key=key, ecr=ecr)[0] == "AccessDeniedException"


def test_a_deny_of_the_key_policy_wins_over_everything(lab):
    deny = {**ROOT, "Effect": "Deny", "Principal": "*", "Action": "kms:CreateGrant"}
    key = lab.key(Policy=policy(ROOT, deny))["Arn"]

    assert kms_error(lab.create, key=key)[1].endswith("with an explicit deny in a resource-based policy")


def test_a_key_of_another_account_must_let_this_one_in(lab):
    session, _ = lab.account.assume(f"arn:aws:iam::{ABROAD}:role/OrganizationAccountAccessRole")
    abroad = lab.client("kms", session)
    key = abroad.create_key()["KeyMetadata"]["Arn"]
    assert key.split(":")[4] == ABROAD

    code, text = kms_error(lab.create, key=key)
    assert code == "AccessDeniedException"
    assert "because the resource does not exist in this Region, no resource-based policies allow access" in text
    owner = {**ROOT, "Principal": {"AWS": f"arn:aws:iam::{ABROAD}:root"}}
    abroad.put_key_policy(KeyId=key, Policy=policy(owner, ROOT))
    app = lab.create(key=key)
    app.push(b"layer", tag="v1")
    assert app.batch_get_image(imageIds=[{"imageTag": "v1"}])["images"]
    assert len(abroad.list_grants(KeyId=key)["Grants"]) == 2
    assert lab.kms.describe_key(KeyId=key)["KeyMetadata"]["AWSAccountId"] == ABROAD


def test_a_grant_lets_a_user_decrypt_with_that_context(lab):
    key = lab.key()["Arn"]
    arn, _, kms = user(lab)
    blob = lab.kms.encrypt(KeyId=key, Plaintext=b"x", EncryptionContext={"for": "app"})["CiphertextBlob"]
    call = {"CiphertextBlob": blob, "EncryptionContext": {"for": "app"}}

    assert refusal(kms.decrypt, **call)[0] == "AccessDeniedException"
    constraints = {"EncryptionContextSubset": {"for": "app"}}
    lab.kms.create_grant(KeyId=key, GranteePrincipal=arn, Operations=["Decrypt"], Constraints=constraints)
    assert kms.decrypt(**call)["Plaintext"] == b"x"
    assert refusal(kms.encrypt, KeyId=key, Plaintext=b"x")[0] == "AccessDeniedException"


def test_an_asymmetric_key_cannot_be_granted_with_a_context(lab):
    key = lab.key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["Arn"]

    assert kms_error(lab.create, key=key)[1] == (
        "EncryptionContext is supported only when creating a grant for a symmetric encryption key"
    )
