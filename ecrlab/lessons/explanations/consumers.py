"""Errors of the services that pull images: ECS and EKS."""

from ecrlab.lessons.explanations.entry import Explanation

ENTRIES = (
    Explanation(
        "cannot-pull",
        "CannotPullContainerError",
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
