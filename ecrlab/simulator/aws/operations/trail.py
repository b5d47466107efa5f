"""LookupEvents of CloudTrail, which moto lacks: the events of ECR itself, newest first.

As on AWS, it lists the runs and previews of lifecycle policies in the last 90 days. Unlike AWS, it records no API calls
(API reference, LookupEvents).
"""

import json
from datetime import datetime, timedelta
from typing import Any

from ecrlab.registry import trail
from ecrlab.simulator.aws import pages
from ecrlab.simulator.aws.calls import Call, operation

PAGE = 50
"""Events on a page without `MaxResults`."""

KEPT = timedelta(days=90)
"""How far back LookupEvents looks."""


@operation("LookupEvents", "cloudtrail", partial="only events of lifecycle policies; calls are not recorded")
def lookup_events(call: Call) -> dict[str, Any]:
    """Return pages of an account's events in a Region, filtered by time and by one attribute."""
    request = call.request
    events = [_shown(document) for document in reversed(trail.of(call.registry))]
    earliest = max(request.get("StartTime", 0.0), (call.world.clock.now() - KEPT).timestamp())
    latest = request.get("EndTime", float("inf"))
    found = [
        event
        for event in events
        if earliest <= event["EventTime"] <= latest
        and "EventCategory" not in request
        and all(_has(event, one["AttributeKey"], one["AttributeValue"]) for one in request.get("LookupAttributes", []))
    ]
    scope = json.dumps([call.operation, call.registry.account_id, call.region, {**request, "NextToken": ""}])
    start = pages.position(call.world, scope, request.get("NextToken")) or 0
    end = start + request.get("MaxResults", PAGE)
    answer: dict[str, Any] = {"Events": found[start:end]}
    if end < len(found):
        answer["NextToken"] = pages.token(call.world, scope, end)
    return answer


def _shown(document: dict[str, Any]) -> dict[str, Any]:
    return {
        "EventId": document["eventID"],
        "EventName": document["eventName"],
        "ReadOnly": json.dumps(document["readOnly"]),
        "EventTime": datetime.fromisoformat(document["eventTime"]).timestamp(),
        "EventSource": document["eventSource"],
        "Resources": [{"ResourceType": one["type"], "ResourceName": one["ARN"]} for one in document["resources"]],
        "CloudTrailEvent": json.dumps(document, separators=(",", ":")),
    }


def _has(event: dict[str, Any], key: str, value: str) -> bool:
    if key in ("ResourceType", "ResourceName"):
        return any(resource[key] == value for resource in event["Resources"])
    return bool(event.get(key) == value)
