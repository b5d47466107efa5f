"""All measurements of the registry and its server, one after the other: `python3 -m tests.bench`.

Each is a module of this folder and measures against its own yardstick, in turns, in one run. Names choose some of them,
and `python3 -m tests.bench.NAME --help` says more. A quiet machine gives quiet figures.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

NAMES = ("start", "backend", "api", "dataplane", "histories")


def main() -> int:
    """Run them, print their tables, and write all figures to one file if asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", choices=[*NAMES, []], help=f"of {', '.join(NAMES)}")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to FILE")
    options = parser.parse_args()
    figures = {}
    for name in options.names or NAMES:
        print(f"\n== {name}", flush=True)
        with tempfile.NamedTemporaryFile(suffix=".json") as file:
            command = [sys.executable, "-m", f"tests.bench.{name}", "--json", file.name]
            subprocess.run(command, check=True)
            figures[name] = json.loads(Path(file.name).read_text())
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
