"""A lab with pull-through caches that is asked in this process, without a server."""

import base64
import json
from pathlib import Path
from typing import Any

from werkzeug.test import Client as Browser
from werkzeug.test import TestResponse

from ecrlab.clock import LabClock
from ecrlab.registry import images, repositories, tokens
from ecrlab.registry.errors import RepositoryNotFoundException
from ecrlab.registry.service_event import ServiceEvent
from ecrlab.registry.world import Registry, World
from ecrlab.simulator import stand_ins
from ecrlab.simulator.access.callers import LEARNER_ARN
from ecrlab.simulator.server import application
from tests.simulator.requests import PREFIX, SIGNED

HOME, ABROAD = "123456789012", "333333333333"
REGION, EUROPE = "us-east-1", "eu-west-1"
HUB, SECRET = "registry-1.docker.io", "ecr-pullthroughcache/hub"
ALPINE = "quay/library/alpine"


class Caches:
    """A lab, and the events that it sent. It begins with the rule `quay`, which needs no login."""

    def __init__(self, directory: Path) -> None:
        self.clock = LabClock()
        self.world = World(directory, self.clock, seed="caches", durable=False)
        self.told: list[ServiceEvent] = []
        self.browser = Browser(application(self.world))
        self.world.events.add(self.told.append)
        self.quay, self.hub = (stand_ins.of(self.world)[name] for name in ("quay", "docker-hub"))

    def registry(self, account: str = HOME, region: str = REGION) -> Registry:
        return self.world.registry(account, region)

    def aws(self, operation: str, service: str = "ecr", region: str = REGION, **members: Any) -> dict[str, Any]:
        """The learner's call of an operation: its response, or the error with its `__type`."""
        signed = {
            "X-Amz-Target": f"{PREFIX.get(service, service)}.{operation}",
            "Content-Type": "application/x-amz-json-1.1",
            "Authorization": SIGNED.format(region, service),
        }
        found: dict[str, Any] = json.loads(self.browser.post("/", data=json.dumps(members), headers=signed).data)
        return found

    def iam(self, action: str, **parameters: str) -> None:
        """The learner's call of IAM, which succeeds."""
        signed = {"Authorization": SIGNED.format(REGION, "iam")}
        answer = self.browser.post("/", data={"Action": action, "Version": "2010-05-08", **parameters}, headers=signed)
        assert answer.status_code == 200, answer.data

    def docker(self, path: str, method: str = "GET", who: str = LEARNER_ARN, account: str = HOME) -> TestResponse:
        """A request under `/v2/` to a registry in us-east-1."""
        password, _ = tokens.issue(self.world, who.split(":")[4], REGION, who, "ECRLABLEARNER0000000")
        login = {"Authorization": "Basic " + base64.b64encode(f"AWS:{password}".encode()).decode()}
        host = f"http://{account}.dkr.ecr.{REGION}.amazonaws.com"
        return self.browser.open(f"/v2/{path}", method=method, base_url=host, headers=login)

    def pull(self, name: str, reference: str) -> tuple[int, str]:
        """Status, and digest or error of a pull by Docker."""
        answer = self.docker(f"{name}/manifests/{reference}")
        if answer.status_code == 200:
            return 200, answer.headers["Docker-Content-Digest"]
        [error] = answer.json["errors"]
        return answer.status_code, f"{error['code']}: {error['message']}"

    def rule(self, prefix: str = "quay", url: str = "quay.io", **more: Any) -> dict[str, Any]:
        """Create a rule."""
        return self.aws("CreatePullThroughCacheRule", ecrRepositoryPrefix=prefix, upstreamRegistryUrl=url, **more)

    def secret(self, value: Any, name: str = SECRET, **more: Any) -> str:
        """Create a secret; return its ARN."""
        text = value if isinstance(value, str) else json.dumps(value)
        made = self.aws("CreateSecret", "secretsmanager", Name=name, SecretString=text, **more)
        return str(made["ARN"])

    def held(self, name: str) -> dict[str, set[str]] | None:
        """Digest -> tags of what a repository holds; None without it."""
        try:
            found = images.describe(self.registry(), name)
        except RepositoryNotFoundException:
            return None
        return {image.digest: set(image.tags) for image in found}

    def names(self) -> list[str]:
        return [one.name for one in repositories.describe(self.registry())]

    def close(self) -> None:
        self.world.close()
