"""What a pull through a rule brings, when a cache asks upstream again, and what clients are told when it fails."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from ecrlab import gallery
from ecrlab.registry import creation_templates, images, pull_through_cache, repositories, settings
from ecrlab.registry.repositories import Settings
from ecrlab.simulator.access.callers import LEARNER_ARN, Caller, named
from ecrlab.simulator.consumers import pulling
from ecrlab.simulator.consumers.pulling import CannotPull, Kind
from tests.registry.conftest import Client
from tests.simulator.accounts import document
from tests.simulator.cached import ALPINE, EUROPE, HOME, REGION, Caches

OLD, NEW = (gallery.manifest("docker/library/alpine", tag) for tag in ("3.21.8", "3.22.6"))
assert OLD is not None and NEW is not None
WITHOUT = f"NAME_UNKNOWN: The repository with name '{ALPINE}' does not exist in the registry with id '{HOME}'"
NOT_FOUND = "MANIFEST_UNKNOWN: Requested image not found"
DENIED = (
    "DENIED: The authentication to the upstream registry failed. Verify that the credentials provided in the pull "
    "through cache rule are correct, and try again."
)
ANN = f"arn:aws:iam::{HOME}:user/ann"


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Caches]:
    lab = Caches(tmp_path / "state")
    pull_through_cache.create(lab.registry(), pull_through_cache.checked(lab.registry(), rule("quay", "quay.io")))
    yield lab
    lab.close()


def rule(prefix: str, url: str, **more: str) -> dict[str, str]:
    return {"ecrRepositoryPrefix": prefix, "upstreamRegistryUrl": url, **more}


def test_a_first_pull_brings_an_index_with_all_its_images(lab: Caches) -> None:
    assert lab.pull(ALPINE, "3.22.6") == (200, NEW.digest)
    children: dict[str, set[str]] = {child.digest: set() for child in NEW.children}
    assert lab.held(ALPINE) == {NEW.digest: {"3.22.6"}} | children
    for child in NEW.children:
        body = lab.docker(f"{ALPINE}/manifests/{child.digest}").json
        for blob in (body["config"], *body["layers"]):
            expected = gallery.blob("docker/library/alpine", blob["digest"])
            assert lab.docker(f"{ALPINE}/blobs/{blob['digest']}").data == expected


def test_a_first_pull_of_one_platform_by_digest_brings_that_image_alone(lab: Caches) -> None:
    child = NEW.children[1].digest
    assert lab.pull(ALPINE, child) == (200, child)
    assert lab.held(ALPINE) == {child: set()}
    assert lab.pull(ALPINE, "3.22.6") == (200, NEW.digest)
    assert lab.held(ALPINE) == {NEW.digest: {"3.22.6"}} | {one.digest: set() for one in NEW.children}


def test_the_api_brings_images_as_docker_does(lab: Caches) -> None:
    answer = lab.aws("BatchGetImage", repositoryName=ALPINE, imageIds=[{"imageTag": "3.22.6"}, {"imageTag": "9"}])
    assert [one["imageId"]["imageDigest"] for one in answer["images"]] == [NEW.digest]
    assert [one["failureCode"] for one in answer["failures"]] == ["ImageNotFound"]
    answer = lab.aws("BatchGetImage", repositoryName=ALPINE, imageIds=[{"imageTag": "3.21.8"}])
    assert [one["imageId"]["imageDigest"] for one in answer["images"]] == [OLD.digest]
    assert answer["failures"] == []


def test_a_head_brings_the_image_too_and_a_pull_is_recorded(lab: Caches) -> None:
    assert lab.docker(f"{ALPINE}/manifests/3.22.6", "HEAD").headers["Docker-Content-Digest"] == NEW.digest
    find = images.ImageId(tag="3.22.6")
    assert images.find(lab.registry(), ALPINE, find).pulled_at is None
    lab.pull(ALPINE, "3.22.6")
    assert images.find(lab.registry(), ALPINE, find).pulled_at is not None


def test_the_repository_is_made_from_its_template(lab: Caches) -> None:
    policy = '{"rules":[]}'
    template = {
        "prefix": "quay",
        "appliedFor": ["PULL_THROUGH_CACHE"],
        "imageTagMutability": "IMMUTABLE",
        "lifecyclePolicy": policy,
    }
    creation_templates.create(lab.registry(), template)
    lab.pull(ALPINE, "3.22.6")
    assert repositories.find(lab.registry(), ALPINE).settings == Settings(image_tag_mutability="IMMUTABLE")
    assert lab.aws("GetLifecyclePolicy", repositoryName=ALPINE)["lifecyclePolicyText"] == policy


def test_a_tag_is_looked_up_again_after_a_day(lab: Caches) -> None:
    lab.quay.move_tag("library/alpine", "latest", to="3.21.8")
    lab.pull(ALPINE, "latest")
    lab.quay.move_tag("library/alpine", "latest", to="3.22.6")
    lab.clock.advance(hours=23, minutes=59)
    assert lab.pull(ALPINE, "latest") == (200, OLD.digest)
    lab.clock.advance(minutes=1)
    assert lab.pull(ALPINE, "latest") == (200, NEW.digest)
    held = lab.held(ALPINE)
    assert held is not None
    assert (held[OLD.digest], held[NEW.digest]) == (set(), {"latest"})


def test_a_day_counts_from_the_last_validation_and_not_from_the_last_pull(lab: Caches) -> None:
    lab.quay.move_tag("library/alpine", "latest", to="3.21.8")
    lab.pull(ALPINE, "latest")
    lab.clock.advance(hours=25)
    before = lab.clock.now()
    assert lab.pull(ALPINE, "latest") == (200, OLD.digest)
    assert lab.clock.now() == before
    lab.quay.move_tag("library/alpine", "latest", to="3.22.6")
    for _ in range(2):
        lab.clock.advance(hours=11)
        assert lab.pull(ALPINE, "latest") == (200, OLD.digest)
    lab.clock.advance(hours=3)
    assert lab.pull(ALPINE, "latest") == (200, NEW.digest)


def test_a_tag_that_a_client_pushed_is_not_looked_up(lab: Caches) -> None:
    lab.pull(ALPINE, "3.22.6")
    pushed = Client(lab.registry(), ALPINE).push(b"own", tag="3.22.6").digest
    lab.clock.advance(days=3)
    assert lab.pull(ALPINE, "3.22.6") == (200, pushed)


def test_an_immutable_tag_stays_whatever_upstream_has(lab: Caches) -> None:
    lab.quay.move_tag("library/alpine", "latest", to="3.21.8")
    lab.pull(ALPINE, "latest")
    repositories.update(lab.registry(), ALPINE, image_tag_mutability="IMMUTABLE")
    lab.quay.move_tag("library/alpine", "latest", to="3.22.6")
    lab.clock.advance(days=2)
    assert lab.pull(ALPINE, "latest") == (200, OLD.digest)
    repositories.update(lab.registry(), ALPINE, image_tag_mutability="MUTABLE")
    assert lab.pull(ALPINE, "latest") == (200, NEW.digest)


def test_while_upstream_is_down_what_is_cached_is_served(lab: Caches) -> None:
    lab.pull(ALPINE, "3.21.8")
    lab.quay.down()
    lab.clock.advance(days=2)
    assert lab.pull(ALPINE, "3.21.8") == (200, OLD.digest)
    unavailable = (503, "UNAVAILABLE: The upstream registry is unavailable. Wait and try again.")
    assert lab.pull(ALPINE, "3.22.6") == unavailable
    assert lab.pull("quay/library/node", "18-alpine3.16") == unavailable
    answer = lab.aws("BatchGetImage", repositoryName=ALPINE, imageIds=[{"imageTag": t} for t in ("3.21.8", "3.22.6")])
    assert [one["imageId"]["imageTag"] for one in answer["images"]] == ["3.21.8"]
    assert [one["failureCode"] for one in answer["failures"]] == ["UpstreamUnavailable"]
    absent = lab.aws("BatchGetImage", repositoryName="quay/library/node", imageIds=[{"imageTag": "18-alpine3.16"}])
    assert absent["__type"] == "UnableToGetUpstreamImageException"
    assert lab.names() == [ALPINE]
    lab.quay.up()
    assert lab.pull(ALPINE, "3.22.6") == (200, NEW.digest)


def test_upstream_may_limit_pulls(lab: Caches) -> None:
    lab.quay.limit(1, hours=6)
    lab.pull(ALPINE, "3.21.8")
    assert lab.pull(ALPINE, "3.22.6")[0] == 429
    answer = lab.aws("BatchGetImage", repositoryName=ALPINE, imageIds=[{"imageTag": "3.22.6"}])
    assert [one["failureCode"] for one in answer["failures"]] == ["UpstreamTooManyRequests"]
    assert lab.pull(ALPINE, "3.21.8") == (200, OLD.digest)
    lab.clock.advance(hours=6)
    assert lab.pull(ALPINE, "3.22.6") == (200, NEW.digest)


@pytest.mark.parametrize("name", ["quay/library/nothing", "quay/alpine"])
def test_what_an_open_upstream_lacks_is_not_found_and_makes_no_repository(lab: Caches, name: str) -> None:
    assert lab.pull(name, "3.22.6") == (404, NOT_FOUND)
    assert lab.pull(ALPINE, "9.9") == (404, NOT_FOUND)
    answer = lab.aws("BatchGetImage", repositoryName=name, imageIds=[{"imageTag": "3.22.6"}])
    assert answer == {"__type": "UnableToGetUpstreamImageException", "message": "Requested image not found"}
    assert lab.names() == []


def test_without_a_rule_there_is_no_repository(lab: Caches) -> None:
    assert lab.pull(ALPINE, "bad tag")[0] == 404
    assert lab.pull("quayx/library/alpine", "3.22.6")[1].startswith("NAME_UNKNOWN")
    pull_through_cache.delete(lab.registry(), "quay")
    assert lab.pull(ALPINE, "3.22.6") == (404, WITHOUT)


def test_what_is_cached_stays_when_its_rule_goes(lab: Caches) -> None:
    lab.pull(ALPINE, "3.22.6")
    pull_through_cache.delete(lab.registry(), "quay")
    lab.clock.advance(days=2)
    assert lab.pull(ALPINE, "3.22.6") == (200, NEW.digest)
    assert lab.pull(ALPINE, "3.21.8") == (404, NOT_FOUND)


def deny(lab: Caches, *actions: str) -> None:
    settings.put_policy(lab.registry(), document(*actions, effect="Deny", Principal="*", Resource="*"))


def test_missing_permissions_look_as_if_there_were_nothing(lab: Caches) -> None:
    for action in ("ecr:CreateRepository", "ecr:BatchImportUpstreamImage"):
        deny(lab, action)
        assert lab.pull(ALPINE, "3.22.6") == (404, WITHOUT)
        assert lab.names() == []
    deny(lab, "ecr:CreateRepository")
    repositories.create(lab.registry(), ALPINE)
    assert lab.pull(ALPINE, "3.22.6") == (200, NEW.digest)
    deny(lab, "ecr:BatchImportUpstreamImage")
    assert lab.pull(ALPINE, "3.21.8") == (404, NOT_FOUND)
    lab.clock.advance(days=2)
    assert lab.pull(ALPINE, "3.22.6") == (200, NEW.digest)


def test_who_may_not_pull_brings_nothing(lab: Caches) -> None:
    answer = lab.docker(f"{ALPINE}/manifests/3.22.6", who=ANN)
    assert (answer.status_code, answer.json["errors"][0]["code"]) == (404, "NAME_UNKNOWN")
    repositories.create(lab.registry(), ALPINE)
    assert lab.docker(f"{ALPINE}/manifests/3.22.6", who=ANN).status_code == 403
    assert lab.held(ALPINE) == {}


def test_each_import_is_told(lab: Caches) -> None:
    lab.told.clear()
    lab.pull(ALPINE, "3.22.6")
    lab.quay.down()
    lab.pull(ALPINE, "3.21.8")
    told = [event for event in lab.told if event.detail_type == "ECR Pull Through Cache Action"]
    arn = f"arn:aws:ecr:{REGION}:{HOME}:repository/{ALPINE}"
    assert [event.resources for event in told] == [(arn,), (arn,)]
    assert told[0].detail == {
        "rule-version": "1",
        "sync-status": "SUCCESS",
        "ecr-repository-prefix": "quay",
        "repository-name": ALPINE,
        "upstream-registry-url": "quay.io",
        "image-tag": "3.22.6",
        "image-digest": NEW.digest,
    }
    assert told[1].detail["sync-status"] == "FAILED"
    assert [event.detail["image-digest"] for event in lab.told if event.detail_type == "ECR Image Action"] == [
        *(child.digest for child in NEW.children),
        NEW.digest,
    ]


def test_two_first_pulls_at_once_bring_the_image_once(lab: Caches) -> None:
    lab.quay.limit(1)
    start = threading.Barrier(2)
    answers = []

    def pull() -> None:
        start.wait()
        answers.append(lab.pull(ALPINE, "3.22.6"))

    threads = [threading.Thread(target=pull) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [(200, NEW.digest)] * 2


def test_cached_images_are_scanned_on_push_and_expire_by_policy(lab: Caches) -> None:
    repositories.create(lab.registry(), ALPINE, Settings(scan_on_push=True))
    expire = {"rulePriority": 1, "action": {"type": "expire"}}
    old = {"tagStatus": "any", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 5}
    text = json.dumps({"rules": [expire | {"selection": old}]})
    lab.aws("PutLifecyclePolicy", repositoryName=ALPINE, lifecyclePolicyText=text)
    lab.pull(ALPINE, "3.22.6")
    child = {"imageDigest": NEW.children[0].digest}
    found = lab.aws("DescribeImageScanFindings", repositoryName=ALPINE, imageId=child)
    assert found["imageScanStatus"]["status"] in ("IN_PROGRESS", "COMPLETE")
    lab.clock.advance(days=7)
    assert lab.held(ALPINE) == {}
    assert lab.pull(ALPINE, "3.22.6") == (200, NEW.digest)


def test_a_cached_image_is_replicated_as_a_pushed_one_is(lab: Caches) -> None:
    destination = {"region": EUROPE, "registryId": HOME}
    settings.put_replication(lab.registry(), {"rules": [{"destinations": [destination]}]})
    lab.pull(ALPINE, "3.22.6")
    lab.clock.advance(minutes=30)
    copied = images.describe(lab.registry(region=EUROPE), ALPINE)
    assert {image.digest for image in copied} == {NEW.digest, *(child.digest for child in NEW.children)}


def test_a_task_pulls_through_a_cache_too_and_a_function_does_not(lab: Caches) -> None:
    text = f"{HOME}.dkr.ecr.{REGION}.amazonaws.com/{ALPINE}"
    with pytest.raises(CannotPull) as refusal:
        pulling.pull(lab.world, f"{text}:3.22.6", Caller("", "lambda.amazonaws.com", ""))
    assert (refusal.value.kind, lab.names()) == (Kind.REPOSITORY_MISSING, [])
    learner = named(HOME, LEARNER_ARN, "")
    assert pulling.pull(lab.world, f"{text}:3.22.6", learner).digest == NEW.digest
    with pytest.raises(CannotPull) as refusal:
        pulling.pull(lab.world, f"{text}:9.9", learner)
    assert refusal.value.kind is Kind.TAG_MISSING


def test_a_restart_keeps_rules_and_the_time_of_validation(tmp_path: Path, lab: Caches) -> None:
    lab.quay.move_tag("library/alpine", "latest", to="3.21.8")
    lab.pull(ALPINE, "latest")
    lab.close()
    again = Caches(tmp_path / "state")
    again.clock.travel_to(lab.clock.now())
    again.quay.move_tag("library/alpine", "latest", to="3.22.6")
    assert again.pull(ALPINE, "latest") == (200, OLD.digest)
    again.clock.advance(days=1)
    assert again.pull(ALPINE, "latest") == (200, NEW.digest)
    again.close()
