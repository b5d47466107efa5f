"""How a registry refuses: `{"errors": [{"code", "message"}]}`, with the codes of the OCI distribution
specification.

The facts are those of `ecrlab.registry.errors`; here they get the status and the code under which ECR's
`/v2/` tells them (public reports quote codes and texts; statuses that they do not print are the
specification's).
"""

import json
from collections.abc import Sequence
from typing import NamedTuple

from ecrlab.errors import EcrLabError
from ecrlab.registry import errors


class Refusal(EcrLabError):
    """An answer of the registry that is an error: HTTP status, registry code, text, and headers that go with
    it.
    """

    def __init__(self, status: int, code: str, message: str, headers: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = list(headers)

    def to_json(self) -> bytes:
        """The body that says so."""
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
    # UNSURE: ECR's status for a manifest whose layers are not there; 404, as in the specification. The rest is ECR's.
    errors.LayersNotFoundException: _Answer(404, "BLOB_UPLOAD_UNKNOWN"),
    # An index that lists what is no image here, as BuildKit's cache does without `image-manifest=true`; 400 as ECR
    # answers (overhangio/tutor#1118).
    errors.ReferencedImagesNotFoundException: _Answer(400, "MANIFEST_BLOB_UNKNOWN"),
    errors.UploadNotFoundException: _Answer(404, "BLOB_UPLOAD_UNKNOWN"),
    errors.InvalidLayerException: _Answer(400, "BLOB_UPLOAD_INVALID"),
    # ECR answers 405 to a manifest or a tag that it does not take.
    errors.InvalidParameterException: _Answer(405, "UNSUPPORTED"),
    # UNSURE: how ECR's registry tells that a quota is used up; 403 DENIED, so that clients do not try again and again.
    errors.LimitExceededException: _Answer(403, "DENIED"),
    # The disk takes no more.
    errors.ServerException: _Answer(507, "UNKNOWN"),
}


def refusal(error: errors.EcrError) -> Refusal:
    """What `/v2/` answers for what the registry found wrong."""
    status, code = _ANSWERS.get(type(error), _Answer(error.status, "UNKNOWN"))
    return Refusal(status, code, error.message)


def not_here(path: str) -> Refusal:
    """No such place under `/v2/`."""
    return Refusal(404, "UNSUPPORTED", f"There is nothing at {path[:300]!r} in a registry")


def wrong_method(method: str, allowed: Sequence[str]) -> Refusal:
    """The place is there, but not for this method."""
    return Refusal(405, "UNSUPPORTED", f"The method {method[:20]} is not allowed here", [("Allow", ", ".join(allowed))])


def bad_digest(digest: str) -> Refusal:
    """Not a digest, or not of an algorithm that the registry knows."""
    return Refusal(400, "DIGEST_INVALID", f"{digest[:200]!r} is not a sha256 or sha512 digest")
