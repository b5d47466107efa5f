"""The images of AWS's own alias `docker` at public.ecr.aws: the kit's stand-ins, which are read only."""

from collections.abc import Callable

from ecrlab import gallery
from ecrlab.registry import names
from ecrlab.registry.errors import AccessDeniedException
from ecrlab.registry.tokens import Token
from ecrlab.simulator.v2 import blobs, listings, manifests, ranges
from ecrlab.simulator.v2.errors import Refusal, not_here
from ecrlab.simulator.v2.visit import Handler
from ecrlab.simulator.v2.wire import Request, Response


def has(name: str) -> bool:
    """Tell whether a repository, such as `docker/library/debian`, is one of the kit's."""
    return name in gallery.repositories()


def answer(handler: Handler, request: Request, token: Token, name: str, thing: str) -> Response:
    """Return what the handler of a repository would return. Raises `AccessDeniedException` for a push."""
    if handler in _PULLS:
        return _PULLS[handler](request, name, thing)
    if handler not in _PUSHES:
        raise not_here(request.path)
    action = f"ecr-public:{_PUSHES[handler]}"
    resource = names.repository_arn(names.DOCKER_ACCOUNT, names.PUBLIC, name.partition("/")[2])
    tail = f"because no resource-based policy allows the {action} action"
    raise AccessDeniedException(token.principal, action, resource, tail)


def _tags(request: Request, name: str, thing: str) -> Response:
    del request, thing
    return Response.of_json({"name": name, "tags": gallery.tags(name)})


def _manifest(request: Request, name: str, reference: str) -> Response:
    del request
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


_PULLS: dict[Handler, Callable[[Request, str, str], Response]] = {
    listings.tags: _tags,
    manifests.send: _manifest,
    manifests.look: _manifest,
    blobs.send: _blob,
    blobs.look: _blob,
}
_PUSHES: dict[Handler, str] = {
    blobs.begin: "InitiateLayerUpload",
    blobs.append: "UploadLayerPart",
    blobs.complete: "CompleteLayerUpload",
    manifests.put: "PutImage",
    manifests.remove: "BatchDeleteImage",
    blobs.remove: "BatchDeleteImage",
}
