"""kill -9 while images are replicated: a copy that is COMPLETE is there as a whole, another is not there at all, and
the next start makes it.

    python -m tests.registry.test_replication_crash DIRECTORY     pushes and replicates for ever
"""

import json
import os
import random
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from ecrlab.clock import LabClock
from ecrlab.registry import images, layers, replication, repositories, settings
from ecrlab.registry.errors import RepositoryNotFoundException
from ecrlab.registry.images import ImageId
from ecrlab.registry.store.verify import verify
from ecrlab.registry.world import Registry, World
from ecrlab.simulator.wiring import wire
from tests.registry.conftest import ACCOUNT, REGION, Client

ROOT = Path(__file__).parents[2]
DESTINATIONS = [{"registryId": ACCOUNT, "region": "eu-west-1"}, {"registryId": "333333333333", "region": "eu-west-1"}]
ALLOW = {"Effect": "Allow", "Principal": "*", "Action": "ecr:*", "Resource": "*"}


@pytest.mark.parametrize("attempt", range(3))
def test_a_violent_end_leaves_no_half_copy(tmp_path: Path, attempt: int) -> None:
    pushed = killed(tmp_path, random.uniform(0.1, 0.6))
    assert pushed
    world = World(tmp_path, LabClock())
    wire(world)
    source = world.registry(ACCOUNT, REGION)
    destinations = [world.registry(one["registryId"], one["region"]) for one in DESTINATIONS]
    left = list(images.describe(source, "app"))
    assert {image.digest for image in left} >= set(pushed)
    for image in left:
        told = {(one.account_id, one.region): one.status for one in replication.statuses(source, image)}
        for there in destinations:
            said = told[there.account_id, there.region]
            assert said in ("COMPLETE", "IN_PROGRESS")
            assert is_whole(there, image.digest, image.tags) == (said == "COMPLETE")
    world.time_passes.tell()
    assert all(is_whole(there, image.digest, image.tags) for image in left for there in destinations)
    assert all(one.status == "COMPLETE" for image in left for one in replication.statuses(source, image))
    world.close()
    assert [one for one in verify(tmp_path) if "a stray file" not in one.why] == []


def is_whole(registry: Registry, digest: str, tags: tuple[str, ...]) -> bool:
    """Tell whether an image is there with its tags, layers and listed images; False if nothing of it is there."""
    client = Client(registry)
    try:
        held = client.images
    except RepositoryNotFoundException:
        return False
    if digest not in held:
        return False
    assert held[digest] == tags
    body = json.loads(images.find(registry, "app", ImageId(digest)).body or b"")
    for one in (*body.get("layers", ()), *([body["config"]] if "config" in body else [])):
        found = layers.find(registry, "app", one["digest"])
        assert found is not None
        assert registry.world.blobs.path(one["digest"]).stat().st_size == found.size
    assert all(child["digest"] in held for child in body.get("manifests", ()))
    return True


def killed(directory: Path, seconds: float) -> list[str]:
    """Let a process push and replicate, kill it that long after its first push, and return the digests it printed."""
    command = [sys.executable, "-m", "tests.registry.test_replication_crash", str(directory)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        first = process.stdout.readline().strip()
        threading.Timer(seconds, process.kill).start()
        lines = [first, *process.stdout.read().split("\n")[:-1]]
    assert process.returncode == -signal.SIGKILL, "it died by itself"
    return lines


def main(directory: Path) -> None:
    """Push images and indexes from one thread, and replicate from another."""
    world = World(directory)
    wire(world)
    registry = world.registry(ACCOUNT, REGION)
    repositories.create(registry, "app")
    settings.put_replication(registry, {"rules": [{"destinations": DESTINATIONS}]})
    abroad = world.registry(DESTINATIONS[1]["registryId"], DESTINATIONS[1]["region"])
    settings.put_policy(abroad, json.dumps({"Version": "2012-10-17", "Statement": [ALLOW]}))

    def replicate() -> None:
        while True:
            world.time_passes.tell()

    threading.Thread(target=replicate, daemon=True).start()
    client = Client(registry)
    number = 0
    while True:
        one = client.push(os.urandom(1000), tag=f"v{number}")
        two = client.push_index(one, tag=f"i{number}")
        os.write(1, f"{one.digest}\n{two.digest}\n".encode())
        number += 1


if __name__ == "__main__":
    main(Path(sys.argv[1]))
