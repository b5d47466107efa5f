"""ECR's ways that clients which follow the specification stumble over, for those who want to see it happen.

With `serve --quirks ecr`

* a PATCH is answered with 201 and a `Range` that stays where the first piece ended;
* a layer that no image uses is not mounted, and layers cannot be deleted;
* a list of more than 1000 tags cannot be asked for (google/go-containerregistry#681);
* a platform with `features`, and a config with annotations, are rejected (aws/containers-roadmap#2439,
  goharbor/acceleration-service#353).
"""

from ecrlab.oci.manifest import Manifest
from ecrlab.registry.errors import InvalidParameterException

_MOST = 10_000


class Quirks:
    """What has to be remembered in order to be wrong consistently: where the first piece of each upload
    ended.
    """

    def __init__(self) -> None:
        self._first_sizes: dict[str, int] = {}

    def stale_size(self, upload_id: str, size: int) -> int:
        """How far an upload has come by ECR's account: as far as after its first piece."""
        if len(self._first_sizes) >= _MOST and upload_id not in self._first_sizes:
            del self._first_sizes[next(iter(self._first_sizes))]
        return self._first_sizes.setdefault(upload_id, size)


def check_descriptors(manifest: Manifest) -> None:
    """Reject the members of a descriptor that ECR does not know. Raises `InvalidParameterException`."""
    features = any("features" in child.platform for child in manifest.children)
    if features or (manifest.config is not None and manifest.config.annotations):
        # UNSURE: the text; that of what is no manifest.
        raise InvalidParameterException("ImageManifest", "Invalid JSON syntax")
