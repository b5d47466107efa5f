"""Findings in the format of ECR's basic scanning: a CVE, its severity, and its package."""

from typing import Any

from ecrlab.scanning import Finding

TRACKERS = {
    "Debian": "https://security-tracker.debian.org/tracker/{}",
    "Ubuntu": "https://ubuntu.com/security/{}",
}
"""Where a distribution describes a CVE."""

NVD = "https://nvd.nist.gov/vuln/detail/{}"


def shown(finding: Finding) -> dict[str, Any]:
    """Return a finding as DescribeImageScanFindings has it under basic scanning (botocore model, ImageScanFinding)."""
    attributes = {"package_version": finding.version, "package_name": finding.package}
    if finding.vector is not None and finding.score is not None:
        # UNSURE: the keys of native scanning for CVSS 3 and 4; those of CVSS 2 are in AWS's example.
        number = cvss_version(finding.vector)[0]
        attributes |= {f"CVSS{number}_VECTOR": finding.vector, f"CVSS{number}_SCORE": f"{finding.score:.1f}"}
    return {
        "name": finding.id,
        "description": described(finding),
        "uri": address(finding),
        "severity": finding.severity,
        "attributes": [{"key": key, "value": value} for key, value in attributes.items()],
    }


def described(finding: Finding) -> str:
    """Return a sentence about a finding. AWS has the CVE's own description, which the kit does not contain."""
    fix = f"fixed in {finding.fixed_version}" if finding.fixed_version else "no fix is known"
    return f"{finding.package} {finding.version} is affected; {fix}."


def address(finding: Finding) -> str:
    """Return the page about a finding: the distribution's, or else the NVD's."""
    return TRACKERS.get(finding.ecosystem.partition(":")[0], NVD).format(finding.id)


def cvss_version(vector: str) -> str:
    """Return the CVSS version of a vector; vectors of version 2 do not name it.

    >>> cvss_version("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"), cvss_version("AV:N/AC:M/Au:N/C:P/I:N/A:P")
    ('3.1', '2.0')
    """
    head = vector.partition("/")[0]
    return head.removeprefix("CVSS:") if head.startswith("CVSS:") else "2.0"
