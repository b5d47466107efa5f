"""Tasks of ECS that pull their images: what moto's task lacks.

    a task  ─►  each container: pull as the execution role or the instance role  ─►  RUNNING with digests
                                                                                 └►  STOPPED with a reason

A task is judged when it starts. It does not pass through the states on the way; nothing runs in it, so it runs until
it is stopped. The one thing that the lab foresees is an image for another processor, which stops at once (exec format
error).
"""

import re
from datetime import datetime
from typing import Any

from moto.ec2.models import ec2_backends
from moto.ecs.exceptions import EcsClientException
from moto.ecs.models import Task
from moto.moto_api._internal import mock_random

from ecrlab.docker import platforms
from ecrlab.registry.world import World
from ecrlab.simulator.access import identities
from ecrlab.simulator.access.callers import Caller
from ecrlab.simulator.consumers import ecs_words, roles
from ecrlab.simulator.consumers.pulling import CannotPull, Pulled, pull, role_session
from ecrlab.simulator.moto import seams

ESSENTIAL_EXITED = "Essential container in task exited"
# UNSURE: the exit code of a program for another processor.
NO_EXEC = 1

# UNSURE: how ECS's own clients name themselves in CloudTrail.
AGENTS = {"EC2": "amazon-ecs-agent", "FARGATE": "fargate"}

_ROLE = re.compile(r"arn:aws[a-z-]*:iam::([0-9]{12}):role/(?:.+/)?([^/]+)")


class RoleNotAssumed(EcsClientException):
    """ECS cannot assume the task's execution role."""

    def __init__(self, role: str) -> None:
        # ECS developer guide, service event messages.
        super().__init__(
            f"ECS was unable to assume the role '{role}' that was provided for this task. Please verify that the role "
            "being passed has the proper trust relationship and permissions and that your IAM user has permissions to "
            "pass this role."
        )


class LabContainer:
    """One container of a task; moto writes its attributes as members of DescribeTasks."""

    reason: str
    image_digest: str
    exit_code: int

    def __init__(self, task: Task, part: dict[str, Any]) -> None:
        self.container_arn = f"{task.task_arn.replace(':task/', ':container/')}/{mock_random.uuid4()}"
        self.task_arn = task.task_arn
        self.name: str = part["name"]
        self.image: str = part["image"]
        self.last_status = "PENDING"
        self.network_interfaces: list[dict[str, str]] = []
        self.health_status = "UNKNOWN"
        self.cpu, self.memory = part.get("cpu", 0), part.get("memory")
        self.memory_reservation = part.get("memoryReservation")
        self.is_essential: bool = part.get("essential", True)


