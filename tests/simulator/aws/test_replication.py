"""What rules copy to other Regions and accounts, and how its status reads."""

import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from ecrlab.registry import trail
from ecrlab.simulator.jobs.replication import Replication, Worker
from tests.simulator.client import refusal
from tests.simulator.replicated import ABROAD, ASIA, EUROPE, HOME, SOURCE, Registries, rule, to


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Registries]:
    lab = Registries(tmp_path / "state")
    yield lab
    lab.close()


@pytest.mark.operation("ecr:DescribeImageReplicationStatus")
def test_a_push_is_copied_at_the_first_question_about_it(lab: Registries) -> None:
    lab.replicate(rule(to(EUROPE)))
    app = lab.repository("app")
    digest = app.push(b"layer", tag="v1")
    assert lab.held("app", EUROPE) is None
    assert lab.statuses(app, imageTag="v1") == [(EUROPE, "IN_PROGRESS", "")]
    answer = app.describe_image_replication_status(imageId={"imageDigest": digest})
    assert answer["imageId"] == {"imageDigest": digest, "imageTag": "v1"}
    assert answer["replicationStatuses"] == [to(EUROPE) | {"status": "COMPLETE"}]
    assert lab.held("app", EUROPE) == {digest: {"v1"}}


@pytest.mark.operation("ecr:PutReplicationConfiguration")
def test_a_push_is_copied_when_the_clock_moves(lab: Registries) -> None:
    lab.replicate(rule(to(EUROPE), to(ASIA)))
    app = lab.repository("app")
    digest = app.push(b"layer", tag="v1")
    lab.pass_time()
    assert lab.held("app", EUROPE) == lab.held("app", ASIA) == {digest: {"v1"}}
    assert lab.statuses(app, imageTag="v1") == [(EUROPE, "COMPLETE", ""), (ASIA, "COMPLETE", "")]


def test_a_copy_can_be_pulled_and_has_no_bytes_of_its_own(lab: Registries) -> None:
    lab.replicate(rule(to(EUROPE)))
    app = lab.repository("app")
    body = os.urandom(1 << 16)
    digest = app.push(body, tag="v1")
    files = set(lab.world.blobs)
    lab.pass_time()
    there = lab.client("ecr", EUROPE)
    [image] = there.batch_get_image(repositoryName="app", imageIds=[{"imageTag": "v1"}])["images"]
    assert image["imageId"]["imageDigest"] == digest
    assert set(lab.world.blobs) == files
    app.batch_delete_image(imageIds=[{"imageDigest": digest}])
    answer = there.batch_check_layer_availability(
        repositoryName="app", layerDigests=[one for one in files if lab.world.blobs.path(one).stat().st_size == 1 << 16]
    )
    assert [one["layerAvailability"] for one in answer["layers"]] == ["AVAILABLE"]


def test_a_rule_is_about_names_that_begin_with_its_filters(lab: Registries) -> None:
    lab.replicate(rule(to(EUROPE), prefixes=("prod", "team/")))
    names = {"prod/api": True, "production": True, "dev/prod": False, "team/x": True, "team-x": False}
    for name in names:
        lab.repository(name).push(b"layer", tag="v1")
    lab.pass_time()
    assert {name: lab.held(name, EUROPE) is not None for name in names} == names


def test_nothing_older_than_the_rule_is_copied(lab: Registries) -> None:
    app = lab.repository("app")
    app.push(b"old", tag="v1")
    lab.replicate(rule(to(EUROPE)))
    lab.pass_time()
    assert lab.statuses(app, imageTag="v1") == []
    assert lab.held("app", EUROPE) is None


def test_copies_are_not_copied_on(lab: Registries) -> None:
    lab.replicate(rule(to(EUROPE)))
    lab.replicate(rule(to(ASIA)), region=EUROPE)
    lab.repository("app").push(b"layer", tag="v1")
    lab.pass_time()
    lab.pass_time()
    assert lab.held("app", EUROPE)
    assert lab.held("app", ASIA) is None


def test_an_index_brings_its_images_even_old_ones(lab: Registries) -> None:
    app = lab.repository("app")
    one, two = app.push(b"amd64"), app.push(b"arm64")
    lab.replicate(rule(to(EUROPE)))
    index = app.push_index(one, two, tag="v1")
    lab.pass_time()
    assert lab.held("app", EUROPE) == {one: set(), two: set(), index: {"v1"}}


