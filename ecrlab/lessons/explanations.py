"""Frequent errors of ECR: what each means, what usually causes it, and the cure, in the lab and on AWS.

The texts are those that AWS and Docker print; they are recognised by the part that never changes. Sources: AWS user
guide, common errors when using Amazon ECR, and the public issue trackers of the clients.
"""

import re
import textwrap
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Explanation:
    """One error; it is recognised by `sign` in its text, ignoring case."""

    sign: re.Pattern[str]
    means: str
    causes: tuple[str, ...]
    cure_here: str
    cure_on_aws: str

    def page(self, error: str) -> str:
        """The explanation as text, under the error it explains."""
        lines = [_wrapped(error, "  "), "", "What it means", _wrapped(self.means, "  "), "", "Usual causes"]
        lines += [_wrapped(cause, "  - ", "    ") for cause in self.causes]
        lines += ["", "The cure here", _wrapped(self.cure_here, "  ")]
        lines += ["", "The cure on AWS", _wrapped(self.cure_on_aws, "  ")]
        return "\n".join(lines)


def explain(error: str) -> str:
    """What an error means, its causes and cures; for an unknown one, how to read it."""
    for explanation in EXPLANATIONS:
        if explanation.sign.search(error):
            return explanation.page(error)
    return (
        f"{_wrapped(error, '  ')}\n\nThis one is not among the famous errors. An error of AWS has three parts:\n"
        "the class in parentheses, the operation, and a sentence that names repository, tag or digest. Docker\n"
        "prints just such a sentence; what stands before its first colon says how far it came."
    )


