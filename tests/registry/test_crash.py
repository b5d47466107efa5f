"""kill -9 at any moment loses nothing acknowledged and leaves nothing else (the long version:
tests/bench/crash.py).
"""

import random

import pytest

from tests.registry.lives import PARTS, WAYS, check, damaged, killed


@pytest.mark.parametrize("attempt", range(4))
def test_a_violent_end_loses_nothing_acknowledged_and_leaves_nothing_else(tmp_path, attempt):
    acknowledged = killed(tmp_path, seed=f"{attempt}", seconds=random.uniform(0.1, 0.5))

    assert sum(acknowledged.values()) > 0
    assert check(tmp_path, f"{attempt}", acknowledged) == []


@pytest.mark.parametrize("part", [PARTS[0], *(pytest.param(part, marks=pytest.mark.slow) for part in PARTS[1:])])
def test_what_is_lost_after_a_violent_end_is_said_or_harmless_and_costs_nothing_else(tmp_path, part):
    acknowledged = killed(tmp_path, seed=part, seconds=0.4)

    assert sum(acknowledged.values()) > 0
    assert [problem for way in WAYS for problem in damaged(tmp_path, part, way, part)] == []
    assert check(tmp_path, part, acknowledged) == []
