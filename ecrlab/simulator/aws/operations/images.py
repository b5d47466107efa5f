"""PutImage, ListImages, DescribeImages, BatchGetImage, BatchDeleteImage and UpdateImageStorageClass."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ecrlab.registry import archive, deletions, images, manifest, pushes, wanted
from ecrlab.registry.errors import InvalidParameterException
from ecrlab.registry.images import Failure, Image, ImageId
from ecrlab.registry.pull_through_errors import UnableToGetUpstreamImageException
from ecrlab.simulator.access import judging
from ecrlab.simulator.aws import pages
from ecrlab.simulator.aws.calls import PUBLIC, Call, operation
from ecrlab.simulator.aws.operations import scanning

PAGE = 100
"""Results on a page without `maxResults`."""

_PUT_PARTIAL = "Docker's schema 1 is rejected"


@operation("PutImage", partial=_PUT_PARTIAL)
@operation("PutImage", PUBLIC, partial=_PUT_PARTIAL)
def put_image(call: Call) -> dict[str, Any]:
    """Store a manifest whose layers exist, and point a tag at it."""
    request = call.request
    pushed = manifest.parse(request["imageManifest"].encode(), request.get("imageManifestMediaType"))
    tag = request.get("imageTag")
    image = pushes.put(
        call.registry, call.repository_name, pushed, tag=tag, digest=request.get("imageDigest"), by=call.caller.arn
    )
    return {"image": _given(call, image, pushed.body, tag)}


@operation("ListImages")
def list_images(call: Call) -> dict[str, Any]:
    """Return pages with one entry for each tag, and one for each untagged image."""
    page = _Page.of(call)
    after = tuple(page.after or (0, 0))
    found = images.list_ids(
        call.registry, call.repository_name, tagged=page.tagged, status=page.status, after=after, most=page.most + 1
    )
    answer = page.answer(call, [position for _, position in found])
    return {"imageIds": [_shown_id(image_id) for image_id, _ in found[: page.most]], **answer}


@operation("DescribeImages")
@operation("DescribeImages", PUBLIC)
def describe_images(call: Call) -> dict[str, Any]:
    """Return one entry for each image, in pages or for `imageIds`."""
    wanted = call.request.get("imageIds")
    if wanted is not None:
        if "maxResults" in call.request or "nextToken" in call.request:
            raise InvalidParameterException("imageIds", "cannot be combined with maxResults or nextToken")
        asked = [images.find(call.registry, call.repository_name, image_id, body=False) for image_id in _ids(wanted)]
        # UNSURE: whether an archived image in `imageIds` also needs a filter; here it does not.
        return {"imageDetails": _details(call, {image.id: image for image in asked}.values())}
    page = _Page.of(call)
    found = images.describe(
        call.registry,
        call.repository_name,
        tagged=page.tagged,
        status=page.status,
        after=page.after or 0,
        most=page.most + 1,
    )
    answer = page.answer(call, [image.id for image in found])
    return {"imageDetails": _details(call, found[: page.most]), **answer}


@operation("BatchGetImage", partial="acceptedMediaTypes converts nothing")
def batch_get_image(call: Call) -> dict[str, Any]:
    """Return manifests as they were pushed, and a failure for each image that has none."""
    ids = _ids(call.request["imageIds"])
    # UNSURE: on AWS acceptedMediaTypes can make ECR convert a manifest between Docker's and OCI's form; here it is
    # ignored, and every manifest is returned as it was pushed, so that its digest is its own.
    refused: dict[ImageId, Failure] = {}
    for image_id in ids:
        try:
            wanted.images(judging.wanted(call), [image_id])
        except UnableToGetUpstreamImageException as error:
            refused[image_id] = Failure(image_id, error.failure, error.message)
    found, failures = images.pull(call.registry, call.repository_name, ids)
    failures = [refused.get(failure.image_id, failure) for failure in failures]
    failed = {failure.image_id for failure in failures}
    asked = [image_id for image_id in ids if image_id not in failed]
    given = []
    for image_id, image in zip(asked, found, strict=True):
        assert image.body is not None
        given.append(_given(call, image, image.body, image_id.tag))
    return {"images": given, "failures": _shown_failures(failures)}


@operation("BatchDeleteImage")
@operation("BatchDeleteImage", PUBLIC)
def batch_delete_image(call: Call) -> dict[str, Any]:
    """Delete tags and images; the status is 200 even when every deletion fails."""
    gone, failures = deletions.delete(
        call.registry, call.repository_name, _ids(call.request["imageIds"]), by=call.caller.arn
    )
    return {"imageIds": [_shown_id(image_id) for image_id in gone], "failures": _shown_failures(failures)}


@operation("UpdateImageStorageClass")
def update_image_storage_class(call: Call) -> dict[str, Any]:
    """Archive an image, or start to restore it."""
    asked = call.request["imageId"]
    image_id = ImageId(asked.get("imageDigest"), asked.get("imageTag"))
    image = archive.update(call.registry, call.repository_name, image_id, call.request["targetStorageClass"])
    shown_id = _shown_id(ImageId(image.digest, image_id.tag))
    return {**call.names, "imageId": shown_id, "imageStatus": image.status(call.world.clock.now().timestamp())}


@dataclass(frozen=True, slots=True)
class _Page:
    """The part of a listing that a request selects."""

    tagged: bool | None
    status: str
    after: Any
    most: int
    scope: str

    @classmethod
    def of(cls, call: Call) -> "_Page":
        criteria = call.request.get("filter", {})
        tag_status, status = criteria.get("tagStatus", "ANY"), criteria.get("imageStatus", "ACTIVE")
        scope = f"{call.operation} {call.repository.id} {tag_status} {status}"
        after = pages.position(call.world, scope, call.request.get("nextToken"))
        tagged = {"TAGGED": True, "UNTAGGED": False, "ANY": None}[tag_status]
        return cls(tagged, status, after, call.request.get("maxResults", PAGE), scope)

    def answer(self, call: Call, positions: Sequence[object]) -> dict[str, str]:
        """Return the `nextToken` of the next page, if there is one."""
        if len(positions) <= self.most:
            return {}
        return {"nextToken": pages.token(call.world, self.scope, positions[self.most - 1])}


def _ids(asked: Sequence[dict[str, str]]) -> list[ImageId]:
    """Return the images that a request names, each once."""
    return list(dict.fromkeys(ImageId(one.get("imageDigest"), one.get("imageTag")) for one in asked))


def _shown_id(image_id: ImageId) -> dict[str, str]:
    members = {"imageDigest": image_id.digest, "imageTag": image_id.tag}
    return {name: value for name, value in members.items() if value is not None}


def _shown_failures(failures: Sequence[Failure]) -> list[dict[str, Any]]:
    return [
        {"imageId": _shown_id(failure.image_id), "failureCode": failure.code, "failureReason": failure.reason}
        for failure in failures
    ]


def _given(call: Call, image: Image, body: bytes, tag: str | None) -> dict[str, Any]:
    return {
        **call.names,
        "imageId": _shown_id(ImageId(image.digest, tag)),
        "imageManifest": body.decode(),
        "imageManifestMediaType": image.media_type,
    }


def _details(call: Call, found: Iterable[Image]) -> list[dict[str, Any]]:
    now = call.world.clock.now().timestamp()
    return [_detail(call, image, now) for image in found]


def _detail(call: Call, image: Image, now: float) -> dict[str, Any]:
    detail: dict[str, Any] = {**call.names, "imageTags": list(image.tags), **described(image)}
    if not call.registry.is_public:
        status = image.status(now)
        detail |= {
            "lastRecordedPullTime": image.pulled_at,
            "subjectManifestDigest": image.subject,
            "imageStatus": status,
            **scanning.detail(call, image),
            "lastArchivedAt": image.archived_at,
            "lastActivatedAt": None if status == "ACTIVATING" else image.activated_at,
        }
    # AWS omits members that do not apply; an untagged image has no imageTags.
    return {name: value for name, value in detail.items() if value not in (None, [])}


def described(image: Image) -> dict[str, Any]:
    """Return the members that describe an image in private and public registries alike; some may be None."""
    return {
        "imageDigest": image.digest,
        "imageSizeInBytes": image.size,
        "imagePushedAt": image.pushed_at,
        "imageManifestMediaType": image.media_type,
        "artifactMediaType": image.artifact_type,
    }
