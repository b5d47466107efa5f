"""How fast API calls are answered, against stock moto's server: `python -m tests.bench.api`.

Both servers are processes of their own and take turns. Calls per second are those of raw `http.client` clients, 1 and
8 of them, that keep their connections where the server does (moto's does not). All of 10,000 images are described in
pages of 1,000 by the lab; moto knows no pages and answers with one. What counts is the ratio of the medians. moto's
images are put into its backend directly, because through its API that takes minutes.
"""

import argparse
import http.client
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ecrlab.registry import manifest, pushes, repositories
from ecrlab.registry.world import World
from tests.registry.conftest import ACCOUNT, REGION, Client

IMAGES, PAGE = 10_000, 1000
SECONDS, ROUNDS = 1.5, 5
CLIENTS = (1, 8)
WANTED = {"1 client": 2.0, "8 clients": 2.0, "describe 10,000 images": 3.0}

SIGNED = (
    f"AWS4-HMAC-SHA256 Credential=ECRLABLEARNER0000000/20260901/{REGION}/ecr/aws4_request, "
    "SignedHeaders=host, Signature=0"
)

MOTO = """
import sys
from moto.ecr.models import Image, ecr_backends
from moto.server import ThreadedMotoServer
server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
server.start()
backend = ecr_backends["{account}"]["{region}"]
for name in ("app", "many"):
    backend.create_repository(name, None, None, None, None, None, None)
many = backend.repositories["many"]
for number, body in enumerate(open(sys.argv[1]).read().splitlines()):
    many.images.append(Image("{account}", f"v{{number}}", body, "many"))
print("http://%s:%d" % server.get_host_and_port(), flush=True)
sys.stdin.read()
"""


@dataclass
class Peer:
    """A running server."""

    name: str
    host: str

    def connect(self) -> http.client.HTTPConnection:
        """A connection of its own; http.client opens it anew when the server closes it."""
        return http.client.HTTPConnection(self.host)


def call(connection: http.client.HTTPConnection, operation: str, **members: Any) -> bytes:
    """One API call; the body of its answer."""
    headers = {
        "X-Amz-Target": f"AmazonEC2ContainerRegistry_V20150921.{operation}",
        "Content-Type": "application/x-amz-json-1.1",
        "Authorization": SIGNED,
    }
    connection.request("POST", "/", json.dumps(members), headers)
    response = connection.getresponse()
    body = response.read()
    if response.status != 200:
        raise RuntimeError(body)
    return body


def calls_per_second(peer: Peer, clients: int) -> float:
    """How many DescribeRepositories so many clients get answered."""
    until = time.perf_counter() + SECONDS

    def ask() -> int:
        connection, count = peer.connect(), 0
        while time.perf_counter() < until:
            call(connection, "DescribeRepositories", repositoryNames=["app"])
            count += 1
        connection.close()
        return count

    with ThreadPoolExecutor(clients) as pool:
        return sum(pool.map(lambda _: ask(), range(clients))) / SECONDS


def describe_all(peer: Peer) -> float:
    """Seconds to describe all images, in pages where the server has them."""
    connection, token, found = peer.connect(), {}, 0
    start = time.perf_counter()
    while True:
        page = json.loads(call(connection, "DescribeImages", repositoryName="many", maxResults=PAGE, **token))
        found += len(page["imageDetails"])
        if "nextToken" not in page:
            break
        token = {"nextToken": page["nextToken"]}
    taken = time.perf_counter() - start
    if found != IMAGES:
        raise RuntimeError(f"{peer.name} described {found} images")
    return taken


@contextmanager
def started(name: str, *command: str) -> Iterator[Peer]:
    """A server as a process; its first line is its address."""
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True)
    assert process.stdout is not None
    try:
        yield Peer(name, process.stdout.readline().strip().removeprefix("http://"))
    finally:
        process.terminate()
        process.wait()


def fill(state: Path, bodies: list[str]) -> None:
    """A state directory of the lab's with the repositories `app`, empty, and `many`."""
    world = World(state)
    registry = world.registry(ACCOUNT, REGION)
    for name in ("app", "many"):
        repositories.create(registry, name)
    client = Client(registry, "many")
    for layer in (b"{}", b"layer"):
        client.layer(layer)
    for number, body in enumerate(bodies):
        pushes.put(registry, "many", manifest.parse(body.encode()), tag=f"v{number}")
    world.close()


def measure() -> dict[str, dict[str, float]]:
    """The medians of both, and their ratios."""
    template = json.loads(Client.manifest(Client.__new__(Client), b"layer").body)
    bodies = [json.dumps(template | {"annotations": {"number": str(number)}}) for number in range(IMAGES)]
    found: dict[str, dict[str, list[float]]] = {name: {"ecrlab": [], "moto": []} for name in WANTED}
    with tempfile.TemporaryDirectory() as directory, ExitStack() as running:
        state, listed = Path(directory) / "state", Path(directory) / "bodies"
        fill(state, bodies)
        listed.write_text("\n".join(bodies))
        serve = (sys.executable, "-m", "ecrlab", "serve", "--state", str(state))
        script = MOTO.format(account=ACCOUNT, region=REGION)
        peers = [
            running.enter_context(started("ecrlab", *serve)),
            running.enter_context(started("moto", sys.executable, "-c", script, str(listed))),
        ]
        for _ in range(ROUNDS):
            for peer in peers:
                for clients, name in zip(CLIENTS, WANTED, strict=False):
                    found[name][peer.name].append(calls_per_second(peer, clients))
                found["describe 10,000 images"][peer.name].append(1 / describe_all(peer))
    return {name: _compared(both["ecrlab"], both["moto"]) for name, both in found.items()}


def _compared(ours: list[float], theirs: list[float]) -> dict[str, float]:
    ecrlab, moto = statistics.median(ours), statistics.median(theirs)
    return {"ecrlab per second": ecrlab, "moto per second": moto, "ratio": ecrlab / moto}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to FILE")
    options = parser.parse_args()
    results = measure()
    print(f"{'':<24} {'ecrlab/s':>10} {'moto/s':>10} {'ratio':>7} {'wanted':>7}")
    for name, result in results.items():
        ecrlab, moto, ratio = result.values()
        print(f"{name:<24} {ecrlab:10.2f} {moto:10.2f} {ratio:7.2f} {WANTED[name]:7.1f}")
    if options.json:
        options.json.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
