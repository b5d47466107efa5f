"""Errors of the services that pull images: ECS, EKS and Lambda."""

from ecrlab.lessons.explanations.entry import Explanation

ENTRIES = (
    Explanation(
        "lambda-image-kind",
        "image manifest, config or layer media type",
        "The image manifest, config or layer media type for the source image … is not supported.",
        "Lambda was given an index, or a manifest of a kind it does not take.",
        ("docker buildx adds an attestation, and with it an index, unless told not to",),
        "docker build --provenance=false, and one --platform.",
        "The same.",
    ),
    Explanation(
        "cannot-pull",
        "CannotPullContainerError|ErrImagePull|ImagePullBackOff",
        "CannotPullContainerError: pull image manifest has been retried 5 time(s)",
        "A service tried to pull the image and could not; the words after it tell which of many reasons it was.",
        (
            "the tag or digest is not there (a lifecycle policy may have removed it)",
            "the task's execution role may not pull",
            "no network path to ECR or to S3, from which layers come: in private subnets an S3 gateway endpoint",
            "the image is for another processor",
        ),
        "Look whether aws ecr describe-images shows the image, then at permissions.",
        "The same, then routes and VPC endpoints: ecr.api, ecr.dkr and S3.",
    ),
)
