"""A small public gallery to build FROM: stand-ins of a few KB for official images, under their names on AWS.

Amazon ECR Public serves Docker's official images as `public.ecr.aws/docker/library/NAME`. This module generates
thirteen of them, from January 2023 and from August and September 2026: with the real os-release, package database,
environment, command and creation date, and without programs. Each states in its history, in `docker inspect` and in
`/etc/ecrlab-stand-in` that it is a stand-in. The package lists are those of linux/amd64; linux/arm64 has the same list
and serves for pulls of several platforms.

Every machine generates the same bytes, so the digests are as fixed as those of published images.
"""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from io import BytesIO

from ecrlab.gallery.catalogue import Facts, images, packages
from ecrlab.gallery.rootfs import entries
from ecrlab.oci.layers import Layer, write_layer
from ecrlab.oci.manifest import Manifest, read
from ecrlab.oci.media_types import DOCKER, OCI

__all__ = ["HOST", "PLATFORMS", "blob", "created", "manifest", "published_sizes", "repositories", "tags"]

HOST = "public.ecr.aws"
PLATFORMS = ("amd64", "arm64")


@dataclass(frozen=True, slots=True)
class _Image:
    """The served parts of one image: its index, all manifests by digest (also the index), and blobs."""

    index: Manifest
    manifests: dict[str, Manifest]
    blobs: dict[str, bytes]


def repositories() -> list[str]:
    """Return the names of the gallery's repositories, sorted, e.g. `docker/library/debian`."""
    return sorted({facts.repository for facts in images().values()})


def tags(repository: str) -> list[str]:
    """Return the tags of a repository, sorted; none for an unknown repository."""
    return sorted(tag for facts in _of(repository) for tag in facts.tags)


def manifest(repository: str, reference: str) -> Manifest | None:
    """Return the index of a tag, or the index or manifest of a digest; None if the gallery has none."""
    for facts in _of(repository):
        if reference in facts.tags:
            return _image(facts.name).index
    if reference.startswith("sha256:"):
        for facts in _of(repository):
            if found := _image(facts.name).manifests.get(reference):
                return found
    return None


def blob(repository: str, digest: str) -> bytes | None:
    """Return a config or layer of an image of the repository; None if the gallery has none."""
    for facts in _of(repository):
        if (found := _image(facts.name).blobs.get(digest)) is not None:
            return found
    return None


def created(repository: str, tag: str) -> datetime:
    """Return when the published image of a tag was made (UTC). Raises `KeyError` for an unknown tag."""
    return datetime.fromisoformat({one: facts.created for facts in _of(repository) for one in facts.tags}[tag])


def published_sizes(repository: str, tag: str) -> list[float]:
    """Return what each layer of the published image adds on a disk, uncompressed, in MB, lowest first.

    `published_sizes("docker/library/python", "3.12-slim")` is about [75, 50]. An image without its base in the gallery
    has one size. Raises `KeyError` for an unknown tag.
    """
    found = {one: facts for facts in _of(repository) for one in facts.tags}[tag]
    sizes = []
    facts: Facts | None = found
    while facts is not None:
        below = images()[facts.base] if facts.base else None
        sizes.append(round(facts.size_on_disk_in_megabytes - (below.size_on_disk_in_megabytes if below else 0), 2))
        facts = below
    return sizes[::-1]


def _of(repository: str) -> list[Facts]:
    return [facts for facts in images().values() if facts.repository == repository]


@cache
def _image(name: str) -> _Image:
    facts = images()[name]
    # Official images were published as Docker manifest lists in 2023, and are OCI indexes now.
    family = DOCKER if facts.created < "2024" else OCI
    manifests: dict[str, Manifest] = {}
    blobs: dict[str, bytes] = {}
    children = []
    for architecture in PLATFORMS:
        config = _json(_config(facts, architecture))
        layers = _layers(facts, architecture)
        blobs[_digest(config)] = config
        blobs.update((layer.digest, body) for layer, body in layers)
        child = _manifest(
            family.manifest,
            {
                "config": _descriptor(family.config, _digest(config), len(config)),
                "layers": [_descriptor(family.layer, layer.digest, layer.size) for layer, _ in layers],
            },
        )
        manifests[child.digest] = child
        platform = {"architecture": architecture, "os": "linux"} | (
            {"variant": "v8"} if architecture == "arm64" else {}
        )
        children.append(_descriptor(child.media_type, child.digest, len(child.body)) | {"platform": platform})
    index = _manifest(family.index, {"manifests": children})
    manifests[index.digest] = index
    return _Image(index, manifests, blobs)


@cache
def _layer(name: str, architecture: str) -> tuple[Layer, bytes]:
    facts = images()[name]
    out = BytesIO()
    created = int(datetime.fromisoformat(facts.created).timestamp())
    layer = write_layer(
        entries(facts, packages(name), architecture, _notice(facts, architecture)), out, modified_at=created
    )
    return layer, out.getvalue()


def _layers(facts: Facts, architecture: str) -> list[tuple[Layer, bytes]]:
    """Return the layers, lowest first: those of the base, if the catalogue has it, and the image's own."""
    below = _layers(images()[facts.base], architecture) if facts.base else []
    return [*below, _layer(facts.name, architecture)]


def _config(facts: Facts, architecture: str) -> dict[str, object]:
    settings: dict[str, object] = {"Env": list(facts.environment)}
    if facts.entrypoint:
        settings["Entrypoint"] = list(facts.entrypoint)
    settings["Cmd"] = list(facts.command)
    if facts.labels:
        settings["Labels"] = facts.labels
    return {
        "architecture": architecture,
        **({"variant": "v8"} if architecture == "arm64" else {}),
        "config": settings,
        "created": facts.created,
        "history": _history(facts, architecture),
        "os": "linux",
        "rootfs": {
            "type": "layers",
            "diff_ids": [layer.diff_id for layer, _ in _layers(facts, architecture)],
        },
    }


def _history(facts: Facts, architecture: str) -> list[dict[str, object]]:
    base = images()[facts.base] if facts.base else None
    notice = _notice(facts, architecture)
    steps = [f"ENV {variable}" for variable in facts.environment if base is None or variable not in base.environment]
    last = [f"ENTRYPOINT {json.dumps(facts.entrypoint)}"] if facts.entrypoint else []
    last.append(f"CMD {json.dumps(facts.command)}")
    return [
        *(_history(base, architecture) if base else []),
        {"created": facts.created, "created_by": "COPY os-release and package database /", "comment": notice},
        *({"created": facts.created, "created_by": step, "empty_layer": True} for step in steps + last[:-1]),
        {"created": facts.created, "created_by": last[-1], "comment": notice, "empty_layer": True},
    ]


def _notice(facts: Facts, architecture: str) -> str:
    repository = facts.repository.rpartition("/")[2]
    other = "" if architecture == "amd64" else ", as it is for amd64"
    return (
        f"A stand-in made by ecrlab for {repository}:{facts.tags[0]} (about {facts.size_on_disk_in_megabytes:g} MB):"
        f" true package list{other}, no programs."
    )


def _manifest(media_type: str, members: dict[str, object]) -> Manifest:
    return read(_json({"schemaVersion": 2, "mediaType": media_type, **members}))


def _descriptor(media_type: str, digest: str, size: int) -> dict[str, object]:
    return {"mediaType": media_type, "size": size, "digest": digest}


def _json(document: object) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()


def _digest(body: bytes) -> str:
    return "sha256:" + hashlib.sha256(body).hexdigest()
