"""Errors of image scans."""

from ecrlab.lessons.explanations.entry import Explanation

ENTRIES = (
    Explanation(
        "scan-unsupported",
        "UNSUPPORTED_IMAGE|UnsupportedImageTypeException|UnsupportedImageError",
        "An error occurred (UnsupportedImageTypeException) when calling the StartImageScan operation: An artifact with "
        "media type 'application/vnd.oci.image.index.v1+json' cannot be scanned.",
        "The scanner cannot read this image: an index, no operating system it knows, or one that is too old.",
        ("an index was asked for: scan its images instead", "an image from scratch holds no package database"),
        "Scan the digest of one platform's image.",
        "The same; the list of supported operating systems is in the Amazon Inspector user guide.",
    ),
    Explanation(
        "scan-missing",
        "ScanNotFoundException",
        "An error occurred (ScanNotFoundException) when calling the DescribeImageScanFindings operation: Image scan "
        "does not exist for the image with '{imageDigest:'null', imageTag:'v1'}' in the repository with name 'my-app' "
        "in the registry with id '123456789012'",
        "Nobody has scanned this image yet.",
        (
            "scan on push is off",
            "the push was a moment ago",
            "the image that was scanned had another digest",
            "it is a copy that replication made: findings are not copied",
        ),
        "aws ecr start-image-scan, then aws ecr wait image-scan-complete.",
        "The same.",
    ),
    Explanation(
        "scan-quota",
        "scan quota per image|LimitExceededException.*scan",
        "An error occurred (LimitExceededException) when calling the StartImageScan operation: The scan quota per "
        "image has been exceeded. Wait and try again.",
        "An image is scanned at most once in 24 hours, and scan on push counts.",
        ("the image was pushed with scan on push, or scanned by hand, less than a day ago",),
        "lab.clock.advance(days=1), then again.",
        "Wait a day; or read the findings that are there.",
    ),
)
