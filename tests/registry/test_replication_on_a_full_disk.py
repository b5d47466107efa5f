"""A copy that the disk does not take: FAILED, nothing of it is there, and the next push tries again."""

import contextlib
from collections.abc import Iterator

from ecrlab.registry import images, replication, settings
from ecrlab.registry.errors import RepositoryNotFoundException
from ecrlab.registry.images import ImageId
from ecrlab.registry.store.verify import verify
from ecrlab.registry.world import Registry, World
from ecrlab.simulator.wiring import wire
from tests.registry.conftest import Client

THERE = {"region": "eu-west-1", "registryId": "123456789012"}


@contextlib.contextmanager
def full(world: World) -> Iterator[None]:
    """The database may not grow meanwhile."""
    with world.store.write() as db:
        pages = db.execute("PRAGMA page_count").fetchone()[0]
        most = db.execute("PRAGMA max_page_count").fetchone()[0]
    writer = world.store._write_connection()
    writer.execute(f"PRAGMA max_page_count = {pages}")
    yield
    writer.execute(f"PRAGMA max_page_count = {most}")


def status(registry: Registry) -> list[tuple[str, str | None]]:
    image = images.find(registry, "app", ImageId(tag="v1"))
    return [(one.status, one.failure) for one in replication.statuses(registry, image)]


def test_a_copy_fails_as_a_whole_and_the_next_push_tries_again(world: World, registry: Registry, app: Client) -> None:
    wire(world)
    settings.put_replication(registry, {"rules": [{"destinations": [THERE]}]})
    image = app.push(b"layer", tag="v1", annotations={"long": "text" * 20_000})
    there = Client(world.registry(THERE["registryId"], THERE["region"]))
    with full(world):
        world.time_passes.tell()
    assert status(registry) == [("FAILED", "ServerException")]
    with contextlib.suppress(RepositoryNotFoundException):
        raise AssertionError(there.images)

    world.time_passes.tell()
    assert status(registry) == [("FAILED", "ServerException")]
    app.push(b"layer", tag="v1", annotations={"long": "text" * 20_000})
    world.time_passes.tell()
    assert status(registry) == [("COMPLETE", None)]
    assert there.images == {image.digest: ("v1",)}
    world.close()
    assert list(verify(world.directory)) == []
