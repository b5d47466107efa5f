"""Pods and deployments as the API of Kubernetes returns them: metadata, spec and status."""

from datetime import datetime
from typing import Any

from ecrlab.simulator.consumers.kubernetes.deployments import Deployment
from ecrlab.simulator.consumers.kubernetes.happenings import stamp
from ecrlab.simulator.consumers.kubernetes.pods import WRONG_PROCESSOR, Container, Pod, container_id


def of_pod(pod: Pod) -> dict[str, Any]:
    """Return a pod."""
    metadata: dict[str, Any] = {
        "name": pod.name,
        "namespace": "default",
        "uid": pod.uid,
        "creationTimestamp": stamp(pod.created_at),
    }
    if pod.labels:
        metadata["labels"] = pod.labels
    if pod.annotations:
        metadata["annotations"] = pod.annotations
    if pod.owner:
        owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": pod.owner, "controller": True}
        metadata["ownerReferences"] = [owner]
    ready = pod.is_ready
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata,
        "spec": {"serviceAccountName": "default", **pod.spec, "nodeName": pod.node.name},
        "status": {
            "phase": pod.phase,
            "conditions": [
                {"type": kind, "status": str(state)}
                for kind, state in (
                    ("PodReadyToStartContainers", True),
                    ("Initialized", True),
                    ("Ready", ready),
                    ("ContainersReady", ready),
                    ("PodScheduled", True),
                )
            ],
            "containerStatuses": [_of_container(pod, container) for container in pod.containers],
            "hostIP": pod.node.address,
            "podIP": pod.address,
            "podIPs": [{"ip": pod.address}],
            "qosClass": "BestEffort",
            "startTime": stamp(pod.created_at),
        },
    }


def _of_container(pod: Pod, container: Container) -> dict[str, Any]:
    status: dict[str, Any] = {
        "name": container.name,
        "image": container.image,
        "imageID": container.stored.id if container.stored else "",
        "containerID": container_id(pod, container),
        "ready": container.is_ready,
        "restartCount": container.restarts,
        "started": container.is_ready,
    }
    ended = None
    if container.ended_at is not None:
        at = stamp(container.ended_at)
        ended = {"terminated": {"reason": "Error", "exitCode": WRONG_PROCESSOR, "startedAt": at, "finishedAt": at}}
    waiting = container.waiting
    if waiting is not None:
        status["state"] = {"waiting": {"reason": waiting.reason, "message": waiting.message}}
        status["lastState"] = ended or {}
    elif container.is_ready and container.started_at is not None:
        status["state"] = {"running": {"startedAt": stamp(container.started_at)}}
        status["lastState"] = ended or {}
    else:
        status["state"] = ended or {}
        status["lastState"] = {}
    return status


def of_deployment(deployment: Deployment, now: datetime) -> dict[str, Any]:
    """Return a deployment."""
    manifest = deployment.manifest
    annotations = manifest["metadata"].get("annotations", {})
    total, ready = len(deployment.pods), deployment.ready
    late = not deployment.is_complete and now - deployment.progress_at > deployment.deadline
    progress = (
        "ProgressDeadlineExceeded"
        if late
        else "NewReplicaSetAvailable"
        if deployment.is_complete
        else "ReplicaSetUpdated"
    )
    is_available = ready >= deployment.replicas - deployment.replicas // 4
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": manifest["metadata"]
        | {
            "namespace": "default",
            "creationTimestamp": stamp(deployment.created_at),
            "generation": deployment.generation,
            "annotations": {"deployment.kubernetes.io/revision": str(deployment.newest.revision), **annotations},
        },
        "spec": manifest["spec"],
        "status": {
            "observedGeneration": deployment.generation,
            "replicas": total,
            "updatedReplicas": len(deployment.newest.pods),
            "readyReplicas": ready,
            "availableReplicas": ready,
            "unavailableReplicas": max(0, total - ready),
            "conditions": [
                {"type": "Available", "status": str(is_available)},
                {"type": "Progressing", "status": str(not late), "reason": progress},
            ],
        },
    }
