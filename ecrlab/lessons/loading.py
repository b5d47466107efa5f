"""Scenarios: made-up pasts that a lesson loads into its lab, instead of making every push.

    a-year-of-ci    a small shop's builds of the 365 days up to yesterday (see `ecrlab.scenarios`)

The registry then holds the images as if they had been pushed and pulled in that time, without the bytes of their
layers. ECS has task definitions of what runs.
"""

import difflib
from collections.abc import Callable, Iterator
from datetime import timedelta
from heapq import merge
from typing import Any

from ecrlab.errors import EcrLabError
from ecrlab.registry import backfill, manifest
from ecrlab.registry.backfill import Pulled, Pushed
from ecrlab.registry.names import registry_host
from ecrlab.registry.repositories import Settings
from ecrlab.registry.world import Registry
from ecrlab.scenarios import Day, Pull, Push, Shop, draw

SCENARIOS: dict[str, Callable[..., Shop]] = {"a-year-of-ci": draw}

CI = "arn:aws:iam::{account}:user/ci"
"""The principal of the pushes, for the history."""

REGISTER = "AmazonEC2ContainerServiceV20141113.RegisterTaskDefinition"
"""The operation of ECS for each of `task_definitions`."""

IMMUTABLE = Settings("IMMUTABLE_WITH_EXCLUSION", exclusion_filters=("latest", "pr-*"))


def load(scenario: str, seed: int, registry: Registry, *, history: str | None = None) -> Shop:
    """Load a scenario's past into a registry; `seed` names the shop, and `history` one of its pasts.

    Raises `EcrLabError` for a scenario that does not exist, `RepositoryAlreadyExistsException` where a name is taken;
    then nothing is loaded.
    """
    if scenario not in SCENARIOS:
        near = difflib.get_close_matches(str(scenario), SCENARIOS, n=1, cutoff=0.4) or list(SCENARIOS)
        raise EcrLabError(f"there is no scenario {scenario!r}; did you mean {near[0]!r}?")
    shop = SCENARIOS[scenario](seed, registry.world.clock.now().date() - timedelta(days=1), history=history)
    repositories = {one.name: IMMUTABLE if one.is_immutable else Settings() for one in shop.repositories}
    events = (event for day in shop.past for event in _events(day))
    backfill.record(registry, repositories, events, by=CI.format(account=registry.account_id))
    return shop


def _events(day: Day) -> Iterator[Pushed | Pulled]:
    """A day's pushes and pulls in the order of their instants; a push before the pull of the same second."""
    return merge(map(_pushed, day.pushes), map(_pulled, day.pulls), key=lambda event: event.at)


def _pushed(push: Push) -> Pushed:
    read = manifest.parse(push.manifest, push.media_type)
    return Pushed(push.pushed_at.timestamp(), push.repository_name, read, push.image_tags)


def _pulled(pull: Pull) -> Pulled:
    return Pulled(pull.pulled_at.timestamp(), pull.repository_name, pull.image_digest)


def task_definitions(shop: Shop, registry: Registry) -> Iterator[dict[str, Any]]:
    """What runs at the end of a scenario, as requests to `REGISTER`, with the names by which it was deployed."""
    host = registry_host(registry.account_id, registry.region)
    for task in shop.tasks:
        image = f"{host}/{task.repository_name}{task.reference}"
        container = {"name": task.family, "image": image, "memory": 512, "essential": True}
        yield {"family": task.family, "containerDefinitions": [container]}
