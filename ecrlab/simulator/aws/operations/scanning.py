"""StartImageScan, DescribeImageScanFindings, and the settings of scans.

The settings are Get- and PutRegistryScanningConfiguration and BatchGetRepositoryScanningConfiguration. A repository's
own setting, PutImageScanningConfiguration, is in `repositories`.
"""

from typing import TYPE_CHECKING, Any

from ecrlab.registry import images, repositories, scan_rules, scans
from ecrlab.registry.errors import RepositoryNotFoundException, ScanNotFoundException, ValidationException
from ecrlab.registry.images import Image, ImageId
from ecrlab.registry.scan_rules import BASIC, ENHANCED, Configuration, Rule
from ecrlab.simulator.aws import pages
from ecrlab.simulator.aws.calls import Call, operation

if TYPE_CHECKING:
    from ecrlab.simulator.jobs.scans.verdicts import Verdict

PAGE = 100
"""Findings on a page without `maxResults`."""


@operation("StartImageScan")
def start_image_scan(call: Call) -> dict[str, Any]:
    """Run a basic scan. It ends before this call returns; the next DescribeImageScanFindings says so."""
    # The scanner takes a moment to import, and most labs never use it.
    from ecrlab.simulator.jobs.scans import scanner

    if scan_rules.configuration(call.registry).scan_type == ENHANCED:
        raise ValidationException("This feature is disabled")
    image = _image(call)
    scans.check_scannable(call.registry, call.repository_name, image)
    scans.check_quota(scans.last(call.registry, image, BASIC), call.world.clock.now().timestamp())
    scanner.scan(call.registry, call.repository, image)
    return {**call.names, "imageId": _named(call, image), "imageScanStatus": {"status": "IN_PROGRESS"}}


@operation("DescribeImageScanFindings", partial="descriptions of CVEs are the lab's own words")
def describe_image_scan_findings(call: Call) -> dict[str, Any]:
    """Return the status of an image's last scan, and its findings in pages."""
    from ecrlab.simulator.jobs.scans import scanner

    image = _image(call)
    scope = f"{call.operation} {call.repository.id} {image.digest}"
    after = pages.position(call.world, scope, call.request.get("nextToken")) or 0
    verdict = scanner.look(call.registry, call.repository, image)
    if verdict is None:
        asked = call.request["imageId"]
        raise ScanNotFoundException(
            asked.get("imageDigest"), asked.get("imageTag"), call.repository_name, call.registry.account_id
        )
    answer = {
        **call.names,
        "imageId": _named(call, image),
        "imageScanStatus": {"status": verdict.status, "description": verdict.description},
    }
    if not verdict.is_judged:
        return answer
    member, findings = _findings(call, image, verdict)
    most = call.request.get("maxResults", PAGE)
    answer["imageScanFindings"] = {**summary(call, verdict), member: findings[after : after + most]}
    if len(findings) > after + most:
        answer["nextToken"] = pages.token(call.world, scope, after + most)
    return answer


@operation("GetRegistryScanningConfiguration")
def get_registry_scanning_configuration(call: Call) -> dict[str, Any]:
    """Return the registry's scanning configuration."""
    shown = _shown(scan_rules.configuration(call.registry))
    return {"registryId": call.registry.account_id, "scanningConfiguration": shown}


@operation("PutRegistryScanningConfiguration")
def put_registry_scanning_configuration(call: Call) -> dict[str, Any]:
    """Change the registry's scanning configuration."""
    # UNSURE: a request without scanType; here the type does not change.
    scan_type = call.request.get("scanType", scan_rules.configuration(call.registry).scan_type)
    rules = tuple(
        Rule(rule["scanFrequency"], tuple(one["filter"] for one in rule["repositoryFilters"]))
        for rule in call.request.get("rules", [])
    )
    new = Configuration(scan_type, rules)
    at = scan_rules.put_configuration(call.registry, new)
    if scan_type == ENHANCED:
        from ecrlab.simulator.jobs.scans import watch

        watch.begin(call.registry, at)
    return {"registryScanningConfiguration": _shown(new)}