def test_a_referrer_is_copied(lab: Registries) -> None:
    lab.replicate(rule(to(EUROPE)))
    app = lab.repository("app")
    digest = app.push(b"layer", tag="v1")
    subject = {"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": digest, "size": 1}
    signature = app.push(b"signature", subject=subject, artifactType="application/x")
    lab.pass_time()
    found = lab.client("ecr", EUROPE).list_image_referrers(repositoryName="app", subjectId={"imageDigest": digest})
    assert [one["digest"] for one in found["referrers"]] == [signature]


def test_settings_and_policies_are_not_copied(lab: Registries) -> None:
    lab.replicate(rule(to(EUROPE)))
    app = lab.repository("app")
    app.put_image_tag_mutability(imageTagMutability="IMMUTABLE")
    app.set_repository_policy(
        policyText='{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"ecr:BatchGetImage"}]}'
    )
    app.push(b"layer", tag="v1")
    lab.pass_time()
    there = lab.client("ecr", EUROPE)
    [made] = there.describe_repositories(repositoryNames=["app"])["repositories"]
    assert made["imageTagMutability"] == "MUTABLE"
    assert refusal(there.get_repository_policy, repositoryName="app")[0] == "RepositoryPolicyNotFoundException"


def test_a_tag_moves_at_the_destination_too(lab: Registries) -> None:
    lab.replicate(rule(to(EUROPE)))
    app = lab.repository("app")
    one, two = app.push(b"one", tag="v1"), app.push(b"two", tag="v1")
    lab.pass_time()
    assert lab.held("app", EUROPE) == {one: set(), two: {"v1"}}


def test_an_immutable_tag_that_is_taken_stays(lab: Registries) -> None:
    lab.replicate(rule(to(EUROPE)))
    there = lab.repository("app", EUROPE)
    there.put_image_tag_mutability(imageTagMutability="IMMUTABLE")
    own = there.push(b"own", tag="v1")
    app = lab.repository("app")
    digest = app.push(b"layer", tag="v1")
    lab.pass_time()
    assert lab.statuses(app, imageTag="v1") == [(EUROPE, "COMPLETE", "")]
    assert lab.held("app", EUROPE) == {own: {"v1"}, digest: set()}


def test_a_restore_is_copied_with_all_tags_and_restores_there(lab: Registries) -> None:
    app = lab.repository("app")
    digest = app.push(b"layer", tag="v1")
    lab.replicate(rule(to(EUROPE)))
    app.put(lab.manifest_of(app, digest), "v2")
    lab.pass_time()
    assert lab.held("app", EUROPE) == {digest: {"v2"}}
    there = lab.client("ecr", EUROPE)
    for ecr in (lab.ecr, there):
        ecr.update_image_storage_class(
            repositoryName="app", imageId={"imageDigest": digest}, targetStorageClass="ARCHIVE"
        )
    app.update_image_storage_class(imageId={"imageDigest": digest}, targetStorageClass="STANDARD")
    lab.pass_time()
    assert lab.held("app", EUROPE) == {digest: {"v1", "v2"}}
    [image] = there.describe_images(repositoryName="app")["imageDetails"]
    assert image["imageStatus"] == "ACTIVE"


def test_another_account_has_to_allow_it(lab: Registries) -> None:
    lab.replicate(rule(to(EUROPE, ABROAD)))
    app = lab.repository("app")
    first = app.push(b"first", tag="v1")
    lab.pass_time()
    assert lab.statuses(app, imageTag="v1") == [(EUROPE, "FAILED", "AccessDeniedException")]
    assert lab.held("app", EUROPE, ABROAD) is None
    there = lab.world.registry(ABROAD, EUROPE)
    assert [one["eventName"] for one in trail.of(there, "app")] == ["CreateRepository"]

    lab.let_in("ecr:CreateRepository")
    app.push(b"second", tag="v2")
    lab.pass_time()
    assert lab.held("app", EUROPE, ABROAD) is None
    [_, record] = trail.of(there, "app")
    assert (record["eventName"], record["errorCode"]) == ("ReplicateImage", "AccessDenied")
    assert record["recipientAccountId"] == ABROAD
    assert "because no resource-based policy allows the ecr:ReplicateImage action" in record["errorMessage"]

    lab.let_in("ecr:CreateRepository", "ecr:ReplicateImage")
    lab.pass_time()
    assert lab.statuses(app, imageTag="v1") == [(EUROPE, "FAILED", "AccessDeniedException")]
    app.put(lab.manifest_of(app, first), "v3")
    lab.pass_time()
    assert lab.statuses(app, imageTag="v1") == [(EUROPE, "COMPLETE", "")]
    assert lab.held("app", EUROPE, ABROAD) == {first: {"v1", "v3"}}


