"""How long copies take, against the pushes that cause them: `python3 -m tests.bench.replication`.

1,000 images with a layer of their own are pushed by the API, and then copied to two Regions. The aims: the copies take
at most 3 times the time of the pushes, and the bytes of the layers on the disk do not grow.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path

from ecrlab.registry import images
from tests.simulator.client import Repository
from tests.simulator.replicated import ASIA, EUROPE, HOME, Registries, rule, to

IMAGES, SIZE, MOST = 1000, 20_000, 3.0


def main() -> int:
    """Measure, print, and return 1 if an aim is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to FILE")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        lab = Registries(Path(directory) / "state")
        lab.replicate(rule(to(EUROPE), to(ASIA)))
        app: Repository = lab.repository("app")
        begun = time.perf_counter()
        for number in range(IMAGES):
            app.push(os.urandom(SIZE), tag=f"v{number}")
        pushed = time.perf_counter()
        before = size_of(lab)
        lab.pass_time()
        copied = time.perf_counter()
        after = size_of(lab)
        for region in (EUROPE, ASIA):
            assert len(images.describe(lab.world.registry(HOME, region), "app")) == IMAGES
        lab.close()
    figures = {
        "push_seconds": pushed - begun,
        "copy_seconds": copied - pushed,
        "ratio": (copied - pushed) / (pushed - begun),
        "layer_bytes_before": before,
        "layer_bytes_after": after,
    }
    print(f"{IMAGES:,} pushes {figures['push_seconds']:.1f} s, {2 * IMAGES:,} copies {figures['copy_seconds']:.1f} s")
    print(f"ratio {figures['ratio']:.2f} (at most {MOST}); bytes of layers {before:,} before and {after:,} after")
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n")
    return 0 if figures["ratio"] <= MOST and before == after else 1


def size_of(lab: Registries) -> int:
    """Return the bytes of all blobs on the disk."""
    return sum(lab.world.blobs.path(digest).stat().st_size for digest in lab.world.blobs)


if __name__ == "__main__":
    sys.exit(main())
