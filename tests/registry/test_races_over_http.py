"""Eight processes and sixteen threads of clients at one server: no lost update, no 5xx, no deadlock."""

import random
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from ecrlab.clock import WallClock
from ecrlab.registry.store.verify import verify
from ecrlab.registry.world import World
from ecrlab.simulator.server import Server
from tests.registry.over_http import HttpClient, Refused

ROOT = Path(__file__).parents[2]
ALLOWED = {"MANIFEST_BLOB_UNKNOWN", "MANIFEST_UNKNOWN", "ReferencedImagesNotFoundException", "LayersNotFoundException"}


@pytest.fixture
def served(tmp_path):
    """A world of its own, and the endpoint of a server that shows it."""
    world = World(tmp_path / "state", WallClock(), durable=False)
    server = Server(world)
    yield world, server.endpoint
    server.stop()
    world.close()


def in_threads(function, arguments):
    with ThreadPoolExecutor(16) as pool:
        return list(pool.map(function, arguments))


def test_of_many_images_racing_for_one_immutable_tag_exactly_one_wins(served):
    _, endpoint = served
    with closing(HttpClient(endpoint)) as client:
        client.aws("CreateRepository", repositoryName="app", imageTagMutability="IMMUTABLE")

    def push(number):
        with closing(HttpClient(endpoint)) as client:
            try:
                return client.push(b"%d" % number, tag="release").digest
            except Refused as refused:
                assert refused.code == "TAG_INVALID" and refused.status == 400, refused
                return None

    won = [digest for digest in in_threads(push, range(16)) if digest]

    assert len(won) == 1
    with closing(HttpClient(endpoint)) as client:
        assert client.images == {won[0]: ("release",)}


def mixed_work(endpoint, name, seed, rounds):
    """Push, retag, index, list and delete in a repository that others use too; give the digests that must be there."""
    client, chance = HttpClient(endpoint, name), random.Random(seed)
    kept = []
    for number in range(rounds):
        kept.append(client.push(b"shared", f"{seed} {number}".encode(), tag="latest").digest)
        other = client.push(b"shared", b"%d" % chance.randrange(4), tag=f"t{chance.randrange(4)}")
        try:
            client.push_index(other, tag=chance.choice([None, "index"]))
            client.delete(digest=other.digest)
        except Refused as refused:
            assert refused.status < 500 and refused.code in ALLOWED, refused
        client.delete(tag=f"t{chance.randrange(4)}")
        assert set(kept) <= set(client.images)
    client.close()
    return kept


def check(world, endpoint, name, kept):
    client = HttpClient(endpoint, name)
    found = client.images
    assert set(kept) <= set(found)
    tags = [tag for tags in found.values() for tag in tags]
    assert len(tags) == len(set(tags)) and "latest" in tags
    client.close()


def test_threads_of_clients_at_one_repository_lose_nothing(served, tmp_path):
    world, endpoint = served
    with closing(HttpClient(endpoint)) as client:
        client.create()

    kept = in_threads(lambda number: mixed_work(endpoint, "app", f"thread {number}", 3), range(16))

    check(world, endpoint, "app", {digest for digests in kept for digest in digests})
    world.collector.collect(grace=False)
    world.close()
    assert list(verify(tmp_path / "state")) == []


def test_processes_of_clients_at_one_repository_lose_nothing(served, tmp_path):
    world, endpoint = served
    with closing(HttpClient(endpoint)) as client:
        client.create()
    command = [sys.executable, "-m", "tests.registry.test_races_over_http", endpoint]

    processes = [
        subprocess.Popen([*command, f"process {number}"], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        for number in range(8)
    ]
    outputs = [process.communicate(timeout=100)[0] for process in processes]

    assert [process.returncode for process in processes] == [0] * 8
    check(world, endpoint, "app", "".join(outputs).split())
    world.collector.collect(grace=False)
    world.close()
    assert list(verify(tmp_path / "state")) == []


if __name__ == "__main__":
    print(*mixed_work(sys.argv[1], "app", sys.argv[2], 2), sep="\n")
