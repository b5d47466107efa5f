"""skopeo pulls the same image from two Regions and two accounts, each by its own name."""

import base64
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from ecrlab.clock import LabClock
from ecrlab.registry import repositories, settings
from ecrlab.registry.world import World
from ecrlab.simulator.server import Server
from tests.clients.conftest import write_layout
from tests.simulator.client import client_of

pytestmark = pytest.mark.client("skopeo")
HOME, ABROAD = "123456789012", "333333333333"
PLACES = [(HOME, "us-east-1"), (HOME, "eu-west-1"), (ABROAD, "eu-west-1")]
ALLOW = {"Effect": "Allow", "Principal": "*", "Action": "ecr:*", "Resource": "*"}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    world = World(tmp_path_factory.mktemp("replication") / "state", LabClock(), durable=False)
    yield world
    world.close()


@pytest.fixture(scope="module")
def server(world: World) -> Iterator[Server]:
    server = Server(world)
    yield server
    server.stop()


@pytest.mark.parametrize("shell", ["proxy"], indirect=True)
def test_copies_have_the_same_digests_and_bytes(shell, world: World, tmp_path: Path) -> None:
    destinations = [{"registryId": account, "region": region} for account, region in PLACES[1:]]
    settings.put_replication(world.registry(*PLACES[0]), {"rules": [{"destinations": destinations}]})
    document = json.dumps({"Version": "2012-10-17", "Statement": [ALLOW]})
    settings.put_policy(world.registry(*PLACES[2]), document)
    repositories.create(world.registry(*PLACES[0]), "app")
    layout = write_layout(tmp_path / "layout", os.urandom(300_000))

    hosts = [world.registry(*place).host for place in PLACES]
    for (_, region), host in zip(PLACES, hosts, strict=True):
        ecr = client_of(shell.endpoint, region=region)
        token = ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]
        password = base64.b64decode(token).decode().partition(":")[2]
        shell.run("skopeo", "login", "--tls-verify=false", "--username=AWS", "--password-stdin", host, stdin=password)
    shell.skopeo("copy", "--dest-tls-verify=false", f"oci:{layout}:v1", f"docker://{hosts[0]}/app:v1")
    world.clock.advance(minutes=1)
    repositories.set_policy(world.registry(*PLACES[2]), "app", document.replace(', "Resource": "*"', ""))

    pushed = {path.name: path.read_bytes() for path in (layout / "blobs/sha256").iterdir()}
    for number, host in enumerate(hosts):
        back = shell.home / f"back-{number}"
        shell.skopeo("copy", "--src-tls-verify=false", f"docker://{host}/app:v1", f"oci:{back}:v1")
        assert {path.name: path.read_bytes() for path in (back / "blobs/sha256").iterdir()} == pushed
