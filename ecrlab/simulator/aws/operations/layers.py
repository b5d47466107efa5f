"""BatchCheckLayerAvailability, InitiateLayerUpload, UploadLayerPart, CompleteLayerUpload, GetDownloadUrlForLayer.

Docker clients do the same through `/v2/`. On AWS, ECR's proxy calls these operations for them, and policies allow or
deny these operations (API reference).
"""

from typing import Any

from ecrlab.oci.media_types import DOCKER
from ecrlab.registry import layer_parts, layers, names
from ecrlab.registry.errors import LayerInaccessibleException, LayersNotFoundException
from ecrlab.simulator import downloads
from ecrlab.simulator.aws.calls import PUBLIC, Call, operation


@operation("BatchCheckLayerAvailability")
@operation("BatchCheckLayerAvailability", PUBLIC)
def batch_check_layer_availability(call: Call) -> dict[str, Any]:
    """Tell which layers a push can skip."""
    found, failures = [], []
    for digest in dict.fromkeys(call.request["layerDigests"]):
        if names.DIGEST.fullmatch(digest):
            found.append(_availability(call, digest))
        elif digest:
            failures.append(_failure(digest, "InvalidLayerDigest", f"Invalid layer digest '{digest}'"))
        else:
            failures.append(_failure(digest, "MissingLayerDigest", "The layer digest is missing"))
    if not found:
        _ = call.repository  # a missing repository is reported before an invalid digest
    return {"layers": found, "failures": failures}


@operation("InitiateLayerUpload")
@operation("InitiateLayerUpload", PUBLIC)
def initiate_layer_upload(call: Call) -> dict[str, Any]:
    """Open an upload, and return its part size."""
    upload = layers.begin_upload(call.registry, call.repository_name)
    return {"uploadId": upload.id, "partSize": layer_parts.PART}


@operation("UploadLayerPart")
@operation("UploadLayerPart", PUBLIC)
def upload_layer_part(call: Call) -> dict[str, Any]:
    """Store the next part of a layer."""
    request = call.request
    last = layer_parts.upload(
        call.registry,
        call.repository_name,
        request["uploadId"],
        first=request["partFirstByte"],
        last=request["partLastByte"],
        part=request["layerPartBlob"],
    )
    return {**call.names, "uploadId": request["uploadId"], "lastByteReceived": last}


@operation("CompleteLayerUpload")
@operation("CompleteLayerUpload", PUBLIC)
def complete_layer_upload(call: Call) -> dict[str, Any]:
    """Make a layer from the uploaded parts."""
    upload_id, digests = call.request["uploadId"], call.request["layerDigests"]
    layer = layer_parts.complete(call.registry, call.repository_name, upload_id, digests)
    return {**call.names, "uploadId": upload_id, "layerDigest": layer.digest}


@operation("GetDownloadUrlForLayer")
def get_download_url_for_layer(call: Call) -> dict[str, Any]:
    """Return the address of a layer's bytes, which is valid for an hour."""
    digest = call.request["layerDigest"]
    layer = layers.find(call.registry, call.repository_name, digest)
    if layer is None:
        raise LayersNotFoundException([digest], call.repository_name, call.registry.account_id)
    if not layer.has_bytes:
        raise LayerInaccessibleException(digest, call.repository_name, call.registry.account_id, layers.NO_BYTES)
    if not layers.is_used(call.registry, call.repository_name, digest):
        raise LayerInaccessibleException(digest, call.repository_name, call.registry.account_id)
    if layer.is_archived:
        raise LayerInaccessibleException(digest, call.repository_name, call.registry.account_id, "is archived")
    return {"downloadUrl": downloads.url(call.registry, call.host, call.repository_name, digest), "layerDigest": digest}


def _availability(call: Call, digest: str) -> dict[str, Any]:
    layer = layers.reserve(call.registry, call.repository_name, digest)
    if layer is None:
        # UNSURE: AWS's own containerd resolver reads UNAVAILABLE as "push it", so no failure is reported.
        return {"layerDigest": digest, "layerAvailability": "UNAVAILABLE"}
    return {
        "layerDigest": digest,
        "layerAvailability": "ARCHIVED" if layer.is_archived else "AVAILABLE",
        "layerSize": layer.size,
        "mediaType": layer.media_type or DOCKER.layer,
    }


def _failure(digest: str, code: str, reason: str) -> dict[str, str]:
    # UNSURE: the reasons' wording.
    return {"layerDigest": digest, "failureCode": code, "failureReason": reason}
