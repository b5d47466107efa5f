"""Lifecycle policies by the API: kept, given back, deleted, refused with AWS's words, and previewed."""

import json
from datetime import UTC, datetime

import pytest

from ecrlab.registry.world import World
from tests.simulator.client import Repository, refusal

NEVER = datetime(1970, 1, 1, tzinfo=UTC)

MISSING = (
    "LifecyclePolicyNotFoundException",
    "Lifecycle policy does not exist for the repository with name 'app' in the registry with id '123456789012'",
)
NO_REPOSITORY = (
    "RepositoryNotFoundException",
    "The repository with name 'nowhere' does not exist in the registry with id '123456789012'",
)


def rule(priority, tag_status="any", count_type="imageCountMoreThan", number=1, action=None, **selection):
    chosen = {"tagStatus": tag_status, "countType": count_type, "countNumber": number} | selection
    if count_type.startswith("since"):
        chosen["countUnit"] = "days"
    return {"rulePriority": priority, "selection": chosen, "action": action or {"type": "expire"}}


def policy(*rules):
    return json.dumps({"rules": list(rules)}, indent=4)


ANY_1 = policy(rule(1))


@pytest.mark.operation("ecr:PutLifecyclePolicy")
def test_a_policy_comes_back_minified_with_its_rules_by_priority(app: Repository) -> None:
    text = policy(rule(7), rule(2, "untagged", "sinceImagePushed", 14, storageClass="standard"))

    answer = app.put_lifecycle_policy(lifecyclePolicyText=text)

    kept = answer["lifecyclePolicyText"]
    assert kept == (
        '{"rules":[{"rulePriority":2,"selection":{"tagStatus":"untagged","countType":"sinceImagePushed",'
        '"countNumber":14,"storageClass":"standard","countUnit":"days"},"action":{"type":"expire"}},'
        '{"rulePriority":7,"selection":{"tagStatus":"any","countType":"imageCountMoreThan","countNumber":1},'
        '"action":{"type":"expire"}}]}'
    )
    assert (answer["registryId"], answer["repositoryName"]) == ("123456789012", "app")
    assert app.get_lifecycle_policy()["lifecyclePolicyText"] == kept


@pytest.mark.operation("ecr:GetLifecyclePolicy")
def test_a_policy_that_never_ran_was_evaluated_in_1970(app: Repository) -> None:
    assert refusal(app.get_lifecycle_policy) == MISSING
    app.put_lifecycle_policy(lifecyclePolicyText=ANY_1)

    assert app.get_lifecycle_policy()["lastEvaluatedAt"] == NEVER


@pytest.mark.operation("ecr:DeleteLifecyclePolicy")
def test_the_answer_to_a_deletion_shows_what_was_deleted(app: Repository) -> None:
    kept = app.put_lifecycle_policy(lifecyclePolicyText=ANY_1)["lifecyclePolicyText"]

    answer = app.delete_lifecycle_policy()

    assert (answer["lifecyclePolicyText"], answer["lastEvaluatedAt"]) == (kept, NEVER)
    for call in (app.get_lifecycle_policy, app.delete_lifecycle_policy, app.start_lifecycle_policy_preview):
        assert refusal(call) == MISSING


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        (policy(rule(1, "tagged")), "Must specify tagPrefixList or tagPatternList when tagStatus=TAGGED."),
        (
            policy(rule(1), rule(2, "untagged")),
            "Rule for tagStatus=ANY must have the lowest priority per storage class",
        ),
        (
            policy(rule(1, "untagged"), rule(2, "untagged")),
            "Only one rule can select Untagged images per storage class.",
        ),
        (policy(rule(1, countUnit="days")), "instance failed to match exactly one schema (matched 0 out of 4)\n"),
        (
            policy(rule(1, number=0)),
            "numeric instance is lower than the required minimum (minimum: 1, found: 0)\n",
        ),
    ],
)
def test_a_bad_policy_is_refused_with_aws_s_text_and_changes_nothing(app: Repository, text: str, detail: str) -> None:
    kept = app.put_lifecycle_policy(lifecyclePolicyText=ANY_1)["lifecyclePolicyText"]

    for call in (app.put_lifecycle_policy, app.start_lifecycle_policy_preview):
        assert refusal(call, lifecyclePolicyText=text) == (
            "InvalidParameterException",
            "Invalid parameter at 'LifecyclePolicyText' failed to satisfy constraint: "
            f"'Lifecycle policy validation failure: {detail}'",
        )

    assert app.get_lifecycle_policy()["lifecyclePolicyText"] == kept
    assert refusal(app.get_lifecycle_policy_preview)[0] == "LifecyclePolicyPreviewNotFoundException"


def test_the_length_of_a_text_is_bounded(app: Repository) -> None:
    for text in ("{}", " " * 30_721):
        assert refusal(app.put_lifecycle_policy, lifecyclePolicyText=text)[0] == "InvalidParameterException"


