"""A process that may not write files beyond 1 MiB pushes more:
`python -m tests.registry.push_too_much DIRECTORY layer|manifests`.

It prints the answer it got, shows that what was pushed before is there and can be deleted, and pushes again.
"""

import resource
import sys
from pathlib import Path

from ecrlab.registry import images, layers, repositories
from ecrlab.registry.errors import ServerException
from ecrlab.registry.world import World
from tests.registry.conftest import ACCOUNT, REGION, Client, digest_of

LIMIT = 1024 * 1024


def push_layer(app):
    upload = layers.begin_upload(app.registry, app.name)
    layers.grow(app.registry, app.name, upload, b"a" * (LIMIT - 10))
    try:
        layers.grow(app.registry, app.name, upload, b"b" * 100)
    except ServerException as error:
        print(error)
    # The upload stands where it stood: a piece that fits still does.
    layers.grow(app.registry, app.name, upload, b"c" * 10)
    layers.complete_upload(app.registry, app.name, upload, digest_of(b"a" * (LIMIT - 10) + b"c" * 10))


def push_manifests(app):
    acknowledged = []
    try:
        for number in range(1000):
            acknowledged.append(app.push(tag=f"v{number}", annotations={"long": f"{number}" * 5_000}).digest)
    except ServerException as error:
        print(error)
    known = set(app.images)
    assert acknowledged and known.issuperset(acknowledged), "an acknowledged image is gone"
    for digest in acknowledged:
        assert app.delete(digest=digest) == []


def main(directory, what):
    world = World(directory)
    registry = world.registry(ACCOUNT, REGION)
    repositories.create(registry, "app")
    app = Client(registry)
    app.push(b"first", tag="first")
    resource.setrlimit(resource.RLIMIT_FSIZE, (LIMIT, resource.RLIM_INFINITY))
    {"layer": push_layer, "manifests": push_manifests}[what](app)
    images.find(registry, "app", images.ImageId(tag="first"))
    app.push(b"again", tag="again")
    print("pushed again")
    world.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
