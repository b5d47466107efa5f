"""Why an image, or what it is judged by, could not be read.

    EcrLabError
      └ ScanError                   the family of this room
          ├ LayerError              → status FAILED: truncated or corrupt bytes
          │   └ TooLargeError       → status IMAGE_SIZE_EXCEEDED: more than is read of any image
          ├ UnsupportedImageError   → status UNSUPPORTED_IMAGE: readable, but nothing in it can be judged
          ├ TargetError             the target of `scan` is no image that it can read, or not the one asked for
          ├ AdvisoriesError         an advisory set is no OSV, or holds nothing usable
          └ AllowListError          a line of the `--ignore` file is neither an exemption nor a comment

The first three never leave `take_inventory`: they become the status and the reason of its answer, as ECR answers.
"""

from ecrlab.errors import EcrLabError


class ScanError(EcrLabError):
    """An input of the scanner cannot be read; the text says what and where."""


class LayerError(ScanError):
    """A layer's bytes are truncated, corrupt, or of another kind than announced."""


class TooLargeError(LayerError):
    """An image has more bytes, files or packages than are read of any, or takes longer."""


class UnsupportedImageError(ScanError):
    """The image can be read, but holds nothing whose packages can be listed."""


class TargetError(ScanError):
    """The target of a scan is no image, is malformed, or is for another platform."""


class AdvisoriesError(ScanError):
    """A set of advisories is not OSV, or not one of its ranges can be understood."""


class AllowListError(ScanError):
    """An allow-list has a line that is neither an exception nor a comment."""
