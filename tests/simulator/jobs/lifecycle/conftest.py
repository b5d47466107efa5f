"""A world for each test, because its clock is moved: with a server, a client, and the repository `app` in it."""

import pytest

from ecrlab.registry.world import World
from ecrlab.simulator.server import Server
from tests.simulator.client import Repository, client_of
from tests.simulator.jobs.lifecycle.days import ACCOUNT, REGION


@pytest.fixture
def lab(tmp_path):
    world = World(tmp_path / "state", seed="nights", durable=False)
    server = Server(world)
    yield world, client_of(server.endpoint)
    server.stop()
    world.close()


@pytest.fixture
def world(lab):
    return lab[0]


@pytest.fixture
def clock(world):
    return world.clock


@pytest.fixture
def registry(world):
    return world.registry(ACCOUNT, REGION)


@pytest.fixture
def app(lab):
    _, ecr = lab
    ecr.create_repository(repositoryName="app")
    return Repository(ecr, "app")
