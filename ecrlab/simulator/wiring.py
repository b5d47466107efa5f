"""What a world is wired with: lifecycle, scans, replication, create on push, caches, events, KMS, ECS and Lambda."""

from typing import Any

from ecrlab.registry.world import World
from ecrlab.simulator.consumers import ecs
from ecrlab.simulator.jobs.create_on_push import create_on_push
from ecrlab.simulator.jobs.lifecycle import LifecycleRuns
from ecrlab.simulator.jobs.pull_through_cache import bring_image, bring_repository
from ecrlab.simulator.jobs.replication import Replication
from ecrlab.simulator.jobs.scans.on_push import Nightly, ScanOnPush
from ecrlab.simulator.moto import kms, seams
from ecrlab.simulator.moto.event_bridge import EventsOut


def wire(world: World) -> None:
    """Attach the listeners and jobs. A second call changes nothing."""
    kms.attach(world)
    ecs.attach()
    seams.before_use("awslambda", _parts_of_lambda)
    world.events.add(EventsOut(world))
    world.nights.add(LifecycleRuns(world))
    world.nights.add(Nightly(world))
    world.after_push.add(ScanOnPush())
    world.repository_wanted.add(create_on_push)
    world.repository_wanted.add(bring_repository)
    world.image_wanted.add(bring_image)
    copies = Replication(world)
    world.before_deletion.add(copies)
    world.time_passes.add(copies)


def _parts_of_lambda() -> list[Any]:
    # It loads moto's Lambda.
    from ecrlab.simulator.consumers import lambda_functions

    return lambda_functions.in_place_of_motos()