def test_what_is_not_json_could_not_be_mapped(app: Repository) -> None:
    _, message = refusal(app.put_lifecycle_policy, lifecyclePolicyText="no JSON" * 20)

    assert message == (
        "Invalid parameter at 'LifecyclePolicyText' failed to satisfy constraint: "
        "'Lifecycle policy parsing failure: Could not map policyString into LifecyclePolicy.'"
    )


def test_a_repository_that_is_not_there_has_no_policy(ecr) -> None:
    text = {"lifecyclePolicyText": ANY_1}
    for call, more in (
        (ecr.put_lifecycle_policy, text),
        (ecr.get_lifecycle_policy, {}),
        (ecr.delete_lifecycle_policy, {}),
        (ecr.start_lifecycle_policy_preview, text),
        (ecr.get_lifecycle_policy_preview, {}),
    ):
        assert refusal(call, repositoryName="nowhere", **more) == NO_REPOSITORY


def test_a_policy_goes_with_its_repository(ecr, app: Repository) -> None:
    app.put_lifecycle_policy(lifecyclePolicyText=ANY_1)
    app.start_lifecycle_policy_preview()
    ecr.delete_repository(repositoryName="app")
    ecr.create_repository(repositoryName="app")

    assert refusal(app.get_lifecycle_policy) == MISSING
    assert refusal(app.get_lifecycle_policy_preview)[0] == "LifecyclePolicyPreviewNotFoundException"


# Previews


@pytest.mark.operation("ecr:StartLifecyclePolicyPreview")
def test_a_preview_is_in_progress_when_it_starts_and_shows_its_policy(app: Repository) -> None:
    answer = app.start_lifecycle_policy_preview(lifecyclePolicyText=ANY_1)

    assert answer["status"] == "IN_PROGRESS"
    assert json.loads(answer["lifecyclePolicyText"]) == json.loads(ANY_1)
    assert refusal(app.get_lifecycle_policy) == MISSING


@pytest.mark.operation("ecr:GetLifecyclePolicyPreview")
def test_a_preview_lists_what_would_go_and_counts_it(app: Repository) -> None:
    old, older = app.push(b"1", tag="v1"), app.push(b"2", tag="v2")
    pushed = {one["imageDigest"]: one["imagePushedAt"] for one in app.describe_images()["imageDetails"]}
    app.push(b"3", tag="v3")
    app.start_lifecycle_policy_preview(lifecyclePolicyText=ANY_1)

    answer = app.get_lifecycle_policy_preview()

    assert answer["status"] == "COMPLETE"
    assert answer["summary"] == {"expiringImageTotalCount": 2}
    assert answer["previewResults"] == [
        {
            "imageTags": [tag],
            "imageDigest": digest,
            "imagePushedAt": pushed[digest],
            "action": {"type": "EXPIRE"},
            "appliedRulePriority": 1,
            "storageClass": "STANDARD",
        }
        for tag, digest in (("v1", old), ("v2", older))
    ]
    assert len(app.images()) == 3


def test_a_preview_without_a_text_takes_the_repository_s_policy(app: Repository) -> None:
    app.push(b"1", tag="v1")
    app.push(b"2", tag="v2")
    app.put_lifecycle_policy(lifecyclePolicyText=ANY_1)
    app.start_lifecycle_policy_preview()

    assert app.get_lifecycle_policy_preview()["summary"]["expiringImageTotalCount"] == 1


def test_the_waiter_of_the_sdk_does_not_sleep(ecr, app: Repository, monkeypatch) -> None:
    def sleep(seconds):
        raise AssertionError(f"slept {seconds} seconds")

    monkeypatch.setattr("botocore.waiter.time.sleep", sleep)
    app.start_lifecycle_policy_preview(lifecyclePolicyText=ANY_1)

    ecr.get_waiter("lifecycle_policy_preview_complete").wait(repositoryName="app")


def test_a_second_preview_waits_for_the_first(ecr, app: Repository) -> None:
    app.start_lifecycle_policy_preview(lifecyclePolicyText=ANY_1)

    assert refusal(app.start_lifecycle_policy_preview, lifecyclePolicyText=ANY_1) == (
        "LifecyclePolicyPreviewInProgressException",
        "The previous lifecycle policy preview request has not completed. Wait and try again.",
    )
    app.get_lifecycle_policy_preview()
    app.start_lifecycle_policy_preview(lifecyclePolicyText=ANY_1)
    for _ in range(5):
        # Each takes a second, until nobody can think that the preview still runs.
        app.put_lifecycle_policy(lifecyclePolicyText=ANY_1)
    app.start_lifecycle_policy_preview(lifecyclePolicyText=ANY_1)