def test_the_own_account_can_deny_it_only(lab: Registries) -> None:
    lab.replicate(rule(to(EUROPE)))
    lab.let_in("ecr:ReplicateImage", account=HOME, effect="Deny")
    app = lab.repository("app")
    app.push(b"layer", tag="v1")
    lab.pass_time()
    assert lab.statuses(app, imageTag="v1") == [(EUROPE, "FAILED", "AccessDeniedException")]


def test_the_destination_is_told(lab: Registries) -> None:
    lab.replicate(rule(to(EUROPE)), rule(to(EUROPE, ABROAD)))
    digest = lab.repository("app").push(b"layer", tag="v1")
    lab.pass_time()
    told = [one for one in lab.told if one.detail_type == "ECR Replication Action"]
    assert [(one.account_id, one.region, one.resources, one.detail["result"]) for one in told] == [
        (HOME, EUROPE, (f"arn:aws:ecr:{EUROPE}:{HOME}:repository/app",), "SUCCESS"),
        (ABROAD, EUROPE, (f"arn:aws:ecr:{EUROPE}:{ABROAD}:repository/app",), "FAILED"),
    ]
    assert told[0].detail == {
        "result": "SUCCESS",
        "repository-name": "app",
        "image-digest": digest,
        "source-account": HOME,
        "action-type": "REPLICATE",
        "source-region": SOURCE,
        "image-tag": "v1",
    }


def test_the_service_linked_role_has_its_true_name(lab: Registries) -> None:
    iam = lab.client("iam")
    lab.replicate(rule(to(EUROPE)))
    lab.replicate()
    role = iam.get_role(RoleName="AWSServiceRoleForECRReplication")["Role"]
    assert role["Path"] == "/aws-service-role/replication.ecr.amazonaws.com/"
    attached = iam.list_attached_role_policies(RoleName=role["RoleName"])["AttachedPolicies"]
    assert [one["PolicyName"] for one in attached] == ["ECRReplicationServiceRolePolicy"]


@pytest.mark.parametrize("region", ["eu-west-9", "lab-aa-1", "aws-global", "cn-north-1"])
def test_a_region_has_to_exist(lab: Registries, region: str) -> None:
    rules = {"rules": [rule(to(EUROPE)), rule(to(region))]}
    code, text = refusal(lab.ecr.put_replication_configuration, replicationConfiguration=rules)
    assert (code, text.split(": ")[-1]) == ("InvalidParameterException", f"'Invalid region '{region}''")
    assert lab.ecr.describe_registry()["replicationConfiguration"] == {"rules": []}


def test_the_status_of_an_image_that_does_not_exist(lab: Registries) -> None:
    app = lab.repository("app")
    assert refusal(app.describe_image_replication_status, imageId={"imageTag": "v1"})[0] == "ImageNotFoundException"
    ask = lab.ecr.describe_image_replication_status
    assert refusal(ask, repositoryName="no", imageId={"imageTag": "v1"})[0] == "RepositoryNotFoundException"


@pytest.mark.parametrize("deletes", [True, False])
def test_a_tag_and_an_image_are_deleted_there_if_the_rule_says_so(lab: Registries, deletes: bool) -> None:
    lab.replicate(rule(to(EUROPE), deletes=deletes))
    app = lab.repository("app")
    digest = app.push(b"layer", tag="v1")
    app.put(lab.manifest_of(app, digest), "v2")
    app.batch_delete_image(imageIds=[{"imageTag": "v2"}])
    assert lab.held("app", EUROPE) == {digest: {"v1"} if deletes else {"v1", "v2"}}
    there = lab.client("ecr", EUROPE)
    there.put_image(repositoryName="app", imageManifest=lab.manifest_of(app, digest), imageTag="keep")
    app.batch_delete_image(imageIds=[{"imageTag": "v1"}])
    assert lab.held("app", EUROPE) == ({} if deletes else {digest: {"v1", "v2", "keep"}})


