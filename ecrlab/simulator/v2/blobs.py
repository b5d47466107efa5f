"""Push and pull of layers.

A client pushes a layer with an upload: a POST opens it, PATCHes send pieces, and a PUT completes it with the digest. A
single request may send a small layer. A piece counts only if it arrives whole, as in ECR's UploadLayerPart. An upload
rejects a second piece while one is arriving, so bytes never mix.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from ecrlab.registry import layers, names, repositories, settings
from ecrlab.registry.errors import (
    AccessDeniedException,
    RepositoryNotFoundException,
    UploadNotFoundException,
)
from ecrlab.registry.layers import Layer
from ecrlab.registry.store.uploads import Upload
from ecrlab.simulator.v2 import ranges
from ecrlab.simulator.v2.errors import Refusal, bad_digest
from ecrlab.simulator.v2.visit import Visit
from ecrlab.simulator.v2.wire import OUT_PIECE, Headers, Response, Slice

_CHUNK = re.compile(r"(?:bytes[ =])?([0-9]{1,18})-([0-9]{1,18})(?:/(?:\*|[0-9]{1,18}))?")

MOST_SOURCES = 20
"""The number of repositories to search for a layer when a mount names none."""


# Push


def begin(visit: Visit) -> Response:
    """POST: open an upload, mount a layer from another repository (`mount`), or read it from the body (`digest`)."""
    repository = visit.may("ecr:InitiateLayerUpload")
    world, query = visit.registry.world, visit.request.query
    if "mount" in query:
        mounted = _mount(visit, _digest(query["mount"]), query.get("from"))
        if mounted is not None:
            return _created(visit, mounted)
    if "digest" in query and "mount" not in query:
        digest = _digest(query["digest"])
        visit.may("ecr:UploadLayerPart")
        visit.may("ecr:CompleteLayerUpload")
        upload = world.uploads.begin(world.new_id(), repository)
        try:
            with _growing(visit, upload):
                return _created(visit, layers.complete_upload(visit.registry, visit.name, upload, digest))
        finally:
            world.uploads.end(upload)
    upload = world.uploads.begin(world.new_id(), repository)
    return Response(202, _standing(visit, upload.id, 0))


def status(visit: Visit) -> Response:
    """GET: return the state of an upload."""
    upload = visit.upload(visit.may("ecr:UploadLayerPart"))
    return Response(204, _standing(visit, upload.id, upload.blob.size))


def append(visit: Visit) -> Response:
    """PATCH: store the next piece of an upload, with or without its Content-Range."""
    upload = visit.upload(visit.may("ecr:UploadLayerPart"))
    with _growing(visit, upload):
        size = upload.blob.size
    if visit.quirks:
        # ECR answers 201, with a Range that stays at the end of the first piece.
        return Response(201, _standing(visit, upload.id, visit.quirks.stale_size(upload.id, size)))
    return Response(202, _standing(visit, upload.id, size))


def complete(visit: Visit) -> Response:
    """PUT: store the last piece of an upload, if any is left, and complete it with the digest."""
    upload = visit.upload(visit.may("ecr:CompleteLayerUpload"))
    digest = _digest(visit.request.query.get("digest", ""))
    if not visit.request.body.is_empty:
        visit.may("ecr:UploadLayerPart")
    with _growing(visit, upload):
        layer = layers.complete_upload(visit.registry, visit.name, upload, digest)
    return _created(visit, layer)


def cancel(visit: Visit) -> Response:
    """DELETE: cancel an upload."""
    # UNSURE: the action that cancelling an upload requires; ECR's API cannot cancel one. Here it is
    # ecr:UploadLayerPart: a caller that may write may stop writing.
    upload = visit.upload(visit.may("ecr:UploadLayerPart"))
    visit.registry.world.uploads.end(upload)
    return Response(204)


def _mount(visit: Visit, digest: str, source_name: str | None) -> Layer | None:
    """Mount a layer in this repository, or return None: the client then uploads it.

    ECR mounts only if the account setting BLOB_MOUNTING is ENABLED, and only between repositories with the same
    encryption (AWS user guide, blob mounting).
    """
    if not settings.blob_mounting(visit.registry):
        return None
    # UNSURE: whether ECR searches for the layer when a mount names no source; here it does, as the specification
    # allows, in the repositories that the caller may pull from.
    sources = [source_name] if source_name is not None else layers.holders(visit.registry, digest)
    for source in sources[:MOST_SOURCES]:
        try:
            visit.may_in(source, "ecr:GetDownloadUrlForLayer")
        except (AccessDeniedException, RepositoryNotFoundException, Refusal):
            continue
        if visit.quirks and not layers.is_used(visit.registry, source, digest):
            continue
        if not _encrypted_alike(visit, source):
            continue
        mounted = layers.mount(visit.registry, visit.name, digest, source)
        if mounted is not None:
            return mounted
    return None


def _encrypted_alike(visit: Visit, source_name: str) -> bool:
    here, there = (repositories.find(visit.registry, name).settings for name in (visit.name, source_name))
    return (here.encryption_type, here.kms_key) == (there.encryption_type, there.kms_key)


@contextmanager
def _growing(visit: Visit, upload: Upload) -> Iterator[None]:
    """Append the request's body to the upload, then run the block.

    If either fails, the upload does not change. Raises `Refusal` for a piece that does not start at its end.
    """
    # The request that completes it holds the lock while the disk writes.
    if not upload.lock.acquire(blocking=False):
        raise _out_of_order(visit, upload)
    try:
        if upload.is_growing:
            raise _out_of_order(visit, upload)
        expected = _expected(visit, upload)
        upload.is_growing = True
        mark = upload.blob.mark()
    finally:
        upload.lock.release()
    try:
        received = 0
        for piece in visit.request.body.pieces():
            layers.grow(visit.registry, visit.name, upload, piece)
            received += len(piece)
        if expected not in (None, received):
            raise Refusal(400, "SIZE_INVALID", "Content-Range and body do not agree")
        with upload.lock:
            if upload.is_over:
                raise UploadNotFoundException(upload.id, visit.name, visit.registry.account_id)
            yield
    except BaseException:
        with upload.lock:
            if not upload.is_over:
                upload.blob.rewind(mark)
        raise
    finally:
        upload.is_growing = False


def _expected(visit: Visit, upload: Upload) -> int | None:
    """Return the size in `Content-Range`, if there is one. The range must start at the upload's end."""
    content_range = visit.request.header("Content-Range")
    if content_range is None:
        return None
    found = _CHUNK.fullmatch(content_range.strip())
    if found is None or int(found[2]) < int(found[1]):
        raise Refusal(400, "SIZE_INVALID", f"Content-Range is no range: {content_range[:80]!r}")
    first, last = int(found[1]), int(found[2])
    if first != upload.blob.size:
        message = f"First byte of the layer part is {first} instead of {upload.blob.size}"
        raise _out_of_order(visit, upload, message)
    return last - first + 1


