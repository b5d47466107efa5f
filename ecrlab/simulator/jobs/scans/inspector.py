"""Findings in Amazon Inspector's format: one for each CVE of an image, with all packages that it affects.

Shapes and sample values: botocore model, EnhancedImageScanFinding; API reference, DescribeImageScanFindings, its
example for enhanced scanning.
"""

import uuid
from datetime import datetime
from typing import Any

from ecrlab.errors import EcrLabError
from ecrlab.oci import manifest, strict_json
from ecrlab.registry import images
from ecrlab.registry.images import Image, ImageId
from ecrlab.registry.repositories import Repository
from ecrlab.registry.world import Registry
from ecrlab.scanning import Finding, Package
from ecrlab.scanning.packages.distribution import Distribution
from ecrlab.scanning.versions import LANGUAGES
from ecrlab.simulator.jobs.scans.basic import NVD, address, cvss_version, described
from ecrlab.simulator.jobs.scans.verdicts import Verdict, worst_by_id

SOURCES = {"Debian": "DEBIAN_CVE", "Ubuntu": "UBUNTU_CVE"}
"""Distribution -> the source that Inspector names; for others it is the NVD."""

PACKAGE_MANAGERS = {"PyPI": "PYTHONPKG", "npm": "NODEPKG", "Maven": "JAR"}
"""Ecosystem -> Inspector's name of the package manager (botocore model, PackageManager); others are OS."""

NO_FIX = "NotAvailable"

_LARGEST_CONFIG = 4 << 20


def findings(registry: Registry, repository: Repository, image: Image, verdict: Verdict) -> list[dict[str, Any]]:
    """Return the findings of an image as DescribeImageScanFindings has them under enhanced scanning, worst first."""
    resource = _resource(registry, repository, image, verdict)
    return [
        _shown(registry, resource, severity, group, verdict)
        for severity, group in worst_by_id(verdict.findings).values()
    ]


def image_arn(repository: Repository, image: Image) -> str:
    """Return the ARN of an image in Inspector and Security Hub."""
    return f"{repository.arn}/{image.digest}"


def first_observed(finding: Finding, verdict: Verdict) -> datetime:
    """Return when a finding was first observed: at the scan, or when its advisory was published after it."""
    assert verdict.scanned_at is not None
    return max(verdict.scanned_at, finding.published or verdict.scanned_at)


def rated(severity: str) -> str:
    """Return Inspector's name of a severity, which differs for an unrated CVE."""
    return "UNTRIAGED" if severity == "UNDEFINED" else severity


def _shown(
    registry: Registry, resource: dict[str, Any], severity: str, group: list[Finding], verdict: Verdict
) -> dict[str, Any]:
    worst = group[0]
    first = min(first_observed(finding, verdict) for finding in group).timestamp()
    packages = [_vulnerable(package, finding) for finding in group for package in finding.packages]
    fixed = [one["fixedInVersion"] != NO_FIX for one in packages]
    assert verdict.completed_at is not None
    last = verdict.completed_at.timestamp()
    shown: dict[str, Any] = {
        "awsAccountId": registry.account_id,
        "description": " ".join(described(finding) for finding in group),
        "findingArn": _arn(registry, resource["id"], worst.id),
        "firstObservedAt": first,
        "lastObservedAt": last,
        "packageVulnerabilityDetails": _details(worst, packages, group),
        "remediation": {"recommendation": {"text": "None Provided"}},
        "resources": [resource],
        "severity": rated(severity),
        "status": "ACTIVE",
        "title": f"{worst.id} - {', '.join(sorted({one['name'] for one in packages}))}",
        "type": "PACKAGE_VULNERABILITY",
        "updatedAt": last,
        "fixAvailable": "YES" if all(fixed) else "PARTIAL" if any(fixed) else "NO",
        "exploitAvailable": "YES" if any(finding.exploit for finding in group) else "NO",
    }
    if worst.score is not None:
        shown["score"] = worst.score
    if worst.score is not None and worst.vector is not None:
        version = cvss_version(worst.vector)
        shown["scoreDetails"] = {
            "cvss": {
                "adjustments": [],
                "score": worst.score,
                "scoreSource": "NVD",
                "scoringVector": worst.vector,
                "version": version,
            }
        }
    return shown


