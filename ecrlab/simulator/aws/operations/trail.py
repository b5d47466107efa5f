"""LookupEvents of CloudTrail, which moto lacks: calls of ECR and KMS, and ECR's events, of the last 90
days, newest first.

Calls of other services are not recorded (API reference, LookupEvents).
"""

import itertools
import json
from datetime import datetime
from typing import Any

from ecrlab.registry import trail
from ecrlab.simulator.aws import pages
from ecrlab.simulator.aws.calls import Call, operation

PAGE = 50
"""Events on a page without `MaxResults`."""


@operation("LookupEvents", "cloudtrail", partial="only calls of ECR and KMS, and ECR's events, are recorded")
def lookup_events(call: Call) -> dict[str, Any]:
    """Return pages of an account's events in a Region, filtered by time and by one attribute."""
    request = call.request
    attributes = [(one["AttributeKey"], one["AttributeValue"]) for one in request.get("LookupAttributes", [])]
    earliest, latest = request.get("StartTime", 0.0), request.get("EndTime", float("inf"))
    found = (
        event
        for event in map(_shown, trail.newest(call.registry, event=dict(attributes).get("EventName")))
        if earliest <= event["EventTime"] <= latest
        and "EventCategory" not in request
        and all(_has(event, key, value) for key, value in attributes)
    )
    scope = json.dumps([call.operation, call.registry.account_id, call.region, {**request, "NextToken": ""}])
    start, size = pages.position(call.world, scope, request.get("NextToken")) or 0, request.get("MaxResults", PAGE)
    page = list(itertools.islice(found, start, start + size + 1))
    answer: dict[str, Any] = {"Events": page[:size]}
    if len(page) > size:
        answer["NextToken"] = pages.token(call.world, scope, start + size)
    return answer


def _shown(document: dict[str, Any]) -> dict[str, Any]:
    return {
        "EventId": document["eventID"],
        "EventName": document["eventName"],
        "ReadOnly": json.dumps(document["readOnly"]),
        "EventTime": datetime.fromisoformat(document["eventTime"]).timestamp(),
        "EventSource": document["eventSource"],
        "Resources": [
            {"ResourceType": one["type"], "ResourceName": one["ARN"]} for one in document.get("resources", [])
        ],
        **_who(document["userIdentity"]),
        "CloudTrailEvent": json.dumps(document, separators=(",", ":")),
    }


def _who(identity: dict[str, Any]) -> dict[str, str]:
    """Return the user's name, or the name of a role's session, and the access key."""
    if "accessKeyId" not in identity:
        return {}
    return {"Username": identity["arn"].rsplit("/", 1)[-1], "AccessKeyId": identity["accessKeyId"]}


def _has(event: dict[str, Any], key: str, value: str) -> bool:
    if key in ("ResourceType", "ResourceName"):
        return any(resource[key] == value for resource in event["Resources"])
    return bool(event.get(key) == value)
