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
import shutil
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
from ecrlab.registry.store.blob_names import blob_name
from ecrlab.registry.store.directory import StateError
from ecrlab.registry.store.verify import verify
from ecrlab.registry.world import World
from ecrlab.simulator.moto.kms import KeptKeys, attach
from tests.registry.conftest import ACCOUNT, REGION, Client
from tests.registry.kms import ENCRYPTED, Kms

ROOT = Path(__file__).parents[2]
NAMES = ["life-0", "life-1", "life-2", "life-3"]
ENCRYPTED_NAMES = NAMES[2:]
"""The repositories with a KMS key, the same for both."""


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


def check(directory: Path, seed: str, acknowledged: dict[str, int], *, by_server: bool = False) -> list[str]:
    """What is wrong after a violent end; nothing when all is as it must be. A server has the lab's KMS."""
    keys_of = KeptKeys if by_server else lambda db: Kms()
    wrong = [str(p) for p in verify(directory, keys_of) if "a stray file" not in p.why]
    world = World(directory, LabClock())
    if by_server:
        attach(world)
    else:
        world.keys = Kms()
    registry = world.registry(ACCOUNT, REGION)
    needed: set[str] = set()
    for name, operations in acknowledged.items():
        client = Client(registry, name)
        found = client.images
        if found not in lived_in_peace(name, seed, operations):
            wrong.append(f"{name} after {operations} operations: {len(found)} images, not those acknowledged")
        bodies = [manifest.parse(client.find(digest).body) for digest in found]
        key = repositories.find(registry, name).kms_key
        needed.update(blob_name(blob.digest, key) for body in bodies for blob in body.blobs)
    world.collector.collect(grace=False)
    wrong += [f"{name} is lost" for name in needed.difference(world.blobs)]
    wrong += [f"{name} is needed by nobody" for name in set(world.blobs) - needed]
    world.close()
    return wrong + [str(problem) for problem in verify(directory, keys_of)]


PARTS = ("registry.sqlite", "registry.sqlite-wal", "registry.sqlite-shm", "registry.state", "a blob")
WAYS = ("lost", "cut short", "replaced", "read-only")


def damaged(directory: Path, part: str, way: str, seed: str) -> list[str]:
    """Damage one part of a copy of a state directory, and start a registry there: what is wrong then.

    A start may refuse, and then nothing has changed; or it goes on, and then every blob that is in use is still there.
    """
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory() as temporary:
        whole, copy = Path(temporary) / "whole", Path(temporary) / "state"
        shutil.copytree(directory, whole)
        shutil.copytree(directory, copy)
        needed = _blobs_after_a_start(whole)
        path = copy / chance.choice(sorted(needed)) if part == "a blob" else copy / part
        if not path.exists():
            return []
        size = path.stat().st_size
        if way == "lost":
            path.unlink()
        elif way == "cut short":
            os.truncate(path, chance.randrange(size) if size else 0)
        elif way == "replaced":
            path.write_bytes(chance.randbytes(size))
        else:
            path.chmod(0o400)
        before = _contents(copy)
        try:
            left = _blobs_after_a_start(copy)
        except StateError:
            return [] if _contents(copy) == before else [f"{part} {way}: a start that refused has changed the folder"]
        missing = needed - left - {path.relative_to(copy)}
        return [f"{part} {way}: a start deleted {blob}" for blob in sorted(missing)]


def _blobs_after_a_start(directory: Path) -> set[Path]:
    world = World(directory, LabClock())
    world.collector.collect(grace=False)
    world.close()
    return {path.relative_to(directory) for path in (directory / "blobs").rglob("*") if path.is_file()}


def _contents(directory: Path) -> dict[Path, bytes]:
    """Every file but the log's index, which each look at a log makes anew."""
    paths = [path for path in directory.rglob("*") if path.is_file() and path.name != "registry.sqlite-shm"]
    return {path: path.read_bytes() for path in paths}


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
    world.keys = Kms()
    registry = world.registry(ACCOUNT, REGION)
    for name in NAMES:
        repositories.create(registry, name, ENCRYPTED if name in ENCRYPTED_NAMES else None)
    print("born", flush=True)

    def one(name: str) -> None:
        for _ in live(Client(registry, name), f"{seed} {name}"):
            # One write a line: the kill may come between any two.
            os.write(1, f"{name}\n".encode())

    for name in NAMES:
        threading.Thread(target=one, args=(name,)).start()


if __name__ == "__main__":
    main(sys.argv[1:])
