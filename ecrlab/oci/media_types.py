"""The table of media types: two families of names for the same things, Docker's (schema 2) and OCI's.

A classic engine builds and pushes an image of one platform under Docker's names; buildx creates an index of several
platforms under OCI's. The bytes of a layer are the same under either name.
Sources: image manifest V2 schema 2; OCI image specification, media types.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Family:
    """The media types of one family."""

    index: str
    manifest: str
    config: str
    layer: str


DOCKER = Family(
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.container.image.v1+json",
    "application/vnd.docker.image.rootfs.diff.tar.gzip",
)
OCI = Family(
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.oci.image.config.v1+json",
    "application/vnd.oci.image.layer.v1.tar+gzip",
)
INDEXES = (DOCKER.index, OCI.index)
MANIFESTS = (DOCKER.manifest, DOCKER.index, OCI.manifest, OCI.index)
"""Of images and of indexes."""
CONFIGS = (DOCKER.config, OCI.config)
"""Of the config of a container image; a manifest with any other config is an artifact."""

COMPRESSIONS = {
    "application/vnd.oci.image.layer.v1.tar": "tar",
    OCI.layer: "gzip",
    "application/vnd.oci.image.layer.v1.tar+zstd": "zstd",
    "application/vnd.oci.image.layer.nondistributable.v1.tar": "tar",
    "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip": "gzip",
    "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd": "zstd",
    "application/vnd.docker.image.rootfs.diff.tar": "tar",
    DOCKER.layer: "gzip",
    "application/vnd.docker.image.rootfs.diff.tar.zstd": "zstd",
    "application/vnd.docker.image.rootfs.foreign.diff.tar": "tar",
    "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip": "gzip",
}
"""Layers of file systems: media type -> how the tar is compressed."""

EMPTY = "application/vnd.oci.empty.v1+json"
IN_TOTO = "application/vnd.in-toto+json"


def is_foreign(media_type: str) -> bool:
    """Whether the layer may live elsewhere (`nondistributable` in OCI, `foreign` in Docker)."""
    return ".nondistributable." in media_type or ".foreign." in media_type
