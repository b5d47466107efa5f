"""Walks through every operation and `/v2/` for as long as one likes: `python3 -m tests.bench.fuzz [--seconds 600]`.

Every 2,000 steps a new walk begins in a new registry. Counted are answers of 500 and more, refusals that changed
something, the share of accepted calls, and the operations that accepted one.
"""

import argparse
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from ecrlab.registry.world import World
from ecrlab.simulator.aws.calls import OPERATIONS
from tests.simulator.walks import Walk

STEPS = 2_000


def main() -> int:
    """Walk, print the figures, and return 1 if anything was wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", default=f"{time.time_ns()}")
    options = parser.parse_args()
    end = time.monotonic() + options.seconds
    calls: Counter[tuple[str, int]] = Counter()
    wrong: list[str] = []
    number = 0
    while time.monotonic() < end:
        number += 1
        with tempfile.TemporaryDirectory() as directory:
            world = World(Path(directory) / "state", seed="fuzz", durable=False)
            walk = Walk(world, f"{options.seed}.{number}")
            try:
                for _ in range(STEPS):
                    if time.monotonic() > end:
                        break
                    walk.step()
            except AssertionError as error:
                wrong.append(str(error))
            wrong += walk.refusals_that_changed
            calls += walk.calls
            world.close()
    accepted = sum(count for (_, status), count in calls.items() if status < 300)
    reached = {name for name, status in calls if status < 300}
    print(f"seed {options.seed}: {number} walks, {calls.total()} calls, {accepted / calls.total():.0%} accepted")
    print(f"{sum(':'.join(one) in reached for one in OPERATIONS)} of {len(OPERATIONS)} operations accepted a call;")
    print(f"PutImage accepted {calls['ecr:PutImage', 200]} times; {len(wrong)} problems")
    for problem in wrong[:20]:
        print(f"  {problem[:500]}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
