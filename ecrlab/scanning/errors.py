"""Why an image, or what it is judged by, could not be read.

    EcrLabError
      └ ScanError                   the family of this room
          ├ LayerError              → status FAILED: truncated or corrupt bytes
          │   └ TooLargeError       → status IMAGE_SIZE_EXCEEDED: more than is read of any image
          ├ UnsupportedImageError   → status UNSUPPORTED_IMAGE: readable, but nothing in it can be judged
          ├ TargetError             what `scan` was pointed at is no image it knows
          ├ AdvisoriesError         an advisory set is no OSV, or holds nothing usable
          └ AllowListError          a line of the `--ignore` file makes no sense

The first three never leave `take_inventory`: they become the status and the reason of its answer, as ECR answers.
"""

from ecrlab.errors import EcrLabError


class ScanError(EcrLabError):
    """Something the scanner was given cannot be read; the text says what and where."""


class LayerError(ScanError):
    """A layer's bytes are truncated, corrupt, or of another kind than announced."""


class TooLargeError(LayerError):
    """An image has more bytes, files or packages than are read of any, or takes longer."""


class UnsupportedImageError(ScanError):
    """The image can be read, but holds nothing whose packages can be listed."""


class TargetError(ScanError):
    """The target of a scan is neither an OCI layout nor an archive of `docker save`."""


class AdvisoriesError(ScanError):
    """A set of advisories is not OSV, or not one of its ranges can be understood."""


class AllowListError(ScanError):
    """An allow-list has a line that is neither an exception nor a comment."""
