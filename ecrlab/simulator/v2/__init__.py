"""The Docker face: the registry API under `/v2/` for docker, skopeo and podman.

    request ─► DockerFace ─► caller, registry ─► one of
               (face)        (auth)               blobs      layers: push and pull
                                                  manifests  images: push and pull
               PublicFace ─► caller, alias ────►  listings   tags, catalog, referrers
               (public)      (public_tokens)      gallery    docker/library/…, read only

It implements the OCI distribution specification 1.1. Statuses and texts are ECR's where they are known, and the
specification's elsewhere. ECR's deviations that break clients of the specification need `quirks`. The face is plain
WSGI, so any WSGI server can run it. `errors` writes errors; `wire` reads requests and sends responses.
"""

from ecrlab.simulator.v2.face import DockerFace
from ecrlab.simulator.v2.public import PublicFace

__all__ = ["DockerFace", "PublicFace"]