def test_an_expiry_is_replicated(lab: Registries) -> None:
    lab.replicate(rule(to(EUROPE), deletes=True))
    app = lab.repository("app")
    app.push(b"one", tag="v1")
    two = app.push(b"two", tag="v2")
    app.put_lifecycle_policy(
        lifecyclePolicyText='{"rules":[{"rulePriority":1,"selection":{"tagStatus":"any",'
        '"countType":"imageCountMoreThan","countNumber":1},"action":{"type":"expire"}}]}'
    )
    lab.clock.advance(days=1)
    assert lab.held("app", SOURCE) == lab.held("app", EUROPE) == {two: {"v2"}}


def test_terraform_finds_what_it_put_and_that_it_is_gone(lab: Registries) -> None:
    # The calls of aws_ecr_replication_configuration and aws_ecr_registry_policy of Terraform's AWS provider: put, read;
    # a configuration without rules counts as deleted, and a policy that is not found as well.
    configuration = {"rules": [rule(to(EUROPE), prefixes=("prod",)), rule(to(ASIA))]}
    lab.ecr.put_replication_configuration(replicationConfiguration=configuration)
    lab.ecr.put_replication_configuration(replicationConfiguration=configuration)
    read = lab.ecr.describe_registry()
    assert (read["registryId"], read["replicationConfiguration"]) == (HOME, configuration)
    lab.ecr.put_replication_configuration(replicationConfiguration={"rules": []})
    assert lab.ecr.describe_registry()["replicationConfiguration"]["rules"] == []

    arn = f"arn:aws:ecr:{SOURCE}:{HOME}:repository/*"
    principal = {"AWS": f"arn:aws:iam::{ABROAD}:root"}
    statement = {
        "Sid": "a",
        "Effect": "Allow",
        "Principal": principal,
        "Action": ["ecr:ReplicateImage"],
        "Resource": arn,
    }
    document = {"Version": "2012-10-17", "Statement": [statement]}
    assert lab.ecr.put_registry_policy(policyText=json.dumps(document))["registryId"] == HOME
    assert json.loads(lab.ecr.get_registry_policy()["policyText"]) == document
    lab.ecr.delete_registry_policy()
    assert refusal(lab.ecr.get_registry_policy)[0] == "RegistryPolicyNotFoundException"
    assert refusal(lab.ecr.delete_registry_policy)[0] == "RegistryPolicyNotFoundException"


def test_a_repository_that_is_deleted_is_copied_first_and_its_copies_stay(lab: Registries) -> None:
    lab.replicate(rule(to(EUROPE), deletes=True))
    app = lab.repository("app")
    digest = app.push(b"layer", tag="v1")
    app.delete_repository(force=True)
    assert lab.held("app", SOURCE) is None
    assert lab.held("app", EUROPE) == {digest: {"v1"}}


def test_a_worker_makes_copies_by_itself_and_a_start_resumes_them(tmp_path: Path) -> None:
    before = Registries(tmp_path / "state")
    before.replicate(rule(to(EUROPE)))
    digest = before.repository("app").push(b"layer", tag="v1")
    before.close()

    lab = Registries(tmp_path / "state")
    assert lab.held("app", EUROPE) is None
    copied = threading.Event()
    lab.world.events.add(lambda event: copied.set() if event.detail_type == "ECR Replication Action" else None)
    worker = Worker(Replication(lab.world))
    assert copied.wait(60)
    worker.stop()
    assert lab.held("app", EUROPE) == {digest: {"v1"}}
    lab.close()


def test_a_copy_that_is_tried_again_takes_no_tag_back(lab: Registries) -> None:
    lab.replicate(rule(to(EUROPE, ABROAD)))
    app = lab.repository("app")
    old = app.push(b"old", tag="v1")
    lab.pass_time()
    lab.let_in("ecr:CreateRepository", "ecr:ReplicateImage")
    new = app.push(b"new", tag="v1")
    lab.pass_time()
    app.put(lab.manifest_of(app, old), "v2")
    lab.pass_time()
    assert lab.held("app", EUROPE, ABROAD) == {new: {"v1"}, old: {"v2"}}


def test_a_template_for_replication_shapes_the_repository_of_the_copy(lab: Registries) -> None:
    lab.replicate(rule(to(EUROPE)))
    there = lab.client("ecr", EUROPE)
    there.create_repository_creation_template(prefix="ROOT", appliedFor=["REPLICATION"], imageTagMutability="IMMUTABLE")
    lab.repository("app").push(b"layer", tag="v1")
    lab.pass_time()
    [made] = there.describe_repositories(repositoryNames=["app"])["repositories"]
    assert made["imageTagMutability"] == "IMMUTABLE"
