"""The commands of an ECR tutorial, by the real AWS CLI."""

import json
import os
import shlex
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from unittest.mock import ANY

import pytest

from ecrlab.registry import tokens
from ecrlab.registry.world import World
from ecrlab.simulator.server import Server
from tests.simulator.client import Repository, client_of

Aws = Callable[[str], subprocess.CompletedProcess[str]]

REGION = "eu-central-1"

CREATE = """aws ecr create-repository --repository-name my-app --image-scanning-configuration scanOnPush=true
--encryption-configuration encryptionType=KMS --image-tag-mutability IMMUTABLE"""
SIZES = """aws ecr describe-images --repository-name my-app
--query 'imageDetails[*].[imageTags[0],imagePushedAt,imageSizeInBytes]' --output table"""


@pytest.fixture
def aws(server: Server) -> Aws:
    environment = os.environ | {
        "AWS_ENDPOINT_URL": server.endpoint,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_MAX_ATTEMPTS": "2",
    }
    return lambda command: subprocess.run(
        shlex.split(command), env=environment, capture_output=True, text=True, timeout=60
    )


def test_from_login_to_a_table_of_images(aws: Aws, server: Server, world: World) -> None:
    login, created = ThreadPoolExecutor().map(aws, ["aws ecr get-login-password", CREATE])
    assert tokens.check(world, login.stdout.strip()).region == REGION
    repository = json.loads(created.stdout)["repository"]
    assert repository["repositoryUri"] == f"123456789012.dkr.ecr.{REGION}.amazonaws.com/my-app"
    assert repository["imageTagMutability"] == "IMMUTABLE"
    assert repository["imageScanningConfiguration"] == {"scanOnPush": True}
    assert repository["encryptionConfiguration"]["kmsKey"].startswith(f"arn:aws:kms:{REGION}:123456789012:key/")
    assert datetime.fromisoformat(repository["createdAt"]) <= world.clock.now()

    Repository(client_of(server.endpoint, region=REGION), "my-app").push(b"x" * 1234, tag="v1.2.3")
    again, table = ThreadPoolExecutor().map(aws, [CREATE, SIZES])
    assert table.stdout.splitlines()[3].split() == ["|", "v1.2.3|", ANY, "|", "1236", "|"]
    assert again.returncode != 0
    assert again.stderr.strip().endswith(
        "An error occurred (RepositoryAlreadyExistsException) when calling the CreateRepository operation: "
        "The repository with name 'my-app' already exists in the registry with id '123456789012'"
    )


def test_what_is_not_simulated_is_said_in_one_line(aws: Aws) -> None:
    refused = aws("aws ecr get-signing-configuration")
    assert refused.returncode != 0
    assert "ecrlab does not simulate ecr:GetSigningConfiguration yet" in refused.stderr
    assert "<" not in refused.stderr
