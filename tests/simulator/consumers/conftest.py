"""One lab with ECS for all tests of a file: moto's EC2, which ECS needs, takes seconds to load."""

from collections.abc import Iterator

import pytest

from tests.simulator.consumers.shop import Shop


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    shop = Shop(tmp_path_factory.mktemp("shop") / "state")
    yield shop
    shop.stop()
