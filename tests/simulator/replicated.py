"""A world whose registries replicate, as the tests of replication use it."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ecrlab.clock import LabClock
from ecrlab.registry import images, settings
from ecrlab.registry.errors import RepositoryNotFoundException
from ecrlab.registry.service_event import ServiceEvent
from ecrlab.registry.world import World
from ecrlab.simulator.server import Server
from tests.simulator.client import Repository, client_of

HOME, ABROAD = "123456789012", "333333333333"
SOURCE, EUROPE, ASIA = "us-east-1", "eu-west-1", "ap-south-1"


def to(region: str, account: str = HOME) -> dict[str, str]:
    """A destination."""
    return {"region": region, "registryId": account}


def rule(*destinations: dict[str, str], prefixes: Sequence[str] = (), deletes: bool = False) -> dict[str, Any]:
    """A rule to some destinations."""
    made: dict[str, Any] = {"destinations": list(destinations)}
    if prefixes:
        made["repositoryFilters"] = [{"filter": one, "filterType": "PREFIX_MATCH"} for one in prefixes]
    if deletes:
        made["deleteReplication"] = {"enabled": True}
    return made


class Registries:
    """A lab with a server, its clock, and the events that it told."""

    def __init__(self, directory: Path, *, seed: str = "replication") -> None:
        self.clock = LabClock()
        self.world = World(directory, self.clock, seed=seed, durable=False)
        self.server = Server(self.world)
        self.told: list[ServiceEvent] = []
        self.world.events.add(self.told.append)
        self.ecr = self.client("ecr")

    def client(self, service: str, region: str = SOURCE) -> Any:
        return client_of(self.server.endpoint, service, region)

    def replicate(self, *rules: dict[str, Any], region: str = SOURCE) -> None:
        self.client("ecr", region).put_replication_configuration(replicationConfiguration={"rules": list(rules)})

    def repository(self, name: str, region: str = SOURCE) -> Repository:
        """A new repository."""
        ecr = self.client("ecr", region)
        ecr.create_repository(repositoryName=name)
        return Repository(ecr, name)

    def pass_time(self) -> None:
        self.clock.advance(minutes=1)

    def held(self, name: str, region: str, account: str = HOME) -> dict[str, set[str]] | None:
        """Digest -> tags of what a registry holds; None without the repository."""
        try:
            found = images.describe(self.world.registry(account, region), name)
        except RepositoryNotFoundException:
            return None
        return {image.digest: set(image.tags) for image in found}

    def let_in(self, *actions: str, account: str = ABROAD, region: str = EUROPE, effect: str = "Allow") -> None:
        """Put the registry policy of a destination."""
        statement = {
            "Sid": "copies",
            "Effect": effect,
            "Principal": {"AWS": f"arn:aws:iam::{HOME}:root"},
            "Action": list(actions),
            "Resource": f"arn:aws:ecr:{region}:{account}:repository/*",
        }
        self.put_policy(json.dumps({"Version": "2012-10-17", "Statement": [statement]}), account, region)

    def put_policy(self, text: str, account: str = ABROAD, region: str = EUROPE) -> None:
        settings.put_policy(self.world.registry(account, region), text)

    def statuses(self, repository: Repository, **image_id: str) -> list[tuple[str, str, str]]:
        """Region, status and failure of each destination."""
        answer = repository.describe_image_replication_status(imageId=image_id)
        return [(one["region"], one["status"], one.get("failureCode", "")) for one in answer["replicationStatuses"]]

    def manifest_of(self, repository: Repository, digest: str) -> str:
        [image] = repository.batch_get_image(imageIds=[{"imageDigest": digest}])["images"]
        text: str = image["imageManifest"]
        return text

    def close(self) -> None:
        self.server.stop()
        self.world.close()
