"""Repositories that ECR makes by a template with a KMS key: they have their grants before the first image."""

import pytest

from tests.registry.over_http import HttpClient
from tests.simulator.accounts import HOME
from tests.simulator.client import Repository

OTHER = "us-west-2"


def template(ecr, key, applied_for):
    ecr.create_repository_creation_template(
        prefix="ROOT",
        appliedFor=[applied_for],
        customRoleArn=f"arn:aws:iam::{HOME}:role/maker",
        encryptionConfiguration={"encryptionType": "KMS", "kmsKey": key},
    )


@pytest.fixture
def maker(lab):
    lab.account.iam.create_role(RoleName="maker", AssumeRolePolicyDocument="{}")


def test_a_push_makes_a_repository_and_is_encrypted_with_the_key_of_the_template(lab, maker):
    key = lab.key()["Arn"]
    template(lab.ecr, key, "CREATE_ON_PUSH")
    docker = HttpClient(lab.server.endpoint, "app")
    docker.push(b"layer", tag="v1")
    docker.close()

    app = Repository(lab.ecr, "app")
    assert app.batch_get_image(imageIds=[{"imageTag": "v1"}])["images"]
    (made,) = lab.ecr.describe_repositories()["repositories"]
    assert made["encryptionConfiguration"] == {"encryptionType": "KMS", "kmsKey": key}
    assert len(lab.kms.list_grants(KeyId=key)["Grants"]) == 2


def test_a_copy_makes_its_repository_and_is_encrypted_in_the_same_change(lab, maker):
    west = {service: lab.client(service, region=OTHER) for service in ("ecr", "kms")}
    key = west["kms"].create_key()["KeyMetadata"]["Arn"]
    template(west["ecr"], key, "REPLICATION")
    rule = {"destinations": [{"region": OTHER, "registryId": HOME}]}
    lab.ecr.put_replication_configuration(replicationConfiguration={"rules": [rule]})
    digest = lab.create().push(b"layer", tag="v1")
    lab.world.clock.advance(minutes=1)

    (image,) = Repository(west["ecr"], "app").batch_get_image(imageIds=[{"imageTag": "v1"}])["images"]
    assert image["imageId"]["imageDigest"] == digest
    assert len(west["kms"].list_grants(KeyId=key)["Grants"]) == 2
    for grant in west["kms"].list_grants(KeyId=key)["Grants"]:
        west["kms"].revoke_grant(KeyId=key, GrantId=grant["GrantId"])
    assert Repository(west["ecr"], "app").batch_get_image(imageIds=[{"imageTag": "v1"}])["images"] == []
