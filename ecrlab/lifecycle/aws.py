"""A repository in a real account, read with ordinary credentials: its images, its indexes, and AWS's own preview.

It changes nothing. A preview is a dry run that AWS stores for a while; it acts on no image.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ecrlab.errors import EcrLabError
from ecrlab.lifecycle.image import INDEX_MEDIA_TYPES, Image
from ecrlab.lifecycle.policy import Policy
from ecrlab.lifecycle.reading import images, manifests

ACTIONS = ("ecr:DescribeImages", "ecr:BatchGetImage")
"""The IAM actions that a read needs."""
PREVIEW_ACTIONS = ("ecr:StartLifecyclePolicyPreview", "ecr:GetLifecyclePolicyPreview")
"""The further actions that a comparison with AWS's preview needs."""
_MOST_IDS = 100

Manifests = Callable[[str, Sequence[str]], Mapping[str, str]]
"""Returns the manifests of digests in a repository, as text; it leaves out a digest that is gone."""


class Unreachable(EcrLabError):
    """AWS, or the library that calls it, returned no usable answer."""


def connect(profile: str | None, region: str | None) -> Any:
    """Return a boto3 client of ECR for the user's own account."""
    try:
        import boto3
        from botocore.exceptions import BotoCoreError
    except ImportError as error:
        raise Unreachable("--repository needs boto3: python3 -m pip install boto3") from error
    try:
        return boto3.Session(profile_name=profile, region_name=region).client("ecr")
    except (BotoCoreError, ValueError) as error:  # settings that botocore does not check: AWS_ENDPOINT_URL=foo
        raise Unreachable(str(error)) from error


class Repository:
    """One repository, read through a boto3 ECR client.

    `given` supplies the manifests of indexes. Without it BatchGetImage reads them, which AWS counts as pulls.
    """

    def __init__(self, client: Any, name: str, given: Manifests | None = None) -> None:
        self.client = client
        self.name = name
        self._given = given

    def images(self) -> list[Image]:
        """Return all images, also archived ones, with the children of indexes."""
        pages = self._pages("describe_images", filter={"imageStatus": "ANY"})
        details = [detail for page in pages for detail in page["imageDetails"]]
        indexes = [d["imageDigest"] for d in details if d.get("imageManifestMediaType") in INDEX_MEDIA_TYPES]
        # ECR returns no archived manifest, so the children of an archived index stay unknown.
        active = {d["imageDigest"] for d in details if d.get("imageStatus", "ACTIVE") == "ACTIVE"}
        return images({"imageDetails": details}, self._manifests([digest for digest in indexes if digest in active]))

    def preview(self, policy: Policy) -> list[dict[str, Any]]:
        """Return the `previewResults` of AWS's own preview of a policy."""
        self._call(self.client.start_lifecycle_policy_preview, lifecyclePolicyText=policy.text)
        self._call(self.client.get_waiter("lifecycle_policy_preview_complete").wait)
        pages = self._pages("get_lifecycle_policy_preview")
        return [result for page in pages for result in page.get("previewResults", [])]

    def _manifests(self, digests: list[str]) -> dict[str, Any]:
        if self._given is not None:
            texts = self._given(self.name, digests).items()
            return manifests({"images": [{"imageId": {"imageDigest": d}, "imageManifest": text} for d, text in texts]})
        found = {}
        for start in range(0, len(digests), _MOST_IDS):
            answer = self._call(
                self.client.batch_get_image,
                imageIds=[{"imageDigest": digest} for digest in digests[start : start + _MOST_IDS]],
                acceptedMediaTypes=sorted(INDEX_MEDIA_TYPES),
            )
            if failures := answer.get("failures"):
                first = failures[0]
                raise Unreachable(
                    f"{len(failures)} manifests of {self.name} cannot be read, so that the images they list would seem"
                    f" free to go: {first.get('failureCode')}: {first.get('failureReason')}"
                )
            found.update(manifests(answer))
        return found

    def _pages(self, operation: str, **arguments: Any) -> list[Any]:
        paginator = self.client.get_paginator(operation)
        return self._call(lambda **all_: list(paginator.paginate(**all_)), **arguments)  # type: ignore[no-any-return]

    def _call(self, operation: Any, **arguments: Any) -> Any:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            return operation(repositoryName=self.name, **arguments)
        except (BotoCoreError, ClientError) as error:
            raise Unreachable(f"{self.name}: {error}") from error
