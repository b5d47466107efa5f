"""What ECS says when a task cannot pull an image, by launch type.

    EC2      the agent and Docker: the container's `reason`; the task says `Task failed to start`
    Fargate  containerd: the task's `stoppedReason`, which the container repeats

Texts of EC2: amazon-ecs-agent, agent/api/errors and agent/engine. Texts of Fargate: ECS developer guide,
CannotPullContainer task errors, and public reports. In the agent's sentences the apostrophe is U+2019. Where neither
source has a text, a comment says so.
"""

import re
from http import HTTPStatus
from typing import NamedTuple

from ecrlab import gallery
from ecrlab.docker.references import HUB, Reference
from ecrlab.simulator.consumers.pulling import CannotPull, Kind

LONGEST = 1024
"""Characters of a container's reason (botocore model of ecs, Container.reason)."""

FAILED_TO_START = "Task failed to start"

_AUGMENTED = [
    (
        re.compile(r"denied: User: (.+) is not authorized to perform: ecr:BatchGetImage on resource"),
        "Check that the role has the permissions to pull images from the registry.",
    ),
    (re.compile(r"denied: requested access to the resource is denied"), "Check whether the image exists."),
    (re.compile(r"request canceled while waiting for connection"), "Check your network configuration."),
]
"""The agent puts these sentences in front of the errors of Docker that they explain (agent/api/errors)."""


class Words(NamedTuple):
    """The task's `stoppedReason`, and the container's `reason` (empty: none)."""

    stopped: str
    container: str


def on_ec2(error: CannotPull, image: str, platform: str, request_id: str) -> Words:
    """Return what a container instance says of a failed pull of `image` for a platform, `linux/amd64`."""
    return Words(FAILED_TO_START, _by_agent(error, image, platform, request_id)[:LONGEST])


def on_fargate(error: CannotPull, image: str, platform: str, request_id: str) -> Words:
    """Return what Fargate says of a failed pull of `image` for a platform, `linux/amd64`."""
    if error.kind is Kind.NO_TOKEN:
        text = (
            "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval "
            "failed: unable to retrieve ecr registry auth: service call has been retried 1 time(s): operation error "
            f"ECR: GetAuthorizationToken, https response error StatusCode: {error.status}, RequestID: {request_id}, "
            f"api error AccessDeniedException: {error.message}"
        )
        return Words(text[:LONGEST], "")
    # UNSURE: where Fargate cuts long reasons; here where the container's must end.
    text = f"CannotPullContainerError: {_by_containerd(error, image, platform)}"[:LONGEST]
    return Words(text, text)


def _by_agent(error: CannotPull, image: str, platform: str, request_id: str) -> str:
    raw = _by_docker(error, image, platform)
    match error.kind:
        case Kind.NO_TOKEN:
            said = f"AccessDeniedException: {error.message} status code: {error.status}, request id: {request_id}"
            return f"CannotPullECRContainerError: {said}"
        case Kind.TAG_MISSING | Kind.REPOSITORY_MISSING | Kind.ARCHIVED if ":" not in error.path.rpartition("/")[2]:
            # The agent asks for the digest of a tag first.
            # UNSURE: what it says of a missing repository and of an archived image; here as of a missing tag.
            return f"CannotPullImageManifestError: {raw}"
    explained = next((f"The task can’t pull the image. {then} " for seen, then in _AUGMENTED if seen.search(raw)), "")
    return f"CannotPullContainerError: {explained}{raw}"


