"""Events about images: one for each tag or image that is pushed, deleted, or changes its storage class.

The shapes are those of the AWS user guide, Amazon ECR events and EventBridge. An event belongs to the change that it is
about: listeners receive it after the commit, and never for a change that failed.
"""

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ecrlab.registry.service_event import ServiceEvent
from ecrlab.registry.world import Change, Registry

if TYPE_CHECKING:
    from ecrlab.registry.images import Image

IMAGE, REFERRER = "ECR Image Action", "ECR Referrer Action"


def image_action(
    change: Change, registry: Registry, repository: str, action: str, digest: str | None, tag: str | None
) -> None:
    """A tag, or an image without one, was pushed (`PUSH`) or deleted (`DELETE`)."""
    if not registry.world.events:
        return
    # UNSURE: what the event of an image without a tag has for image-tag; here nothing. Whether a deleted image with
    # several tags is one event or several; several, as the answer of BatchDeleteImage has it. And whether signatures
    # and the like are told of as referrers when they come and go; not, as they were before there was such an event.
    detail = {"result": "SUCCESS", "repository-name": repository, "image-digest": digest, "action-type": action}
    if tag is not None:
        detail["image-tag"] = tag
    change.events.append(ServiceEvent(registry.account_id, registry.region, change.at, IMAGE, detail))


def storage_class(
    change: Change, registry: Registry, repository: str, image: "Image", target: str, activated_at: float | None = None
) -> None:
    """An image was archived (`target` ARCHIVE) or is restored (STANDARD) by `activated_at`."""
    detail = {
        "result": "SUCCESS",
        "repository-name": repository,
        "image-digest": image.digest,
        "action-type": "UPDATE_STORAGE_CLASS",
        "target-storage-class": target,
        "manifest-media-type": image.media_type,
        "artifact-media-type": image.artifact_type,
    }
    if activated_at is not None:
        # UNSURE: whether AWS tells of a restore when it is asked for or when it is over, and how it writes the instant.
        detail["last-activated-at"] = datetime.fromtimestamp(activated_at, UTC).isoformat().replace("+00:00", "Z")
    told = {name: value for name, value in detail.items() if value is not None}
    kind = IMAGE if image.subject is None else REFERRER
    change.events.append(ServiceEvent(registry.account_id, registry.region, change.at, kind, told))
