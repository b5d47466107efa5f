"""ECR's ways that clients which follow the specification stumble over, for those who want to see it happen.

With `serve --quirks ecr` a PATCH is answered with 201 and a `Range` that stays where the first piece ended, a
layer that no image uses is not mounted, and layers cannot be deleted (public reports against ECR tell of the
first three).
"""

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