def _by_docker(error: CannotPull, image: str, platform: str) -> str:
    lead = "Error response from daemon: "
    repository = error.reference.name if error.reference is not None else image
    refused = f"{lead}pull access denied for {repository}, repository does not exist or may require 'docker login': "
    match error.kind:
        case Kind.WRONG_NAME:
            # UNSURE: what the agent says of a malformed name; here Docker's text.
            return error.message
        case Kind.NOT_ECR:
            if _may_exist(error.reference):
                # UNSURE: what Docker says when there is no way to another registry; the agent's sentence fits this.
                host = _api_of(error.reference)
                cause = "net/http: request canceled while waiting for connection"
                return f'{lead}Get "https://{host}/v2/": {cause} (Client.Timeout exceeded while awaiting headers)'
            return f"{refused}denied: requested access to the resource is denied"
        case Kind.NO_PLATFORM:
            # UNSURE: what the agent says when no image is for its platform; here Docker's text.
            return f"{lead}no matching manifest for {platform} in the manifest list entries"
        case Kind.DIGEST_MISSING:
            return f"{lead}manifest for {_pinned(error.reference)} not found: {error.in_docker}"
        case Kind.DENIED | Kind.KEY_UNAVAILABLE if "/manifests/" in error.path:
            # UNSURE: what Docker says of a key that cannot be used; here as of a missing permission.
            return f"{refused}{error.in_docker}"
    # UNSURE: what Docker says of a layer that is denied or missing; here the registry's error as Docker prints it.
    return f"{lead}{error.in_docker}"


def _by_containerd(error: CannotPull, image: str, platform: str) -> str:
    retried = "pull image manifest has been retried {} time(s): "
    resolve = retried.format(1) + f"failed to resolve ref {_full(error.reference, image)}: "
    match error.kind:
        case Kind.WRONG_NAME:
            # UNSURE: what Fargate says of a malformed name; here Docker's text.
            return error.message
        case Kind.NOT_ECR:
            if _may_exist(error.reference):
                # UNSURE: what Fargate says when there is no way to another registry; here containerd's text.
                where = _manifest_of(error.reference)
                return f'{resolve}failed to do request: Head "{where}": dial tcp: i/o timeout'
            cause = "repository does not exist or may require authorization"
            return f"{resolve}pull access denied, {cause}: server message: insufficient_scope: authorization failed"
        case Kind.NO_PLATFORM:
            return retried.format(7) + f"image Manifest does not contain descriptor matching platform '{platform}'"
        case Kind.TAG_MISSING | Kind.DIGEST_MISSING | Kind.REPOSITORY_MISSING | Kind.ARCHIVED:
            # UNSURE: what Fargate says of an archived image; here as of a missing one, because `/v2/` answers 404.
            return f"{resolve}{_full(error.reference, image)}: not found"
    host = "" if error.reference is None else error.reference.domain
    answer = f"{error.status} {HTTPStatus(error.status).phrase}"
    if "/blobs/" in error.path:
        # ECS developer guide, CannotPullContainer task errors.
        # UNSURE: what follows `unexpected status code`; here as in containerd.
        copy = "ref pull has been retried 1 time(s): failed to copy: httpReaderSeeker: failed open"
        return f"{copy}: unexpected status code https://{host}{error.path}: {answer}"
    # UNSURE: how Fargate says that a role may not pull, or that a key cannot be used; here containerd's text.
    return f"{resolve}unexpected status from HEAD request to https://{host}{error.path}: {answer}"


def _pinned(reference: Reference | None) -> str:
    return "" if reference is None else f"{reference.name}@{reference.digest}"


def _full(reference: Reference | None, image: str) -> str:
    """Return a reference with its registry and tag, as Fargate prints it: `docker.io/mycontainer:latest`."""
    if reference is None:
        return image
    return f"{HUB}/{reference}" if reference.domain == HUB else str(reference)


def _may_exist(reference: Reference | None) -> bool:
    """Tell whether an image outside the lab may exist: at Docker Hub only the official images that the gallery has."""
    if reference is None or reference.domain != HUB:
        return True
    return f"docker/{reference.path}" in gallery.repositories()


def _api_of(reference: Reference | None) -> str:
    domain = HUB if reference is None else reference.domain
    return "registry-1.docker.io" if domain == HUB else domain


def _manifest_of(reference: Reference | None) -> str:
    path = "" if reference is None else f"{reference.path}/manifests/{reference.digest or reference.tag}"
    return f"https://{_api_of(reference)}/v2/{path}"
