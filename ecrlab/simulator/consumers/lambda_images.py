"""Which images Lambda accepts for a function, and what happens to the function when its image is lost.

    CreateFunction, UpdateFunctionCode   `admit`     a tag becomes a digest; a moved tag changes nothing afterwards
    every look at the function           `trouble`   is the image still there, and may Lambda still read it?

Lambda reads an image as the service lambda.amazonaws.com. The policy of the repository decides, and the function's
execution role has no part in it (AWS Lambda developer guide, create a function using a container image). The texts are
Lambda's, from public logs; a number after a repository's name is the issue that quotes it.
"""

import json
import re
from dataclasses import dataclass
from typing import NamedTuple

from ecrlab.oci.manifest import DIGEST, Manifest
from ecrlab.oci.media_types import COMPRESSIONS
from ecrlab.registry import images, kms_keys, names, repositories
from ecrlab.registry.errors import (
    EcrError,
    ImageNotFoundException,
    RepositoryNotFoundException,
    RepositoryPolicyNotFoundException,
)
from ecrlab.registry.iam import Decision
from ecrlab.registry.images import ImageId
from ecrlab.registry.repositories import Repository
from ecrlab.registry.world import Registry, World
from ecrlab.simulator import cloud_trail
from ecrlab.simulator.access import judging
from ecrlab.simulator.access.callers import Caller
from ecrlab.simulator.consumers import pulling
from ecrlab.simulator.consumers.pulling import CannotPull, Kind

