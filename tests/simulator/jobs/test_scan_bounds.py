"""What is too large to scan is pushed all the same, and has the status that ECR has for it."""

from typing import Any

import pytest

from tests.scanning.making import DEBIAN_12, file
from tests.simulator.client import Repository
from tests.simulator.scanned import configure, findings_of, layer

RELEASE = file("etc/os-release", DEBIAN_12)
CROWDED = layer(RELEASE, file("var/lib/dpkg/status", "Package: p\nVersion: 1\n\n" * 60_000))


@pytest.mark.parametrize(("scan_type", "frequency"), [("BASIC", "SCAN_ON_PUSH"), ("ENHANCED", "CONTINUOUS_SCAN")])
def test_an_image_with_too_many_packages_is_too_large(ecr: Any, scan_type: str, frequency: str) -> None:
    configure(ecr, scan_type, frequency)
    ecr.create_repository(repositoryName="app")
    app = Repository(ecr, "app")

    app.push(CROWDED, tag="v1")

    answer = findings_of(app)
    assert answer["imageScanStatus"]["status"] == "IMAGE_SIZE_EXCEEDED"
    assert "more than 50,000 packages" in answer["imageScanStatus"]["description"]
    assert "imageScanFindings" not in answer
