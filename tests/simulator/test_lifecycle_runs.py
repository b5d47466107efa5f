"""Policies at night: what goes, what stays, what is written down, and that nothing else is disturbed."""

import logging
import time
from datetime import UTC, datetime, timedelta

import boto3
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from moto import mock_aws

from ecrlab import lifecycle
from ecrlab.lifecycle import aws
from ecrlab.registry import history, trail
from ecrlab.registry.manifest import OCI_INDEX
from ecrlab.registry.world import World
from ecrlab.simulator import lifecycle_runs, moto_seams
from ecrlab.simulator.server import Server
from tests.lifecycle.builders import rule, text
from tests.lifecycle.strategies import TAGS, policies
from tests.simulator.client import OCI_MANIFEST, Repository, client_of, digest_of

ACCOUNT, REGION = "123456789012", "us-east-1"
EVE = datetime(2026, 10, 20, 23, 59, 50, tzinfo=UTC)
MIDNIGHT = datetime(2026, 10, 21, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.fixture
def lab(tmp_path):
    world = World(tmp_path / "state", seed="nights", durable=False)
    server = Server(world)
    yield world, client_of(server.endpoint)
    server.stop()
    world.close()


@pytest.fixture
def world(lab):
    return lab[0]


@pytest.fixture
def clock(world):
    return world.clock


@pytest.fixture
def registry(world):
    return world.registry(ACCOUNT, REGION)


@pytest.fixture
def app(lab):
    _, ecr = lab
    ecr.create_repository(repositoryName="app")
    return Repository(ecr, "app")


def put(app, *rules):
    app.put_lifecycle_policy(lifecyclePolicyText=text(*rules))


def pushed_on_days(app, clock, images):
    """Push images so many days before EVE, a moment less; name -> digest."""
    digests = {}
    for name, (tags, days) in images.items():
        clock.travel_to(max(clock.now(), EVE - days * DAY + timedelta(seconds=30)))
        for tag in tags.split() or [None]:
            digests[name] = app.push(name.encode(), tag=tag)
    clock.travel_to(EVE)
    return digests


def status_of_all(app):
    details = app.describe_images(filter={"imageStatus": "ANY"})["imageDetails"]
    return {one["imageDigest"]: one["imageStatus"] for one in details}


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
        for one in trail.of(registry)[-1]["serviceEventDetails"]["lifecycleEventImageActions"]
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
    world.listeners.append(told.append)

    clock.travel_to(datetime(2026, 10, 2, tzinfo=UTC))

    last = history.of(registry, "app")[-1]
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
    [document] = trail.of(registry, "app")
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


# The record


def test_a_run_is_recorded_in_cloudtrail_s_shape(app, clock, registry):
    old = app.push(b"old", tag="v1")
    app.push(b"new", tag="v2")
    app.put_lifecycle_policy(lifecyclePolicyText=text({**rule(3, ["v*"], keep=1), "description": "one release"}))
    clock.travel_to(datetime(2026, 10, 2, tzinfo=UTC))

    [document] = trail.of(registry)

    policy = document["serviceEventDetails"]["lifecycleEventPolicy"]
    assert document.pop("eventID") != policy.pop("policyId")
    assert document == {
        "eventVersion": "1.05",
        "userIdentity": {"accountId": ACCOUNT, "invokedBy": "AWS Internal"},
        "eventTime": "2026-10-02T00:00:00Z",
        "eventSource": "ecr.amazonaws.com",
        "eventName": "PolicyExecutionEvent",
        "awsRegion": REGION,
        "sourceIPAddress": "AWS Internal",
        "userAgent": "AWS Internal",
        "requestParameters": None,
        "responseElements": None,
        "readOnly": True,
        "resources": [
            {
                "ARN": f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/app",
                "accountId": ACCOUNT,
                "type": "AWS::ECR::Repository",
            }
        ],
        "eventType": "AwsServiceEvent",
        "recipientAccountId": ACCOUNT,
        "serviceEventDetails": {
            "repositoryName": "app",
            "lifecycleEventPolicy": {
                "lifecycleEventRules": [
                    {
                        "rulePriority": 3,
                        "description": "one release",
                        "lifecycleEventSelection": {
                            "tagStatus": "Tagged",
                            "tagPrefixList": [],
                            "tagPatternList": ["v*"],
                            "countType": "Image count more than",
                            "countNumber": 1,
                        },
                        "action": "expire",
                    }
                ],
                "lastEvaluatedAt": 0,
                "policyVersion": 1,
            },
            "lifecycleEventImageActions": [
                {
                    "lifecycleEventImage": {
                        "digest": old,
                        "tagStatus": "Tagged",
                        "tagList": ["v1"],
                        "pushedAt": 1790845202000,
                    },
                    "rulePriority": 3,
                }
            ],
            "lifecycleEventFailureDetails": [],
        },
    }


def test_ten_images_make_several_events_and_each_image_is_in_one(app, clock, registry):
    digests = [app.push(b"%d" % n, tag=f"v{n}") for n in range(11)]
    put(app, rule(1, keep=1))
    clock.advance(days=1)

    documents = trail.of(registry, "app")

    told = [one["serviceEventDetails"]["lifecycleEventImageActions"] for one in documents]
    assert len(told) == 2
    assert [one["lifecycleEventImage"]["digest"] for some in told for one in some] == digests[:10]
    assert len({one["eventID"] for one in documents}) == 2


def test_a_preview_is_a_dry_run_event_and_a_run_without_work_none(app, clock, registry):
    app.push(b"old", tag="v1")
    kept = app.push(b"new", tag="v2")
    app.start_lifecycle_policy_preview(lifecyclePolicyText=text(rule(1, keep=1)))
    put(app, rule(1, keep=5))

    clock.advance(days=3)

    [document] = trail.of(registry)
    assert document["eventName"] == "DryRunEvent"
    assert len(document["serviceEventDetails"]["lifecycleEventImageActions"]) == 1
    assert kept in app.images()
    assert app.get_lifecycle_policy()["lastEvaluatedAt"] == datetime(2026, 10, 4, tzinfo=UTC)


def test_a_new_policy_counts_its_versions(app, clock, registry):
    for keep in (9, 1):
        put(app, rule(1, keep=keep))
    app.push(b"old", tag="v1")
    app.push(b"new", tag="v2")
    clock.advance(days=1)

    assert trail.of(registry)[0]["serviceEventDetails"]["lifecycleEventPolicy"]["policyVersion"] == 2


def test_a_refused_child_is_recorded_once_and_again_when_something_changed(app, clock, registry):
    child = app.push(b"amd64")
    app.push_index(child, tag="v1")
    put(app, rule(1, status="untagged", pushed=1))

    for _ in range(5):
        clock.advance(days=1)
    assert len(trail.of(registry)) == 1
    other = app.push(b"arm64")
    app.push_index(other, tag="v2")
    clock.advance(days=3)

    failed = [
        [
            one["lifecycleEventImage"]["digest"]
            for one in document["serviceEventDetails"]["lifecycleEventFailureDetails"]
        ]
        for document in trail.of(registry)
    ]
    assert failed == [[child], [child, other]]


# Nights that pass


def test_the_days_are_lived_through_in_order(app, clock):
    """Each day's image goes two days later, whatever the size of the step."""
    put(app, rule(1, pushed=2))
    for n in range(5):
        app.push(b"%d" % n, tag=f"v{n}")
        clock.advance(days=1)
    left = [tags for [tags] in app.images().values()]
    assert left == ["v3", "v4"] or left == ["v2", "v3", "v4"]

    clock.advance(days=90)

    assert app.images() == {}


def test_a_step_of_ninety_days_does_what_ninety_steps_do(lab, clock):
    _, ecr = lab
    outcomes = []
    for name, steps in (("at-once", [90]), ("daily", [1] * 90)):
        ecr.create_repository(repositoryName=name)
        shelf = Repository(ecr, name)
        child = shelf.push(b"child")
        shelf.push_index(child, tag="v0")
        shelf.push(b"release", tag="release-1")
        put(
            shelf,
            rule(1, ["v*"], pushed=7),
            rule(2, ["release*"], pushed=10, archive=True),
            rule(3, status="untagged", pushed=1),
        )
        begun = clock.now()
        for days in steps:
            clock.advance(days=days)
        documents = trail.of(lab[0].registry(ACCOUNT, REGION), name)
        outcomes.append(
            [
                (
                    (datetime.fromisoformat(one["eventTime"]).date() - begun.date()).days,
                    one["serviceEventDetails"]["lifecycleEventImageActions"] != [],
                )
                for one in documents
            ]
        )
        assert len(status_of_all(shelf)) == 1
        put(shelf, rule(1, ["nothing"], keep=1))
    assert outcomes[0] == outcomes[1] == [(2, False), (8, True), (9, True), (11, True)]


def test_a_decade_passes_quickly(app, clock):
    for n in range(120):
        app.push(b"%d" % n, tag=f"v{n}")
        clock.advance(hours=12)
    put(app, rule(1, pushed=365))
    begun = time.perf_counter()

    clock.advance(days=3650)

    assert time.perf_counter() - begun < 20
    assert app.images() == {}


def test_a_policy_that_breaks_is_logged_and_stops_nobody(lab, clock, monkeypatch, caplog):
    _, ecr = lab
    for name in ("broken", "whole"):
        ecr.create_repository(repositoryName=name)
        shelf = Repository(ecr, name)
        shelf.push(b"1", tag="v1")
        shelf.push(b"2", tag="v2")
        put(shelf, rule(1, keep=1))
    real = lifecycle_runs.shelf

    def shelf_of(db, repository, now):
        if repository.name == "broken":
            raise ValueError("a bug")
        return real(db, repository, now)

    monkeypatch.setattr(lifecycle_runs, "shelf", shelf_of)
    with caplog.at_level(logging.ERROR, "ecrlab.lifecycle"):
        clock.advance(days=1)

    assert len(Repository(ecr, "broken").images()) == 2
    assert len(shelf.images()) == 1
    assert "the lifecycle policy of broken failed" in caplog.text


def test_two_faces_of_a_world_run_each_policy_once(app, clock, world, registry):
    Server(world).stop()
    app.push(b"1", tag="v1")
    app.push(b"2", tag="v2")
    put(app, rule(1, keep=1))

    clock.advance(days=1)

    assert len(trail.of(registry)) == 1


def test_policies_run_under_mock_aws_as_well(monkeypatch):
    from moto import backend_index
    from moto.ecr.models import ecr_backends

    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    before = ecr_backends.backend, list(backend_index.backend_url_patterns)
    moto_seams.install()
    try:
        with mock_aws():
            ecr = boto3.client(
                "ecr", region_name=REGION, aws_access_key_id="AKIATESTTESTTESTTEST", aws_secret_access_key="x"
            )
            ecr.create_repository(repositoryName="app")
            app = Repository(ecr, "app")
            app.push(b"1", tag="v1")
            app.push(b"2", tag="v2")
            put(app, rule(1, keep=1))
            moto_seams._whose().clock.advance(days=1)
            assert len(app.images()) == 1
    finally:
        ecr_backends.clear()
        ecr_backends.backend, backend_index.backend_url_patterns[:] = before


# The run against the rules as a pure function, on repositories that hypothesis makes up

STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("push"), st.integers(0, 5), st.none() | TAGS),
        st.tuples(st.just("index"), st.integers(0, 5), st.none() | TAGS),
        st.tuples(st.just("refer"), st.integers(0, 5), st.none()),
        st.tuples(st.sampled_from(["pull", "archive", "restore", "delete"]), st.integers(0, 5), st.none()),
        st.tuples(st.just("wait"), st.integers(1, 3), st.none()),
    ),
    min_size=3,
    max_size=14,
)


