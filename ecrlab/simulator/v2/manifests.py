"""Push and pull of manifests, by tag or by digest, byte for byte.

ECR may convert a Docker manifest for a client that accepts only OCI's; the lab never does. Like the reference registry,
it ignores the `Accept` header and returns the pushed bytes, because the digest matches only these.
"""

from ecrlab.oci.manifest import LARGEST
from ecrlab.registry import deletions, images, manifest, names, pushes, wanted
from ecrlab.registry.errors import InvalidParameterException, KmsException
from ecrlab.registry.images import Image, ImageId
from ecrlab.simulator.v2.errors import Refusal, bad_digest
from ecrlab.simulator.v2.quirks import check_descriptors
from ecrlab.simulator.v2.visit import Visit
from ecrlab.simulator.v2.wire import Headers, Response

_UNSPOKEN = ("", "application/json", "application/octet-stream")
"""Content types that do not name a kind of manifest."""


def put(visit: Visit) -> Response:
    """PUT: store a manifest under a tag or under its own digest."""
    visit.may("ecr:PutImage")
    asked = _image_id(visit.thing)
    body = visit.request.body.whole(LARGEST + 1)
    if len(body) > LARGEST:
        # UNSURE: ECR's status for a manifest over 4 MiB; 413, as in the specification.
        raise Refusal(413, "MANIFEST_INVALID", f"A manifest can have at most {LARGEST} bytes")
    visit.actions[-1].parameters["imageManifest"] = body.decode(errors="replace")
    said = (visit.request.header("Content-Type") or "").partition(";")[0].strip().lower()
    algorithm = (asked.digest or "sha256:").partition(":")[0]
    parsed = manifest.parse(body, None if said in _UNSPOKEN else said, algorithm=algorithm)
    if visit.quirks:
        check_descriptors(parsed)
    image = pushes.put(
        visit.registry, visit.name, parsed, tag=asked.tag, digest=asked.digest, again=True, by=visit.token.principal
    )
    headers: Headers = [
        ("Location", visit.url(f"manifests/{image.digest}")),
        ("Docker-Content-Digest", image.digest),
    ]
    if parsed.subject is not None:
        headers.append(("OCI-Subject", parsed.subject))
    return Response(201, headers)


def send(visit: Visit) -> Response:
    """GET: return a manifest, and record the pull."""
    visit.may("ecr:BatchGetImage")
    image_id = _known(visit)
    wanted.images(visit.wanted("ecr:BatchGetImage"), [image_id])
    found, failures = images.pull(visit.registry, visit.name, [image_id])
    if failures and failures[0].code == "KmsError":
        raise KmsException(failures[0].reason, "")
    if failures:
        raise _unknown(failures[0].reason)
    image = found[0]
    return Response(200, _about(image), image.body or b"")


def look(visit: Visit) -> Response:
    """HEAD: return the headers of a manifest; this is not a pull."""
    visit.may("ecr:BatchGetImage")
    image_id = _known(visit)
    wanted.images(visit.wanted("ecr:BatchGetImage"), [image_id])
    image = images.find(visit.registry, visit.name, image_id)
    status = image.status(visit.registry.world.clock.now().timestamp())
    if status != "ACTIVE":
        raise _unknown(images.not_active(status))
    return Response(200, _about(image), image.body or b"")


def remove(visit: Visit) -> Response:
    """DELETE: by tag, delete the tag, and the image with its last tag; by digest, delete the image and all its tags."""
    visit.may("ecr:BatchDeleteImage")
    gone, failures = deletions.delete(visit.registry, visit.name, [_known(visit)], by=visit.token.principal)
    if gone:
        return Response(202)
    failure = failures[0]
    if failure.code == "ImageReferencedByManifestList":
        # UNSURE: how ECR's registry reports the API's ImageReferencedByManifestList; here 403 DENIED with the API's
        # reason.
        raise Refusal(403, "DENIED", failure.reason)
    raise _unknown(failure.reason)


def _image_id(reference: str) -> ImageId:
    """Read a digest or a tag; only a digest has a colon. Raises `Refusal`, `InvalidParameterException`."""
    if ":" not in reference:
        return ImageId(tag=names.check_tag(reference))
    if not names.DIGEST.fullmatch(reference):
        raise bad_digest(reference)
    return ImageId(digest=reference)


def _known(visit: Visit) -> ImageId:
    """Read the digest or tag of an image that should exist."""
    # UNSURE: the status for GET and DELETE of an invalid tag; 400, as seen on ECR with HEAD.
    try:
        return _image_id(visit.thing)
    except InvalidParameterException as error:
        raise Refusal(400, "UNSUPPORTED", error.message) from error


def _about(image: Image) -> Headers:
    return [
        ("Content-Type", image.media_type),
        ("Docker-Content-Digest", image.digest),
        ("ETag", f'"{image.digest}"'),
    ]


def _unknown(reason: str) -> Refusal:
    return Refusal(404, "MANIFEST_UNKNOWN", reason)
