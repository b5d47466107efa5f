"""Errors of Lambda about the image of a function."""

from ecrlab.lessons.explanations.entry import Explanation

_CREATE = "when calling the CreateFunction operation:"
_URI = "123456789012.dkr.ecr.us-east-1.amazonaws.com/my-app"

ENTRIES = (
    Explanation(
        "lambda-image-kind",
        "image manifest, config or layer media type",
        "The image manifest, config or layer media type for the source image … is not supported.",
        "Lambda accepts an image of one platform only. It was given an index, an artifact, or layers that it cannot "
        "unpack.",
        (
            "docker buildx adds an attestation, and with it an index, unless it is told not to",
            "the layers are compressed with zstd",
        ),
        "docker build --provenance=false, and one --platform.",
        "The same.",
    ),
    Explanation(
        "lambda-image-missing",
        r"Source image \S+ does not exist",
        f"An error occurred (InvalidParameterValueException) {_CREATE} Source image {_URI}:v9 does not exist. "
        "Provide a valid source image.",
        "Lambda resolves the tag when a function is created or updated, and the registry has no such image.",
        (
            "the tag was never pushed, or was pushed to another repository",
            "a lifecycle policy deleted the image",
            "a pull-through cache rule would fetch it: Lambda does not use these rules",
        ),
        "aws ecr describe-images shows the tags; push the image first.",
        "The same.",
    ),
    Explanation(
        "lambda-image-invalid",
        r"Source image \S+ is not valid",
        f"An error occurred (InvalidParameterValueException) {_CREATE} Source image {_URI} is not valid. "
        "Provide a valid source image.",
        "The URI is not one that Lambda reads: a private repository of ECR in the function's own Region, with a tag or "
        "a digest.",
        (
            "the tag is left out: Lambda does not assume latest",
            "the repository is in another Region",
            "the image is on public.ecr.aws or on Docker Hub",
            "the image is archived",
        ),
        "Push the image to a repository in the function's Region, and write its tag or digest.",
        "The same.",
    ),
    Explanation(
        "lambda-no-access",
        "Lambda does not have permission to access the ECR image",
        f"An error occurred (AccessDeniedException) {_CREATE} Lambda does not have permission to access the ECR image. "
        "Check the ECR permissions.",
        "The policy of the repository does not let the service lambda.amazonaws.com read the image. The function's "
        "execution role does not count.",
        (
            "the caller may not change the repository's policy, so that Lambda could not add its own statement",
            "a statement denies it",
            "the repository belongs to another account: its policy needs a statement for the account, and another for "
            "the service with the functions' aws:sourceArn",
            "the repository's KMS key is disabled",
        ),
        "Set a policy that allows lambda.amazonaws.com ecr:BatchGetImage and ecr:GetDownloadUrlForLayer.",
        "The same.",
    ),
    Explanation(
        "lambda-image-deleted",
        "function is trying to use a deleted image",
        "The function is trying to use a deleted image.",
        "The image that the function was created or updated with is no longer in ECR. A tag that points at another "
        "image by now does not help: Lambda kept the digest.",
        ("a lifecycle policy deleted it, often after its tag had moved on", "somebody deleted it or its repository"),
        "Update the function's code with an image that exists; aws lambda get-function shows the digest that it had. "
        "The lab's function also runs again once that digest is back.",
        "The same. Lambda keeps a copy, so that the function fails only days or weeks later.",
    ),
    Explanation(
        "lambda-image-denied",
        "function does not have permission to access the specified image",
        "The function does not have permission to access the specified image.",
        "Lambda could read the image when the function was created, and no longer can.",
        (
            "the repository's policy was replaced, and Lambda's own statement was lost",
            "the image was archived, or its KMS key was disabled",
        ),
        "Add the statement again; an update of the function's code does it by itself.",
        "The same.",
    ),
    Explanation(
        "lambda-image-too-large",
        "Uncompressed container image size exceeds",
        "SizeLimitExceeded: Uncompressed container image size exceeds 10 GiB limit",
        "The layers of the image have more than 10 GiB when they are unpacked. The function was created, but cannot "
        "run.",
        ("build tools, models or test data in the image", "files that a later layer deletes still count"),
        "Make the image smaller: build in several stages. The lab counts compressed bytes.",
        "The same; ECR shows compressed sizes, which are smaller.",
    ),
    Explanation(
        "lambda-failed",
        "function is currently in the following state: Failed",
        "An error occurred (ResourceConflictException) when calling the Invoke operation: The operation cannot be "
        "performed at this time. The function is currently in the following state: Failed",
        "The function cannot run. Its StateReasonCode says why.",
        ("ImageDeleted: its image is no longer in ECR", "ImageAccessDenied: Lambda may no longer read it"),
        "aws lambda get-function-configuration shows StateReason and StateReasonCode.",
        "The same.",
    ),
    Explanation(
        "lambda-not-run",
        "ecrlab runs no code: the function",
        "An error occurred (UnsupportedOperation) when calling the Invoke operation: ecrlab runs no code: the function "
        "hello cannot be invoked here. GetFunction returns what Lambda would run",
        "The lab simulates how Lambda finds and reads an image, and does not run it.",
        ("no container runs in the lab, for Lambda as for ECS and EKS",),
        "aws lambda get-function shows the image that would run.",
        "The function runs, and the answer is its result.",
    ),
    Explanation(
        "lambda-package-type",
        "Runtime and Handler are mandatory|provide a source for function code|ImageUri when updating a function"
        "|provide Handler or Runtime",
        f"An error occurred (InvalidParameterValueException) {_CREATE} Runtime and Handler are mandatory parameters "
        "for functions created with deployment packages.",
        "A function has either a .zip file or an image for all its life, and the request mixes the two.",
        (
            "--package-type Image is left out: the default is Zip",
            "Handler, Runtime or Layers are given for an image, which brings its own",
            "the function exists with the other package type",
        ),
        "--package-type Image with --code ImageUri=…; to change the type, delete the function and create it again.",
        "The same.",
    ),
    Explanation(
        "lambda-role",
        "role defined for the function cannot be assumed by Lambda",
        f"An error occurred (InvalidParameterValueException) {_CREATE} The role defined for the function cannot be "
        "assumed by Lambda.",
        "The execution role does not exist, or its trust policy does not name lambda.amazonaws.com.",
        (
            "a typing mistake in the role's ARN",
            "the trust policy names another service",
            "on AWS: the role was created a moment ago",
        ),
        "aws iam create-role with lambda.amazonaws.com in the trust policy, or aws iam update-assume-role-policy.",
        "The same; a new role can take some seconds.",
    ),
)