class Life:
    """A repository to which things happen; what cannot happen is passed over."""

    def __init__(self, ecr, name, clock):
        ecr.create_repository(repositoryName=name)
        self.app, self.clock = Repository(ecr, name), clock
        self.digests, self.children, self.count = [], {}, 0

    def do(self, what, number, tag):
        self.count += 1
        if what == "wait":
            self.clock.advance(days=30 * number)
        elif what == "push":
            self.keep(self.app.push(b"%d" % number, tag=tag))
        elif self.digests:
            getattr(self, what)(self.digests[number % len(self.digests)], tag)

    def keep(self, digest):
        if digest not in self.digests:
            self.digests.append(digest)

    def index(self, child, tag):
        if child in status_of_all(self.app):
            digest = self.app.push_index(child, tag=tag)
            self.children[digest] = (child,)
            self.keep(digest)

    def refer(self, subject, _):
        self.keep(self.app.push(b"about %d" % self.count, subject={"mediaType": "x", "digest": subject, "size": 1}))

    def pull(self, digest, _):
        self.app.batch_get_image(imageIds=[{"imageDigest": digest}])

    def archive(self, digest, _):
        self.update(digest, "ARCHIVE")

    def restore(self, digest, _):
        self.update(digest, "STANDARD")

    def update(self, digest, target):
        self.app.update_image_storage_class(imageId={"imageDigest": digest}, targetStorageClass=target)

    def delete(self, digest, _):
        self.app.batch_delete_image(imageIds=[{"imageDigest": digest}])


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS, rules=policies())
def test_a_night_does_to_the_registry_what_evaluate_says_of_the_described_images(lab, steps, rules):
    world, ecr = lab
    name = f"life-{world.new_id()}"
    life = Life(ecr, name, world.clock)
    for step in steps:
        try:
            life.do(*step)
        except ecr.exceptions.ClientError:
            continue
    put(life.app, *rules)
    tomorrow = world.clock.now().replace(hour=0, minute=0, second=0) + DAY
    # What follows subjects by itself is done the night before.
    world.clock.travel_to(tomorrow - timedelta(seconds=30))
    life.app.delete_lifecycle_policy()
    world.clock.advance(days=4)
    put(life.app, *rules)
    midnight = world.clock.now().replace(hour=0, minute=0, second=0) + DAY
    world.clock.travel_to(midnight - timedelta(seconds=10))
    seen = [
        image if image.image_digest not in life.children else with_children(image, life.children[image.image_digest])
        for image in aws.Repository(ecr, name).images()
    ]
    evaluation = lifecycle.evaluate(lifecycle.parse(text(*rules)), seen, midnight)
    before = status_of_all(life.app)

    world.clock.travel_to(midnight)

    expected = before | {verdict.image.image_digest: "ARCHIVED" for verdict in evaluation.transitioning}
    for verdict in evaluation.expiring:
        del expected[verdict.image.image_digest]
    assert status_of_all(life.app) == expected
    life.app.delete_lifecycle_policy()


def with_children(image, children):
    assert image.media_type == OCI_INDEX
    return lifecycle.Image(
        **{name: getattr(image, name) for name in image.__slots__ if name != "children"}, children=children
    )
