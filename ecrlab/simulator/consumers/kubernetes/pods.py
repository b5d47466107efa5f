"""Pods on the node: each container pulls its image, starts, and is tried again after a back-off if that fails.

    Waiting ── pulled ──► Running
       ▲  └─── a program for another processor ──► Terminated ─┐
       └──────────────────── back-off ◄────────────────────────┘

No program runs. A container whose image can be pulled is Running, unless the image is for another processor than the
node's: the kernel rejects its program ("exec format error"), and it ends at once.

A pod is brought up to date when somebody looks, and before the lab's clock moves or a night begins. Up to then the
registry has not changed, so the first retry that is due asks it, and the ones after it end alike.
"""

import hashlib
import uuid
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

from ecrlab.docker import references
from ecrlab.simulator.consumers.kubernetes import kubelet
from ecrlab.simulator.consumers.kubernetes.kubelet import Event, Waiting
from ecrlab.simulator.consumers.kubernetes.node import Node, Stored
from ecrlab.simulator.consumers.pulling import CannotPull

SECOND = timedelta(seconds=1)

# UNSURE: which code the runtime returns for a program of another processor; older ones return 1.
WRONG_PROCESSOR = 255

Tell = Callable[[Event, datetime, datetime, int], None]
"""Told about an event of a pod: when it occurred first and last, and how often between."""


class Container:
    """One container of a pod."""

    def __init__(self, node: Node, pod: "Pod", spec: dict[str, Any], tell: Tell) -> None:
        self.name: str = spec["name"]
        self.image: str = spec["image"]
        self.policy: str = spec["imagePullPolicy"]
        self.restarts = 0
        self.stored: Stored | None = None
        self.ended_at: datetime | None = None
        self.started_at: datetime | None = None
        self._node, self._pod, self._tell = node, pod, tell
        self._now: Waiting | None = None
        self._later: Waiting | None = None
        self._trial: list[Event] = []
        self._look: list[Event] = []
        self._tried = datetime.min
        self._wait: timedelta | None = None
        self._looked = 0

    @property
    def is_ready(self) -> bool:
        """Tell whether the container runs."""
        return self._wait is None

    @property
    def waiting(self) -> Waiting | None:
        """Return why the container waits; None for one that runs, or whose program has just ended."""
        return self._later if self._looked else self._now

    def begin(self, at: datetime) -> None:
        """Try to start the container for the first time, or with a new image."""
        self._now = self._later = self._wait = self.stored = self.ended_at = None
        self._try(at)

    def catch_up(self, now: datetime) -> None:
        """Try again whenever the back-off was over up to `now`."""
        has_asked = False
        while self._wait is not None and self._tried + self._wait <= now:
            due = self._tried + self._wait
            self._look_until(due - timedelta.resolution)
            if has_asked:
                self._repeat(now)
            else:
                self._try(due)
                has_asked = True
        if self._wait is not None:
            self._look_until(now)

    def _try(self, at: datetime) -> None:
        """Pull the image if the policy says so, and start the container."""
        again = self.ended_at is not None
        self._tried, self._looked, self._trial = at, 0, []
        try:
            image = self._ensure_image()
        except _CannotStart as problem:
            self._trial += problem.events
            self._look = problem.looks
            before = self._later.reason if self._later else ""
            self._now, self._later = problem.now, problem.later
            self._wait = problem.wait or self._next_wait(before == problem.later.reason)
        else:
            self.stored, self.started_at = image, at
            self._trial += kubelet.started(self.name)
            self.restarts += again
            if self._node.runs(image):
                self._now = self._later = self._wait = None
            else:
                self._crash(at)
        for event in self._trial:
            self._tell(event, at, at, 1)

    def _crash(self, at: datetime) -> None:
        """Note that the program ended at once. The first restart does not wait."""
        is_first = self.ended_at is None
        self.ended_at = at
        self._wait = SECOND if is_first else self._next_wait(self._wait is not None and self._wait > SECOND)
        self._now = None
        self._later = kubelet.crashed(self.name, self._pod.name, self._pod.uid, self._wait)
        self._look = [kubelet.restart_backed_off(self.name, self._pod.name, self._pod.uid)]

    def _next_wait(self, is_the_same: bool) -> timedelta:
        return kubelet.longer(self._wait) if self._wait and is_the_same else kubelet.BACK_OFF

    def _repeat(self, now: datetime) -> None:
        """Fail once more as before; with a back-off that grows no more, as often as it is over up to `now`."""
        assert self._wait is not None
        wait = self._wait
        grows = wait < kubelet.LONGEST_BACK_OFF and wait != kubelet.LOOK
        times = 1 if grows else (now - self._tried) // wait
        first, self._tried, self._looked = self._tried + wait, self._tried + wait * times, 0
        for event in self._look:
            self._tell_some(event, first + SECOND, self._tried - SECOND, (times - 1) * kubelet.looks(wait - SECOND))
        for event in self._trial:
            self._tell_some(event, first, self._tried, times)
        has_crashed = self._now is None
        if has_crashed:
            self.restarts += times
            self.ended_at = self.started_at = self._tried
        if grows:
            self._wait = kubelet.longer(wait) if wait > SECOND else kubelet.BACK_OFF
        if has_crashed:
            self._later = kubelet.crashed(self.name, self._pod.name, self._pod.uid, self._wait)

    def _look_until(self, instant: datetime) -> None:
        """Note the looks of the kubelet at the waiting container since the last trial."""
        looks = kubelet.looks(instant - self._tried)
        first, last = (self._tried + SECOND + kubelet.LOOK * number for number in (self._looked, looks - 1))
        for event in self._look:
            self._tell_some(event, first, last, looks - self._looked)
        self._looked = looks

    def _tell_some(self, event: Event, first: datetime, last: datetime, times: int) -> None:
        if times > 0:
            self._tell(event, first, last, times)

    def _ensure_image(self) -> Stored:
        """Return the image, from the node or from the registry. Raises `_CannotStart`."""
        if self._pod.secrets:
            self._trial.append(kubelet.secrets_missing(self._pod.secrets))
        if message := kubelet.invalid_name(self.image):
            raise _CannotStart(
                kubelet.name_refused(message), [], Waiting("InvalidImageName", message), wait=kubelet.LOOK
            )
        name = kubelet.full_name(references.parse(self.image).with_tag())
        stored = self._node.images.get(name)
        if self.policy == "Never" or (self.policy == "IfNotPresent" and stored is not None):
            if stored is not None:
                self._trial.append(kubelet.present(self.image))
                return stored
            state = Waiting("ErrImageNeverPull", kubelet.not_present(self.image))
            raise _CannotStart(kubelet.never_pulled(self.image), [], state, wait=kubelet.LOOK)
        self._trial.append(kubelet.pulling(self.image))
        try:
            image = self._node.pull(name)
        except CannotPull as error:
            text = kubelet.runtime_error(error)
            raise _CannotStart(
                kubelet.failed(self.image, text),
                kubelet.backing_off(self.image) + self._about_secrets(),
                kubelet.pull_failed(text),
                kubelet.pull_backed_off(self.image, text),
            ) from error
        cached = stored is not None and stored.id == image.id
        self._trial.append(kubelet.pulled(self.image, image.size_in_bytes, cached=cached))
        return image

    def _about_secrets(self) -> list[Event]:
        return [kubelet.secrets_missing(self._pod.secrets)] if self._pod.secrets else []


