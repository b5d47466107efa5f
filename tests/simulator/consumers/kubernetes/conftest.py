"""A cluster of its own for each test, on the shared world, and pods that need few words."""

from typing import Any

import pytest

from ecrlab.registry.world import World
from ecrlab.simulator.consumers import roles
from ecrlab.simulator.consumers.kubernetes.cluster import Cluster
from tests.simulator.accounts import HOME


def pod(name: str, image: str, **container: Any) -> dict[str, Any]:
    """The manifest of a pod with one container of the same name."""
    spec = {"containers": [{"name": name, "image": image, **container}]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}


def deployment(name: str, image: str, replicas: int = 1, **container: Any) -> dict[str, Any]:
    """The manifest of a deployment with one container of the same name."""
    labels = {"app": name}
    template = {"metadata": {"labels": labels}, "spec": pod(name, image, **container)["spec"]}
    spec = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec}


class Kubernetes:
    """A cluster, and what a test asks of it."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster

    def run(self, image: str, name: str = "web", **container: Any) -> dict[str, Any]:
        """Create a pod; return the status of its container."""
        self.cluster.put(pod(name, image, **container), may_exist=False)
        return self.container(name)

    def container(self, name: str = "web") -> dict[str, Any]:
        [found] = [one for one in self.cluster.pods() if one["metadata"]["name"] == name]
        return found["status"]["containerStatuses"][0]

    def state(self, name: str = "web") -> str:
        """The reason of a waiting or ended container, or `Running`."""
        [(state, about)] = self.container(name)["state"].items()
        return "Running" if state == "running" else about["reason"]

    def states(self) -> dict[str, str]:
        return {one["metadata"]["name"]: self.state(one["metadata"]["name"]) for one in self.cluster.pods()}

    def events(self, name: str = "web") -> list[tuple[str, str, int]]:
        """Reason, message and count of the events of an object, in their order."""
        found = [one for one in self.cluster.events() if one["involvedObject"]["name"] == name]
        return [(one["reason"], one["message"], one["count"]) for one in found]


@pytest.fixture
def kubernetes(world: World, server: Any) -> Kubernetes:
    return Kubernetes(Cluster(world, lambda: roles.arn(world, HOME, roles.NODE)))


@pytest.fixture
def host(region: str) -> str:
    return f"{HOME}.dkr.ecr.{region}.amazonaws.com"
