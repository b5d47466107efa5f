"""Backfills: the images that are older than the rules, copied to one destination."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ecrlab.registry import replication_backfill
from tests.simulator.client import refusal
from tests.simulator.replicated import ABROAD, ASIA, EUROPE, HOME, Registries, rule, to

NOBODY = "00000000-0000-0000-0000-000000000000"


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Registries]:
    lab = Registries(tmp_path / "state")
    yield lab
    lab.close()


def start(lab: Registries, region: str = EUROPE, account: str = HOME) -> str:
    answer = lab.ecr.start_replication_backfill(destination=to(region, account))
    assert (answer["registryId"], answer["destination"], answer["status"]) == (HOME, to(region, account), "PREPARING")
    backfill_id: str = answer["replicationBackfillId"]
    return backfill_id


def ask(lab: Registries, backfill_id: str, **more: Any) -> Any:
    return lab.ecr.describe_replication_backfill_results(replicationBackfillId=backfill_id, **more)


@pytest.mark.operation("ecr:StartReplicationBackfill")
@pytest.mark.operation("ecr:DescribeReplicationBackfillResults")
def test_a_backfill_copies_what_is_older_than_the_rule(lab: Registries) -> None:
    app = lab.repository("prod/app")
    one = app.push(b"one", tag="v1")
    app.put(lab.manifest_of(app, one), "v2")
    two = app.push(b"two")
    lab.repository("dev/app").push(b"other", tag="v1")
    lab.replicate(rule(to(EUROPE), to(ASIA), prefixes=["prod"]))

    backfill_id = start(lab)
    first, second, third = (ask(lab, backfill_id) for _ in range(3))
    assert (first["status"], "progress" in first, "results" in first) == ("PREPARING", False, False)
    assert (second["status"], second["progress"], "results" in second) == ("IN_PROGRESS", progress(3, 0), False)
    assert (third["status"], third["progress"]) == ("COMPLETE", progress(3, 3))
    assert third["endedAt"] >= third["startedAt"]
    assert [(one["imageId"], one["status"]) for one in third["results"]] == [
        ({"imageDigest": one, "imageTag": "v1"}, "COMPLETE"),
        ({"imageDigest": one, "imageTag": "v2"}, "COMPLETE"),
        ({"imageDigest": two}, "COMPLETE"),
    ]
    assert lab.held("prod/app", EUROPE) == {one: {"v1", "v2"}, two: set()}
    assert lab.held("prod/app", ASIA) is lab.held("dev/app", EUROPE) is None


def test_a_backfill_ends_when_the_clock_moves(lab: Registries) -> None:
    digest = lab.repository("app").push(b"layer", tag="v1")
    lab.replicate(rule(to(EUROPE)))
    backfill_id = start(lab)
    lab.pass_time()
    assert ask(lab, backfill_id)["status"] == "COMPLETE"
    assert lab.held("app", EUROPE) == {digest: {"v1"}}


@pytest.mark.operation("ecr:ListReplicationBackfills")
def test_backfills_are_listed_in_pages_for_90_days_after_their_end(lab: Registries) -> None:
    lab.repository("app").push(b"layer", tag="v1")
    lab.replicate(rule(to(EUROPE), to(ASIA)))
    ids = [start(lab, EUROPE), start(lab, ASIA)]
    lab.pass_time()
    ids.append(start(lab, EUROPE))
    lab.pass_time()
    pages = list(lab.ecr.get_paginator("list_replication_backfills").paginate(maxResults=2))
    assert [[one["replicationBackfillId"] for one in page["backfills"]] for page in pages] == [ids[:0:-1], ids[:1]]
    lab.clock.advance(days=89)
    assert len(lab.ecr.list_replication_backfills()["backfills"]) == 3
    lab.clock.advance(days=2)
    assert lab.ecr.list_replication_backfills()["backfills"] == []
    assert refusal(lambda: ask(lab, ids[0]))[0] == "ReplicationBackfillNotFoundException"


def test_results_come_in_pages_and_by_status(lab: Registries) -> None:
    app = lab.repository("app")
    digests = [app.push(b"%d" % number) for number in range(5)]
    lab.replicate(rule(to(EUROPE)))
    backfill_id = start(lab)
    lab.pass_time()
    paginator = lab.ecr.get_paginator("describe_replication_backfill_results")
    pages = list(paginator.paginate(replicationBackfillId=backfill_id, maxResults=2))
    assert [len(page["results"]) for page in pages] == [2, 2, 1]
    assert [one["imageId"]["imageDigest"] for page in pages for one in page["results"]] == digests
    assert ask(lab, backfill_id, resultStatusFilter="FAILED")["results"] == []
    foreign = pages[0]["nextToken"]
    code, _ = refusal(lambda: ask(lab, backfill_id, resultStatusFilter="FAILED", nextToken=foreign))
    assert code == "InvalidParameterException"


def test_few_failures_are_counted(lab: Registries) -> None:
    app = lab.repository("app")
    app.push_index(app.push(b"layer"), tag="v1")
    lab.replicate(rule(to(EUROPE, ABROAD)))
    backfill_id = start(lab, EUROPE, ABROAD)
    lab.pass_time()
    answer = ask(lab, backfill_id, resultStatusFilter="FAILED")
    assert (answer["status"], answer["progress"]["failedReplicationCount"]) == ("COMPLETE", 2)
    assert answer["progress"]["failureCodes"] == ["AccessDeniedException"]
    assert [one.get("subImageFailureCodes") for one in answer["results"]] == [None, ["AccessDeniedException"]]
    assert {one["failureCode"] for one in answer["results"]} == {"AccessDeniedException"}


@pytest.mark.parametrize(("denied", "status", "done"), [(50, "FAILED", 100), (49, "COMPLETE", 120)])
def test_half_of_100_that_fail_end_a_backfill(lab: Registries, denied: int, status: str, done: int) -> None:
    for name, count in (("bad", denied), ("good", 120 - denied)):
        repository = lab.repository(name)
        digest = repository.push(b"layer", tag="t0")
        body = lab.manifest_of(repository, digest)
        for number in range(1, count):
            repository.put(body, f"t{number}")
    lab.replicate(rule(to(EUROPE, ABROAD)))
    allow = {"Effect": "Allow", "Principal": "*", "Action": "ecr:*", "Resource": "arn:aws:ecr:*:*:repository/good"}
    lab.put_policy(json.dumps({"Version": "2012-10-17", "Statement": [allow]}))
    backfill_id = start(lab, EUROPE, ABROAD)
    lab.pass_time()
    answer = ask(lab, backfill_id)
    assert answer["status"] == status
    assert ("failureCode" in answer) == (status == "FAILED")
    assert answer["progress"] == progress(120, done - denied, denied, "AccessDeniedException")
    assert len(ask(lab, backfill_id, maxResults=1000)["results"]) == done


@pytest.mark.operation("ecr:StopReplicationBackfill")
def test_a_backfill_is_stopped_before_and_while_it_copies(lab: Registries) -> None:
    app = lab.repository("app")
    digest = app.push(b"layer", tag="t0")
    for number in range(1, 150):
        app.put(lab.manifest_of(app, digest), f"t{number}")
    lab.replicate(rule(to(EUROPE)))

    early = start(lab)
    answer = lab.ecr.stop_replication_backfill(replicationBackfillId=early)
    assert (answer["replicationBackfillId"], answer["status"]) == (early, "STOPPED")
    lab.pass_time()
    assert "progress" not in ask(lab, early)
    assert lab.held("app", EUROPE) is None

    late = start(lab)
    for _ in range(2):
        ask(lab, late)
    # As if a copy were being made.
    backfill = replication_backfill.stop(lab.world.registry(HOME, "us-east-1"), late, is_idle=False)
    assert backfill.status == "STOPPING"
    code, _ = refusal(lab.ecr.stop_replication_backfill, replicationBackfillId=late)
    assert code == "ReplicationBackfillInvalidStatusException"
    lab.pass_time()
    stopped = ask(lab, late)
    assert (stopped["status"], stopped["progress"]) == ("STOPPED", progress(150, 100))
    copied = lab.held("app", EUROPE)
    assert copied is not None
    assert len(copied[digest]) == 100


def test_what_is_refused(lab: Registries) -> None:
    lab.replicate(rule(to(EUROPE), to(EUROPE, ABROAD)))
    begin = lab.ecr.start_replication_backfill
    assert refusal(begin, destination=to(ASIA))[0] == "InvalidParameterException"
    assert refusal(begin, destination=to(EUROPE, "me"))[0] == "InvalidParameterException"
    assert lab.ecr.list_replication_backfills()["backfills"] == []
    start(lab)
    # One at a time for each Region, whatever the account.
    assert refusal(begin, destination=to(EUROPE, ABROAD))[0] == "ReplicationBackfillInProgressException"
    assert refusal(lambda: ask(lab, NOBODY))[0] == "ReplicationBackfillNotFoundException"
    code, _ = refusal(lab.ecr.stop_replication_backfill, replicationBackfillId=NOBODY)
    assert code == "ReplicationBackfillNotFoundException"
    lab.pass_time()
    done = lab.ecr.list_replication_backfills()["backfills"][0]["replicationBackfillId"]
    code, _ = refusal(lab.ecr.stop_replication_backfill, replicationBackfillId=done)
    assert code == "ReplicationBackfillInvalidStatusException"


def test_ten_backfills_run_at_a_time(lab: Registries) -> None:
    regions = [f"{place}-{number}" for place in ("eu-west", "ap-south", "us-west") for number in (1, 2)]
    regions += [f"ap-southeast-{number}" for number in range(1, 6)]
    lab.replicate(rule(*map(to, regions)))
    for region in regions[:10]:
        start(lab, region)
    assert refusal(lab.ecr.start_replication_backfill, destination=to(regions[10]))[0] == "LimitExceededException"


def progress(total: int, completed: int, failed: int = 0, *codes: str) -> dict[str, Any]:
    return {
        "totalReplicationCount": total,
        "completedReplicationCount": completed,
        "failedReplicationCount": failed,
        "failureCodes": list(codes),
    }
