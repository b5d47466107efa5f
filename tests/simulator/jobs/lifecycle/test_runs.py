"""Lifecycle policies at night: the images that expire, their referrers, and the images that stay."""

from datetime import UTC, datetime

import pytest

from ecrlab.registry import tag_history
from tests.lifecycle.builders import rule
from tests.simulator.client import OCI_MANIFEST, Repository, digest_of
from tests.simulator.jobs.lifecycle.days import MIDNIGHT, pushed_on_days, put, status_of_all
from tests.simulator.jobs.lifecycle.events import service_events

# The worked examples of the AWS user guide, examples of lifecycle policies, from push to night

MULTIPLE_RULES = {"A": ("beta-1 prod-1", 10), "B": ("beta-2 prod-2", 9), "C": ("beta-3", 8)}
ONE_RULE = {"A": ("alpha-1", 12), "B": ("beta-1", 11), "C": ("alpha-2 beta-2", 10)}
ONE_RULE |= {"D": ("alpha-3", 4), "E": ("beta-3", 3), "F": ("alpha-4 beta-4", 2)}
GAMMA = {"A": ("alpha-1 beta-1 gamma-1", 10), "B": ("alpha-2 beta-2", 9), "C": ("alpha-3 beta-3 gamma-2", 8)}
ALL_A = {"A": ("alpha", 4), "B": ("beta", 3), "C": ("", 2), "D": ("gamma", 1)}
ALL_B = {"A": ("alpha-1 beta-1", 4), "B": ("", 3), "C": ("alpha-2", 2), "D": ("git-hash", 1), "E": ("", 1)}


@pytest.mark.parametrize(
    ("images", "rules", "expected"),
    [
        (MULTIPLE_RULES, [rule(1, ["prod*"], keep=1), rule(2, ["beta*"], keep=1)], {"A": 1}),
        (MULTIPLE_RULES, [rule(1, ["beta*"], keep=1), rule(2, ["prod*"], keep=1)], {"A": 1, "B": 1}),
        (ONE_RULE, [rule(1, ["alpha*", "beta*"], pushed=5)], {"C": 1}),
        (GAMMA, [rule(1, ["alpha*", "beta*"], keep=1)], {"A": 1, "B": 1}),
        (ALL_A, [rule(1, keep=1)], {"A": 1, "B": 1, "C": 1}),
        (
            ALL_B,
            [rule(1, ["alpha*"], keep=1), rule(2, status="untagged", pushed=1), rule(3, keep=1)],
            {"A": 1, "B": 2, "D": 3},
        ),
    ],
)
def test_the_worked_examples_are_previewed_and_happen_at_midnight(app, clock, registry, images, rules, expected):
    digests = pushed_on_days(app, clock, images)
    put(app, *rules)

    app.start_lifecycle_policy_preview()
    previewed = {
        one["imageDigest"]: one["appliedRulePriority"] for one in app.get_lifecycle_policy_preview()["previewResults"]
    }
    clock.travel_to(MIDNIGHT)

    gone = {digests[name]: priority for name, priority in expected.items()}
    assert previewed == gone
    assert app.images().keys() == set(digests.values()) - gone.keys()
    assert app.get_lifecycle_policy()["lastEvaluatedAt"] == MIDNIGHT
    done = {
        one["lifecycleEventImage"]["digest"]: one["rulePriority"]
        for one in service_events(registry)[-1]["serviceEventDetails"]["lifecycleEventImageActions"]
    }
    assert done == gone


# What a run does besides deleting


def test_layers_go_with_the_images_and_shared_ones_stay(app, clock, world):
    app.push(b"base", b"old", tag="v1")
    app.push(b"base", b"new", tag="v2")
    put(app, rule(1, keep=1))

    clock.advance(days=1)

    assert [digest_of(body) in world.blobs for body in (b"base", b"old", b"new")] == [True, False, True]


