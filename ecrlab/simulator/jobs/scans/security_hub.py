"""Inspector's findings in Security Hub, in the AWS Security Finding Format (ASFF).

Only enhanced findings are sent, and only while Security Hub is enabled in the account and Region (Inspector user guide,
integration with AWS Security Hub). Security Hub here is moto's. Earlier findings are sent in the next night; closed
findings are archived.
"""

from datetime import UTC, datetime
from typing import Any

from ecrlab.registry.world import Registry
from ecrlab.simulator.moto import seams

NORMALIZED = {"INFORMATIONAL": 0, "UNTRIAGED": 0, "LOW": 40, "MEDIUM": 70, "HIGH": 90, "CRITICAL": 100}
"""Severity -> its number from 0 to 100 (Security Hub user guide, ASFF, Severity)."""

ARCHITECTURES = {"amd64": "x86_64", "386": "i386"}
"""Architecture as an image has it -> as ASFF spells it; arm64 is spelled the same."""


def is_listening(registry: Registry) -> bool:
    """Tell whether Security Hub is enabled where a registry is."""
    return seams.security_hub(registry.world, registry.account_id, registry.region) is not None


def send(registry: Registry, findings: list[dict[str, Any]]) -> None:
    """Send findings, in the form of DescribeImageScanFindings, to Security Hub, if it is enabled."""
    hub = seams.security_hub(registry.world, registry.account_id, registry.region)
    if hub is not None and findings:
        hub.batch_import_findings([as_asff(registry, finding) for finding in findings])


def archive_all_but(registry: Registry, images: set[str], at: float) -> None:
    """Archive Security Hub's findings on images that are no longer watched; `images` are the ARNs of those that are."""
    hub = seams.security_hub(registry.world, registry.account_id, registry.region)
    for kept in [] if hub is None else list(hub.findings):
        is_ours = kept.data.get("GeneratorId") == GENERATOR
        if is_ours and kept.data["RecordState"] == "ACTIVE" and kept.data["Resources"][0]["Id"] not in images:
            kept.data |= {"RecordState": "ARCHIVED", "UpdatedAt": _date(at)}
            kept.data["ProductFields"] |= {"aws/inspector/FindingStatus": "CLOSED"}


GENERATOR = "AWSInspector"


def as_asff(registry: Registry, finding: dict[str, Any]) -> dict[str, Any]:
    """Return one finding in ASFF (Security Hub user guide, AWS Security Finding Format)."""
    # UNSURE: the members that Inspector fills; no sample of its own is public, so those that ASFF requires and names.
    label = finding["severity"] if finding["severity"] != "UNTRIAGED" else "INFORMATIONAL"
    severity = {"Label": label, "Normalized": NORMALIZED[label], "Original": finding["severity"]}
    types = ["Software and Configuration Checks/Vulnerabilities/CVE"]
    first, last = _date(finding["firstObservedAt"]), _date(finding["lastObservedAt"])
    product = f"arn:aws:securityhub:{registry.region}::product/aws/inspector"
    return {
        "SchemaVersion": "2018-10-08",
        "Id": finding["findingArn"],
        "ProductArn": product,
        "ProductName": "Inspector",
        "CompanyName": "Amazon",
        "Region": registry.region,
        "GeneratorId": GENERATOR,
        "AwsAccountId": registry.account_id,
        "Types": types,
        "FirstObservedAt": first,
        "LastObservedAt": last,
        "CreatedAt": first,
        "UpdatedAt": _date(finding["updatedAt"]),
        "Severity": severity,
        "Title": finding["title"],
        "Description": finding["description"],
        "Remediation": {"Recommendation": {"Text": finding["remediation"]["recommendation"]["text"]}},
        "ProductFields": {
            "aws/inspector/FindingStatus": finding["status"],
            "aws/inspector/ProductVersion": "2",
            "aws/securityhub/FindingId": f"{product}/{finding['findingArn']}",
            "aws/securityhub/ProductName": "Inspector",
            "aws/securityhub/CompanyName": "Amazon",
        },
        "Resources": [_resource(registry, finding["resources"][0])],
        "WorkflowState": "NEW",
        "Workflow": {"Status": "NEW"},
        "RecordState": "ACTIVE" if finding["status"] == "ACTIVE" else "ARCHIVED",
        "Vulnerabilities": [_vulnerability(finding)],
        "FindingProviderFields": {"Severity": {"Label": label, "Original": finding["severity"]}, "Types": types},
    }


def _resource(registry: Registry, resource: dict[str, Any]) -> dict[str, Any]:
    image = resource["details"]["awsEcrContainerImage"]
    architecture = image.get("architecture", "")
    about = {
        "RegistryId": image["registry"],
        "RepositoryName": image["repositoryName"],
        "Architecture": ARCHITECTURES.get(architecture, architecture),
        "ImageDigest": image["imageHash"],
        "ImageTags": image.get("imageTags"),
        "ImagePublishedAt": _date(image["pushedAt"]),
    }
    return {
        "Type": "AwsEcrContainerImage",
        "Id": resource["id"],
        "Partition": "aws",
        "Region": registry.region,
        "Details": {"AwsEcrContainerImage": {name: value for name, value in about.items() if value}},
    }


def _vulnerability(finding: dict[str, Any]) -> dict[str, Any]:
    details = finding["packageVulnerabilityDetails"]
    shown = {
        "Id": details["vulnerabilityId"],
        "VulnerablePackages": [_package(package) for package in details["vulnerablePackages"]],
        "Cvss": [
            {
                "Version": one["version"],
                "BaseScore": one["baseScore"],
                "BaseVector": one["scoringVector"],
                "Source": one["source"],
            }
            for one in details["cvss"]
        ],
        "RelatedVulnerabilities": details["relatedVulnerabilities"],
        "Vendor": {"Name": details["source"], "Url": details["sourceUrl"]},
        "ReferenceUrls": details["referenceUrls"],
        "FixAvailable": finding["fixAvailable"],
        "ExploitAvailable": finding["exploitAvailable"],
    }
    if "vendorCreatedAt" in details:
        shown["Vendor"]["VendorCreatedAt"] = _date(details["vendorCreatedAt"])
    return shown


def _package(package: dict[str, Any]) -> dict[str, str]:
    names = {"name": "Name", "version": "Version", "epoch": "Epoch", "release": "Release", "arch": "Architecture",
        "packageManager": "PackageManager", "filePath": "FilePath", "fixedInVersion": "FixedInVersion",
        "sourceLayerHash": "SourceLayerHash"}  # fmt: skip
    return {asff: str(package[name]) for name, asff in names.items() if name in package}


def _date(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