class LabTask(Task):
    """A task whose containers have pulled their images, or could not."""

    __module__ = Task.__module__

    def __init__(self, cluster: Any, task_definition: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(cluster, task_definition, *args, **kwargs)
        world = seams.owner()
        assert world is not None
        self._transitions: list[Any] = []
        self._clock = world.clock
        self.id = self.id.replace("-", "")
        self.cpu, self.memory = task_definition.cpu, task_definition.memory
        self.connectivity = "CONNECTED"
        self.connectivity_at = self.created_at = self.pull_started_at = self._now()
        self.version = 1
        # AWS leaves out what moto writes as an empty text.
        del self.stopped_reason
        self.parts = [LabContainer(self, part) for part in task_definition.container_definitions]
        self.containers: list[Any] = list(self.parts)
        self.is_on_fargate = self.container_instance_arn is None
        if self.is_on_fargate:
            self.launch_type = "FARGATE"
            self.platform_family, self.platform_version = "Linux", self.platform_version or "1.4.0"
        else:
            self.launch_type = self.launch_type or "EC2"
        self._platform = _platform(task_definition)
        # A service's first task fixes the digests of the others (ECS developer guide, container image resolution).
        backend: Any = self._backend
        self._pull(world, _puller(world, self, task_definition), backend.pinned)

    @property
    def is_running(self) -> bool:
        """Whether the task has started and was not stopped."""
        return self.last_status == "RUNNING"

    @property
    def digests(self) -> dict[str, str]:
        """The digests of the containers that were pulled, by the container's name."""
        return {one.name: one.image_digest for one in self.parts if hasattr(one, "image_digest")}

    @property
    def could_not_start(self) -> bool:
        """Whether an image could not be pulled."""
        return getattr(self, "stop_code", "") == "TaskFailedToStart"

    def stop(self, code: str, reason: str) -> None:
        """Stop the task, if it runs, for a `stopCode` of ECS."""
        if self.last_status == "STOPPED":
            return
        self.last_status = self.desired_status = "STOPPED"
        self.stop_code, self.stopped_reason = code, reason
        self.stopping_at = self.execution_stopped_at = self.stopped_at = self._now()
        for container in self.containers:
            container.last_status = "STOPPED"

    def _now(self) -> datetime:
        return self._clock.now()

    def _pull(self, world: World, caller: Caller, pinned: dict[str, str]) -> None:
        """Pull each image, and start; or stop with the reason of the first that cannot be pulled."""
        for container in self.parts:
            try:
                found = pull(
                    world,
                    container.image,
                    caller,
                    platform=self._platform,
                    agent=AGENTS["FARGATE" if self.is_on_fargate else "EC2"],
                    digest=pinned.get(container.name, ""),
                )
            except CannotPull as error:
                say = ecs_words.on_fargate if self.is_on_fargate else ecs_words.on_ec2
                words = say(error, container.image, self._platform, world.new_id())
                if words.container:
                    container.reason = words.container
                self.pull_stopped_at = self._now()
                self.stop("TaskFailedToStart", words.stopped)
                return
            container.image_digest = found.digest
            container.last_status = "RUNNING"
            if not _runs(found, self._platform):
                container.last_status, container.exit_code = "STOPPED", NO_EXEC
        self.pull_stopped_at = self.started_at = self._now()
        if any(one.is_essential and one.last_status == "STOPPED" for one in self.parts):
            self.stop("EssentialContainerExited", ESSENTIAL_EXITED)


def _runs(image: Pulled, platform: str) -> bool:
    """Tell whether an image's programs are for the processor; an image that does not say so counts as right."""
    return not image.platform or platforms.suits(image.platform, platform)


def _platform(definition: Any) -> str:
    wanted = definition.runtime_platform or {}
    system = "windows" if str(wanted.get("operatingSystemFamily", "")).startswith("WINDOWS") else "linux"
    return f"{system}/{'arm64' if wanted.get('cpuArchitecture') == 'ARM64' else 'amd64'}"


def _puller(world: World, task: LabTask, definition: Any) -> Caller:
    """Return who pulls: the session of the execution role, or of the container instance's role.

    Raises `RoleNotAssumed`.
    """
    account_id: str = task._account_id
    role = task.overrides.get("executionRoleArn") or getattr(definition, "execution_role_arn", None)
    if role is not None:
        return role_session(execution_role(world, account_id, role, task.task_arn), task.id)
    if task.is_on_fargate:
        # Only images of ECR need the role; the backend has asked for it.
        return Caller(account_id, f"arn:aws:sts::{account_id}:assumed-role/none/{task.id}", "")
    backend: Any = task._backend
    instance = backend.instance_of(task)
    return role_session(_instance_role(world, account_id, instance), instance.ec2_instance_id)


def execution_role(world: World, account_id: str, role: str, task_arn: str) -> str:
    """Return the ARN of a task's execution role, by ARN or name.

    A missing `ecsTaskExecutionRole` is created, as ECS's console does. Raises `RoleNotAssumed` for any other role that
    is missing, and for one whose trust policy does not let ECS assume it.
    """
    read = _ROLE.fullmatch(role)
    owner, name = (read[1], read[2]) if read else (account_id, role)
    is_default = name == roles.EXECUTION.name
    found = roles.arn(world, owner, roles.EXECUTION) if is_default else identities.role_arn(owner, name)
    if found is None or not identities.trusts(found, roles.EXECUTION.service, task_arn):
        raise RoleNotAssumed(role)
    return found


def _instance_role(world: World, account_id: str, instance: Any) -> str:
    """Return the role of an instance's profile; without one `ecsInstanceRole`."""
    machines = ec2_backends[account_id][instance.region_name]
    association = machines.iam_instance_profile_associations.get(instance.ec2_instance_id)
    found = association.iam_instance_profile.roles if association is not None else []
    return str(found[0].arn) if found else roles.arn(world, account_id, roles.INSTANCE)
