"""The events of scans for EventBridge: ECR's own for basic scans, Inspector's for enhanced ones.

Sources: AWS user guide, Amazon ECR events and EventBridge, and its EventBridge events for enhanced scanning; Inspector
user guide, EventBridge schema, from which the form of the dates is.
"""

from datetime import UTC, datetime
from typing import Any

from ecrlab.registry.images import Image
from ecrlab.registry.repositories import Repository
from ecrlab.registry.service_event import ServiceEvent
from ecrlab.registry.world import Registry
from ecrlab.simulator.jobs.scans.verdicts import Verdict, severity_counts

_DATES = ("firstObservedAt", "lastObservedAt", "updatedAt", "vendorCreatedAt", "pushedAt")


def basic_scan(registry: Registry, repository: Repository, image: Image, verdict: Verdict, at: float) -> ServiceEvent:
    """A basic scan has ended."""
    # UNSURE: whether a scan that fails has an event too; it has, with its status.
    detail = {
        "scan-status": verdict.status,
        "repository-name": repository.name,
        "finding-severity-counts": severity_counts(finding.severity for finding in verdict.findings),
        "image-digest": image.digest,
        "image-tags": list(image.tags),
    }
    return _event(registry, at, "ECR Image Scan", detail, repository.arn)


def initial_scan(
    registry: Registry, repository: Repository, image: Image, counts: dict[str, int], at: float
) -> ServiceEvent:
    """Inspector has scanned an image for the first time."""
    detail = {
        "scan-status": "INITIAL_SCAN_COMPLETE",
        "repository-name": repository.arn,
        "finding-severity-counts": {**counts, "TOTAL": sum(counts.values())},
        "image-digest": image.digest,
        "image-tags": list(image.tags),
        "version": "1.0",
    }
    return _event(registry, at, "Inspector2 Scan", detail, repository.arn, "aws.inspector2")


def finding(registry: Registry, shown: dict[str, Any], at: float) -> ServiceEvent:
    """Inspector has opened or closed a finding, `shown` as by DescribeImageScanFindings."""
    detail = dict(shown)
    cvss = detail.pop("scoreDetails", {}).get("cvss")
    if "score" in detail:
        detail["inspectorScore"] = detail.pop("score")
    if cvss is not None:
        detail["inspectorScoreDetails"] = {"adjustedCvss": {"cvssSource": cvss["scoreSource"], **cvss}}
    resource = {name: value for name, value in shown["resources"][0].items() if name != "tags"}
    detail["resources"] = [{**resource, "partition": "aws", "region": registry.region}]
    return _event(registry, at, "Inspector2 Finding", _dated(detail), resource["id"], "aws.inspector2")


def _event(
    registry: Registry, at: float, kind: str, detail: dict[str, Any], resource: str, source: str = "aws.ecr"
) -> ServiceEvent:
    return ServiceEvent(registry.account_id, registry.region, at, kind, detail, (resource,), source)


def _dated(value: Any) -> Any:
    """Write instants as Inspector's events do: `Wed Sep 04 16:55:28.000 UTC 2024`."""
    if isinstance(value, list):
        return [_dated(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {name: _date(one) if name in _DATES else _dated(one) for name, one in value.items()}


def _date(seconds: float) -> str:
    at = datetime.fromtimestamp(seconds, UTC)
    return f"{at:%a %b %d %H:%M:%S}.{at.microsecond // 1000:03} UTC {at:%Y}"
