"""The manifests of a made-up past: real JSON, right digests, of blobs without bytes.

The digest of a made-up layer is the sha256 of nothing known, so that no upload can match it. One blob is real: the two
bytes `{}` that are the config of every referrer (OCI image specification, guidance for an empty descriptor).
"""

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from ecrlab.oci import media_types
from ecrlab.oci.media_types import OCI, Family
from ecrlab.scenarios.days import Blob, Push

EMPTY = Blob("sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a", 2)
"""The empty descriptor."""
SIGNATURE = "application/vnd.dev.sigstore.bundle.v0.3+json"
SBOM = "application/spdx+json"


def blob(size: int, *names: object) -> Blob:
    """A made-up layer or config; the names make its digest."""
    text = " ".join(map(str, names))
    return Blob(f"sha256:{hashlib.blake2b(text.encode(), digest_size=32).hexdigest()}", size)


def image(
    pushed_at: datetime, repository: str, tags: Sequence[str], family: Family, config: Blob, layers: Sequence[Blob]
) -> Push:
    """An image of these layers, from the lowest up."""
    document = {
        "schemaVersion": 2,
        "mediaType": family.manifest,
        "config": _descriptor(family.config, config),
        "layers": [_descriptor(family.layer, layer) for layer in layers],
    }
    size = sum(one.size for one in (config, *layers))
    body, digest = _written(document)
    return Push(pushed_at, repository, digest, tuple(tags), size, family.manifest, body, blobs=(config, *layers))


def index(pushed_at: datetime, repository: str, tags: Sequence[str], images: Sequence[tuple[str, Push]]) -> Push:
    """An index of images, each given with its architecture."""
    document = {
        "schemaVersion": 2,
        "mediaType": OCI.index,
        "manifests": [
            _about(one) | {"platform": {"architecture": architecture, "os": "linux"}} for architecture, one in images
        ],
    }
    size = max(one.size_in_bytes for _, one in images)
    body, digest = _written(document)
    children = tuple(one.image_digest for _, one in images)
    return Push(pushed_at, repository, digest, tuple(tags), size, OCI.index, body, children=children)


def referrer(pushed_at: datetime, subject: Push, artifact_type: str, layer: Blob) -> Push:
    """An artifact about an image of the same repository: its signature, its list of software."""
    document = {
        "schemaVersion": 2,
        "mediaType": OCI.manifest,
        "artifactType": artifact_type,
        "config": _descriptor(media_types.EMPTY, EMPTY),
        "layers": [_descriptor(artifact_type, layer)],
        "subject": _about(subject),
    }
    body, digest = _written(document)
    return Push(
        pushed_at,
        subject.repository_name,
        digest,
        (),
        EMPTY.size + layer.size,
        OCI.manifest,
        body,
        blobs=(EMPTY, layer),
        subject_digest=subject.image_digest,
        artifact_type=artifact_type,
    )


def _about(push: Push) -> dict[str, Any]:
    return _descriptor(push.media_type, Blob(push.image_digest, len(push.manifest)))


def _descriptor(media_type: str, one: Blob) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": one.digest, "size": one.size}


def _written(document: dict[str, Any]) -> tuple[bytes, str]:
    body = json.dumps(document, separators=(",", ":")).encode()
    return body, f"sha256:{hashlib.sha256(body).hexdigest()}"
