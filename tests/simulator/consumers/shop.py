"""A lab with a cluster of ECS: Fargate, and one container instance."""

import itertools
import json
from pathlib import Path
from typing import Any

from ecrlab.clock import LabClock
from ecrlab.registry import trail
from ecrlab.registry.world import World
from ecrlab.simulator.moto.small_image import BASE, push
from ecrlab.simulator.server import Server
from tests.simulator.accounts import HOME, TRUST, document
from tests.simulator.client import Repository, client_of

REGION = "us-east-1"
HOST = f"{HOME}.dkr.ecr.{REGION}.amazonaws.com"
EXECUTION = f"arn:aws:iam::{HOME}:role/ecsTaskExecutionRole"
CLUSTER = "shop"

_names = itertools.count(1)


class Shop:
    """The lab, and tasks in it; `new()` names a family, a repository or a role that no other test uses."""

    def __init__(self, directory: Path) -> None:
        self.clock = LabClock()
        self.world = World(directory, self.clock, seed="shop", durable=False)
        self.server = Server(self.world)
        self.ecr, self.ecs, self.iam = (self.client(service) for service in ("ecr", "ecs", "iam"))
        self.subnet = self.client("ec2").describe_subnets()["Subnets"][0]["SubnetId"]
        self.ecs.create_cluster(clusterName=CLUSTER)

    def client(self, service: str) -> Any:
        return client_of(self.server.endpoint, service, REGION)

    def stop(self) -> None:
        self.server.stop()
        self.world.close()

    def new(self, kind: str = "app") -> str:
        return f"{kind}-{next(_names)}"

    def add_instance(self, **settings: Any) -> str:
        """Register a container instance; return the id of its EC2 instance."""
        ec2 = self.client("ec2")
        # An image that moto has; to list its images takes a second.
        made = ec2.run_instances(ImageId="ami-12c6146b", MinCount=1, MaxCount=1, **settings)["Instances"][0][
            "InstanceId"
        ]
        told = json.dumps({"instanceId": made})
        self.ecs.register_container_instance(cluster=CLUSTER, instanceIdentityDocument=told)
        return made

    def push(self, image: str, account_id: str = HOME) -> str:
        """Push a new build of an image for linux/amd64, `app-1:v1`; return its digest."""
        return push(self.world, image, base=BASE, account_id=account_id, region=REGION)

    def repository(self, name: str, **settings: Any) -> Repository:
        self.ecr.create_repository(repositoryName=name, **settings)
        return Repository(self.ecr, name)

    def role(self, *actions: str, trust: str = TRUST) -> str:
        """The ARN of a role that may do these actions."""
        name = self.new("role")
        made = self.iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]
        if actions:
            self.iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=document(*actions, Resource="*"))
        return made["Arn"]

    def define(self, *images: str, launch: str = "FARGATE", role: str | None = EXECUTION, **more: Any) -> str:
        """Register a task definition with a container for each image; return its family."""
        family = self.new("family")
        parts = [{"name": f"c{number}", "image": image} for number, image in enumerate(images)]
        if launch == "EC2":
            parts = [{**part, "memory": 64} for part in parts]
        else:
            more = {"networkMode": "awsvpc", "cpu": "256", "memory": "512", **more}
        given = {} if role is None else {"executionRoleArn": role}
        self.ecs.register_task_definition(
            family=family, requiresCompatibilities=[launch], containerDefinitions=parts, **given, **more
        )
        return family

    def network(self, launch: str) -> dict[str, Any]:
        """The members of a request that only Fargate needs."""
        return {"networkConfiguration": {"awsvpcConfiguration": {"subnets": [self.subnet]}}} if launch != "EC2" else {}

    def run(self, family: str, launch: str = "FARGATE", **more: Any) -> Any:
        """Run one task, and return it as DescribeTasks shows it."""
        answer = self.ecs.run_task(
            cluster=CLUSTER, taskDefinition=family, launchType=launch, **self.network(launch), **more
        )
        [task] = answer["tasks"]
        return self.task(task["taskArn"])

    def task(self, arn: str) -> Any:
        return self.ecs.describe_tasks(cluster=CLUSTER, tasks=[arn])["tasks"][0]

    def serve(self, family: str, count: int = 1, launch: str = "FARGATE", **more: Any) -> str:
        """Create a service; return its name."""
        name = self.new("service")
        self.ecs.create_service(
            cluster=CLUSTER,
            serviceName=name,
            taskDefinition=family,
            desiredCount=count,
            launchType=launch,
            **self.network(launch),
            **more,
        )
        return name

    def service(self, name: str) -> Any:
        return self.ecs.describe_services(cluster=CLUSTER, services=[name])["services"][0]

    def events(self, name: str) -> list[str]:
        """The messages of a service's events, the oldest first."""
        return [one["message"].removeprefix(f"(service {name}) ") for one in self.service(name)["events"]][::-1]

    def tasks(self, name: str, status: str = "RUNNING") -> list[Any]:
        """The tasks of a service."""
        arns = self.ecs.list_tasks(cluster=CLUSTER, serviceName=name, desiredStatus=status)["taskArns"]
        return self.ecs.describe_tasks(cluster=CLUSTER, tasks=arns)["tasks"] if arns else []

    def digests(self, name: str) -> list[str]:
        """The digests that the tasks of a service run."""
        return [task["containers"][0]["imageDigest"] for task in self.tasks(name)]

    def trail(self, repository: str) -> list[dict[str, Any]]:
        return trail.of(self.world.registry(HOME, REGION), repository)
