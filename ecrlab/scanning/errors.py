"""The errors of a scan: an image, or its advisories, cannot be read.

    EcrLabError
      └ ScanError                   the family of this room
          ├ LayerError              → status FAILED: truncated or corrupt bytes
          │   └ TooLargeError       → status IMAGE_SIZE_EXCEEDED: more than the scanner reads of any image
          ├ UnsupportedImageError   → status UNSUPPORTED_IMAGE: readable, but without anything to judge
          ├ TargetError             the target of `scan` is not an image, is malformed, or is for another platform
          ├ AdvisoriesError         an advisory set is not OSV, or has no usable record
          └ AllowListError          a line of the `--ignore` file is neither an exemption nor a comment

`take_inventory` never raises the first three: they become the status and reason of its answer, as in ECR.
"""

from ecrlab.errors import EcrLabError


class ScanError(EcrLabError):
    """The scanner cannot read an input; the text says which and where."""


class LayerError(ScanError):
    """A layer's bytes are truncated, corrupt, or not of its media type."""


class TooLargeError(LayerError):
    """An image exceeds a bound of the scanner: bytes, files, packages or time."""


class UnsupportedImageError(ScanError):
    """The image is readable, but the scanner cannot list its packages."""


class TargetError(ScanError):
    """The target of a scan is not an image, is malformed, or is for another platform."""


class AdvisoriesError(ScanError):
    """A set of advisories is not OSV, or none of its ranges can be evaluated."""


class AllowListError(ScanError):
    """An allow-list has a line that is neither an exception nor a comment."""
