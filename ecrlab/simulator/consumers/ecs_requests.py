"""What ECS checks of a request before it starts anything, in its words."""

from typing import Any

from moto.ec2.exceptions import InvalidSubnetIdError
from moto.ecs.exceptions import EcsClientException, InvalidParameterException
from moto.ecs.models import TaskDefinition

from ecrlab.docker import references
from ecrlab.docker.errors import DockerError

NO_INSTANCES = "No Container Instances were found in your cluster."
NO_NETWORK = "Network Configuration must be provided when networkMode 'awsvpc' is specified."
NO_ROLE = "Fargate requires task definition to have execution role ARN to support ECR images."
NOT_FOUND = "The referenced task was not found."
NOT_IDEMPOTENT = "Creation of service was not idempotent."


def check_role(definition: TaskDefinition, overrides: dict[str, Any]) -> None:
    """Check that a task on Fargate has an execution role, if an image is in ECR."""
    has_role = overrides.get("executionRoleArn") or getattr(definition, "execution_role_arn", None)
    if not has_role and any(_is_private(str(one["image"])) for one in definition.container_definitions):
        # UNSURE: when ECS says so; on AWS mostly when the definition is registered, here when it is used.
        raise EcsClientException(NO_ROLE)


def check_definition(definition: TaskDefinition, launch_type: str | None, network: dict[str, Any] | None) -> None:
    """Check what a service needs for the tasks of a definition; moto checks it of tasks only."""
    if launch_type == "FARGATE":
        check_role(definition, {})
    if definition.network_mode == "awsvpc" and not network:
        raise InvalidParameterException(NO_NETWORK)


def with_groups(network: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return a network configuration with security groups, which a client may leave out and moto needs."""
    if not network or "awsvpcConfiguration" not in network:
        return network
    return {"awsvpcConfiguration": {"securityGroups": [], **network["awsvpcConfiguration"]}}


def no_subnet(error: InvalidSubnetIdError) -> InvalidParameterException:
    """Return ECS's error for a subnet that EC2 does not know."""
    subnet = error.message.split("'")[1]
    return InvalidParameterException(
        f"Error retrieving subnet information for [{subnet}]: {error.message} (ErrorCode: {error.code})"
    )


def _is_private(image: str) -> bool:
    try:
        reference = references.parse(image)
    except DockerError:
        return False
    return reference.is_ecr and reference.domain != references.PUBLIC
