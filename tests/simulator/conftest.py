"""A real server, and clients that see a registry of their own.

A test marked `operation("ecr:PutImage")` is the one that `docs/fidelity.md` names for that operation: it must fail when
the operation is taken away. With `ECRLAB_WITHOUT_OPERATIONS` set, that is done to each marked test, and its outcome is
turned round.
"""

import itertools
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ecrlab.registry.world import World
from ecrlab.simulator.aws.calls import OPERATIONS
from ecrlab.simulator.aws.operations import load
from ecrlab.simulator.server import Server
from tests.simulator.accounts import ABROAD, Account
from tests.simulator.client import Repository, client_of
from tests.simulator.scanned import Lab, configure

WITHOUT_OPERATIONS = "ECRLAB_WITHOUT_OPERATIONS"

_regions = itertools.count()


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "operation(name): fails when the operation, ecr:PutImage say, is disabled")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Any:
    load()
    taken = [mark.args[0].split(":") for mark in item.iter_markers("operation")]
    before = {}
    if WITHOUT_OPERATIONS in os.environ:
        before = {(service, name): OPERATIONS.pop((service, name)) for service, name in taken}
    try:
        return (yield)
    finally:
        OPERATIONS.update(before)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    report = yield
    if WITHOUT_OPERATIONS in os.environ and item.get_closest_marker("operation"):
        if report.failed:
            report.outcome = "passed"
        elif report.when == "call":
            report.outcome, report.longrepr = "failed", f"{item.nodeid} passes without its operation"
    return report


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    world = World(tmp_path_factory.mktemp("lab") / "state", seed="test", durable=False)
    yield world
    world.close()


@pytest.fixture(scope="session")
def server(world: World) -> Iterator[Server]:
    server = Server(world)
    yield server
    server.stop()


@pytest.fixture
def region() -> str:
    """A Region that no other test uses: its registry is empty."""
    number = next(_regions)
    return f"lab-{chr(97 + number // 2600)}{chr(97 + number // 100 % 26)}-{number % 100}"


@pytest.fixture
def ecr(server: Server, region: str) -> Any:
    """A client of an empty registry."""
    return client_of(server.endpoint, region=region)


@pytest.fixture
def app(ecr: Any) -> Repository:
    """The repository `app`, which is there and empty."""
    ecr.create_repository(repositoryName="app")
    return Repository(ecr, "app")


@pytest.fixture
def home(server, region) -> Account:
    """The learner's account, with the repository `app`."""
    account = Account(server.endpoint, region)
    account.ecr.create_repository(repositoryName="app")
    return account


@pytest.fixture
def abroad(home) -> Account:
    """A second account, entered by the role that AWS Organizations makes in it."""
    key, _ = home.assume(f"arn:aws:iam::{ABROAD}:role/OrganizationAccountAccessRole")
    return Account(home.endpoint, home.region, key)


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Lab]:
    lab = Lab(tmp_path / "state")
    yield lab
    lab.server.stop()
    lab.world.close()


@pytest.fixture
def watched(lab: Lab) -> Lab:
    configure(lab.ecr, "ENHANCED", "CONTINUOUS_SCAN")
    lab.told.clear()
    return lab
