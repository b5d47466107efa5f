"""Errors of a registry: `{"errors": [{"code", "message"}]}`, with the codes of the OCI distribution specification.

`ecrlab.registry.errors` defines the errors; this module adds ECR's status and code under `/v2/`. Public reports quote
codes and texts. Statuses that they do not quote are the specification's.
"""

import json
from collections.abc import Sequence
from typing import NamedTuple

from ecrlab.errors import EcrLabError
from ecrlab.registry import errors, pull_through_errors


class Refusal(EcrLabError):
    """An error response of the registry: HTTP status, registry code, text and headers."""

    def __init__(self, status: int, code: str, message: str, headers: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = list(headers)

    def to_json(self) -> bytes:
        """The JSON body of the response."""
        return json.dumps({"errors": [{"code": self.code, "message": self.message}]}).encode()


class _Answer(NamedTuple):
    status: int
    code: str


_ANSWERS: dict[type[errors.EcrError], _Answer] = {
    errors.AccessDeniedException: _Answer(403, "DENIED"),
    errors.RepositoryNotFoundException: _Answer(404, "NAME_UNKNOWN"),
    errors.ImageNotFoundException: _Answer(404, "MANIFEST_UNKNOWN"),
    errors.ImageTagAlreadyExistsException: _Answer(400, "TAG_INVALID"),
    errors.ImageDigestDoesNotMatchException: _Answer(400, "MANIFEST_INVALID"),
    # UNSURE: ECR's status for a manifest with missing layers; 404, as in the specification. The rest is ECR's.
    errors.LayersNotFoundException: _Answer(404, "BLOB_UPLOAD_UNKNOWN"),
    # An index that lists a missing image, as BuildKit's cache does without `image-manifest=true`; ECR answers 400
    # (overhangio/tutor#1118).
    errors.ReferencedImagesNotFoundException: _Answer(400, "MANIFEST_BLOB_UNKNOWN"),
    errors.UploadNotFoundException: _Answer(404, "BLOB_UPLOAD_UNKNOWN"),
    errors.InvalidLayerException: _Answer(400, "BLOB_UPLOAD_INVALID"),
    # ECR answers 405 to a manifest or a tag that it rejects.
    errors.InvalidParameterException: _Answer(405, "UNSUPPORTED"),
    # UNSURE: how ECR's registry reports an exceeded quota; 403 DENIED, so that clients do not retry.
    errors.LimitExceededException: _Answer(403, "DENIED"),
    # UNSURE: ECR's status and code for a key that cannot be used; 403 DENIED with KMS's sentence, so that clients show
    # it and do not retry.
    errors.KmsException: _Answer(403, "DENIED"),
    pull_through_errors.UpstreamImageNotFound: _Answer(404, "MANIFEST_UNKNOWN"),
    pull_through_errors.UpstreamAccessDenied: _Answer(403, "DENIED"),
    # UNSURE: statuses and codes of these two; here those of the specification, and HTTP's own.
    pull_through_errors.UpstreamTooManyRequests: _Answer(429, "TOOMANYREQUESTS"),
    pull_through_errors.UpstreamUnavailable: _Answer(503, "UNAVAILABLE"),
    # The disk is full.
    errors.ServerException: _Answer(507, "UNKNOWN"),
}


def refusal(error: errors.EcrError) -> Refusal:
    """Return the response of `/v2/` to an error of the registry."""
    status, code = _ANSWERS.get(type(error), _Answer(error.status, "UNKNOWN"))
    return Refusal(status, code, error.message)


def not_here(path: str) -> Refusal:
    """Return the error for an unknown path under `/v2/`."""
    return Refusal(404, "UNSUPPORTED", f"There is nothing at {path[:300]!r} in a registry")


def wrong_method(method: str, allowed: Sequence[str]) -> Refusal:
    """Return the error for a path that does not accept this method."""
    return Refusal(405, "UNSUPPORTED", f"The method {method[:20]} is not allowed here", [("Allow", ", ".join(allowed))])


def bad_digest(digest: str) -> Refusal:
    """Return the error for an invalid digest, or one of an unknown algorithm."""
    return Refusal(400, "DIGEST_INVALID", f"{digest[:200]!r} is not a sha256 or sha512 digest")