def test_a_preview_is_of_the_moment_at_which_it_was_started(app: Repository) -> None:
    first = app.push(b"1", tag="v1")
    app.push(b"2", tag="v2")
    app.start_lifecycle_policy_preview(lifecyclePolicyText=ANY_1)
    app.push(b"3", tag="v3")
    app.batch_delete_image(imageIds=[{"imageDigest": first}])

    assert [one["imageDigest"] for one in app.get_lifecycle_policy_preview()["previewResults"]] == [first]


def test_results_come_in_pages(ecr, app: Repository) -> None:
    digests = [app.push(str(n).encode(), tag=f"v{n}") for n in range(8)]
    app.start_lifecycle_policy_preview(lifecyclePolicyText=ANY_1)

    pages = list(ecr.get_paginator("get_lifecycle_policy_preview").paginate(repositoryName="app", maxResults=3))

    assert [len(page["previewResults"]) for page in pages] == [3, 3, 1]
    assert [one["imageDigest"] for page in pages for one in page["previewResults"]] == digests[:7]
    assert {page["summary"]["expiringImageTotalCount"] for page in pages} == {7}
    token = app.get_lifecycle_policy_preview(maxResults=3)["nextToken"]
    assert refusal(app.get_lifecycle_policy_preview, nextToken=token, filter={"tagStatus": "TAGGED"})[0] == (
        "InvalidParameterException"
    )
    for most in (0, 101):
        assert refusal(app.get_lifecycle_policy_preview, maxResults=most)[0] == "InvalidParameterException"


def test_results_can_be_asked_for_by_image_and_by_tag_status(app: Repository) -> None:
    bare, one, two = app.push(b"0"), app.push(b"1", tag="v1"), app.push(b"2", tag="v2")
    kept = app.push(b"3", tag="v3")
    app.start_lifecycle_policy_preview(lifecyclePolicyText=ANY_1)

    def found(**asked):
        return [result["imageDigest"] for result in app.get_lifecycle_policy_preview(**asked)["previewResults"]]

    assert found(filter={"tagStatus": "TAGGED"}) == [one, two]
    assert found(filter={"tagStatus": "UNTAGGED"}) == [bare]
    assert found(filter={"tagStatus": "ANY"}) == [bare, one, two]
    assert found(imageIds=[{"imageTag": "v2"}, {"imageDigest": bare}, {"imageDigest": kept}]) == [bare, two]
    assert found(imageIds=[{"imageDigest": one, "imageTag": "v2"}]) == []
    assert refusal(app.get_lifecycle_policy_preview, imageIds=[{"imageTag": "v1"}], maxResults=5)[0] == (
        "InvalidParameterException"
    )


def test_a_transition_is_previewed_and_counted_for_itself(app: Repository) -> None:
    app.push(b"1", tag="v1")
    app.push(b"2", tag="v2")
    to_archive = rule(1, action={"type": "transition", "targetStorageClass": "archive"})
    app.start_lifecycle_policy_preview(lifecyclePolicyText=policy(to_archive))

    answer = app.get_lifecycle_policy_preview()

    assert answer["previewResults"][0]["action"] == {"type": "TRANSITION", "targetStorageClass": "ARCHIVE"}
    assert answer["summary"] == {
        "expiringImageTotalCount": 0,
        "transitioningImageTotalCounts": [{"targetStorageClass": "ARCHIVE", "imageTotalCount": 1}],
    }


PAGED = (
    "list_images",
    "describe_images",
    "list_image_referrers",
    "get_lifecycle_policy_preview",
    "describe_image_scan_findings",
    "describe_repositories",
)


@pytest.mark.parametrize("operation", PAGED)
def test_a_page_that_is_refused_changes_nothing(app: Repository, world: World, operation: str) -> None:
    digest = app.push(b"layer", tag="v1")
    app.start_image_scan(imageId={"imageTag": "v1"})
    app.start_lifecycle_policy_preview(lifecyclePolicyText=ANY_1)
    needed = {
        "list_image_referrers": {"subjectId": {"imageDigest": digest}},
        "describe_image_scan_findings": {"imageId": {"imageTag": "v1"}},
    }.get(operation, {})
    call = app.ecr.describe_repositories if operation == "describe_repositories" else getattr(app, operation)

    def rows() -> list[str]:
        with world.store.read() as db:
            return [line for line in db.iterdump() if line.startswith("INSERT")]

    before = rows()
    assert refusal(call, nextToken="nobody's", **needed)[0] == "InvalidParameterException"
    assert rows() == before


def test_a_preview_is_running_until_somebody_sees_its_outcome(app: Repository) -> None:
    app.start_lifecycle_policy_preview(lifecyclePolicyText=ANY_1)
    assert refusal(app.get_lifecycle_policy_preview, nextToken="nobody's")[0] == "InvalidParameterException"
    again = refusal(app.start_lifecycle_policy_preview, lifecyclePolicyText=ANY_1)
    assert again[0] == "LifecyclePolicyPreviewInProgressException"

    app.get_lifecycle_policy_preview()

    app.start_lifecycle_policy_preview(lifecyclePolicyText=ANY_1)
