"""`public.ecr.aws`: the gallery of stand-ins, which is read only.

Every client may pull. Amazon ECR Public first sends anonymous clients to fetch a Bearer token (AWS public user guide,
registry authentication); the lab's gallery needs none. No client can log in: the lab issues no tokens of ECR Public,
and the gallery rejects tokens of private registries like any other password.
"""

import base64
import binascii
import re
from collections.abc import Iterable
from typing import Any

from ecrlab import gallery
from ecrlab.simulator.v2 import ranges
from ecrlab.simulator.v2.auth import USER
from ecrlab.simulator.v2.errors import Refusal, not_here
from ecrlab.simulator.v2.wire import Request, Response

_PLACE = re.compile(r"/v2/(?:(?P<name>.+)/(?P<kind>manifests|blobs|tags)/(?P<thing>[^/]+))?", re.DOTALL)


class GalleryFace:
    """A WSGI application that serves `ecrlab.gallery` under `/v2/`."""

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer one request."""
        try:
            response = _answer(Request(environ))
        except Refusal as refused:
            response = Response.of_refusal(refused)
        return response.send(environ, start_response)


def _answer(request: Request) -> Response:
    if request.method not in ("GET", "HEAD"):
        raise Refusal(403, "DENIED", "The lab's public gallery can only be pulled from")
    place = _PLACE.fullmatch(request.path if request.path != "/v2" else "/v2/")
    if place is None:
        raise not_here(request.path)
    _check_login(request.header("Authorization"))
    if place["name"] is None:
        return Response.of_json({})
    name, thing = place["name"], place["thing"]
    if name not in gallery.repositories():
        # UNSURE: the text of ECR Public for a missing repository.
        raise Refusal(
            404, "NAME_UNKNOWN", f"The repository with name '{name[:256]}' does not exist in the public gallery"
        )
    if place["kind"] == "manifests":
        return _manifest(name, thing)
    if place["kind"] == "blobs":
        return _blob(request, name, thing)
    if thing != "list":
        raise not_here(request.path)
    return Response.of_json({"name": name, "tags": gallery.tags(name)})


def _check_login(authorization: str | None) -> None:
    """Accept a request without credentials. Raises `Refusal` for Basic credentials."""
    scheme, _, credentials = (authorization or "").partition(" ")
    if scheme.lower() != "basic":
        return
    try:
        user, _, password = base64.b64decode(credentials, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        user, password = "", "?"
    if user == USER:
        # A private registry's token (CircleCI-Public/aws-ecr-orb#128). UNSURE: the text.
        raise Refusal(400, "DENIED", "Your authorization token is invalid.")
    if user or password:
        # docker/login-action#38. UNSURE: the status.
        raise Refusal(403, "DENIED", "Not Authorized")


def _manifest(name: str, reference: str) -> Response:
    found = gallery.manifest(name, reference)
    if found is None:
        raise Refusal(404, "MANIFEST_UNKNOWN", "Requested image not found")
    headers = [("Content-Type", found.media_type), ("Docker-Content-Digest", found.digest)]
    return Response(200, headers, found.body)


def _blob(request: Request, name: str, digest: str) -> Response:
    body = gallery.blob(name, digest)
    if body is None:
        raise Refusal(404, "BLOB_UNKNOWN", "blob unknown to registry")
    if request.method == "HEAD":
        return Response(200, ranges.about(digest), length=len(body))
    status, headers, part = ranges.asked_for(request, digest, len(body))
    return Response(status, headers, body[part.start : part.stop])
