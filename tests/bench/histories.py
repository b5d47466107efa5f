"""What loading a year of CI into a lab costs, against importing pandas and matplotlib.

    python3 -m tests.bench.histories [--rounds 7]

The aim: at most 3 times. Each load is in a process of its own, begun in turns; measured is `lab.load` alone, with all
that it imports. The futures that a projection asks for are measured beside it.
"""

import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path

LOAD = """
import time
import ecrlab
lab = ecrlab.start()
begin = time.perf_counter()
lab.load("a-year-of-ci")
print(time.perf_counter() - begin)
lab.stop()
"""

IMPORT = """
import time; begin = time.perf_counter()
import pandas, matplotlib.pyplot
print(time.perf_counter() - begin)
"""

FUTURE = """
import time
from datetime import date
from itertools import islice
from ecrlab.scenarios import draw
shop = draw(7, date(2026, 9, 30))
begin = time.perf_counter()
list(islice(shop.future(), 365))
print(time.perf_counter() - begin)
"""


def seconds(script: str) -> float:
    """How long it took, by its own clock."""
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return float(ran.stdout)


def measure(rounds: int) -> dict[str, float]:
    """Medians of runs in turns, and their ratios."""
    scripts = (LOAD, IMPORT, FUTURE)
    for script in scripts:
        seconds(script)  # compiled modules and disk caches are warm for all
    load, imports, future = (
        statistics.median(times)
        for times in zip(*([seconds(script) for script in scripts] for _ in range(rounds)), strict=True)
    )
    return {
        "load, s": load,
        "pandas and matplotlib, s": imports,
        "a year ahead, s": future,
        "load / imports": load / imports,
        "a year ahead / imports": future / imports,
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to FILE")
    options = parser.parse_args()
    figures = measure(options.rounds)
    for name, value in figures.items():
        print(f"{name:<26} {value:.3f}")
    if options.json:
        options.json.write_text(json.dumps(figures))
