"""DescribeImageTags of `ecr-public`. The other operations on images are those of `ecr`."""

from typing import Any

from ecrlab.registry import public
from ecrlab.registry.public import TaggedImage
from ecrlab.simulator.aws import pages
from ecrlab.simulator.aws.calls import PUBLIC, Call, operation
from ecrlab.simulator.aws.operations.images import PAGE, described


@operation("DescribeImageTags", PUBLIC)
def describe_image_tags(call: Call) -> dict[str, Any]:
    """Return pages with one entry for each tag; untagged images have none."""
    # UNSURE: the order; here that of the tags.
    scope = f"{call.operation} {call.repository.id}"
    after = pages.position(call.world, scope, call.request.get("nextToken")) or ""
    most = call.request.get("maxResults", PAGE)
    found = public.tagged_images(call.registry, call.repository_name, after=after, most=most + 1)
    answer: dict[str, Any] = {"imageTagDetails": [_detail(one) for one in found[:most]]}
    if len(found) > most:
        answer["nextToken"] = pages.token(call.world, scope, found[most - 1].tag)
    return answer


def _detail(one: TaggedImage) -> dict[str, Any]:
    # UNSURE: whether a tag that moves to another image is created anew; here it is.
    about = {name: value for name, value in described(one.image).items() if value is not None}
    return {"imageTag": one.tag, "createdAt": one.at, "imageDetail": about}
