"""A call that is refused leaves the whole registry as it was, whichever operation and face (the long version:
tests/bench/fuzz.py).
"""

import pytest

from ecrlab.registry.world import World
from ecrlab.simulator.aws.calls import OPERATIONS
from tests.simulator.walks import Walk


@pytest.mark.parametrize("seed", ["a", pytest.param("b", marks=pytest.mark.slow)])
def test_on_a_walk_through_all_operations_no_refusal_changes_anything(tmp_path, seed):
    world = World(tmp_path / "state", seed="test", durable=False)
    walk = Walk(world, seed)
    for _ in range(1200):
        walk.step()
    world.close()
    assert walk.refusals_that_changed == []
    # and the walk has gone everywhere
    assert {":".join(one) for one in OPERATIONS} - walk.reached == set()
    assert walk.accepted > 0.4
