"""ECR's deviations from the specification that break clients, for lessons about them.

With `serve --quirks ecr`

* the response to a PATCH is 201, with a `Range` that stays at the end of the first piece;
* a layer that no image uses is not mounted, and layers cannot be deleted;
* a request for more than 1000 tags is rejected (google/go-containerregistry#681);
* a platform with `features`, and a config with annotations, are rejected (aws/containers-roadmap#2439,
  goharbor/acceleration-service#353).
"""

from ecrlab.oci.manifest import Manifest
from ecrlab.registry.errors import InvalidParameterException

_MOST = 10_000


class Quirks:
    """The memory of the quirks: the end of each upload's first piece."""

    def __init__(self) -> None:
        self._first_sizes: dict[str, int] = {}

    def stale_size(self, upload_id: str, size: int) -> int:
        """Return the size of an upload as ECR reports it: the size of its first piece."""
        if len(self._first_sizes) >= _MOST and upload_id not in self._first_sizes:
            del self._first_sizes[next(iter(self._first_sizes))]
        return self._first_sizes.setdefault(upload_id, size)


def check_descriptors(manifest: Manifest) -> None:
    """Reject the members of a descriptor that ECR does not know. Raises `InvalidParameterException`."""
    features = any("features" in child.platform for child in manifest.children)
    if features or (manifest.config is not None and manifest.config.annotations):
        # UNSURE: the text; here that for an invalid manifest.
        raise InvalidParameterException("ImageManifest", "Invalid JSON syntax")