def _out_of_order(
    visit: Visit, upload: Upload, message: str = "Another piece of this upload is just coming in"
) -> Refusal:
    return Refusal(416, "BLOB_UPLOAD_INVALID", message, _standing(visit, upload.id, upload.blob.size))


def _standing(visit: Visit, upload_id: str, size: int) -> Headers:
    return [
        ("Location", visit.url(f"blobs/uploads/{upload_id}")),
        ("Range", f"0-{max(size - 1, 0)}"),
        ("Docker-Upload-UUID", upload_id),
    ]


def _created(visit: Visit, layer: Layer) -> Response:
    return Response(201, [("Location", visit.url(f"blobs/{layer.digest}")), ("Docker-Content-Digest", layer.digest)])


# Pull


def send(visit: Visit) -> Response:
    """GET: return the bytes of a layer, or a range of them."""
    repository = visit.may("ecr:GetDownloadUrlForLayer")
    digest = _digest(visit.thing)
    # ECR returns only layers of an image; the specification returns every pushed layer.
    layer = layers.find(visit.registry, visit.name, digest)
    if layer is None or layer.is_archived:
        raise _unknown(digest)
    if not layer.has_bytes:
        raise Refusal(404, "BLOB_UNKNOWN", f"The layer with digest '{digest}' {layers.NO_BYTES}")
    status, headers, part = ranges.asked_for(visit.request, digest, layer.size)
    try:
        file = visit.registry.world.blobs.open(repository, digest)
    except FileNotFoundError as error:
        raise _unknown(digest) from error
    if len(part) > OUT_PIECE:
        return Response(status, headers, Slice(file, part))
    with file:
        file.seek(part.start)
        return Response(status, headers, file.read(len(part)))


def look(visit: Visit) -> Response:
    """HEAD: tell whether a layer exists."""
    visit.may("ecr:BatchCheckLayerAvailability")
    digest = _digest(visit.thing)
    layer = layers.reserve(visit.registry, visit.name, digest)
    if layer is None or layer.is_archived:
        raise _unknown(digest)
    return Response(200, ranges.about(digest), length=layer.size)


def remove(visit: Visit) -> Response:
    """DELETE: delete a layer that no image uses."""
    if visit.quirks:
        raise Refusal(405, "UNSUPPORTED", "Layers are deleted with the images that use them")
    # UNSURE: whether and for which callers ECR deletes single layers; here as in the specification, for callers with
    # BatchDeleteImage, and 405 while an image uses the layer.
    visit.may("ecr:BatchDeleteImage")
    digest = _digest(visit.thing)
    if layers.delete(visit.registry, visit.name, digest):
        return Response(202)
    if layers.find(visit.registry, visit.name, digest) is None:
        raise _unknown(digest)
    raise Refusal(405, "UNSUPPORTED", f"The layer {digest} is used by an image")


def _digest(text: str) -> str:
    if not names.DIGEST.fullmatch(text):
        raise bad_digest(text)
    return text


def _unknown(digest: str) -> Refusal:
    # UNSURE: the text for a missing layer.
    return Refusal(404, "BLOB_UNKNOWN", f"The layer with digest '{digest}' does not exist in the repository")
