"""What a put and a look cost in the registry itself, without HTTP, in ratios.

    python3 -m tests.bench.backend [--most 100000]

The aims: 10,000 put_image at least 5 times as fast as at stock moto's backend; a put at 100,000 images at
most 1.3 times one at 100; describing one image by tag at 10,000 images as fast as at 100. Images have 8
layers, which are there before; every manifest is a new one and gets a fresh tag. All parts of a ratio are
measured in turns. The store is that of a temporary lab, which syncs nothing to the disk; moto is in memory too.
"""

import argparse
import contextlib
import itertools
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from ecrlab.registry import images, manifest, pushes, repositories
from ecrlab.registry.world import World
from tests.registry.conftest import ACCOUNT, REGION, Client

LAYERS = [b"layer %d" % number for number in range(8)]
FEW, MANY, BLOCK = 100, 10_000, 100


def bodies(client: Client) -> Iterator[str]:
    """Manifests of 8 layers, each a new one."""
    template = json.loads(client.manifest(*LAYERS).body)
    for number in itertools.count():
        yield json.dumps(template | {"annotations": {"org.opencontainers.image.version": f"1.0.{number}"}})


class Ours:
    """A repository of the lab."""

    def __init__(self, directory: str, *, durable: bool) -> None:
        self.world = World(Path(directory) / "state", durable=durable)
        self.registry = self.world.registry(ACCOUNT, REGION)
        repositories.create(self.registry, "app")
        client = Client(self.registry)
        for layer in (b"{}", *LAYERS):
            client.layer(layer)
        self.bodies = bodies(client)
        self.count = 0

    def put(self, body: str | None = None) -> None:
        """One image more, with a tag of its own."""
        self.count += 1
        pushed = manifest.parse((body or next(self.bodies)).encode())
        pushes.put(self.registry, "app", pushed, tag=f"v{self.count}")

    def look(self) -> None:
        """One image by tag."""
        images.find(self.registry, "app", images.ImageId(tag=f"v{self.count // 2}"))

    def grow(self, count: int) -> None:
        """Put until there are that many."""
        while self.count < count:
            self.put()


def seconds(work: Callable[[], None], times: int = BLOCK) -> float:
    """What one of so many takes."""
    start = time.perf_counter()
    for _ in range(times):
        work()
    return (time.perf_counter() - start) / times


@contextlib.contextmanager
def ours(*, durable: bool = False) -> Iterator[Ours]:
    """A fresh repository, thrown away afterwards."""
    with tempfile.TemporaryDirectory() as directory:
        lab = Ours(directory, durable=durable)
        yield lab
        lab.world.close()


def against_moto() -> dict[str, float]:
    """10,000 puts of the same manifests, in turns of 500."""
    os.environ.setdefault("AWS_DEFAULT_REGION", REGION)
    from moto.ecr.models import ecr_backends

    stock = ecr_backends[ACCOUNT][REGION]
    stock.create_repository("app", None, None, None, "MUTABLE", [])
    with ours() as lab:
        spent = {"ours": 0.0, "moto": 0.0}
        for start in range(0, MANY, 500):
            block = list(enumerate(itertools.islice(lab.bodies, 500), start))
            begin = time.perf_counter()
            for _, body in block:
                lab.put(body)
            middle = time.perf_counter()
            for number, body in block:
                stock.put_image("app", body, f"v{number}")
            spent["ours"] += middle - begin
            spent["moto"] += time.perf_counter() - middle
    return {
        "ours, ms a put": spent["ours"] / MANY * 1000,
        "moto, ms a put": spent["moto"] / MANY * 1000,
        "moto / ours": spent["moto"] / spent["ours"],
    }


def looks() -> dict[str, float]:
    """One image by tag, at 10,000 images and at 100."""
    with ours() as small, ours() as large:
        small.grow(FEW)
        large.grow(MANY)
        few, many = zip(*((seconds(small.look), seconds(large.look)) for _ in range(30)), strict=True)
    return _flat("look", few, many, MANY)


def puts(most: int) -> dict[str, float]:
    """A put at `most` images and at 100."""
    few, many = [], []
    with ours() as large:
        large.grow(most)
        for _ in range(20):
            with ours() as small:
                small.grow(FEW)
                few.append(seconds(small.put))
            many.append(seconds(large.put))
    return _flat("put", few, many, most)


def _flat(what: str, few: list[float], many: list[float], count: int) -> dict[str, float]:
    at_few, at_many = statistics.median(few), statistics.median(many)
    return {
        f"ms a {what} at {FEW}": at_few * 1000,
        f"ms a {what} at {count}": at_many * 1000,
        f"{what}: {count} / {FEW}": at_many / at_few,
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--most", type=int, default=100_000, help="images at which a put is compared")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to FILE")
    options = parser.parse_args()
    results = against_moto() | looks() | puts(options.most)
    for name, value in results.items():
        print(f"{name:<30} {value:9.3f}")
    if options.json:
        options.json.write_text(json.dumps(results))


if __name__ == "__main__":
    main()
