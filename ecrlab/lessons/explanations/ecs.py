"""Errors of ECS about images: `stoppedReason` and `reason` of a task, the events of a service, and refused requests.

On container instances (EC2) the text is the container's `reason`; on Fargate it is the task's `stoppedReason`.
"""

from ecrlab.lessons.explanations.entry import Explanation

_RESOLVE = "CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref "
_IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/my-app"

ENTRIES = (
    Explanation(
        "ecs-token-denied",
        r"unable to retrieve ecr registry auth|CannotPullECRContainerError",
        "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: "
        "unable to retrieve ecr registry auth: service call has been retried 1 time(s): operation error ECR: "
        "GetAuthorizationToken, … api error AccessDeniedException: …",
        "The task could not log in to ECR: GetAuthorizationToken failed. Nothing was pulled.",
        (
            "the execution role (Fargate), or the role of the container instance (EC2), lacks "
            "ecr:GetAuthorizationToken",
            "the task has no way to ECR's API: then the text ends in a timeout",
        ),
        "Attach AmazonECSTaskExecutionRolePolicy to the execution role, or AmazonEC2ContainerRegistryPullOnly to the "
        "instance's.",
        "The same; for a timeout, a public IP address, a NAT gateway, or VPC endpoints for ecr.api, ecr.dkr and S3.",
    ),
    Explanation(
        "ecs-pull-denied",
        r"Check that the role has the permissions|failed to resolve ref \S+: unexpected status.*403|"
        r"httpReaderSeeker.*403",
        f"{_RESOLVE}{_IMAGE}:v1: unexpected status from HEAD request to https://…/my-app/manifests/v1: 403 Forbidden",
        "The task logged in to ECR, and may not pull this image. On container instances the sentence names the role "
        "and the action; Fargate says only 403.",
        (
            "the execution role, or the instance's, lacks ecr:BatchGetImage or ecr:GetDownloadUrlForLayer",
            "the repository belongs to another account, and its policy does not name this one",
            "the repository's KMS key is disabled",
        ),
        "lab.who_can('my-app', 'ecr:BatchGetImage') shows who may; lab.trail() has the refused call, with role and "
        "reason.",
        "CloudTrail has the refused BatchGetImage, with role and reason.",
    ),
    Explanation(
        "ecs-platform",
        r"does not contain descriptor matching platform|CannotPullContainerError: .*no matching manifest for",
        "CannotPullContainerError: pull image manifest has been retried 7 time(s): image Manifest does not contain "
        "descriptor matching platform 'linux/amd64'",
        "The tag names an index, and none of its images is for the processor of the task.",
        (
            "the image was built on a computer with another processor, such as a Mac with Apple silicon",
            "runtimePlatform of the task definition says ARM64 or X86_64, and the image is for the other",
        ),
        "docker build --platform linux/amd64 -t … . and push again, or set runtimePlatform.",
        "The same.",
    ),
    Explanation(
        "ecs-image-missing",
        r"failed to resolve ref \S+: \S+: not found|CannotPullImageManifestError|"
        r"CannotPullContainerError: .*manifest for \S+ not found",
        f"{_RESOLVE}{_IMAGE}:v9: {_IMAGE}:v9: not found",
        "ECR has no such image: the repository, the tag or the digest does not exist, or the image is archived. A "
        "reference with @sha256:… is the one that a service fixed for its tasks when it was deployed.",
        (
            "the tag was never pushed, or has a typing mistake",
            "a lifecycle policy deleted the image, often after its tag had moved on",
            "the task definition names the wrong account, Region or repository",
        ),
        "aws ecr describe-images shows what is there. If a service keeps asking for a digest that is gone: aws ecs "
        "update-service --force-new-deployment.",
        "The same; protect what runs from lifecycle policies: python3 -m ecrlab report --running.",
    ),
    Explanation(
        "ecs-docker-hub",
        r"failed to resolve ref docker\.io/.*insufficient_scope|Check whether the image exists",
        f"{_RESOLVE}docker.io/my-app:latest: pull access denied, repository does not exist or may require "
        "authorization: server message: insufficient_scope: authorization failed",
        "A name without a registry means Docker Hub, which has no such image.",
        ("the task definition says my-app:v1, without the host of the ECR registry",),
        "Write the whole URI: 123456789012.dkr.ecr.us-east-1.amazonaws.com/my-app:v1.",
        "The same.",
    ),
    Explanation(
        "ecs-no-route",
        r"failed to resolve ref .*i/o timeout|Check your network configuration",
        f'{_RESOLVE}docker.io/nginx:latest: failed to do request: Head "https://registry-1.docker.io/v2/…": dial tcp: '
        "i/o timeout",
        "The task cannot reach the registry.",
        (
            "in the lab: the registry is not ECR's, and the lab reaches no other",
            "on AWS: a task in a private subnet without a NAT gateway or VPC endpoints",
        ),
        "Take the image from public.ecr.aws/docker/library, or push it to ECR.",
        "A public IP address, a NAT gateway, or VPC endpoints for ecr.api, ecr.dkr and S3.",
    ),
    Explanation(
        "ecs-role-missing",
        r"ECS was unable to assume the role|Fargate requires task definition to have execution role",
        "ECS was unable to assume the role 'arn:aws:iam::123456789012:role/pull' that was provided for this task. "
        "Please verify that the role being passed has the proper trust relationship and permissions and that your IAM "
        "user has permissions to pass this role.",
        "A task pulls from ECR with its execution role, and there is none that ECS can use.",
        (
            "the trust policy of the role does not let ecs-tasks.amazonaws.com call sts:AssumeRole, or names another "
            "service",
            "executionRoleArn is missing in the task definition, or has a typing mistake",
            "the role was deleted",
        ),
        "Name a role that exists and trusts ecs-tasks.amazonaws.com (aws iam update-assume-role-policy); "
        "ecsTaskExecutionRole is created when it is first used.",
        "The same; and your own policies need iam:PassRole for it.",
    ),
    Explanation(
        "ecs-no-instances",
        r"No Container Instances were found|no container instance met all of its requirements",
        "No Container Instances were found in your cluster.",
        "The launch type EC2 needs a container instance in the cluster with room for the task.",
        (
            "launchType was left out, which means EC2",
            "the instance is registered in another cluster",
        ),
        "Use --launch-type FARGATE, or register a container instance.",
        "The same.",
    ),
    Explanation(
        "ecs-look-further",
        r"Task failed to start|is unable to consistently start tasks successfully",
        "Task failed to start",
        "The task stopped before it ran. The reason stands elsewhere.",
        ("an image cannot be pulled, in most cases",),
        "aws ecs describe-tasks --cluster … --tasks …: look at stoppedReason and at reason of each container, and give "
        "that text to lab.why().",
        "The same; stopped tasks are shown for an hour.",
    ),
    Explanation(
        "ecs-exited",
        r"Essential container in task exited",
        "Essential container in task exited",
        "The image was pulled and the container started, and then its program ended, which stops the task.",
        (
            "the image is for another processor: its log says exec format error",
            "on AWS: the program ended or crashed; exitCode of the container and its log say more",
        ),
        "The lab runs no program, so here it is always the processor: docker build --platform linux/amd64.",
        "Look at exitCode and the log of the container.",
    ),
)
