"""A small image for unit tests: an official image of the gallery with one layer on top.

    web:v1  =  alpine's layer + app/build  ──►  blobs, then the manifest  ──►  digest

AWS rejects a manifest without its layers, so a test needs real ones. Each push is a new build: a second push of the
same name makes another image, and the tag moves to it.
"""

import hashlib
import json
import re
from io import BytesIO

from ecrlab import gallery
from ecrlab.errors import EcrLabError
from ecrlab.oci.layers import directory, file, write_layer
from ecrlab.registry import layers, manifest, names, pushes, repositories
from ecrlab.registry.errors import RepositoryNotFoundException
from ecrlab.registry.world import Registry, World

BASE = "alpine:3.22.6"

_NAME = re.compile(r"(?:([0-9]{12})\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com/)?([^:@]+)(?::([^:@]+))?")


def push(world: World, image: str, *, base: str, account_id: str, region: str) -> str:
    """Push an image named `web`, `web:v1` or by a whole URI; return its digest. A missing repository is created.

    A URI names the account and Region in place of `account_id` and `region`. The default tag is `latest`, as for
    `docker push`. Raises `EcrLabError` for an invalid name, or for a push that ECR rejects (such as an existing tag
    in a repository with immutable tags).
    """
    read = _NAME.fullmatch(image)
    if read is None:
        raise EcrLabError(f"not the name of an image to push, such as 'web:v1': {image!r}")
    name, tag = read[3], names.check_tag(read[4] or "latest")
    registry = world.registry(read[1] or account_id, read[2] or region)
    body, blobs = build(base, world.new_id(), world.clock.now().isoformat())
    try:
        repositories.find(registry, name)
    except RepositoryNotFoundException:
        repositories.create(registry, name)
    for blob in blobs:
        _upload(registry, name, blob)
    return pushes.put(registry, name, manifest.parse(body), tag=tag).digest


def build(base: str, build_id: str, created: str) -> tuple[bytes, list[bytes]]:
    """Return manifest and blobs of an image built from `base` (`alpine:3.22.6`), with a layer that holds `build_id`."""
    repository, _, tag = base.partition(":")
    repository = f"docker/library/{repository}"
    index = gallery.manifest(repository, tag)
    if index is None:
        known = [f"{one.rpartition('/')[2]}:{tag}" for one in gallery.repositories() for tag in gallery.tags(one)]
        raise EcrLabError(f"no image {base!r} to build from; the gallery has {', '.join(known)}")
    child = gallery.manifest(repository, json.loads(index.body)["manifests"][0]["digest"])
    assert child is not None
    document = json.loads(child.body)
    blobs = [_blob(repository, layer["digest"]) for layer in document["layers"]]
    config = json.loads(_blob(repository, document["config"]["digest"]))
    out = BytesIO()
    layer = write_layer([directory("app"), file("app/build", f"{build_id}\n")], out)
    config["created"] = created
    config["rootfs"]["diff_ids"].append(layer.diff_id)
    config["history"].append({"created": created, "created_by": "COPY app /app"})
    text = json.dumps(config, separators=(",", ":")).encode()
    document["config"] |= {"digest": _digest(text), "size": len(text)}
    document["layers"].append(document["layers"][0] | {"digest": layer.digest, "size": layer.size})
    return json.dumps(document, separators=(",", ":")).encode(), [*blobs, out.getvalue(), text]


def _upload(registry: Registry, name: str, blob: bytes) -> None:
    upload = layers.begin_upload(registry, name)
    layers.grow(registry, name, upload, blob)
    layers.complete_upload(registry, name, upload, _digest(blob))


def _blob(repository: str, digest: str) -> bytes:
    found = gallery.blob(repository, digest)
    assert found is not None
    return found


def _digest(body: bytes) -> str:
    return f"sha256:{hashlib.sha256(body).hexdigest()}"
