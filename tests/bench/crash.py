"""kill -9, again and again: nothing acknowledged may be lost, and nothing else may be left.

    python3 -m tests.bench.crash [--rounds 30] [--seconds 2] [--http] [--damage] [--seed TEXT]

Each round four clients push, retag and delete, each in a repository of its own, with layers in common; two of the
repositories are encrypted with a KMS key. After a random time the process that holds the registry is killed. Then
everything in the state directory is compared with what was acknowledged, digests and references are verified, and so
are the bytes on the disk. With `--http` the process is `ecrlab serve` and the clients speak HTTP to it. With `--damage`
a part of a copy of the state directory is removed, cut short, replaced or made read-only before: a start there says so
and changes nothing, or loses nothing else.
"""

import argparse
import contextlib
import itertools
import random
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from http.client import HTTPException
from pathlib import Path

from tests.registry.lives import ENCRYPTED_NAMES, NAMES, PARTS, ROOT, WAYS, check, damaged, killed, live
from tests.registry.over_http import HttpClient


def killed_server(directory: Path, seed: str, seconds: float) -> dict[str, int]:
    """Live through a server, kill it after that long; give how many operations each repository acknowledged."""
    command = [sys.executable, "-m", "ecrlab", "serve", "--state", str(directory)]
    acknowledged: Counter[str] = Counter()

    def one(name: str) -> None:
        client = HttpClient(endpoint, name)
        # A server that dies in the middle of an answer ends a life.
        with contextlib.suppress(OSError, HTTPException):
            for _ in live(client, f"{seed} {name}"):
                acknowledged[name] += 1

    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as server:
        try:
            endpoint = server.stdout.readline().strip()
            for name in NAMES:
                with contextlib.closing(HttpClient(endpoint, name)) as client:
                    client.create("KMS" if name in ENCRYPTED_NAMES else "AES256")
            threads = [threading.Thread(target=one, args=(name,)) for name in NAMES]
            for thread in threads:
                thread.start()
            with contextlib.suppress(subprocess.TimeoutExpired):
                server.wait(seconds)
                raise AssertionError("the server died by itself")
        finally:
            server.kill()
        for thread in threads:
            thread.join()
    return {name: acknowledged[name] for name in NAMES}


def main() -> int:
    """Run the rounds; 1 if anything was wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--seconds", type=float, default=2.0, help="the longest life")
    parser.add_argument("--http", action="store_true", help="kill a server, not just a process")
    parser.add_argument("--damage", action="store_true", help="damage copies of the state directory as well")
    parser.add_argument("--seed", default=None, help="repeat the lives (not the moments of death) of another run")
    options = parser.parse_args()
    seed = options.seed or f"{random.randrange(10**9)}"
    kill = killed_server if options.http else killed
    operations, wrong = 0, 0
    for number in range(options.rounds):
        with tempfile.TemporaryDirectory() as directory:
            state = Path(directory) / "state"
            acknowledged = kill(state, f"{seed}.{number}", random.uniform(0.05, options.seconds))
            each = itertools.product(PARTS, WAYS) if options.damage else ()
            problems = [one for part, way in each for one in damaged(state, part, way, f"{seed}.{number}")]
            problems += check(state, f"{seed}.{number}", acknowledged, by_server=options.http)
        operations += sum(acknowledged.values())
        wrong += bool(problems)
        print(f"round {number + 1}: {sum(acknowledged.values())} operations acknowledged, {len(problems)} problems")
        for problem in problems:
            print(f"  {problem}")
    print(f"seed {seed}: {options.rounds} rounds, {operations} operations acknowledged, {wrong} rounds with problems")
    return min(wrong, 1)


if __name__ == "__main__":
    sys.exit(main())
