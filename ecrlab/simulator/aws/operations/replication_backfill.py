"""Start-, Stop- and ListReplicationBackfill(s), and DescribeReplicationBackfillResults."""

from typing import Any

from ecrlab.registry import replication_backfill
from ecrlab.registry.replication_backfill import Backfill, Result
from ecrlab.simulator.aws import pages
from ecrlab.simulator.aws.calls import Call, operation
from ecrlab.simulator.jobs.replication import Replication


@operation("StartReplicationBackfill")
def start_replication_backfill(call: Call) -> dict[str, Any]:
    """Begin to copy the images that are older than the rules to one destination."""
    there = call.request["destination"]
    destination = call.world.registry(there["registryId"], there["region"])
    backfill = replication_backfill.start(call.registry, destination)
    return {"registryId": call.registry.account_id, **_summary(backfill)}


@operation("StopReplicationBackfill")
def stop_replication_backfill(call: Call) -> dict[str, Any]:
    """Stop a backfill; what was copied stays."""
    is_idle = call.world.copying.acquire(blocking=False)
    try:
        backfill = replication_backfill.stop(call.registry, call.request["replicationBackfillId"], is_idle=is_idle)
    finally:
        if is_idle:
            call.world.copying.release()
    return {"registryId": call.registry.account_id, **_summary(backfill)}


@operation("DescribeReplicationBackfillResults")
def describe_replication_backfill_results(call: Call) -> dict[str, Any]:
    """Return a backfill, and its results in pages when it is over; one that runs takes its next step afterwards."""
    backfill = replication_backfill.find(call.registry, call.request["replicationBackfillId"])
    status, most = call.request.get("resultStatusFilter"), call.request.get("maxResults", 100)
    scope = f"{call.operation} {backfill.number} {status}"
    after = pages.position(call.world, scope, call.request.get("nextToken")) or 0
    answer = {"registryId": call.registry.account_id, **_summary(backfill), **_ended(backfill)}
    if not backfill.is_over:
        Replication(call.world).advance(backfill)
        return answer
    found = replication_backfill.results(backfill, status=status, after=after, most=most + 1)
    answer["results"] = [_result(one) for one in found[:most]]
    if len(found) > most:
        answer["nextToken"] = pages.token(call.world, scope, found[most - 1].place)
    return answer


@operation("ListReplicationBackfills")
def list_replication_backfills(call: Call) -> dict[str, Any]:
    """Return the backfills of the registry, newest first; those that run take their next step afterwards."""
    most = call.request.get("maxResults", 25)
    scope = f"{call.operation} {call.registry.account_id} {call.registry.region}"
    before = pages.position(call.world, scope, call.request.get("nextToken"))
    found = replication_backfill.listed(call.registry, before=before, most=most + 1)
    answer: dict[str, Any] = {
        "registryId": call.registry.account_id,
        "backfills": [{**_summary(one), **_ended(one)} for one in found[:most]],
    }
    if len(found) > most:
        answer["nextToken"] = pages.token(call.world, scope, found[most - 1].number)
    for one in found[:most]:
        if not one.is_over:
            Replication(call.world).advance(one)
    return answer


def _summary(backfill: Backfill) -> dict[str, Any]:
    there = backfill.destination
    return {
        "replicationBackfillId": backfill.id,
        "destination": {"region": there.region, "registryId": there.account_id},
        "status": backfill.status,
        "startedAt": backfill.started_at,
    }


def _ended(backfill: Backfill) -> dict[str, Any]:
    answer: dict[str, Any] = {}
    if backfill.failure is not None:
        answer["failureCode"] = backfill.failure
    if backfill.progress is not None:
        answer["progress"] = {
            "totalReplicationCount": backfill.progress.total,
            "completedReplicationCount": backfill.progress.completed,
            "failedReplicationCount": backfill.progress.failed,
            "failureCodes": list(backfill.progress.failure_codes),
        }
    if backfill.ended_at is not None:
        answer["endedAt"] = backfill.ended_at
    return answer


def _result(result: Result) -> dict[str, Any]:
    image_id = {"imageDigest": result.digest} | ({} if result.tag is None else {"imageTag": result.tag})
    answer: dict[str, Any] = {
        "repositoryName": result.repository_name,
        "imageId": image_id,
        "status": result.status,
    }
    if result.failure is not None:
        answer["failureCode"] = result.failure
        if result.is_index:
            # An index and its images are copied together, and so fail together.
            answer["subImageFailureCodes"] = [result.failure]
    return answer