def _details(worst: Finding, packages: list[dict[str, Any]], group: list[Finding]) -> dict[str, Any]:
    source = SOURCES.get(worst.ecosystem.partition(":")[0], "NVD")
    url = address(worst) if source != "NVD" else NVD.format(worst.id)
    dates = [finding.published for finding in group if finding.published is not None]
    details: dict[str, Any] = {
        "cvss": [],
        "referenceUrls": list(dict.fromkeys(address(finding) for finding in group)),
        "relatedVulnerabilities": sorted({alias for finding in group for alias in finding.aliases}),
        "source": source,
        "sourceUrl": url,
        "vulnerabilityId": worst.id,
        "vulnerablePackages": packages,
    }
    if dates:
        details["vendorCreatedAt"] = min(dates).timestamp()
    if worst.score is not None and worst.vector is not None:
        version = cvss_version(worst.vector)
        details["cvss"] = [
            {"baseScore": worst.score, "scoringVector": worst.vector, "source": "NVD", "version": version}
        ]
    return details


def _vulnerable(package: Package, finding: Finding) -> dict[str, Any]:
    """Return an installed package, its version in Inspector's three parts."""
    manager = PACKAGE_MANAGERS.get(package.ecosystem, "OS")
    shown: dict[str, Any] = {"name": package.name, "packageManager": manager, "sourceLayerHash": package.layer_digest}
    if package.ecosystem in LANGUAGES:
        fixed = finding.fixed_version or NO_FIX
        return shown | {"epoch": 0, "version": package.version, "filePath": package.path, "fixedInVersion": fixed}
    epoch, version, release = split_version(package.version)
    shown |= {"arch": package.architecture.upper(), "epoch": epoch, "version": version, "fixedInVersion": NO_FIX}
    if release:
        shown["release"] = release
    if finding.fixed_version is not None:
        fix_epoch, _, _ = split_version(finding.fixed_version)
        shown["fixedInVersion"] = f"{fix_epoch}:{finding.fixed_version.partition(':')[2] or finding.fixed_version}"
    return shown


def split_version(version: str) -> tuple[int, str, str]:
    """Split a distribution's version into epoch, version and release, as Inspector does.

    >>> split_version("1:2.9.14+dfsg-1.3~deb12u1"), split_version("1.36.1-r15"), split_version("5.10")
    ((1, '2.9.14+dfsg', '1.3~deb12u1'), (0, '1.36.1', 'r15'), (0, '5.10', ''))
    """
    head, colon, rest = version.partition(":")
    epoch = int(head) if colon and head.isdecimal() else 0
    upstream, dash, release = (rest if colon else version).rpartition("-")
    return (epoch, upstream, release) if dash else (epoch, release, "")


def _resource(registry: Registry, repository: Repository, image: Image, verdict: Verdict) -> dict[str, Any]:
    about: dict[str, Any] = {
        **_from_config(registry, repository, image),
        "imageHash": image.digest,
        "imageTags": list(image.tags),
        "platform": platform(verdict.inventory.distribution if verdict.inventory else None),
        "pushedAt": image.pushed_at,
        "registry": registry.account_id,
        "repositoryName": repository.name,
    }
    kept = {name: value for name, value in about.items() if value}
    return {
        "details": {"awsEcrContainerImage": kept},
        "id": image_arn(repository, image),
        "tags": {},
        "type": "AWS_ECR_CONTAINER_IMAGE",
    }


def platform(distribution: Distribution | None) -> str:
    """Return Inspector's name of a distribution.

    >>> platform(Distribution("alpine", "3.22.6")), platform(Distribution("debian", "12"))
    ('ALPINE_LINUX_3_22', 'DEBIAN_12')
    """
    if distribution is None:
        return ""
    name = {"alpine": "ALPINE_LINUX"}.get(distribution.id, distribution.id.upper())
    release = distribution.advisory_ecosystem.partition(":")[2].removeprefix("v").removesuffix(":LTS")
    return "_".join([name, *release.split(".")]).rstrip("_")


def _from_config(registry: Registry, repository: Repository, image: Image) -> dict[str, str]:
    """Return architecture and author from the configuration of an image, as far as it has them."""
    try:
        body = image.body or images.find(registry, repository.name, ImageId(image.digest)).body or b""
        config = manifest.read(body, image.media_type).config
        if config is None:
            return {}
        with registry.world.blobs.open(repository, config.digest) as stream:
            document = strict_json.read_object(stream.read(_LARGEST_CONFIG))
    except (OSError, EcrLabError):
        return {}
    told = {name: document.get(name) for name in ("architecture", "author")}
    return {name: value for name, value in told.items() if isinstance(value, str)}


def _arn(registry: Registry, resource_id: str, vulnerability_id: str) -> str:
    number = uuid.uuid5(uuid.NAMESPACE_URL, f"{resource_id} {vulnerability_id}").hex
    return f"arn:aws:inspector2:{registry.region}:{registry.account_id}:finding/{number}"