SERVICE = "lambda.amazonaws.com"
READING = ("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
CHANGING = ("ecr:GetRepositoryPolicy", "ecr:SetRepositoryPolicy")

SID = "LambdaECRImageRetrievalPolicy"
ADDED = sorted((*READING, *CHANGING, "ecr:DeleteRepositoryPolicy"))
"""The actions of the statement that Lambda adds to a repository's policy, as policies of live repositories show it."""

LARGEST = 10 * 1024**3
"""Bytes of the largest image, uncompressed (Lambda quotas). The lab knows compressed sizes only, which are smaller."""

# UNSURE: Lambda's text for FIPS and dual-stack hosts of ECR; here the same as for hosts of others.
_URI = re.compile(
    rf"(?P<account>[0-9]{{12}})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(?:\.cn)?/(?P<name>[a-z0-9._/-]{{2,256}})"
    rf"(?=[:@])(?::(?P<tag>{names.TAG.pattern}))?(?:@(?P<digest>{DIGEST.pattern}))?"
)


class InvalidParameterValueException(EcrError):
    """Lambda does not accept a parameter."""


class NoAccess(EcrError):
    """The policy of the repository does not let Lambda read the image."""

    status = 403
    code = "AccessDeniedException"

    def __init__(self) -> None:
        super().__init__("Lambda does not have permission to access the ECR image. Check the ECR permissions.")


class Trouble(NamedTuple):
    """Why a function failed: a StateReasonCode of the botocore model of `lambda`, and the StateReason."""

    code: str
    reason: str


# aws-actions/aws-lambda-deploy#68, aws/aws-cdk#27007, aws-samples/aws-genai-llm-chatbot#59.
DELETED = Trouble("ImageDeleted", "The function is trying to use a deleted image.")
DENIED = Trouble("ImageAccessDenied", "The function does not have permission to access the specified image.")
TOO_LARGE = Trouble("InvalidImage", "SizeLimitExceeded: Uncompressed container image size exceeds 10 GiB limit")


@dataclass(frozen=True, slots=True)
class FunctionImage:
    """The image of a function: its URI as the caller wrote it, and the digest that Lambda resolved it to."""

    uri: str
    account_id: str
    region: str
    repository: str
    digest: str

    @property
    def resolved(self) -> str:
        """The ResolvedImageUri of GetFunction."""
        return f"{names.repository_uri(self.account_id, self.region, self.repository)}@{self.digest}"


def admit(world: World, function_arn: str, uri: str, creator: Caller | None) -> FunctionImage:
    """Return the image for a function's code; Lambda reads it once, as a pull.

    `creator` is the caller who creates or updates the function, or None where nobody is known. Lambda adds a statement
    for itself to the repository's policy if it needs one, and the creator may. Raises `InvalidParameterValueException`
    and `NoAccess`.
    """
    _, _, _, region, account_id, *_ = function_arn.split(":")
    named = _URI.fullmatch(uri)
    # Another Region: binxio/cfn-ses-provider#27.
    if named is None or named["region"] != region:
        raise _unfit(uri, "is not valid")
    world.keep_up()
    registry = world.registry(named["account"], region)
    try:
        repository = repositories.find(registry, named["name"])
        _open(registry, repository, _service(function_arn), creator, account_id)
        # Before the pull, which a pull-through cache rule could fill: Lambda does not use these rules.
        images.find(registry, repository.name, ImageId(named["digest"], named["tag"]), body=False)
        pulled = pulling.pull(world, uri, _service(function_arn), platform=None, agent=SERVICE)
    except RepositoryNotFoundException as error:
        # UNSURE: what Lambda says about a missing repository of another account; here the same as without access.
        raise (_unfit(uri, "does not exist") if registry.account_id == account_id else NoAccess()) from error
    except ImageNotFoundException as error:
        raise _unfit(uri, "does not exist") from error
    except CannotPull as error:
        if error.kind in (Kind.DENIED, Kind.KEY_UNAVAILABLE):
            # UNSURE: what Lambda says when the repository's KMS key cannot be used.
            raise NoAccess from error
        # UNSURE: what Lambda says about an archived image, and about one whose layers are lost.
        raise _unfit(uri, "is not valid") from error
    if not _is_supported(pulled.manifest):
        raise InvalidParameterValueException(
            f"The image manifest, config or layer media type for the source image {uri} is not supported."
        )
    return FunctionImage(uri, registry.account_id, region, repository.name, pulled.digest)


def trouble(world: World, function_arn: str, image: FunctionImage) -> Trouble | None:
    """Return why a function with this image fails now, or None."""
    # UNSURE: when Lambda notices, and whether a function recovers without an update when its image is back. Lambda
    # keeps a copy and fetches the image "periodically" (developer guide, invoking functions defined as container
    # images), so that a function can run on for weeks without it; the lab has no copy, and looks at every request.
    world.keep_up()
    registry = world.registry(image.account_id, image.region)
    try:
        repository = repositories.find(registry, image.repository)
        found = images.find(registry, image.repository, ImageId(image.digest), body=False)
    except (RepositoryNotFoundException, ImageNotFoundException):
        return DELETED
    is_active = found.status(world.clock.now().timestamp()) == "ACTIVE"
    # UNSURE: the code of an archived image, and of a KMS key that cannot be used.
    if not is_active or not _has_key(world, repository) or _refusals(registry, repository, _service(function_arn)):
        return DENIED
    return TOO_LARGE if found.size > LARGEST else None


def _service(function_arn: str) -> Caller:
    return Caller("", SERVICE, "", source_arn=function_arn)


def _unfit(uri: str, what: str) -> InvalidParameterValueException:
    return InvalidParameterValueException(f"Source image {uri} {what}. Provide a valid source image.")


def _refusals(
    registry: Registry, repository: Repository, caller: Caller, actions: tuple[str, ...] = READING
) -> list[Decision]:
    """Return the decisions that refuse one of the actions to a caller."""
    decisions = [judging.decide(caller, action, registry, repository.name) for action in actions]
    return [decision for decision in decisions if decision.refusal is not None]


def _open(registry: Registry, repository: Repository, service: Caller, creator: Caller | None, account_id: str) -> None:
    """Return if Lambda may read the images of a repository; in the own account it may let itself in.

    Raises `NoAccess`.
    """
    refusals = _refusals(registry, repository, service)
    if registry.account_id != account_id:
        # UNSURE: whether the creator's own policies must allow the pull as well; here they must, as for any pull.
        if refusals or (creator is not None and _refusals(registry, repository, creator)):
            raise NoAccess
        return
    if not refusals:
        return
    is_denied = any(decision.statement is not None for decision in refusals)
    if is_denied or creator is None or _refusals(registry, repository, creator, CHANGING):
        raise NoAccess
    _add_statement(registry, repository, creator)


def _add_statement(registry: Registry, repository: Repository, creator: Caller) -> None:
    """Let Lambda read a repository's images, in the creator's name."""
    # UNSURE: whether the statement stays when Lambda then refuses the image; Lambda cannot read it before.
    functions = f"arn:aws:lambda:{registry.region}:{registry.account_id}:function:*"
    added = {
        "Sid": SID,
        "Effect": "Allow",
        "Principal": {"Service": SERVICE},
        "Action": ADDED,
        "Condition": {"StringLike": {"aws:sourceArn": functions}},
    }
    document = json.loads(repository.policy or '{"Version": "2008-10-17", "Statement": []}')
    statements = document["Statement"] if isinstance(document["Statement"], list) else [document["Statement"]]
    document["Statement"] = [*(one for one in statements if one.get("Sid") != SID), added]
    text = repositories.set_policy(registry, repository.name, json.dumps(document))
    asked = {"repositoryName": repository.name}
    absent = RepositoryPolicyNotFoundException(repository.name, registry.account_id)
    error = cloud_trail.named(absent) if repository.policy is None else None
    cloud_trail.note(creator, registry, "GetRepositoryPolicy", asked, error=error, agent=SERVICE)
    wanted = asked | {"policyText": text}
    answer = wanted | {"registryId": registry.account_id}
    cloud_trail.note(creator, registry, "SetRepositoryPolicy", wanted, answer, agent=SERVICE)


def _is_supported(manifest: Manifest) -> bool:
    """Tell whether Lambda takes an image of this kind: of one platform, and with layers that it can unpack."""
    # UNSURE: reports disagree about OCI manifests, which Lambda's guide accepts, and so does the lab. The guide names
    # Docker's schema 2 and OCI 1.0; neither has layers with zstd, so that these are refused.
    return manifest.is_container_image and all(
        COMPRESSIONS.get(layer.media_type) in ("tar", "gzip") and not layer.is_foreign for layer in manifest.layers
    )


def _has_key(world: World, repository: Repository) -> bool:
    """Tell whether ECR can decrypt the images of a repository now."""
    if repository.kms_key is None:
        return True
    key = kms_keys.find(world, repository.kms_key)
    return key is not None and key.state == "Enabled" and bool(kms_keys.grants_of(world, key.arn, repository.arn))
