"""ECS in a lab: moto's, with tasks that pull from the lab's ECR and services that keep them running."""

from typing import Any

from ecrlab.simulator.moto import seams


def attach() -> None:
    """Use the lab's ECS in place of moto's from the first request to ECS on."""
    seams.before_use("ecs", _patches)


def _patches() -> list[Any]:
    from unittest.mock import patch  # takes 10 ms, and most labs use no ECS

    from moto.ecs import models

    from ecrlab.simulator.consumers.ecs_backend import LabEcs
    from ecrlab.simulator.consumers.ecs_tasks import LabTask

    return [patch.object(models.ecs_backends, "backend", LabEcs), patch.object(models, "Task", LabTask)]
