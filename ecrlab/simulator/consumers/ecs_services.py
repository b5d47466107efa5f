"""The service scheduler of ECS: it starts a service's tasks, and replaces those that stopped.

    a deployment ─► the first task fixes the digests ─► all others run these, whatever the tags name now
         ▲
    CreateService, UpdateService with a task definition or forceNewDeployment

The scheduler acts with each request to ECS that looks at the cluster, by the lab's clock: nothing happens between two
looks. After a task that could not start it waits a minute, then twice as long each time, up to 27 minutes (ECS
developer guide, service throttle logic, container image resolution). Old tasks run until new ones do.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from moto.core.exceptions import ServiceException
from moto.moto_api._internal import mock_random

from ecrlab.simulator.consumers.ecs_tasks import LabTask, RoleNotAssumed

# UNSURE: how long the scheduler waits after a task that could not start; AWS names only the longest wait. Here a
# minute, then twice as long each time.
FIRST_WAIT, LONGEST_WAIT = timedelta(minutes=1), timedelta(minutes=27)

ATTEMPTS = 3
"""Failed tasks after which a deployment goes on without fixed digests (ECS developer guide, container image
resolution). A fixed digest that is gone is never given up: public reports tell of services that it left without tasks.
"""

MOST_EVENTS = 100
"""ECS developer guide, service event messages."""


class Deployment:
    """A deployment of a service: a task definition, and the digests that its tasks run.

    `shown` is the deployment as DescribeServices returns it.
    """

    def __init__(self, service: Any, now: datetime) -> None:
        self.id = f"ecs-svc/{mock_random.randint(10**18, 10**19 - 1)}"
        self.digests: dict[str, str] = {}
        self.failed = self.failures = 0
        """Tasks that could not start, in all and since the last that could."""
        self.gives_up = False
        self.next_attempt = now
        self.network_configuration = service.network_configuration
        self.shown: dict[str, Any] = {
            "id": self.id,
            "status": "PRIMARY",
            "taskDefinition": service.task_definition,
            "createdAt": now,
            "updatedAt": now,
            "launchType": service.launch_type,
            "platformVersion": service.platform_version,
            "networkConfiguration": service.network_configuration or None,
            "rolloutState": "IN_PROGRESS",
            "rolloutStateReason": f"ECS deployment {self.id} in progress.",
        }

    @property
    def is_completed(self) -> bool:
        """Whether all its tasks have run."""
        return bool(self.shown["rolloutState"] == "COMPLETED")

    def complete(self, now: datetime) -> None:
        """Note that all its tasks run."""
        self.shown |= {
            "rolloutState": "COMPLETED",
            "rolloutStateReason": f"ECS deployment {self.id} completed.",
            "updatedAt": now,
        }

    def count(self, running: int, desired: int) -> None:
        """Note how many tasks run, and how many are wanted."""
        self.shown |= {
            "desiredCount": desired,
            "runningCount": running,
            "pendingCount": 0,
            "failedTasks": self.failed,
        }

    def note(self, task: LabTask, unpinned: Sequence[str], now: datetime) -> None:
        """Learn from a task that was started: digests if it runs, else when to try again."""
        if task.could_not_start:
            self.wait(now)
            self.gives_up = self.gives_up or (not self.digests and self.failures >= ATTEMPTS)
            return
        self.failures = 0
        if not self.gives_up:
            self.digests |= {name: digest for name, digest in task.digests.items() if name not in unpinned}

    def wait(self, now: datetime) -> None:
        """Put off the next attempt."""
        self.failed += 1
        self.failures += 1
        self.next_attempt = now + min(FIRST_WAIT * 2 ** min(self.failures - 1, 10), LONGEST_WAIT)


class Schedule:
    """What the scheduler knows of one service: its deployments, the newest first, and its tasks.

    `start` starts one task of a deployment; `unpinned` names the containers whose versionConsistency is disabled.
    """

    def __init__(self, service: Any, now: datetime) -> None:
        self.service = service
        self.deployments = [Deployment(service, now)]
        self.tasks: list[LabTask] = []
        service.created_at = now
        service.events = []
        self._is_steady = False
        self._show()

    def deploy(self, now: datetime) -> None:
        """Begin a new deployment; its tasks replace those of older ones."""
        for old in self.deployments:
            old.shown["status"] = "ACTIVE"
        self.deployments.insert(0, Deployment(self.service, now))

    def act(self, start: Callable[[Deployment], LabTask], unpinned: Sequence[str], now: datetime) -> None:
        """Start what is missing, and stop what is too many."""
        primary = self.deployments[0]
        desired = self.service.desired_count
        before = len(self.tasks), self._running_in_all()
        started: list[LabTask] = []
        while len(self._running(primary)) < desired and now >= primary.next_attempt:
            try:
                task = start(primary)
            except RoleNotAssumed as error:
                primary.wait(now)
                # ECS developer guide, service event messages.
                self._tell(f"failed to launch a task with (error {error.message}).", now)
                break
            except ServiceException as error:
                primary.wait(now)
                text = "was unable to place a task because no container instance met all of its requirements. Reason: "
                self._tell(f"{text}{error.message} {MORE}", now)
                break
            self.tasks.append(task)
            primary.note(task, unpinned, now)
            if task.is_running:
                started.append(task)
            else:
                self._tell_failure(task, primary, now)
                if not task.could_not_start:
                    # It ran, and stopped at once: it is replaced at the next look.
                    break
        if started:
            self._tell(f"has started {len(started)} tasks: {_listed(started)}.", now)
        self._stop_surplus(primary, desired, now)
        self._settle(primary, desired, now, acted=before != (len(self.tasks), self._running_in_all()))
        self._show()

    def stop_all(self, now: datetime) -> None:
        """Stop every task: the service is deleted."""
        self._stop(self._running_in_all(), now)
        self._show()

    def _running_in_all(self) -> list[LabTask]:
        return [one for one in self.tasks if one.is_running]

    def _running(self, deployment: Deployment) -> list[LabTask]:
        return [one for one in self._running_in_all() if one.started_by == deployment.id]

    def _stop_surplus(self, primary: Deployment, desired: int, now: datetime) -> None:
        new = self._running(primary)
        old = [one for one in self._running_in_all() if one.started_by != primary.id]
        self._stop([*old[max(desired - len(new), 0) :], *new[desired:]], now)

    def _stop(self, tasks: list[LabTask], now: datetime) -> None:
        for task in tasks:
            # ECS developer guide, stopped task error codes.
            task.stop(
                "ServiceSchedulerInitiated", f"Scaling activity initiated by (deployment {self.deployments[0].id})"
            )
        if tasks:
            self._tell(f"has stopped {len(tasks)} running tasks: {_listed(tasks)}.", now)

    def _settle(self, primary: Deployment, desired: int, now: datetime, *, acted: bool) -> None:
        self.deployments = [primary, *(one for one in self.deployments[1:] if self._running(one))]
        is_steady = len(self.deployments) == 1 and len(self._running(primary)) == desired
        if is_steady and not primary.is_completed:
            primary.complete(now)
            self._tell(f"(deployment {primary.id}) deployment completed.", now)
        if is_steady and (acted or not self._is_steady):
            self._tell("has reached a steady state.", now)
        self._is_steady = is_steady

    def _tell_failure(self, task: LabTask, primary: Deployment, now: datetime) -> None:
        if task.could_not_start and task.is_on_fargate:
            self._tell(f"was unable to place a task. Reason: {task.stopped_reason}.", now)
        else:
            # UNSURE: which event tells of a task on an instance that could not pull; here the one that it was started.
            self._tell(f"has started 1 tasks: {_listed([task])}.", now)
        if primary.failures == ATTEMPTS:
            # UNSURE: after how many failures a service says so; here after three.
            self._tell(f"is unable to consistently start tasks successfully. {MORE}", now)

    def _tell(self, text: str, now: datetime) -> None:
        event = {"id": str(mock_random.uuid4()), "createdAt": now, "message": f"(service {self.service.name}) {text}"}
        self.service.events.insert(0, event)
        del self.service.events[MOST_EVENTS:]

    def _show(self) -> None:
        for one in self.deployments:
            one.count(len(self._running(one)), self.service.desired_count if one is self.deployments[0] else 0)
        self.service.deployments = [one.shown for one in self.deployments]
        self.service.running_count = sum(len(self._running(one)) for one in self.deployments)
        self.service.pending_count = 0


MORE = "For more information, see the Troubleshooting section of the Amazon ECS Developer Guide."


def _listed(tasks: list[LabTask]) -> str:
    return " ".join(f"(task {one.id})" for one in tasks)
