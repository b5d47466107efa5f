"""PutReplicationConfiguration and DescribeImageReplicationStatus."""

from typing import Any

from botocore.loaders import create_loader

from ecrlab.registry import images, replication, settings
from ecrlab.registry.errors import InvalidParameterException
from ecrlab.registry.images import ImageId
from ecrlab.registry.replication_copies import ROLE, SERVICE
from ecrlab.simulator.aws.calls import Call, operation
from ecrlab.simulator.jobs.replication import Replication
from ecrlab.simulator.moto import seams


@operation("PutReplicationConfiguration")
def put_replication_configuration(call: Call) -> dict[str, Any]:
    """Store the registry's replication rules. The first call makes the service-linked role in IAM."""
    configuration = call.request["replicationConfiguration"]
    partitions = create_loader().load_data("partitions")["partitions"]
    known = {region for partition in partitions for region in partition["regions"] if "global" not in region}
    for rule in configuration["rules"]:
        for destination in rule["destinations"]:
            if destination["region"] not in known:
                # UNSURE: the text for a Region that does not exist; here that for one of another partition.
                raise InvalidParameterException("replicationConfiguration", f"Invalid region '{destination['region']}'")
    settings.put_replication(call.registry, configuration)
    seams.add_service_linked_role(
        call.world, call.registry.account_id, ROLE, SERVICE, "ECRReplicationServiceRolePolicy"
    )
    return {"replicationConfiguration": configuration}


@operation("DescribeImageReplicationStatus")
def describe_image_replication_status(call: Call) -> dict[str, Any]:
    """Return the status of an image for each destination; then make the copies that are under way."""
    asked = call.request["imageId"]
    image = images.find(call.registry, call.repository_name, ImageId(asked.get("imageDigest"), asked.get("imageTag")))
    found = replication.statuses(call.registry, image)
    if any(one.status == replication.IN_PROGRESS for one in found):
        Replication(call.world).copy_all()
    # An answer to a digest alone names a tag, too.
    tag = asked.get("imageTag", image.tags[0] if image.tags else None)
    return {
        "repositoryName": call.repository_name,
        "imageId": {"imageDigest": image.digest} | ({} if tag is None else {"imageTag": tag}),
        "replicationStatuses": [
            {"region": one.region, "registryId": one.account_id, "status": one.status}
            | ({} if one.failure is None else {"failureCode": one.failure})
            for one in found
        ],
    }
