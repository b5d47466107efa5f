"""The roles that services pull with when nobody names one, as AWS's consoles and guides call them.

    ecsTaskExecutionRole   Fargate tasks                AmazonECSTaskExecutionRolePolicy
    ecsInstanceRole        ECS container instances      AmazonEC2ContainerRegistryPullOnly
    AmazonEKSNodeRole      the nodes of an EKS cluster  AmazonEC2ContainerRegistryPullOnly

A role is created in the account's IAM when it is first needed, unless it exists. From then on it is a role like any
other: detach its policy, and pulls are denied; take the service out of its trust policy, and ECS cannot assume it.

Of container instances and nodes only the policies are read: on AWS they get no credentials from a role that does not
trust ec2.amazonaws.com, and never join a cluster.
"""

from dataclasses import dataclass

from ecrlab.registry.world import World
from ecrlab.simulator.moto import seams


@dataclass(frozen=True, slots=True)
class Default:
    """A role by its name: the service that may assume it, and its AWS managed policy."""

    name: str
    service: str
    policy: str


EXECUTION = Default("ecsTaskExecutionRole", "ecs-tasks.amazonaws.com", "service-role/AmazonECSTaskExecutionRolePolicy")
INSTANCE = Default("ecsInstanceRole", "ec2.amazonaws.com", "AmazonEC2ContainerRegistryPullOnly")
NODE = Default("AmazonEKSNodeRole", "ec2.amazonaws.com", "AmazonEC2ContainerRegistryPullOnly")


def arn(world: World, account_id: str, role: Default) -> str:
    """Return the ARN of a role in an account; create the role unless it exists."""
    return seams.add_role(world, account_id, role.name, role.service, role.policy)


def named(world: World, account_id: str, name: str | None, default: Default) -> str:
    """Return the ARN of a role that somebody named, by its name or ARN, or of the default one."""
    if name is None:
        return arn(world, account_id, default)
    return name if name.startswith("arn:") else f"arn:aws:iam::{account_id}:role/{name}"
