"""The Docker face: what docker, skopeo and podman meet under `/v2/`.

    request ─► DockerFace ─► who, and where ─► one of
               (face)        (auth)             blobs      layers in and out
                                                manifests  images in and out
                                                listings   tags, catalog, referrers
                                                gallery    public.ecr.aws, read only

It is the OCI distribution specification 1.1 spoken in ECR's words: statuses and texts are ECR's where they
are known, the specification's elsewhere, and where ECR's way would break clients that follow the
specification it comes only with `quirks`. A plain WSGI application: any WSGI server can carry it. What a
refusal looks like is in `errors`, how bytes come and go in `wire`.
"""

from ecrlab.simulator.v2.face import DockerFace

__all__ = ["DockerFace"]
