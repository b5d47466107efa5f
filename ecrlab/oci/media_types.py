"""Two families of names for the same things: Docker's (schema 2) and OCI's.

An image of one platform is built with Docker's names, as `docker build` and `docker push` of a classic
engine send it; an index of several platforms with OCI's, as buildx makes it. The bytes of a layer are the
same under either name.
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
IN_TOTO = "application/vnd.in-toto+json"
