"""A registry in a fresh directory, and a client that pushes to it as Docker would, without HTTP."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ecrlab.oci.manifest import Manifest
from ecrlab.oci.media_types import OCI
from ecrlab.registry import deletions, images, layers, manifest, pushes, repositories
from ecrlab.registry.images import Image
from ecrlab.registry.layers import Layer
from ecrlab.registry.world import Registry, World

ACCOUNT, REGION = "123456789012", "us-east-1"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"


def digest_of(body: bytes) -> str:
    return "sha256:" + hashlib.sha256(body).hexdigest()


def descriptor(media_type: str, body: bytes) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": digest_of(body), "size": len(body)}


class Client:
    """Pushes to one repository."""

    def __init__(self, registry: Registry, name: str = "app") -> None:
        self.registry, self.name = registry, name

    def layer(self, body: bytes) -> Layer:
        upload = layers.begin_upload(self.registry, self.name)
        layers.grow(self.registry, self.name, upload, body)
        return layers.complete_upload(self.registry, self.name, upload, digest_of(body))

    def manifest(self, *bodies: bytes, config: bytes = b"{}", **more: Any) -> Manifest:
        document = {
            "schemaVersion": 2,
            "mediaType": OCI.manifest,
            "config": descriptor(CONFIG, config),
            "layers": [descriptor(LAYER, body) for body in bodies],
        }
        return manifest.parse(json.dumps(document | more).encode())

    def push(self, *bodies: bytes, tag: str | None = None, config: bytes = b"{}", **more: Any) -> Image:
        for body in (config, *bodies):
            self.layer(body)
        return self.put(self.manifest(*bodies, config=config, **more), tag)

    def push_index(self, *children: Image, tag: str | None = None) -> Image:
        listed = [{"mediaType": c.media_type, "digest": c.digest, "size": 1} for c in children]
        document = {"schemaVersion": 2, "mediaType": OCI.index, "manifests": listed}
        return self.put(manifest.parse(json.dumps(document).encode()), tag)

    def put(self, pushed: Manifest, tag: str | None = None) -> Image:
        return pushes.put(self.registry, self.name, pushed, tag=tag, again=True)

    def delete(self, *, tag: str | None = None, digest: str | None = None) -> list[str]:
        """Delete one image; give the failure codes."""
        _, failures = deletions.delete(self.registry, self.name, [images.ImageId(digest, tag)])
        return [failure.code for failure in failures]

    def find(self, digest: str) -> Image:
        """One image, with its manifest."""
        return images.find(self.registry, self.name, images.ImageId(digest))

    @property
    def images(self) -> dict[str, tuple[str, ...]]:
        """Digest → tags, in the order of the pushes."""
        return {image.digest: image.tags for image in images.describe(self.registry, self.name)}


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path / "state", seed="test", durable=False)
    yield world
    world.close()


@pytest.fixture
def registry(world: World) -> Registry:
    return world.registry(ACCOUNT, REGION)


@pytest.fixture
def app(registry: Registry) -> Client:
    """A client of the repository `app`, which is there and empty."""
    repositories.create(registry, "app")
    return Client(registry)


@pytest.fixture
def client_for() -> type[Client]:
    return Client