def test_the_history_and_eventbridge_name_ecr_itself(app, clock, world, registry):
    old = app.push(b"old", tag="v1")
    app.push(b"new", tag="v2")
    put(app, rule(1, keep=1))
    told = []
    world.events.add(told.append)

    clock.travel_to(datetime(2026, 10, 2, tzinfo=UTC))

    last = tag_history.of(registry, "app")[-1]
    assert (last.what, last.tag, last.before, last.by) == ("deleted", "v1", old, "ecr.amazonaws.com")
    [event] = told
    assert event.at == last.at == clock.now().timestamp()
    assert event.detail == {
        "result": "SUCCESS",
        "repository-name": "app",
        "image-digest": old,
        "action-type": "DELETE",
        "image-tag": "v1",
    }


def test_a_child_is_refused_while_its_index_is_there_and_goes_the_night_after(app, clock, registry):
    child = app.push(b"amd64")
    index = app.push_index(child, tag="v1")
    put(app, rule(1, ["v*"], pushed=3), rule(2, status="untagged", pushed=1))

    clock.travel_to(datetime(2026, 10, 3, tzinfo=UTC))
    [document] = service_events(registry, "app")
    details = document["serviceEventDetails"]
    assert app.images().keys() == {child, index}
    assert details["lifecycleEventImageActions"] == []
    assert details["lifecycleEventFailureDetails"] == [
        {
            "lifecycleEventImage": {
                "digest": child,
                "tagStatus": "Untagged",
                "tagList": [],
                "pushedAt": 1790845202000,
            },
            "rulePriority": 2,
            "failureCode": "ImageReferencedByManifestList",
            "failureReason": f"Requested image referenced by manifest list: [{index}]",
        }
    ]
    clock.travel_to(datetime(2026, 10, 5, tzinfo=UTC))
    assert app.images().keys() == {child}
    clock.travel_to(datetime(2026, 10, 6, tzinfo=UTC))
    assert app.images() == {}


def test_a_referrer_goes_in_the_run_that_takes_its_subject(app, clock):
    old = app.push(b"old", tag="v1")
    app.push(b"note", subject={"mediaType": OCI_MANIFEST, "digest": old, "size": 1})
    new = app.push(b"new", tag="v2")
    put(app, rule(1, ["v*"], keep=1))

    clock.advance(days=1)

    assert app.images().keys() == {new}


def test_images_are_archived_and_later_expired_from_the_archive(app, clock):
    digest = app.push(b"old", tag="v1")
    put(app, rule(1, pushed=30, archive=True), rule(2, archived=90))

    clock.travel_to(datetime(2026, 11, 1, tzinfo=UTC))
    assert status_of_all(app) == {digest: "ARCHIVED"}
    [detail] = app.describe_images(imageIds=[{"imageDigest": digest}])["imageDetails"]
    assert detail["lastArchivedAt"] == datetime(2026, 11, 1, tzinfo=UTC)

    clock.travel_to(datetime(2027, 1, 30, tzinfo=UTC))
    assert status_of_all(app) == {digest: "ARCHIVED"}, "ninety days exactly are not more than ninety"
    clock.advance(days=1)
    assert status_of_all(app) == {}


def test_a_restored_image_counts_as_pushed_anew(app, clock):
    digest = app.push(b"old", tag="v1")
    put(app, rule(1, pushed=30, archive=True))
    clock.advance(days=40)
    app.update_image_storage_class(imageId={"imageTag": "v1"}, targetStorageClass="STANDARD")

    clock.advance(days=29)
    assert status_of_all(app) == {digest: "ACTIVE"}
    clock.advance(days=3)
    assert status_of_all(app) == {digest: "ARCHIVED"}


def test_every_account_region_and_repository_has_its_own_policy(lab, clock):
    _, ecr = lab
    shelves = []
    for name in ("one", "two", "none"):
        ecr.create_repository(repositoryName=name)
        shelves.append(Repository(ecr, name))
        for n in range(3):
            shelves[-1].push(b"%d" % n, tag=f"v{n}")
    put(shelves[0], rule(1, keep=1))
    put(shelves[1], rule(1, keep=2))

    clock.advance(days=1)

    assert [len(shelf.images()) for shelf in shelves] == [1, 2, 3]