@operation("BatchGetRepositoryScanningConfiguration")
def batch_get_repository_scanning_configuration(call: Call) -> dict[str, Any]:
    """Return how each repository is scanned, by its own setting or by the registry's rules."""
    how = scan_rules.configuration(call.registry)
    found, failures = [], []
    for name in dict.fromkeys(call.request["repositoryNames"]):
        try:
            repository = repositories.find(call.registry, name)
        except RepositoryNotFoundException:
            code = "REPOSITORY_NOT_FOUND"
            failures.append({"repositoryName": name, "failureCode": code, "failureReason": code})
            continue
        applied = scan_rules.applied(how, repository)
        found.append(
            {
                "repositoryArn": repository.arn,
                "repositoryName": name,
                # UNSURE: whether this is the repository's own setting or the effective one; here the effective one.
                "scanOnPush": applied.frequency == scan_rules.SCAN_ON_PUSH,
                "scanFrequency": applied.frequency,
                "appliedScanFilters": _shown_filters(applied.filters),
            }
        )
    return {"scanningConfigurations": found, "failures": failures}


def detail(call: Call, image: Image) -> dict[str, Any]:
    """Return the scan members of DescribeImages; a basic scan has none (botocore model, DescribeImages)."""
    if scan_rules.configuration(call.registry).scan_type != ENHANCED:
        return {}
    from ecrlab.simulator.jobs.scans import scanner

    verdict = scanner.look(call.registry, call.repository, image)
    if verdict is None:
        return {}
    status = {"imageScanStatus": {"status": verdict.status, "description": verdict.description}}
    return status | ({"imageScanFindingsSummary": summary(call, verdict)} if verdict.is_judged else {})


def summary(call: Call, verdict: "Verdict") -> dict[str, Any]:
    """Return the members shared with DescribeImages: the times of scan and advisories, and counts by severity."""
    from ecrlab.simulator.jobs.scans import inspector, verdicts

    assert verdict.completed_at is not None
    assert verdict.source_updated_at is not None
    severities = (finding.severity for finding in verdict.findings)
    if scan_rules.configuration(call.registry).scan_type == ENHANCED:
        severities = (inspector.rated(severity) for severity, _ in verdicts.worst_by_id(verdict.findings).values())
    return {
        "imageScanCompletedAt": verdict.completed_at.timestamp(),
        "vulnerabilitySourceUpdatedAt": verdict.source_updated_at.timestamp(),
        "findingSeverityCounts": verdicts.severity_counts(severities),
    }


def _findings(call: Call, image: Image, verdict: "Verdict") -> tuple[str, list[dict[str, Any]]]:
    """Return the name of the response member for findings, and the findings."""
    from ecrlab.simulator.jobs.scans import basic, inspector

    if scan_rules.configuration(call.registry).scan_type == ENHANCED:
        return "enhancedFindings", inspector.findings(call.registry, call.repository, image, verdict)
    return "findings", [basic.shown(finding) for finding in verdict.findings]


def _image(call: Call) -> Image:
    asked = call.request["imageId"]
    image_id = ImageId(asked.get("imageDigest"), asked.get("imageTag"))
    return images.find(call.registry, call.repository_name, image_id, body=False)


def _named(call: Call, image: Image) -> dict[str, str]:
    """Return the image's digest, and the tag that the request named."""
    tag = call.request["imageId"].get("imageTag")
    return {"imageDigest": image.digest} | ({"imageTag": tag} if tag else {})


def _shown(how: Configuration) -> dict[str, Any]:
    rules = [{"scanFrequency": rule.frequency, "repositoryFilters": _shown_filters(rule.filters)} for rule in how.rules]
    return {"scanType": how.scan_type, "rules": rules}


def _shown_filters(filters: tuple[str, ...]) -> list[dict[str, str]]:
    return [{"filter": wildcard, "filterType": "WILDCARD"} for wildcard in filters]
