"""Manifests as ECR accepts them: a manifest names a configuration and layers, an index names manifests.

ECR accepts four kinds (AWS user guide, container image manifest formats): Docker's image manifest v2 schema 2 and
manifest list, and OCI's image manifest and index. `ecrlab.oci.manifest` reads them; here its errors become ECR's.
"""

from typing import NoReturn

from ecrlab.oci import manifest
from ecrlab.oci.manifest import LARGEST, InvalidManifest, Manifest, NotJson, UnknownMediaType
from ecrlab.registry.errors import InvalidParameterException


def parse(body: bytes, media_type: str | None = None, *, algorithm: str = "sha256") -> Manifest:
    """Read a manifest of at most 4 MiB; `media_type` is the type that the client declared, if any.

    Raises `InvalidParameterException` at `ImageManifest` for any other body. ECR also returns `Invalid JSON syntax` for
    a manifest without a media type, such as a Helm chart's, and for an unknown one (aws/aws-sdk#193, aws/aws-cli#8620).
    """
    if not 1 <= len(body) <= LARGEST:
        _refuse(f"Member must have length between 1 and {LARGEST}")
    try:
        read = manifest.read(body, media_type, algorithm=algorithm)
    except (NotJson, UnknownMediaType):
        # UNSURE: ECR still accepts Docker's schema 1, which no client of today pushes; here it is refused.
        _refuse("Invalid JSON syntax")
    except InvalidManifest as error:
        _refuse(str(error))
    if media_type not in (None, read.media_type):
        _refuse("Invalid JSON syntax")
    return read


def _refuse(constraint: str) -> NoReturn:
    # 'Invalid JSON syntax' is AWS's text. UNSURE: the other constraints' wording.
    raise InvalidParameterException("ImageManifest", constraint)
