"""A lab with Lambda, as its tests use it: one for a module, and a repository of its own for each test."""

import itertools
import json
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from ecrlab.clock import LabClock
from ecrlab.registry.world import World
from ecrlab.simulator.server import Server
from tests.simulator.accounts import HOME, Account
from tests.simulator.client import Repository, client_of

REGION = "us-east-1"
SERVICE = {"Service": "lambda.amazonaws.com"}
READING = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]


class Lab:
    """A running lab; functions have the execution role `role`, which has no permission."""

    def __init__(self, directory: Path) -> None:
        self.clock = LabClock()
        self.world = World(directory, self.clock, seed="lambda", durable=False)
        self.server = Server(self.world)
        self.account = Account(self.server.endpoint, REGION)
        self.ecr, self.functions = self.account.ecr, self.client("lambda")
        self.role = self.account.role()
        self._names = (f"team/app-{number}" for number in itertools.count())

    def client(self, service: str, key: str | None = None) -> Any:
        return client_of(self.server.endpoint, service, REGION, **({} if key is None else {"key": key}))

    def repository(self, **settings: Any) -> Repository:
        name = next(self._names)
        self.ecr.create_repository(repositoryName=name, **settings)
        return Repository(self.ecr, name)

    def create(self, name: str, uri: str, client: Any = None, **more: Any) -> Any:
        members = {"FunctionName": name, "Role": self.role, "PackageType": "Image", "Code": {"ImageUri": uri}}
        return (client or self.functions).create_function(**members | more)

    def state(self, name: str) -> tuple[str, str | None]:
        """State and reason code of a function."""
        told = self.functions.get_function_configuration(FunctionName=name)
        return told["State"], told.get("StateReasonCode")

    def resolved(self, name: str, **more: Any) -> str:
        """The digest of a function's image."""
        uri: str = self.functions.get_function(FunctionName=name, **more)["Code"]["ResolvedImageUri"]
        return uri.partition("@")[2]


def uri_of(repository: Repository, reference: str = ":v1", account: str = HOME, region: str = REGION) -> str:
    return f"{account}.dkr.ecr.{region}.amazonaws.com/{repository.name}{reference}"


def statement(*actions: str, effect: str = "Allow", **elements: Any) -> dict[str, Any]:
    return {"Effect": effect, "Action": list(actions), **elements}


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def refused(call: Any, *args: Any, **members: Any) -> tuple[int, str, str]:
    """HTTP status, class and text of the error that a call ends in."""
    try:
        answer = call(*args, **members)
    except ClientError as error:
        told = error.response["Error"]
        return error.response["ResponseMetadata"]["HTTPStatusCode"], told["Code"], told["Message"]
    raise AssertionError(f"not refused: {answer}")
