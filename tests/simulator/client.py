"""What tests of the AWS face use: boto3 clients of a lab, and one that pushes to a repository."""

import hashlib
import json
from collections.abc import Callable
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from ecrlab.machine.environment import ACCESS_KEY_ID, SECRET_ACCESS_KEY

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"

session = boto3.session.Session()


def client_of(endpoint: str | None, service: str = "ecr", region: str = "us-east-1", key: str = ACCESS_KEY_ID) -> Any:
    """A boto3 client that checks nothing itself, so that the server has to."""
    return session.client(
        service,
        endpoint_url=endpoint,
        region_name=region,
        aws_access_key_id=key,
        aws_secret_access_key=SECRET_ACCESS_KEY,
        config=Config(parameter_validation=False, retries={"max_attempts": 0}),
    )


class Repository:
    """Pushes to one repository as Docker's client would, by the API alone."""

    def __init__(self, ecr: Any, name: str) -> None:
        self.ecr, self.name = ecr, name

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        """Any operation of the client, on this repository."""
        method = getattr(self.ecr, operation)
        return lambda **members: method(repositoryName=self.name, **members)

    def layer(self, body: bytes) -> str:
        """Upload a layer if it is not there; give its digest."""
        digest = digest_of(body)
        there = self.batch_check_layer_availability(layerDigests=[digest])["layers"][0]
        if there["layerAvailability"] != "AVAILABLE":
            upload_id = self.initiate_layer_upload()["uploadId"]
            self.upload_layer_part(uploadId=upload_id, partFirstByte=0, partLastByte=len(body) - 1, layerPartBlob=body)
            self.complete_layer_upload(uploadId=upload_id, layerDigests=[digest])
        return digest

    def push(self, *layers: bytes, tag: str | None = None, config: bytes = b"{}", **more: Any) -> str:
        """Upload layers, then put the image; give its digest."""
        for body in (config, *layers):
            self.layer(body)
        return self.put(manifest(*layers, config=config, **more), tag)

    def push_index(self, *digests: str, tag: str | None = None) -> str:
        """Put an index of images; give its digest."""
        listed = [{"mediaType": OCI_MANIFEST, "digest": digest, "size": 1} for digest in digests]
        return self.put(json.dumps({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": listed}), tag)

    def put(self, body: str, tag: str | None = None) -> str:
        """Put a manifest; give its digest."""
        tagged = {"imageTag": tag} if tag is not None else {}
        digest: str = self.put_image(imageManifest=body, **tagged)["image"]["imageId"]["imageDigest"]
        return digest

    def images(self) -> dict[str, list[str]]:
        """Digest -> tags."""
        details = self.describe_images()["imageDetails"]
        return {detail["imageDigest"]: detail.get("imageTags", []) for detail in details}


def digest_of(body: bytes) -> str:
    return "sha256:" + hashlib.sha256(body).hexdigest()


def manifest(*layers: bytes, config: bytes = b"{}", **more: Any) -> str:
    """An OCI image manifest as text."""
    document = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": {"mediaType": CONFIG, "digest": digest_of(config), "size": len(config)},
        "layers": [{"mediaType": LAYER, "digest": digest_of(body), "size": len(body)} for body in layers],
    }
    return json.dumps(document | more)


def refusal(call: Callable[..., Any], **members: Any) -> tuple[str, str]:
    """Class and text of the error that a call ends in."""
    try:
        answer = call(**members)
    except ClientError as error:
        return error.response["Error"]["Code"], error.response["Error"]["Message"]
    raise AssertionError(f"not refused: {answer}")
