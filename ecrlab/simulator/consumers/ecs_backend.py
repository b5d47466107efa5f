"""moto's ECS with tasks that pull: RunTask, StartTask, StopTask, ListTasks, and services with a scheduler.

`ecrlab.simulator.consumers.ecs` puts it in moto's place. What the lab does not know of ECS, moto answers.
"""

import copy
import functools
import threading
import types
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from moto.ec2.exceptions import InvalidSubnetIdError
from moto.ecs.exceptions import ClusterNotFoundException, InvalidParameterException
from moto.ecs.models import Cluster, EC2ContainerServiceBackend, Service, Task, TaskDefinition

from ecrlab.simulator.consumers import ecs_requests
from ecrlab.simulator.consumers.ecs_services import Deployment, Schedule
from ecrlab.simulator.consumers.ecs_tasks import LabTask
from ecrlab.simulator.moto import seams


class LabEcs(EC2ContainerServiceBackend):
    """The ECS of an account in a Region."""

    __module__ = EC2ContainerServiceBackend.__module__

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.pinned: dict[str, str] = {}
        """The digests for the task that starts now, by container."""
        self._schedules: dict[str, Schedule] = {}
        self._lock = threading.RLock()

    # Tasks

    def run_task(
        self,
        cluster_str: str,
        task_definition_str: str,
        count: int,
        overrides: dict[str, Any] | None,
        started_by: str,
        tags: list[dict[str, str]] | None,
        launch_type: str | None,
        networking_configuration: dict[str, Any] | None = None,
        *args: Any,
        **kwargs: Any,
    ) -> list[Task]:
        """Start tasks, each of which pulls its images."""
        with self._lock:
            cluster = self._get_cluster(cluster_str)
            definition = self.describe_task_definition(task_definition_str)
            strategy = kwargs.get("capacity_provider_strategy") or (args[2] if len(args) > 2 else None)
            strategy = strategy or (None if launch_type else cluster.default_capacity_provider_strategy)
            provider = strategy[0]["capacityProvider"] if strategy and not launch_type else ""
            on_fargate = launch_type == "FARGATE" or provider in ("FARGATE", "FARGATE_SPOT")
            if not on_fargate and not self.container_instances.get(cluster.name):
                raise InvalidParameterException(ecs_requests.NO_INSTANCES)
            if on_fargate:
                ecs_requests.check_role(definition, overrides or {})
            self._recount(cluster.name)
            try:
                return super().run_task(
                    cluster_str,
                    task_definition_str,
                    count,
                    overrides,
                    started_by,
                    tags,
                    launch_type,
                    ecs_requests.with_groups(networking_configuration),
                    *args,
                    **kwargs,
                )
            except InvalidSubnetIdError as error:
                raise ecs_requests.no_subnet(error) from error

    def start_task(
        self,
        cluster_str: str,
        task_definition_str: str,
        container_instances: list[str],
        overrides: dict[str, Any],
        *args: Any,
        **kwargs: Any,
    ) -> list[Task]:
        """Start a task on each of some container instances."""
        with self._lock:
            known = self.container_instances.get(self._get_cluster(cluster_str).name, {})
            if any(one.split("/")[-1] not in known for one in container_instances or ()):
                # UNSURE: the error for an unknown container instance; on AWS it may be among the `failures`.
                raise InvalidParameterException(ecs_requests.NO_INSTANCES)
            return super().start_task(cluster_str, task_definition_str, container_instances, overrides, *args, **kwargs)

    def stop_task(self, cluster_str: str, task_str: str, reason: str) -> Task:
        """Stop a task. Its service replaces it."""
        with self._lock:
            task = self._find(cluster_str, task_str)
            task.stop("UserInitiated", reason or "Task stopped by user")
            self._look()
            return task

    def describe_tasks(self, cluster_str: str, tasks: list[str]) -> list[Task]:
        """Return tasks of a cluster by ARN or id."""
        with self._lock:
            self._look()
            found = super().describe_tasks(cluster_str, tasks)
            return [one for one in found if one.cluster_name == self._get_cluster(cluster_str).name]

    def list_tasks(
        self,
        cluster_str: str | None = None,
        container_instance: str | None = None,
        family: str | None = None,
        started_by: str | None = None,
        service_name: str | None = None,
        desiredStatus: str | None = None,  # noqa: N803
    ) -> list[Task]:
        """Return tasks; without a status, those that are to run (botocore model of ecs, ListTasks)."""
        with self._lock:
            self._look()
            found = super().list_tasks(cluster_str, None, family, started_by)
            if cluster_str:
                # moto compares only a part of the name.
                found = [one for one in found if one.cluster_name == self._get_cluster(cluster_str).name]
            if container_instance:
                found = [one for one in found if container_instance in (one.container_instance_arn or "")]
            if service_name:
                group = f"service:{self._get_service(cluster_str or 'default', service_name).name}"
                found = [one for one in found if one.group == group]
            return [one for one in found if one.desired_status == (desiredStatus or "RUNNING")]

    def instance_of(self, task: Task) -> Any:
        """Return the container instance of a task of the launch type EC2."""
        return self.container_instances[task.cluster_name][str(task.container_instance_arn).split("/")[-1]]

    # Services

    def create_service(
        self,
        cluster_str: str,
        service_name: str,
        desired_count: int,
        task_definition_str: str | None = None,
        load_balancers: list[dict[str, Any]] | None = None,
        scheduling_strategy: list[dict[str, Any]] | None = None,
        tags: list[dict[str, str]] | None = None,
        deployment_controller: dict[str, str] | None = None,
        launch_type: str | None = None,
        *args: Any,
        network_configuration: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> Service:
        """Create a service, and start its tasks."""
        with self._lock:
            there = self.services.get(f"{self._get_cluster(cluster_str).name}:{service_name}")
            if there is not None and there.status == "ACTIVE":
                # UNSURE: whether ECS accepts a second request that is the same as the first.
                raise InvalidParameterException(ecs_requests.NOT_IDEMPOTENT)
            network = ecs_requests.with_groups(network_configuration)
            if task_definition_str is not None:
                definition = self.describe_task_definition(task_definition_str)
                ecs_requests.check_definition(definition, launch_type, network)
            service: Service = super().create_service(  # type: ignore[misc]
                cluster_str,
                service_name,
                desired_count,
                task_definition_str,
                load_balancers,
                scheduling_strategy,
                tags,
                deployment_controller,
                launch_type,
                *args,
                network_configuration=network,
                **kwargs,
            )
            if service.deployments and service.task_definition and service.scheduling_strategy == "REPLICA":
                self._schedules[service.arn] = Schedule(service, self._now())
                self._look()
            return service

    def update_service(self, service_properties: dict[str, Any]) -> Service:
        """Change a service. Another task definition, and `forceNewDeployment`, begin a new deployment."""
        asked = dict(service_properties)
        with self._lock:
            is_forced = asked.pop("force_new_deployment", False)
            service = self._get_service(asked.get("cluster", "default"), asked["service"].split("/")[-1])
            before = (service.task_definition, service.network_configuration)
            asked["network_configuration"] = network = ecs_requests.with_groups(asked.get("network_configuration"))
            if asked.get("task_definition") is not None:
                definition = self.describe_task_definition(asked["task_definition"])
                network = network or service.network_configuration
                ecs_requests.check_definition(definition, service.launch_type, network)
                asked["task_definition"] = definition.arn
            service = super().update_service(asked)
            schedule = self._schedules.get(service.arn)
            if schedule is not None:
                if is_forced or before != (service.task_definition, service.network_configuration):
                    schedule.deploy(self._now())
                self._look()
            return service

    def describe_services(
        self, cluster_str: str, service_names_or_arns: list[str]
    ) -> tuple[list[Service], list[dict[str, str]]]:
        """Return services, after the scheduler has acted."""
        with self._lock:
            self._look()
            return super().describe_services(cluster_str, service_names_or_arns)

    def delete_service(self, cluster_name: str, service_name: str, force: bool) -> Service:
        """Delete a service, and stop its tasks."""
        with self._lock:
            service = super().delete_service(cluster_name, service_name.split("/")[-1], force)
            if (schedule := self._schedules.pop(service.arn, None)) is not None:
                service.desired_count = 0
                schedule.stop_all(self._now())
            return service

    def describe_clusters(self, *args: Any, **kwargs: Any) -> Any:
        """Return clusters with the numbers of their tasks and services."""
        with self._lock:
            self._look()
            for cluster in self.clusters.values():
                self._count(cluster)
            return super().describe_clusters(*args, **kwargs)

    def describe_container_instances(self, cluster_str: str, *args: Any, **kwargs: Any) -> Any:
        """Return container instances with the resources that their tasks leave."""
        with self._lock:
            self._look()
            self._recount(self._get_cluster(cluster_str).name)
            return super().describe_container_instances(cluster_str, *args, **kwargs)

    def _look(self) -> None:
        """Let the scheduler act for every service."""
        for schedule in list(self._schedules.values()):
            definition = self.describe_task_definition(schedule.service.task_definition)
            parts: list[dict[str, Any]] = definition.container_definitions
            unpinned = [one["name"] for one in parts if one.get("versionConsistency") == "disabled"]
            schedule.act(functools.partial(self._start, schedule.service), unpinned, self._now())

    def _start(self, service: Service, deployment: Deployment) -> LabTask:
        self.pinned = {} if deployment.gives_up else deployment.digests
        try:
            tasks = self.run_task(
                service.cluster_name,
                deployment.shown["taskDefinition"],
                1,
                None,
                deployment.id,
                service.tags if service.propagate_tags == "SERVICE" else None,
                service.launch_type,
                deployment.network_configuration or None,
                f"service:{service.name}",
                service.platform_version,
            )
        finally:
            self.pinned = {}
        if not tasks:
            # AWS names what is missing, such as CPU; moto does not tell.
            raise InvalidParameterException("The closest matching container-instance has insufficient resources.")
        task = tasks[0]
        assert isinstance(task, LabTask)
        return task

    # What moto lacks

    @staticmethod
    def _calculate_task_resource_requirements(task_definition: TaskDefinition) -> dict[str, Any]:
        # A container of a Fargate task need not name its memory; moto adds None.
        parts = [{"memory": one.get("memoryReservation") or 0, **one} for one in task_definition.container_definitions]
        definition: Any = types.SimpleNamespace(container_definitions=parts)
        return EC2ContainerServiceBackend._calculate_task_resource_requirements(definition)

    def _recount(self, cluster_name: str) -> None:
        """Count the resources that running tasks use on container instances; moto forgets tasks that failed."""
        running = [one for one in self.tasks.get(cluster_name, {}).values() if one.last_status == "RUNNING"]
        for instance in self.container_instances.get(cluster_name, {}).values():
            instance.remaining_resources = copy.deepcopy(instance.registered_resources)
            instance.running_tasks_count = 0
            for task in running:
                if task.container_instance_arn == instance.container_instance_arn and task.resource_requirements:
                    self.update_container_instance_resources(instance, task.resource_requirements)

    def _find(self, cluster_str: str, task_str: str) -> LabTask:
        tasks = self.tasks.get(self._get_cluster(cluster_str).name, {})
        found = [one for arn, one in tasks.items() if task_str in (arn, one.id)]
        if not found:
            raise InvalidParameterException(ecs_requests.NOT_FOUND)
        task = found[0]
        assert isinstance(task, LabTask)
        return task

    def _count(self, cluster: Cluster) -> None:
        tasks: Iterable[Task] = self.tasks.get(cluster.name, {}).values()
        services = [one for one in self.services.values() if one.cluster_name == cluster.name]
        cluster.running_tasks_count = sum(one.last_status == "RUNNING" for one in tasks)
        cluster.pending_tasks_count = 0
        cluster.active_services_count = sum(one.status == "ACTIVE" for one in services)

    def _now(self) -> datetime:
        world = seams.owner()
        if world is None:
            raise ClusterNotFoundException
        return world.clock.now()
