"""Famous errors are recognised by the texts that AWS and Docker print, and explained."""

import pytest

from ecrlab.lessons import explanations

FAMOUS = [
    "no basic auth credentials",
    "denied: Your authorization token has expired. Reauthenticate and try again.",
    "name unknown: The repository with name 'x' does not exist in the registry with id '123456789012'",
    "tag invalid: The image tag 'v1' already exists in the 'my-app' repository and cannot be overwritten because the "
    "repository is immutable.",
    "An error occurred (AccessDeniedException) when calling the GetAuthorizationToken operation: User: x is not "
    "authorized to perform: ecr:GetAuthorizationToken on resource: *",
    "denied: User: arn:aws:sts::123456789012:assumed-role/reader/me is not authorized to perform: "
    "ecr:InitiateLayerUpload on resource: arn:aws:ecr:us-east-1:123456789012:repository/my-app",
    "exec /hello.sh: exec format error",
    "The image manifest, config or layer media type for the source image x is not supported.",
    "CannotPullContainerError: pull image manifest has been retried 5 time(s)",
    "UNSUPPORTED_IMAGE",
    "An error occurred (ScanNotFoundException) when calling the DescribeImageScanFindings operation",
    "An error occurred (LimitExceededException) when calling the StartImageScan operation: The scan quota per image "
    "has been exceeded. Wait and try again.",
    "ImageReferencedByManifestList",
    "An error occurred (InvalidParameterException) when calling the PutLifecyclePolicy operation: Invalid parameter at "
    "'LifecyclePolicyText' failed to satisfy constraint: 'Lifecycle policy validation failure: array is too short'",
    "An error occurred (LifecyclePolicyNotFoundException) when calling the StartLifecyclePolicyPreview operation: x",
    "Requested image is archived and cannot be pulled",
    "An error occurred (RepositoryNotEmptyException) when calling the DeleteRepository operation",
    "toomanyrequests: Rate exceeded",
    "5f70bf18a086: Layer already exists",
    "An error occurred (RepositoryAlreadyExistsException) when calling the CreateRepository operation: The repository "
    "with name 'hello' already exists in the registry with id '123456789012'",
    'Could not connect to the endpoint URL: "http://127.0.0.1:9/no-lab-is-running"',
    "docker: no lab is running here, and the Docker that is installed is not used in its place.",
    "Error: Cannot perform an interactive login from a non TTY device",
    "Error response from daemon: login attempt to https://123456789012.dkr.ecr.us-east-1.amazonaws.com/v2/ failed with "
    "status: 403 Forbidden",
    "Error response from daemon: login attempt to https://123456789012.dkr.ecr.us-east-1.amazonaws.com/v2/ failed with "
    "status: 400 Bad Request",
    "An image does not exist locally with the tag: 123456789012.dkr.ecr.us-east-1.amazonaws.com/hello",
    "hello means Docker Hub, which the lab never reaches: give it the name of your registry first",
    "no matching manifest for linux/s390x in the manifest list entries of my-app:v1",
    "docker run needs an engine, and the lab's docker has none",
]


@pytest.mark.parametrize("error", FAMOUS)
def test_a_famous_error_has_meaning_causes_and_both_cures(error):
    page = explanations.explain(error)

    for heading in ("What it means", "Usual causes", "The cure here", "The cure on AWS"):
        assert heading in page


def test_each_famous_error_has_an_explanation_of_its_own():
    found = [next(why for why in explanations.EXPLANATIONS if why.sign.search(error)) for error in FAMOUS]

    assert len({id(why) for why in found}) == len(FAMOUS)


def test_an_unknown_error_is_not_explained_by_a_guess():
    assert "not among the famous errors" in explanations.explain("the moon is in the wrong phase")
