"""Events about images: one for each tag or image that is pushed, deleted, or changes its storage class.

The AWS user guide defines the shapes (Amazon ECR events and EventBridge). An event belongs to a change: listeners
receive it after the commit. A change that fails sends no event.
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
    """Add the event of a tag, or of an untagged image, that is pushed (`PUSH`) or deleted (`DELETE`)."""
    # ECR Public sends no events of its own: its user guide has only CloudTrail's.
    if not registry.world.events or registry.is_public:
        return
    # UNSURE: the image-tag of an untagged image; here none. Whether an image deleted with several tags sends one
    # event or several; here several, as BatchDeleteImage returns several ids. Whether pushing or deleting a signature
    # sends a referrer event; here it sends an image event, as before ECR had referrer events.
    detail = {"result": "SUCCESS", "repository-name": repository, "image-digest": digest, "action-type": action}
    if tag is not None:
        detail["image-tag"] = tag
    change.events.append(ServiceEvent(registry.account_id, registry.region, change.at, IMAGE, detail))


def storage_class(
    change: Change, registry: Registry, repository: str, image: "Image", target: str, activated_at: float | None = None
) -> None:
    """Add the event of an image that is archived (`target` ARCHIVE), or restored (STANDARD) by `activated_at`."""
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
        # UNSURE: whether AWS sends the event when a restore begins or ends, and the format of the instant.
        detail["last-activated-at"] = datetime.fromtimestamp(activated_at, UTC).isoformat().replace("+00:00", "Z")
    told = {name: value for name, value in detail.items() if value is not None}
    kind = IMAGE if image.subject is None else REFERRER
    change.events.append(ServiceEvent(registry.account_id, registry.region, change.at, kind, told))
