"""A provenance attestation: a statement of how an image was built, listed beside it in the index.

It is an OCI manifest with one layer, an in-toto statement (SLSA provenance v0.2), listed with
the platform `unknown/unknown` and an annotation that names the image. So a registry shows three entries for
one image. Source: BuildKit documentation, attestation storage.
"""

import json
from typing import Any

from ecrlab.docker.store import Store
from ecrlab.oci.media_types import IN_TOTO, OCI

PREDICATE = "https://slsa.dev/provenance/v0.2"


def attestation(store: Store, image: str, bases: list[str], build_args: dict[str, str]) -> dict[str, Any]:
    """Write the attestation of an image (a digest) to the store, and return its descriptor for the index."""
    statement = {
        "_type": "https://in-toto.io/Statement/v0.1",
        "predicateType": PREDICATE,
        "subject": [{"name": "_", "digest": {"sha256": image.removeprefix("sha256:")}}],
        "predicate": {
            "builder": {"id": "ecrlab docker build"},
            "buildType": "https://mobyproject.org/buildkit@v1",
            "materials": [{"uri": f"pkg:docker/{base}"} for base in bases],
            "invocation": {"parameters": {"args": {f"build-arg:{key}": build_args[key] for key in sorted(build_args)}}},
        },
    }
    body = json.dumps(statement, indent=2).encode()
    layer = store.add(body)
    config = {
        "architecture": "unknown",
        "os": "unknown",
        "config": {},
        "rootfs": {"type": "layers", "diff_ids": [layer]},
    }
    config_body = json.dumps(config, separators=(",", ":")).encode()
    manifest = {
        "schemaVersion": 2,
        "mediaType": OCI.manifest,
        "config": {"mediaType": OCI.config, "digest": store.add(config_body), "size": len(config_body)},
        "layers": [
            {
                "mediaType": IN_TOTO,
                "digest": layer,
                "size": len(body),
                "annotations": {"in-toto.io/predicate-type": PREDICATE},
            }
        ],
    }
    manifest_body = json.dumps(manifest, indent=2).encode()
    return {
        "mediaType": OCI.manifest,
        "digest": store.add(manifest_body),
        "size": len(manifest_body),
        "annotations": {
            "vnd.docker.reference.digest": image,
            "vnd.docker.reference.type": "attestation-manifest",
        },
        "platform": {"architecture": "unknown", "os": "unknown"},
    }
