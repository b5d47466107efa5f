"""Deployments: a ReplicaSet for each version of the pod template, and a rolling update from one to the next.

    Deployment web ──► ReplicaSet web-5d59d67564 ──► pods web-5d59d67564-x7k2p …
                  └──► ReplicaSet web-7c9f8b6d4f     the version before, with fewer pods step by step

At most a quarter of the pods more, rounded up, and a quarter fewer, rounded down, than wanted exist during an update
(Kubernetes documentation, Deployments, rolling update). So a new version that cannot be pulled leaves the old one
running. Names are made as Kubernetes makes them (pkg/util/hash, apimachinery util/rand), of another text.
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from ecrlab.simulator.consumers.kubernetes.pods import Pod

ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
"""The letters and digits of generated names: no vowels, so that they make no words."""


@dataclass
class ReplicaSet:
    """The pods of one version of a deployment; `template` is their manifest."""

    name: str
    hash: str
    template: dict[str, Any]
    revision: int
    pods: list[Pod] = field(default_factory=list)

    @property
    def ready(self) -> int:
        """How many of its pods run."""
        return sum(pod.is_ready for pod in self.pods)


class Deployment:
    """A deployment, of a checked manifest (see `objects`).

    `start` makes a pod of a replica set, and `stop` removes one; `tell` receives its events.
    """

    def __init__(
        self,
        manifest: dict[str, Any],
        at: datetime,
        *,
        start: Callable[[ReplicaSet, datetime], Pod],
        stop: Callable[[Pod, datetime], None],
        tell: Callable[[str, datetime], None],
    ) -> None:
        self.name: str = manifest["metadata"]["name"]
        self.created_at = at
        self.progress_at = at
        self.generation = 1
        self.versions: list[ReplicaSet] = []
        self._start, self._stop, self._tell = start, stop, tell
        self.manifest = manifest
        self._adopt()

    @property
    def replicas(self) -> int:
        """How many pods are wanted."""
        return int(self.manifest["spec"]["replicas"])

    @property
    def deadline(self) -> timedelta:
        """How long a rolling update may stand still before it counts as failed."""
        return timedelta(seconds=self.manifest["spec"]["progressDeadlineSeconds"])

    @property
    def newest(self) -> ReplicaSet:
        """The version that the deployment moves to."""
        return self.versions[-1]

    @property
    def pods(self) -> list[Pod]:
        """The pods of all versions."""
        return [pod for version in self.versions for pod in version.pods]

    @property
    def ready(self) -> int:
        """How many pods of all versions run."""
        return sum(version.ready for version in self.versions)

    @property
    def is_complete(self) -> bool:
        """Tell whether all wanted pods run in the newest version, and no others exist."""
        return self.newest.ready == self.replicas == len(self.pods)

    def change(self, manifest: dict[str, Any], at: datetime) -> None:
        """Take another manifest; a changed template begins a rolling update."""
        self.manifest = manifest
        self.generation += 1
        self.progress_at = at
        self._adopt()
        self.reconcile(at)

    def reconcile(self, at: datetime) -> None:
        """Make and remove pods until nothing is left to do before another pod runs."""
        surge, absent = -(-self.replicas // 4), self.replicas // 4
        while self._step(at, self.replicas + surge, self.replicas - absent):
            self.progress_at = at

    def remove(self, at: datetime) -> None:
        """Remove all pods."""
        for version in self.versions:
            self._scale(version, 0, at)

    def _adopt(self) -> None:
        """Make the template's version the newest one: a former one again, or a new one."""
        template = self.manifest["spec"]["template"]
        text = json.dumps(template, sort_keys=True)
        version = next((one for one in self.versions if one.template == template), None)
        number = max((one.revision for one in self.versions), default=0) + 1
        if version is None:
            hashed = _safe(str(_fnv(text)))
            version = ReplicaSet(f"{self.name}-{hashed}", hashed, template, number)
        elif version is self.newest:
            return
        else:
            self.versions.remove(version)
            version.revision = number
        self.versions.append(version)

    def _step(self, at: datetime, most: int, least: int) -> bool:
        """Do the next thing of a rolling update; return False if there is none."""
        new, old = self.newest, [one for one in self.versions[:-1] if one.pods]
        if len(new.pods) > self.replicas:
            self._scale(new, self.replicas, at)
            return True
        room = most - len(self.pods) if old else self.replicas - len(new.pods)
        if len(new.pods) < self.replicas and room > 0:
            self._scale(new, min(self.replicas, len(new.pods) + room), at)
            return True
        for version in old:
            broken = len(version.pods) - version.ready
            spare = max(0, len(self.pods) - least - (len(new.pods) - new.ready))
            fewer = min(broken, spare) or min(version.ready, max(0, self.ready - least))
            if fewer:
                self._scale(version, len(version.pods) - fewer, at)
                return True
        return False

    def _scale(self, version: ReplicaSet, wanted: int, at: datetime) -> None:
        before = len(version.pods)
        if wanted == before:
            return
        verb = "up" if wanted > before else "down"
        self._tell(f"Scaled {verb} replica set {version.name} from {before} to {wanted}", at)
        while len(version.pods) < wanted:
            version.pods.append(self._start(version, at))
        for pod in sorted(version.pods, key=lambda pod: pod.is_ready)[: max(0, before - wanted)]:
            version.pods.remove(pod)
            self._stop(pod, at)


def suffixes(name: str) -> Iterator[str]:
    """Yield the endings of the pods of a replica set: five letters and digits, the same in every run.

    >>> all(set(next(suffixes("web"))) <= set(ALPHABET) for _ in "ab")
    True
    """
    number = 0
    while True:
        digest = hashlib.sha256(f"{name} {number}".encode()).digest()
        yield "".join(ALPHABET[byte % len(ALPHABET)] for byte in digest[:5])
        number += 1


def _fnv(text: str) -> int:
    """Return the 32-bit FNV-1a hash of a text."""
    value = 0x811C9DC5
    for byte in text.encode():
        value = (value ^ byte) * 0x01000193 & 0xFFFFFFFF
    return value


def _safe(text: str) -> str:
    return "".join(ALPHABET[ord(character) % len(ALPHABET)] for character in text)
