"""CloudTrail's records of a request under `/v2/`: ECR lists Docker's pushes and pulls as the operations that they are.

    POST blobs/uploads/  InitiateLayerUpload    PUT manifests/        PutImage
    PATCH                UploadLayerPart        GET, HEAD manifests/  BatchGetImage
    PUT                  CompleteLayerUpload    GET blobs/            GetDownloadUrlForLayer
    HEAD blobs/          BatchCheckLayerAvailability

(AWS user guide, logging Amazon ECR actions with AWS CloudTrail, example: image pull, image push.) Pulls from ECR Public
are not recorded: its API has no operations for them.
"""

from typing import Any

from ecrlab.registry.errors import EcrError
from ecrlab.simulator import cloud_trail
from ecrlab.simulator.access.callers import named
from ecrlab.simulator.v2.errors import Refusal
from ecrlab.simulator.v2.visit import PULLS, Handler, Visit
from ecrlab.simulator.v2.wire import Response

CODES = {
    "MANIFEST_UNKNOWN": "ImageNotFoundException",
    "BLOB_UNKNOWN": "LayersNotFoundException",
    "NAME_UNKNOWN": "RepositoryNotFoundException",
}
"""The registry's codes -> those of ECR's API. UNSURE: how CloudTrail names the failures of Docker clients."""


def recorded(handler: Handler, visit: Visit) -> Response:
    """Return the response of a handler, and record the request. Raises what the handler raises."""
    try:
        response = handler(visit)
    except (EcrError, Refusal) as error:
        record(visit, error)
        raise
    record(visit, response)
    return response


def record(visit: Visit, outcome: Response | EcrError | Refusal) -> None:
    """Record the actions of a request; an error belongs to the last one."""
    caller = named(visit.token.account_id, visit.token.principal, visit.token.access_key)
    is_public = visit.registry.is_public
    for number, action in enumerate(visit.actions, 1):
        if is_public and action.name in PULLS:
            continue  # UNSURE: whether CloudTrail records pulls with a login; no source shows one.
        name = action.name.removeprefix("ecr:")
        if name == "UploadLayerPart" and visit.request.method in ("GET", "DELETE"):
            continue  # Docker asks for the state of an upload, or cancels it; ECR's API can do neither.
        response: dict[str, Any] = {}
        error = cloud_trail.named(action.error) if action.error is not None else None
        if error is None and number == len(visit.actions):
            if isinstance(outcome, Response):
                response = _response(visit, name, action.parameters, dict(outcome.headers))
            else:
                error = _error(outcome)
        about = {"registryId": visit.registry.account_id, "repositoryName": action.repository}
        parameters = about | _parameters(visit, name) | action.parameters
        # UNSURE: the user agent; AWS's samples show ECR's own for some pushes.
        agent = visit.request.header("User-Agent") or ""
        service = "ecr-public" if is_public else "ecr"
        answer = None if error else response
        cloud_trail.note(caller, visit.registry, name, parameters, answer, error, service=service, agent=agent)


def _names(visit: Visit) -> dict[str, Any]:
    return {"registryId": visit.registry.account_id, "repositoryName": visit.name}


def _error(error: EcrError | Refusal) -> tuple[str, str]:
    if isinstance(error, EcrError):
        return cloud_trail.named(error)
    return CODES.get(error.code, "InvalidParameterException"), error.message


def _parameters(visit: Visit, name: str) -> dict[str, Any]:
    """Return the parameters that ECR's operation would have; the manifest comes from its handler."""
    image_id = {"imageDigest" if ":" in visit.thing else "imageTag": visit.thing}
    match name:
        case "PutImage":
            return image_id
        case "BatchGetImage":
            accepted = [one.partition(";")[0].strip() for one in (visit.request.header("Accept") or "").split(",")]
            return {"imageIds": [image_id], "acceptedMediaTypes": [one for one in accepted if one]}
        case "BatchDeleteImage":
            return {"imageIds": [image_id]}
        case "GetDownloadUrlForLayer":
            return {"layerDigest": visit.request.query.get("mount", visit.thing)}
        case "BatchCheckLayerAvailability":
            return {"layerDigests": [visit.thing]}
        case "UploadLayerPart":
            return {"uploadId": visit.thing}
        case "CompleteLayerUpload":
            return {"uploadId": visit.thing, "layerDigests": [visit.request.query.get("digest", "")]}
    return {}


def _response(visit: Visit, name: str, parameters: dict[str, Any], headers: dict[str, str]) -> dict[str, Any]:
    digest = headers.get("Docker-Content-Digest", "")
    match name:
        case "PutImage":
            image_id = {"imageDigest": digest} | ({} if ":" in visit.thing else {"imageTag": visit.thing})
            return {"image": _names(visit) | {"imageId": image_id} | parameters}
        case "CompleteLayerUpload":
            return _names(visit) | {"uploadId": visit.thing, "layerDigest": digest}
        case "InitiateLayerUpload":
            return {"uploadId": headers.get("Docker-Upload-UUID", "")}
    return _names(visit)
