"""kill -9 at any moment loses nothing acknowledged and leaves nothing else (the long version:
tests/bench/crash.py).
"""

import random

import pytest

from tests.registry.lives import check, killed


@pytest.mark.parametrize("attempt", range(4))
def test_a_violent_end_loses_nothing_acknowledged_and_leaves_nothing_else(tmp_path, attempt):
    acknowledged = killed(tmp_path, seed=f"{attempt}", seconds=random.uniform(0.1, 0.5))

    assert sum(acknowledged.values()) > 0
    assert check(tmp_path, f"{attempt}", acknowledged) == []
