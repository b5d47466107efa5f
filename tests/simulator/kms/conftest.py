"""A lab of its own for each test, with clients of ECR and KMS in it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ecrlab.clock import LabClock
from ecrlab.registry import trail
from ecrlab.registry.world import World
from ecrlab.simulator.server import Server
from tests.simulator.accounts import HOME, Account
from tests.simulator.client import Repository, client_of

REGION = "us-east-1"
ROOT = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{HOME}:root"}, "Action": "kms:*", "Resource": "*"}


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


class Lab:
    """A running lab in a directory, which can be restarted."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.start()

    def start(self) -> None:
        self.world = World(self.directory, LabClock())
        self.server = Server(self.world)
        self.ecr, self.kms = self.client("ecr"), self.client("kms")
        self.account = Account(self.server.endpoint, REGION)

    def stop(self) -> None:
        self.server.stop()
        self.world.close()

    def client(self, service: str, key: str | None = None, region: str = REGION) -> Any:
        return client_of(self.server.endpoint, service, region, **({} if key is None else {"key": key}))

    def key(self, **settings: Any) -> dict[str, Any]:
        """The metadata of a new key."""
        metadata: dict[str, Any] = self.kms.create_key(**settings)["KeyMetadata"]
        return metadata

    def create(self, name: str = "app", key: str | None = None, ecr: Any = None) -> Repository:
        encryption = {"encryptionType": "KMS", **({} if key is None else {"kmsKey": key})}
        (ecr or self.ecr).create_repository(repositoryName=name, encryptionConfiguration=encryption)
        return Repository(self.ecr, name)

    def trail(self, event: str) -> list[dict[str, Any]]:
        found = trail.of(self.world.registry(HOME, REGION), event=event)
        return [one for one in found if one["eventSource"] == "kms.amazonaws.com"]


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    lab = Lab(tmp_path / "state")
    yield lab
    lab.stop()
