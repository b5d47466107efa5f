"""`docker buildx imagetools`: inspect an image in a registry, and create a new name or index from existing images.

`create` copies a manifest to other names of its repository, or creates an index from several. It moves no blobs, so
sources and targets must be in one repository. Source: Docker's reference, docker buildx imagetools create.
"""

import json
from typing import Any

from ecrlab.docker.errors import DockerError, RegistryError
from ecrlab.docker.references import Reference
from ecrlab.docker.registry import Registry
from ecrlab.docker.transfer import read_manifest
from ecrlab.oci import strict_json
from ecrlab.oci.manifest import Manifest
from ecrlab.oci.media_types import OCI


def inspect(reference: Reference) -> tuple[Manifest, str]:
    """Return the manifest of a name in a registry, and the output of `imagetools inspect`."""
    with Registry.of(reference) as registry:
        media_type, digest, body = registry.resolve(reference.path, reference.digest or reference.tag)
    manifest = read_manifest(body, media_type)
    lines = [f"Name:      {reference}", f"MediaType: {media_type}", f"Digest:    {digest}"]
    for child in manifest.children:
        lines += ["", f"  Name:      {reference.name}@{child.digest}", f"  MediaType: {child.media_type}"]
        lines += [f"  Platform:  {child.platform_name}"]
        lines += [f"  {key}: {value}" for key, value in sorted(child.annotations.items())]
    return manifest, "\n".join(lines)


def create(targets: list[Reference], sources: list[Reference], *, dry_run: bool = False) -> str:
    """Store the image of the sources, or an index of them, under the targets, and return its JSON."""
    everything = [*targets, *sources]
    if {other.repository for other in everything} != {everything[0].repository}:
        raise DockerError("ERROR: the lab's docker combines images of one repository only: push them there first")
    path = everything[0].path
    with Registry.of(everything[0]) as registry:
        found = []
        for source in sources:
            try:
                media_type, _, body = registry.resolve(path, source.digest or source.tag)
            except RegistryError as error:
                raise DockerError(f"ERROR: {source}: not found") if error.http_status == 404 else error from error
            found.append(read_manifest(body, media_type))
        if len(found) == 1:
            media_type, body = found[0].media_type, found[0].body
        else:
            children = [child for manifest in found for child in _children(registry, path, manifest)]
            media_type = OCI.index
            body = json.dumps({"schemaVersion": 2, "mediaType": media_type, "manifests": children}, indent=2).encode()
        if not dry_run:
            for target in targets:
                registry.put_manifest(path, target.tag, media_type, body)
    return body.decode()


def _children(registry: Registry, path: str, manifest: Manifest) -> list[dict[str, Any]]:
    """Return the descriptors that a source adds to a new index: its own, or those of its children."""
    if manifest.is_index:
        listed: list[dict[str, Any]] = strict_json.read_object(manifest.body)["manifests"]
        return listed
    descriptor = {"mediaType": manifest.media_type, "digest": manifest.digest, "size": len(manifest.body)}
    config = {} if manifest.config is None else registry.document(path, manifest.config.digest)
    platform = {name: config[name] for name in ("architecture", "os", "variant") if config.get(name)}
    return [descriptor | ({"platform": platform} if platform else {})]
