"""A repository read through a boto3 client: real boto3, with the answers of the service put in its mouth."""

import json
from datetime import timedelta
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from ecrlab.lifecycle.aws import Repository, Unreachable
from tests.lifecycle.builders import NOW, policy, rule

INDEX = "application/vnd.oci.image.index.v1+json"
INDEXES = [INDEX, "application/vnd.docker.distribution.manifest.list.v2+json"]


@pytest.fixture
def client() -> Any:
    return boto3.client("ecr", region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test")


def details(*digests: str, **facts: Any) -> list[dict[str, Any]]:
    return [{"imageDigest": digest, "imagePushedAt": NOW - timedelta(days=9)} | facts for digest in digests]


def test_images_come_page_by_page_with_what_their_indexes_list(client: Any) -> None:
    with Stubber(client) as service:
        first = {"imageDetails": details("sha256:aa", imageManifestMediaType=INDEX), "nextToken": "more"}
        archived = details("sha256:cc", imageStatus="ARCHIVED", imageManifestMediaType=INDEX)
        wanted = {"repositoryName": "shop", "filter": {"imageStatus": "ANY"}}
        service.add_response("describe_images", first, wanted)
        service.add_response("describe_images", {"imageDetails": details("sha256:bb") + archived})
        manifest = json.dumps({"manifests": [{"digest": "sha256:bb"}]})
        service.add_response(
            "batch_get_image",
            {"images": [{"imageId": {"imageDigest": "sha256:aa"}, "imageManifest": manifest}], "failures": []},
            {
                "repositoryName": "shop",
                "imageIds": [{"imageDigest": "sha256:aa"}],
                "acceptedMediaTypes": sorted(INDEXES),
            },
        )

        images = Repository(client, "shop").images()

        service.assert_no_pending_responses()
    assert [image.image_digest for image in images] == ["sha256:aa", "sha256:bb", "sha256:cc"]
    assert images[0].children == ("sha256:bb",)
    assert images[2].storage_class == "archive"


def test_a_manifest_that_cannot_be_read_is_no_reason_to_guess(client: Any) -> None:
    failure = {"imageId": {"imageDigest": "sha256:aa"}, "failureCode": "KmsError", "failureReason": "no key"}
    with Stubber(client) as service:
        service.add_response("describe_images", {"imageDetails": details("sha256:aa", imageManifestMediaType=INDEX)})
        service.add_response("batch_get_image", {"images": [], "failures": [failure]})

        with pytest.raises(Unreachable, match="KmsError: no key"):
            Repository(client, "shop").images()


def test_manifests_that_are_given_are_not_pulled(client: Any) -> None:
    with Stubber(client) as service:
        service.add_response("describe_images", {"imageDetails": details("sha256:aa", imageManifestMediaType=INDEX)})
        given = {"sha256:aa": json.dumps({"manifests": [{"digest": "sha256:bb"}]})}

        [image] = Repository(client, "shop", lambda name, digests: given).images()

    assert image.children == ("sha256:bb",)


def test_a_refusal_of_aws_is_told(client: Any) -> None:
    with Stubber(client) as service:
        service.add_client_error("describe_images", "RepositoryNotFoundException", "no such repository")

        with pytest.raises(Unreachable, match=r"shop: .*RepositoryNotFoundException.*no such repository"):
            Repository(client, "shop").images()


def test_a_preview_is_started_awaited_and_read(client: Any) -> None:
    judged = policy(rule(1, keep=1))
    result = {"imageDigest": "sha256:aa", "action": {"type": "EXPIRE"}, "appliedRulePriority": 1}
    with Stubber(client) as service:
        service.add_response(
            "start_lifecycle_policy_preview", {}, {"repositoryName": "shop", "lifecyclePolicyText": judged.text}
        )
        service.add_response("get_lifecycle_policy_preview", {"status": "COMPLETE", "previewResults": [result]})
        service.add_response("get_lifecycle_policy_preview", {"previewResults": [result], "nextToken": "more"})
        service.add_response("get_lifecycle_policy_preview", {"previewResults": [result]})

        assert len(Repository(client, "shop").preview(judged)) == 2
        service.assert_no_pending_responses()


def test_a_preview_that_fails_is_told(client: Any) -> None:
    with Stubber(client) as service:
        service.add_response("start_lifecycle_policy_preview", {})
        service.add_response("get_lifecycle_policy_preview", {"status": "FAILED"})

        with pytest.raises(Unreachable, match="FAILED"):
            Repository(client, "shop").preview(policy(rule(1, keep=1)))