def _wrapped(text: str, first: str, rest: str | None = None) -> str:
    return textwrap.fill(
        " ".join(text.split()),
        100,
        initial_indent=first,
        subsequent_indent=first if rest is None else rest,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _explanation(sign: str, means: str, causes: list[str], here: str, on_aws: str) -> Explanation:
    return Explanation(re.compile(sign, re.IGNORECASE), means, tuple(causes), here, on_aws)


EXPLANATIONS = (
    _explanation(
        "no basic auth credentials",
        "Docker has no password for this registry's host name, so it sent none.",
        [
            "nobody ran docker login for just this host: another account or Region is another host",
            "the login was made by another user (sudo) or with another DOCKER_CONFIG",
            "a credential helper is configured for the host and found nothing",
        ],
        "Run the login pipeline again, with the host name that the image's name begins with.",
        "The same. In pipelines, log in within the job that pushes; jobs that share a runner overwrite each other.",
    ),
    _explanation(
        "authorization token has expired",
        "There is a password, but its twelve hours are over. The registry answers 403, not 401, so Docker does not ask "
        "for a new one by itself.",
        [
            "the login is older than twelve hours",
            "the clock was moved: the lab's by you, a machine's by a bad time server",
        ],
        "Run the login pipeline again; the new token is valid from the lab's time on.",
        "The same; or install the ECR credential helper, which fetches a fresh token each time.",
    ),
    _explanation(
        "(name unknown|RepositoryNotFoundException|repository with name .* does not exist)",
        "The registry is right and you are logged in, but there is no repository of that name. ECR does not make one "
        "when you push.",
        ["the repository was never created", "a typing mistake", "it is in another Region or account"],
        "aws ecr create-repository --repository-name NAME, or compare with aws ecr describe-repositories.",
        "The same; or a repository creation template for CREATE_ON_PUSH, which makes those of a prefix by itself.",
    ),
    _explanation(
        "(tag invalid|ImageTagAlreadyExistsException|TAG_INVALID)",
        "The tag is taken, and this repository does not let tags move. Nothing was overwritten.",
        [
            "the version number was not raised",
            "a build was run twice; even the same image again is refused",
            "latest is pushed to a repository where every tag is immutable",
        ],
        "Push under a new tag, or exclude tags that should move with --image-tag-mutability IMMUTABLE_WITH_EXCLUSION.",
        "The same. Deploy by digest when you need to be sure which image it is.",
    ),
    _explanation(
        r"GetAuthorizationToken.*not authorized|not authorized to perform: ecr:GetAuthorizationToken",
        "The caller may not ask for a token. This action belongs to the registry, so it can only be allowed on all "
        "resources.",
        ['the policy allows ecr:GetAuthorizationToken on a repository\'s ARN; it must be "Resource": "*"'],
        'Give the user or role a policy with ecr:GetAuthorizationToken on "*".',
        "The same; AmazonEC2ContainerRegistryPullOnly and its siblings have it.",
    ),
    _explanation(
        "not authorized to perform: ecr:",
        "You are known, but may not do this with this repository. The text names who, what and which.",
        [
            "a role that may pull tries to push: pushing needs five actions more",
            "the policy names another repository, account or Region in its Resource",
            "across accounts both sides must allow it: your identity policy and their repository policy",
            "an explicit Deny somewhere; it always wins",
        ],
        "Compare the text with the policy and mend it; in the lab a changed policy acts at once.",
        "The same; a change of IAM may take some seconds to act.",
    ),
    _explanation(
        "exec format error",
        "The kernel cannot run the program: it was built for another processor.",
        ["an image built on an arm64 laptop runs on amd64 machines, or the other way round"],
        "docker build --platform linux/amd64,linux/arm64 makes an index with one image for each.",
        "The same with docker buildx; Lambda wants an image of just one architecture.",
    ),
    _explanation(
        "image manifest, config or layer media type",
        "Lambda was given an index, or a manifest of a kind it does not take.",
        ["docker buildx adds an attestation, and with it an index, unless told not to"],
        "docker build --provenance=false, and one --platform.",
        "The same.",
    ),
    _explanation(
        "CannotPullContainerError|ErrImagePull|ImagePullBackOff",
        "A service tried to pull the image and could not; the words after it tell which of many reasons it was.",
        [
            "the tag or digest is not there (a lifecycle policy may have removed it)",
            "the task's execution role may not pull",
            "no network path to ECR or to S3, from which layers come: in private subnets an S3 gateway endpoint",
            "the image is for another processor",
        ],
        "Look whether aws ecr describe-images shows the image, then at permissions.",
        "The same, then routes and VPC endpoints: ecr.api, ecr.dkr and S3.",
    ),
    _explanation(
        "UNSUPPORTED_IMAGE|UnsupportedImageTypeException|UnsupportedImageError",
        "The scanner cannot read this image: an index, no operating system it knows, or one that is too old.",
        ["an index was asked for: scan its images instead", "an image from scratch holds no package database"],
        "Scan the digest of one platform's image.",
        "The same; the list of supported operating systems is in the Amazon Inspector user guide.",
    ),
    _explanation(
        "ScanNotFoundException",
        "Nobody has scanned this image yet.",
        ["scan on push is off", "the push was a moment ago", "the image that was scanned had another digest"],
        "aws ecr start-image-scan, then aws ecr wait image-scan-complete.",
        "The same.",
    ),
    _explanation(
        "scan quota per image|LimitExceededException.*scan",
        "An image is scanned at most once in 24 hours, and scan on push counts.",
        ["the image was pushed with scan on push, or scanned by hand, less than a day ago"],
        "lab.clock.advance(days=1), then again.",
        "Wait a day; or read the findings that are there.",
    ),
    _explanation(
        "Lifecycle policy validation failure",
        "ECR does not take this lifecycle policy; after the colon it says what is wrong with it.",
        [
            "a rule for any image that is not the last one",
            "countUnit with imageCountMoreThan, or none with sinceImagePushed",
            "tagged without tagPrefixList or tagPatternList, or with both",
        ],
        "python3 -m ecrlab lifecycle lint policy.json names the place in the JSON.",
        "The same; the policy that was there before still holds.",
    ),
    _explanation(
        "LifecyclePolicyNotFoundException",
        "The repository has no lifecycle policy, so nothing is ever deleted there.",
        ["it was never put, or deleted again", "another repository, Region or account was meant"],
        "aws ecr put-lifecycle-policy; a preview needs a text as long as there is none.",
        "The same.",
    ),
    _explanation(
        "ImageInaccessible|is archived and cannot be pulled|being restored from the archive",
        "The image is in the archive, or on its way back; until it is ACTIVE nobody can pull it.",
        ["a lifecycle rule with the action transition, or update-image-storage-class, archived it"],
        "aws ecr update-image-storage-class --target-storage-class STANDARD, then lab.clock.advance(minutes=20).",
        "The same, and wait; or push the same image again, which restores it at once.",
    ),
    _explanation(
        "ImageReferencedByManifestList",
        "An index lists this image, so it cannot go before the index does.",
        ["a multi-architecture image: what you pushed under the tag is the index, these are its parts"],
        "Delete the index first, by its tag or digest, then the images.",
        "The same; lifecycle policies follow the same rule.",
    ),
    _explanation(
        "RepositoryNotEmptyException",
        "The repository holds images, and deleting it would delete them.",
        ["untagged images are images too; aws ecr list-images shows them"],
        "aws ecr delete-repository --force, if you mean it.",
        "The same. There is no way back.",
    ),
    _explanation(
        "toomanyrequests|TooManyRequests|ThrottlingException",
        "Too many requests in a short time; the registry asks you to slow down.",
        ["many machines pull from public.ecr.aws without logging in", "a loop asks for a token before each pull"],
        "The lab has no such limit; something else answered.",
        "Log in (also to ECR Public), cache tokens for their twelve hours, or use a pull through cache.",
    ),
    _explanation(
        "RepositoryAlreadyExistsException|EntityAlreadyExists|LayerAlreadyExistsException",
        "What you want to make is there already. Nothing was changed, and nothing was lost.",
        ["a cell or a script was run a second time", "two jobs make the same thing"],
        "Go on: what you need is there. To begin anew, run lab = ecrlab.start() and the cells after it.",
        "Scripts ask first (aws ecr describe-repositories), or take this error for success.",
    ),
    _explanation(
        "Could not connect to the endpoint URL",
        "Nobody listens at that address, so no lab answered; nothing was sent anywhere else.",
        [
            "the lab was stopped, or not started yet, or the kernel was restarted",
            "a terminal was attached to a lab that has ended since",
        ],
        "Run lab = ecrlab.start() and the cells after it; in a terminal, then attach again with python3 -m ecrlab env.",
        "A wrong --region or endpoint, or no network.",
    ),
    _explanation(
        "no lab is running here",
        "The docker command found no lab, and did not use the Docker that is installed: nothing was changed.",
        [
            "the lab was stopped, or not started yet, or the kernel was restarted",
            "a terminal was attached to a lab that has ended since",
        ],
        'Run lab = ecrlab.start() and the cells after it; for the installed Docker, ecrlab.start(docker="system").',
        "Docker's own error of this kind is: Cannot connect to the Docker daemon. Start Docker.",
    ),
    _explanation(
        "cannot perform an interactive login",
        "docker login got an empty password, and there is nobody it could ask for one.",
        ["the command left of the pipe failed: its own error stands above this one, and is the one to read"],
        "Run aws ecr get-login-password by itself, and give lab.why() the text that it prints.",
        "The same.",
    ),
    _explanation(
        r"login attempt to .* 403 Forbidden",
        "The registry knows the kind of password, and rejects this one.",
        ["the password is older than twelve hours"],
        "Run the login pipeline again.",
        "The same.",
    ),
    _explanation(
        r"login attempt to .* 40[01] ",
        "The registry rejects the login itself: user and password are no token for this host.",
        [
            "--region and the Region in the host name differ",
            "--username is not AWS",
            "the left side of the pipe failed, so that the password is empty or is an error message",
        ],
        "Name the same Region twice: behind --region, and in the host name. Run the left side of the pipe alone once.",
        "The same.",
    ),
    _explanation(
        "No such image|does not exist locally",
        "Docker has no image of that name on this machine.",
        [
            "a new lab begins with no images, so one that was built before is gone",
            "it was never built or pulled, or under another name or tag",
        ],
        "docker images shows what is there; run the cell with docker build again.",
        "The same; docker pull brings it from the registry.",
    ),
    _explanation(
        "means Docker Hub",
        "A name without a registry's host in front means Docker Hub.",
        ["the image was built as my-app:v1 and never got its full name"],
        "docker tag gives it the full name, which begins with the host of your registry; push that.",
        "There, Docker would send it to Docker Hub, or say denied: requested access to the resource is denied.",
    ),
    _explanation(
        "no matching manifest for",
        "The tag is an index, and none of its images is for this platform.",
        ["the image was built for other processors than this one"],
        "docker manifest inspect lists the platforms; build with --platform for the one that is missing.",
        "The same.",
    ),
    _explanation(
        "needs an engine",
        "The lab's docker command has no engine, so it can start no container.",
        ["docker run, ps, exec and RUN in a Dockerfile start programs in containers"],
        'Nothing in the lessons needs it. With Docker installed, ecrlab.start(docker="system") uses that.',
        "It works there, as with any Docker.",
    ),
    _explanation(
        "layer already exists",
        "No error at all: the registry has this layer, so it is not sent again.",
        ["the image shares layers with one that was pushed before"],
        "Nothing to cure.",
        "Nothing to cure; it saves time and storage.",
    ),
    _explanation(
        "manifest unknown|ImageNotFoundException|Requested image not found",
        "The repository is there, the tag or digest is not.",
        ["it was never pushed, or under another tag", "it was deleted, by hand or by a lifecycle policy"],
        "aws ecr list-images --repository-name NAME shows what is there.",
        "The same.",
    ),
    _explanation(
        "does not simulate",
        "The kit does not simulate this operation (yet).",
        ["docs/fidelity.md lists what it does"],
        "Nothing is wrong with your command; try it on AWS.",
        "It works there.",
    ),
)
