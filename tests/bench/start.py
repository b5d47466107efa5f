"""What starting a lab costs, against starting stock moto's server in a thread.

    python3 -m tests.bench.start [--rounds 7]

The aim: at most 1.3 times. Each start is a process of its own, begun in turns: from the import to the moment when the
server listens.
"""

import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path

OURS = """
import time; begin = time.perf_counter()
import ecrlab
lab = ecrlab.start()
print(time.perf_counter() - begin)
lab.stop()
"""

MOTO = """
import time; begin = time.perf_counter()
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
print(time.perf_counter() - begin)
server.stop()
"""


def seconds(script: str) -> float:
    """How long one start took, by its own clock."""
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return float(ran.stdout)


def measure(rounds: int) -> dict[str, float]:
    """Medians of starts in turns, and their ratio."""
    seconds(OURS), seconds(MOTO)  # compiled modules and disk caches are warm for both
    ours, moto = zip(*((seconds(OURS), seconds(MOTO)) for _ in range(rounds)), strict=True)
    return {
        "ours, s": statistics.median(ours),
        "moto, s": statistics.median(moto),
        "ours / moto": statistics.median(ours) / statistics.median(moto),
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to FILE")
    options = parser.parse_args()
    figures = measure(options.rounds)
    for name, value in figures.items():
        print(f"{name:<12} {value:.3f}")
    if options.json:
        options.json.write_text(json.dumps(figures))
