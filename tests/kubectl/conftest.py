"""One lab for all tests of the command, which runs in this process; each test finds its cluster empty."""

from dataclasses import dataclass
from typing import Any

import pytest

from ecrlab.kubectl.__main__ import main
from ecrlab.registry.world import World
from ecrlab.simulator.server import Server
from tests.simulator.client import Repository, client_of

HOST = "123456789012.dkr.ecr.us-east-1.amazonaws.com"
AMD = b'{"os": "linux", "architecture": "amd64"}'


@dataclass(frozen=True)
class Ran:
    """What a command printed, and its exit code."""

    out: str
    err: str
    status: int


class Lab:
    """The world behind the command, and `kubectl` as a learner types it."""

    def __init__(self, world: World, server: Server) -> None:
        self.world, self.server = world, server
        self.ecr = client_of(server.endpoint)
        self.ecr.create_repository(repositoryName="app")
        self.app = Repository(self.ecr, "app")
        self.digest = self.app.push(b"x", tag="v1", config=AMD)
        self.app.push(b"x", tag="again", config=AMD)
        self.capsys: Any = None

    def kubectl(self, line: str) -> Ran:
        """Run a line; `{v1}` is the image of the repository, `{again}` the same with another tag, `{v2}` absent."""
        names = {"v1": f"{HOST}/app:v1", "again": f"{HOST}/app:again", "v2": f"{HOST}/app:v2"}
        status = main([word.format(host=HOST, **names) for word in line.split()])
        printed = self.capsys.readouterr()
        return Ran(printed.out, printed.err, status)

    def says(self, line: str) -> str:
        """What a command that succeeds prints."""
        ran = self.kubectl(line)
        assert (ran.err, ran.status) == ("", 0)
        return ran.out

    def fails(self, line: str) -> str:
        """What a command that fails prints; it prints nothing else."""
        ran = self.kubectl(line)
        assert (ran.out, ran.status) == ("", 1)
        return ran.err.rstrip("\n")


@pytest.fixture(scope="session")
def whole_lab(tmp_path_factory):
    world = World(tmp_path_factory.mktemp("kubectl") / "state", seed="kubectl", durable=False)
    server = Server(world)
    yield Lab(world, server)
    server.stop()
    world.close()


@pytest.fixture
def lab(whole_lab, capsys, monkeypatch):
    monkeypatch.setenv("ECRLAB_ENDPOINT", whole_lab.server.endpoint)
    monkeypatch.delenv("DOCKER_CONFIG", raising=False)
    whole_lab.capsys = capsys
    yield whole_lab
    for kind in ("deployments", "pods"):
        whole_lab.kubectl(f"delete {kind} --all")
    whole_lab.world.clock.advance(hours=2)  # events are forgotten
