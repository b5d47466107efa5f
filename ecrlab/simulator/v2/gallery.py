"""`public.ecr.aws`: the gallery of stand-ins, to pull from and nothing else.

Anybody may pull. Amazon ECR Public first sends anonymous clients to fetch a Bearer token (AWS public user guide,
registry authentication); the lab's gallery answers without.
"""

import json
import re
from collections.abc import Iterable
from typing import Any

from ecrlab import gallery
from ecrlab.simulator.v2.errors import Refusal
from ecrlab.simulator.v2.wire import Response

_PLACE = re.compile(r"/v2/(?:(?P<name>.+)/(?P<kind>manifests|blobs|tags)/(?P<thing>[^/]+))?")


class GalleryFace:
    """A WSGI application that serves `ecrlab.gallery` under `/v2/`."""

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer one request."""
        try:
            response = _answer(environ["REQUEST_METHOD"], environ.get("PATH_INFO", "/"))
        except Refusal as refused:
            response = Response(refused.status, [("Content-Type", "application/json")], refused.to_json())
        headers = [
            ("Docker-Distribution-Api-Version", "registry/2.0"),
            *response.headers,
            ("Content-Length", str(response.length)),
            # A body that was sent with the request is not read.
            ("Connection", "close"),
        ]
        start_response(response.status_line, headers)
        return [b""] if environ["REQUEST_METHOD"] == "HEAD" else response.pieces


def _answer(method: str, path: str) -> Response:
    if method not in ("GET", "HEAD"):
        raise Refusal(403, "DENIED", "The lab's public gallery can only be pulled from")
    place = _PLACE.fullmatch(path if path != "/v2" else "/v2/")
    if place is None:
        raise Refusal(404, "UNSUPPORTED", "There is nothing here in a registry")
    if place["name"] is None:
        return Response(200)
    name, thing = place["name"], place["thing"]
    if name not in gallery.repositories():
        # UNSURE: ECR Public's own text for a repository that is not there.
        raise Refusal(404, "NAME_UNKNOWN", f"The repository with name '{name[:256]}' does not exist in the public gallery")
    if place["kind"] == "manifests":
        return _manifest(name, thing)
    if place["kind"] == "blobs":
        return _blob(name, thing)
    body = json.dumps({"name": name, "tags": gallery.tags(name)}).encode()
    return Response(200, [("Content-Type", "application/json")], body)


def _manifest(name: str, reference: str) -> Response:
    found = gallery.manifest(name, reference)
    if found is None:
        raise Refusal(404, "MANIFEST_UNKNOWN", "Requested image not found")
    headers = [("Content-Type", found.media_type), ("Docker-Content-Digest", found.digest)]
    return Response(200, headers, found.body)


def _blob(name: str, digest: str) -> Response:
    body = gallery.blob(name, digest)
    if body is None:
        raise Refusal(404, "BLOB_UNKNOWN", "blob unknown to registry")
    headers = [("Content-Type", "application/octet-stream"), ("Docker-Content-Digest", digest)]
    return Response(200, headers, body)