class _CannotStart(Exception):
    """A container cannot start: what is told at once and at each look, and its state now and after a look."""

    def __init__(
        self,
        events: list[Event],
        looks: list[Event],
        now: Waiting,
        later: Waiting | None = None,
        *,
        wait: timedelta | None = None,
    ) -> None:
        super().__init__(now.reason)
        self.events, self.looks, self.now, self.later, self.wait = events, looks, now, later or now, wait


class Pod:
    """A pod on the node, of a checked manifest (see `objects`). `owner` is the name of its ReplicaSet."""

    def __init__(
        self, node: Node, manifest: dict[str, Any], at: datetime, tell: Tell, *, number: int, owner: str | None = None
    ) -> None:
        self.name: str = manifest["metadata"]["name"]
        self.labels: dict[str, str] = manifest["metadata"].get("labels", {})
        self.annotations: dict[str, str] = manifest["metadata"].get("annotations", {})
        self.spec: dict[str, Any] = manifest["spec"]
        self.created_at = at
        self.uid = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{self.name} {number}"))
        self.address = f"10.0.1.{32 + number % 200}"
        self.owner = owner
        self.secrets = [one["name"] for one in self.spec.get("imagePullSecrets", [])]
        self.node, self._tell = node, tell
        self.containers = [Container(node, self, spec, tell) for spec in self.spec["containers"]]

    @property
    def is_ready(self) -> bool:
        """Tell whether all containers run."""
        return all(container.is_ready for container in self.containers)

    @property
    def phase(self) -> str:
        """Return `Pending` until every container has started once, then `Running`."""
        return "Running" if all(container.started_at for container in self.containers) else "Pending"

    def begin(self, at: datetime) -> None:
        """Put the pod on the node."""
        where = f"Successfully assigned default/{self.name} to {self.node.name}"
        self._tell(Event("Normal", "Scheduled", where), at, at, 1)
        for container in self.containers:
            container.begin(at)

    def catch_up(self, now: datetime) -> None:
        """Bring the containers up to date."""
        for container in self.containers:
            container.catch_up(now)

    def change_images(self, images: dict[str, str], at: datetime) -> None:
        """Replace the images of containers, which start anew with them."""
        for container in self.containers:
            if images.get(container.name, container.image) != container.image:
                if container.started_at is not None:
                    told = f"Container {container.name} definition changed, will be restarted"
                    self._tell(Event("Normal", "Killing", told), at, at, 1)
                    container.restarts += 1
                container.image = images[container.name]
                container.begin(at)
        for spec in self.spec["containers"]:
            spec["image"] = images.get(spec["name"], spec["image"])

    def end(self, at: datetime) -> None:
        """Take the pod from the node."""
        for container in self.containers:
            if container.started_at is not None:
                self._tell(Event("Normal", "Killing", f"Stopping container {container.name}"), at, at, 1)


def container_id(pod: Pod, container: Container) -> str:
    """Return the id of a container that has started, `containerd://…`; empty before."""
    if container.started_at is None:
        return ""
    text = f"{pod.uid} {container.name} {container.restarts}"
    return f"containerd://{hashlib.sha256(text.encode()).hexdigest()}"


def missing(names: Iterable[str], pod: Pod) -> str:
    """Return the first of some names that no container of a pod has; empty if there is none."""
    known = {container.name for container in pod.containers}
    return next((name for name in names if name not in known), "")
