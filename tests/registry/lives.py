"""Lives of repositories: endless pushes, retags and deletes that a seed repeats, and what a `kill -9` may
leave of them.

    python -m tests.registry.lives DIRECTORY SEED      lives in a state directory, printing each
    acknowledgement

A repository's life depends only on its seed and on itself, so the same life lived in peace tells what must be
there after a violent end: all that was acknowledged, perhaps the one operation under way, and nothing else.
"""

import itertools
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ecrlab.clock import LabClock
from ecrlab.registry import manifest, repositories
from ecrlab.registry.store.verify import verify
from ecrlab.registry.world import World
from tests.registry.conftest import ACCOUNT, REGION, Client

ROOT = Path(__file__).parents[2]
NAMES = ["life-0", "life-1", "life-2", "life-3"]


def live(client: Any, seed: str) -> Iterator[None]:
    """One operation after the other; each has been acknowledged when the next is asked for."""
    chance = random.Random(seed)
    for number in itertools.count():
        images = client.images
        tag = f"t{chance.randrange(4)}"
        body = chance.randbytes(chance.choice([10, 5_000, 200_000]))
        dice = chance.random() if images else 0
        if dice < 0.45:
            client.push(b"shared by all", body, tag=tag, config=b'{"number": %d}' % number)
        elif dice < 0.55:
            client.push(body)
        elif dice < 0.65:
            client.push_index(*_some(chance, client, images), tag=tag)
        elif dice < 0.8:
            client.delete(tag=tag)
        else:
            client.delete(digest=chance.choice(list(images)))
        yield


def _some(chance: random.Random, client: Any, images: dict[str, Any]) -> list[Any]:
    return [client.find(digest) for digest in chance.sample(list(images), min(2, len(images)))]


def lived_in_peace(name: str, seed: str, operations: int) -> list[dict[str, tuple[str, ...]]]:
    """What is in a repository after that many operations, and after one more."""
    with tempfile.TemporaryDirectory() as directory:
        world = World(Path(directory), durable=False)
        repositories.create(world.registry(ACCOUNT, REGION), name)
        client = Client(world.registry(ACCOUNT, REGION), name)
        life = live(client, f"{seed} {name}")
        for _ in range(operations):
            next(life)
        states = [client.images]
        next(life)
        states.append(client.images)
        world.close()
        return states


def check(directory: Path, seed: str, acknowledged: dict[str, int]) -> list[str]:
    """What is wrong after a violent end; nothing when all is as it must be."""
    wrong = [str(p) for p in verify(directory) if "a stray file" not in p.why]
    world = World(directory, LabClock())
    registry = world.registry(ACCOUNT, REGION)
    needed: set[str] = set()
    for name, operations in acknowledged.items():
        client = Client(registry, name)
        found = client.images
        if found not in lived_in_peace(name, seed, operations):
            wrong.append(f"{name} after {operations} operations: {len(found)} images, not those acknowledged")
        bodies = [manifest.parse(client.find(digest).body) for digest in found]
        needed.update(blob.digest for body in bodies for blob in body.blobs)
    world.collector.collect(grace=False)
    wrong += [f"{digest} is lost" for digest in needed.difference(world.blobs)]
    wrong += [f"{digest} is needed by nobody" for digest in set(world.blobs) - needed]
    world.close()
    return wrong + [str(problem) for problem in verify(directory)]


def killed(directory: Path, seed: str, seconds: float) -> dict[str, int]:
    """Live in a process of its own and kill it that long after its first operation, however late a busy machine lets
    that be; give how many operations each repository acknowledged.
    """
    command = [sys.executable, "-m", "tests.registry.lives", str(directory), seed]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        timer = threading.Timer(seconds, process.kill)
        assert process.stdout.readline() == "born\n"
        first = process.stdout.readline().strip()
        timer.start()
        lines = [first, *process.stdout.read().split("\n")[:-1]]
    assert process.returncode == -signal.SIGKILL, "it died by itself"
    return {name: lines.count(name) for name in NAMES}


def main(arguments: Sequence[str]) -> None:
    directory, seed = arguments
    world = World(Path(directory), durable=True)
    registry = world.registry(ACCOUNT, REGION)
    for name in NAMES:
        repositories.create(registry, name)
    print("born", flush=True)

    def one(name: str) -> None:
        for _ in live(Client(registry, name), f"{seed} {name}"):
            # One write a line: the kill may come between any two.
            os.write(1, f"{name}\n".encode())

    for name in NAMES:
        threading.Thread(target=one, args=(name,)).start()


if __name__ == "__main__":
    main(sys.argv[1:])
