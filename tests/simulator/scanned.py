"""Images with known faults, as the tests of scanning push them."""

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ecrlab.clock import LabClock
from ecrlab.registry.service_event import ServiceEvent
from ecrlab.registry.world import World
from ecrlab.simulator.server import Server
from tests.scanning.making import debian, file, metadata, tar
from tests.simulator.client import Repository, client_of


def layer(*members: Any) -> bytes:
    """A layer of these files, as it is stored."""
    return gzip.compress(tar(*members), 1, mtime=0)


# Facts of the kit's own set: expat was at fault up to 2.5.0-1+deb12u1, Jinja2 up to 2.11.3.
OLD = layer(*debian(("libexpat1", "2.5.0-1", "expat")))
OLD_JINJA = layer(file("srv/Jinja2-2.10.dist-info/METADATA", metadata("Jinja2", "2.10")))


def findings_of(repository: Repository, tag: str = "v1", **more: Any) -> Any:
    """The answer to DescribeImageScanFindings."""
    return repository.describe_image_scan_findings(imageId={"imageTag": tag}, **more)


def configure(ecr: Any, scan_type: str, frequency: str, *filters: str) -> None:
    """Let a registry scan the repositories that pass the filters (all, without any)."""
    wildcards = [{"filter": one, "filterType": "WILDCARD"} for one in filters or ("*",)]
    rules = [{"scanFrequency": frequency, "repositoryFilters": wildcards}]
    ecr.put_registry_scanning_configuration(scanType=scan_type, rules=rules)


WHERE = "us-east-1"
ACCOUNT = "123456789012"
EVE = datetime(2024, 8, 25, 12, tzinfo=UTC)
"""Five days before CVE-2024-45491 and CVE-2024-45492 of expat were published."""
LATE = {"CVE-2024-45491", "CVE-2024-45492"}
CONFIG = json.dumps({"architecture": "amd64", "os": "linux", "author": "ada"}).encode()


class Lab:
    """A world of its own on the eve of an advisory, with what it told."""

    def __init__(self, directory: Path) -> None:
        self.clock = LabClock(EVE)
        self.world = World(directory, self.clock, seed="enhanced", durable=False)
        self.server = Server(self.world)
        self.told: list[ServiceEvent] = []
        self.world.events.add(self._hear)
        self.ecr = self.client("ecr")
        self.ecr.create_repository(repositoryName="app")
        self.app = Repository(self.ecr, "app")

    def _hear(self, event: ServiceEvent) -> None:
        if event.detail_type != "ECR Image Action":  # pushes and deletes
            self.told.append(event)

    def client(self, service: str) -> Any:
        return client_of(self.server.endpoint, service, WHERE)

    def ids(self, tag: str = "v1") -> set[str]:
        found = findings_of(self.app, tag)["imageScanFindings"]["enhancedFindings"]
        return {one["packageVulnerabilityDetails"]["vulnerabilityId"] for one in found}

    def kinds(self) -> list[str]:
        return [event.detail_type for event in self.told]

    def told_ids(self) -> list[str]:
        findings = [event.detail for event in self.told if event.detail_type == "Inspector2 Finding"]
        return [one["packageVulnerabilityDetails"]["vulnerabilityId"] for one in findings]
