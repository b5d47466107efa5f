"""The cluster of a lab: its node, pods, deployments and events, and the requests that change them."""

import copy
import itertools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from ecrlab.registry.world import World
from ecrlab.simulator.consumers.kubernetes import documents, happenings
from ecrlab.simulator.consumers.kubernetes.deployments import Deployment, ReplicaSet, suffixes
from ecrlab.simulator.consumers.kubernetes.happenings import Happenings, Subject, stamp
from ecrlab.simulator.consumers.kubernetes.kubelet import Event
from ecrlab.simulator.consumers.kubernetes.node import Node
from ecrlab.simulator.consumers.kubernetes.objects import (
    RESTARTED_AT,
    Refused,
    check_image,
    checked,
    kept_policies,
    merged,
)
from ecrlab.simulator.consumers.kubernetes.pods import Pod, missing

_PODS_ARE_FIXED = (
    "spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`,"
    "`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing "
    "tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
)


class Cluster:
    """A cluster of one node. `role_arn` returns the role that the node pulls with."""

    def __init__(self, world: World, role_arn: Callable[[], str]) -> None:
        self._world = world
        self._node = Node(world, role_arn)
        self._pods: dict[str, Pod] = {}
        self._deployments: dict[str, Deployment] = {}
        self._happenings = Happenings()
        self._numbers = itertools.count(1)
        self._suffixes: dict[str, Iterator[str]] = {}
        self._lock = threading.RLock()

    def pods(self) -> list[dict[str, Any]]:
        """Return all pods, by name."""
        with self._up_to_date():
            return [documents.of_pod(pod) for _, pod in sorted(self._pods.items())]

    def deployments(self) -> list[dict[str, Any]]:
        """Return all deployments, by name."""
        with self._up_to_date() as now:
            return [documents.of_deployment(one, now) for _, one in sorted(self._deployments.items())]

    def events(self) -> list[dict[str, Any]]:
        """Return the events of the last hour, by the name of their object."""
        with self._up_to_date() as now:
            return [
                happenings.document(one, "v1" if one.subject.kind == "Pod" else "apps/v1")
                for one in self._happenings.at(now)
            ]

    def put(self, manifest: Any, *, may_exist: bool) -> str:
        """Create what a manifest describes, or change it: return `created`, `configured` or `unchanged`.

        Raises `Refused` for an invalid manifest, and for an object that exists unless it `may_exist`.
        """
        wanted = checked(manifest)
        kind, name = wanted["kind"], wanted["metadata"]["name"]
        with self._up_to_date():
            pod = self._pods.get(name) if kind == "Pod" else None
            deployment = self._deployments.get(name) if kind == "Deployment" else None
            if (pod or deployment) and not may_exist:
                what = "pods" if pod else "deployments.apps"
                raise Refused("AlreadyExists", f'{what} "{name}" already exists')
            if pod:
                changed = self._change_pod(pod, checked(kept_policies(manifest, pod.spec)))
            elif deployment:
                changed = self._change_deployment(deployment, checked(merged(manifest, deployment.manifest)))
            else:
                (self._start_pod if kind == "Pod" else self._deploy)(wanted, self._tick())
                return "created"
            return "configured" if changed else "unchanged"

    def delete(self, kind: str, name: str) -> None:
        """Delete a pod, which its deployment replaces, or a deployment. Raises `Refused`."""
        with self._up_to_date():
            if kind == "deployments":
                deployment = self._deployment(name)
                deployment.remove(self._tick())
                del self._deployments[name]
                return
            pod = self._pod(name)
            at = self._tick()
            self._end_pod(pod, at)
            for deployment in self._deployments.values():
                for version in deployment.versions:
                    if pod in version.pods:
                        version.pods.remove(pod)
                        deployment.reconcile(at)

    def set_images(self, kind: str, name: str, images: dict[str, str]) -> bool:
        """Give containers other images; `*` means all containers. Return False if nothing changes. Raises `Refused`."""
        with self._up_to_date():
            if kind == "pods":
                pod = self._pod(name)
                wanted = _for_all(images, pod.spec)
                if lost := missing(wanted, pod):
                    raise Refused("", f'unable to find container named "{lost}"')
                return self._change_images(pod, wanted)
            deployment = self._deployment(name)
            manifest = copy.deepcopy(deployment.manifest)
            spec = manifest["spec"]["template"]["spec"]
            wanted = _for_all(images, spec)
            for container in spec["containers"]:
                container["image"] = wanted.pop(container["name"], container["image"])
                check_image("Deployment", name, container["image"], "spec.template.spec.containers[0].image")
            if wanted:
                raise Refused("", f'unable to find container named "{next(iter(wanted))}"')
            return self._change_deployment(deployment, manifest)

    def restart(self, name: str) -> None:
        """Replace all pods of a deployment, as `kubectl rollout restart` does. Raises `Refused`."""
        with self._up_to_date():
            deployment = self._deployment(name)
            at = self._tick()
            manifest = copy.deepcopy(deployment.manifest)
            annotations = manifest["spec"]["template"]["metadata"].setdefault("annotations", {})
            annotations[RESTARTED_AT] = stamp(at)
            deployment.change(manifest, at)

    def catch_up(self) -> None:
        """Do what the kubelet and the controllers have done up to now."""
        with self._lock:
            now = self._world.clock.now()
            for pod in self._pods.values():
                pod.catch_up(now)
            for deployment in self._deployments.values():
                started = [one.started_at for pod in deployment.newest.pods for one in pod.containers if one.started_at]
                deployment.reconcile(max(started, default=now))

    def before_night(self, midnight: datetime) -> None:
        """Catch up before the other jobs of a night change the registry; a job of `world.nights`."""
        del midnight
        self.catch_up()

    @contextmanager
    def _up_to_date(self) -> Iterator[datetime]:
        self._world.keep_up()  # outside of the lock: the nights end up in `before_night`, maybe in another thread
        with self._lock:
            self.catch_up()
            yield self._world.clock.now()

    def _tick(self) -> datetime:
        """Let the second pass that a change takes, and return its instant."""
        at = self._world.clock.after_change()
        self._world.clock.settle(at)
        return at

    def _pod(self, name: str) -> Pod:
        if name not in self._pods:
            raise Refused("NotFound", f'pods "{name}" not found')
        return self._pods[name]

    def _deployment(self, name: str) -> Deployment:
        if name not in self._deployments:
            raise Refused("NotFound", f'deployments.apps "{name}" not found')
        return self._deployments[name]

    def _start_pod(self, manifest: dict[str, Any], at: datetime, owner: str | None = None) -> Pod:
        name = manifest["metadata"]["name"]

        def tell(event: Event, first: datetime, last: datetime, times: int) -> None:
            component = "default-scheduler" if event.reason == "Scheduled" else "kubelet"
            host = "" if event.reason == "Scheduled" else self._node.name
            self._happenings.tell(Subject("Pod", name, component, host, pod.uid), event, first, last, times)

        pod = Pod(self._node, manifest, at, tell, number=next(self._numbers), owner=owner)
        self._pods[name] = pod
        pod.begin(at)
        return pod

    def _end_pod(self, pod: Pod, at: datetime) -> None:
        pod.end(at)
        del self._pods[pod.name]

    def _change_pod(self, pod: Pod, manifest: dict[str, Any]) -> bool:
        images = {one["name"]: one["image"] for one in manifest["spec"]["containers"]}
        if _without_images(manifest["spec"]) != _without_images(pod.spec):
            raise Refused("Invalid", f'Pod "{pod.name}" is invalid: {_PODS_ARE_FIXED}')
        metadata = manifest["metadata"]
        told = metadata.get("labels", {}), metadata.get("annotations", {})
        changed = told != (pod.labels, pod.annotations)
        pod.labels, pod.annotations = told
        return self._change_images(pod, images) or changed

    def _change_images(self, pod: Pod, images: dict[str, str]) -> bool:
        for number, container in enumerate(pod.containers):
            if container.name in images:
                check_image("Pod", pod.name, images[container.name], f"spec.containers[{number}].image")
        if all(images.get(container.name, container.image) == container.image for container in pod.containers):
            return False
        pod.change_images(images, self._tick())
        return True

    def _deploy(self, manifest: dict[str, Any], at: datetime) -> None:
        name = manifest["metadata"]["name"]

        def start(version: ReplicaSet, at: datetime) -> Pod:
            template = copy.deepcopy(version.template)
            endings = self._suffixes.setdefault(version.name, suffixes(version.name))
            template["metadata"]["name"] = pod_name = f"{version.name}-{next(endings)}"
            labels = template["metadata"].get("labels", {})
            template["metadata"]["labels"] = labels | {"pod-template-hash": version.hash}
            created = Event("Normal", "SuccessfulCreate", f"Created pod: {pod_name}")
            self._happenings.tell(Subject("ReplicaSet", version.name, "replicaset-controller"), created, at)
            return self._start_pod(template, at, version.name)

        def stop(pod: Pod, at: datetime) -> None:
            gone = Event("Normal", "SuccessfulDelete", f"Deleted pod: {pod.name}")
            self._happenings.tell(Subject("ReplicaSet", pod.owner or "", "replicaset-controller"), gone, at)
            self._end_pod(pod, at)

        def tell(message: str, at: datetime) -> None:
            subject = Subject("Deployment", name, "deployment-controller")
            self._happenings.tell(subject, Event("Normal", "ScalingReplicaSet", message), at)

        deployment = Deployment(manifest, at, start=start, stop=stop, tell=tell)
        self._deployments[name] = deployment
        deployment.reconcile(at)

    def _change_deployment(self, deployment: Deployment, manifest: dict[str, Any]) -> bool:
        if manifest == deployment.manifest:
            return False
        if manifest["spec"]["selector"] != deployment.manifest["spec"]["selector"]:
            raise Refused(
                "Invalid",
                f'Deployment "{deployment.name}" is invalid: spec.selector: Invalid value: field is immutable',
            )
        deployment.change(manifest, self._tick())
        return True


def _for_all(images: dict[str, str], spec: dict[str, Any]) -> dict[str, str]:
    """Return the images by container, with `*` replaced by the names of all."""
    if "*" in images:
        return {one["name"]: images["*"] for one in spec["containers"]}
    return dict(images)


def _without_images(spec: dict[str, Any]) -> dict[str, Any]:
    containers = [{key: value for key, value in one.items() if key != "image"} for one in spec["containers"]]
    return spec | {"containers": containers}
