"""Errors of image scans."""

from ecrlab.lessons.explanations.entry import Explanation

ENTRIES = (
    Explanation(
        "scan-unsupported",
        "UnsupportedImageTypeException",
        "An error occurred (UnsupportedImageTypeException) when calling the StartImageScan operation: An artifact with "
        "media type 'application/vnd.oci.image.index.v1+json' cannot be scanned.",
        "This is no image of one platform, so it has no packages of its own to scan.",
        ("an index was asked for, and not one of its images", "a chart, a signature or another artifact"),
        "Scan the digest of one platform's image.",
        "The same.",
    ),
    Explanation(
        "scan-unjudged",
        "UNSUPPORTED_IMAGE|UnsupportedImageError",
        "UNSUPPORTED_IMAGE: UnsupportedImageError: The operating system and/or package manager are not supported.",
        "ECR cannot judge the operating system of this image: there are no findings, and nothing is known of it.",
        ("a release that ECR scans no more, such as Debian 7", "an image from scratch: it has no package database"),
        "Build again on a release that is supported, or use another scanner: python3 -m ecrlab scan.",
        "The same; the list of supported operating systems is in the Amazon Inspector user guide.",
    ),
    Explanation(
        "scan-enhanced",
        "StartImageScan operation: This feature is disabled",
        "An error occurred (ValidationException) when calling the StartImageScan operation: This feature is disabled",
        "The registry has enhanced scanning, which starts its scans by itself; StartImageScan is for basic scanning.",
        ("put-registry-scanning-configuration set the scan type ENHANCED",),
        "Read the findings: aws ecr describe-image-scan-findings. None? Then no rule names the repository.",
        "The same; the first findings take a while (status PENDING).",
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
