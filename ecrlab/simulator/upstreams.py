"""The upstream of a pull-through cache rule: the login, and the repository that is pulled from.

    private ECR                 another account or Region of the lab
    public.ecr.aws              the kit's gallery, and the learner's public repositories
    Docker Hub, Quay, GitHub …  a stand-in; see `ecrlab.simulator.stand_ins`

Nothing here leaves the machine.
"""

import io
from dataclasses import dataclass
from typing import BinaryIO

from ecrlab import gallery
from ecrlab.oci import manifest, strict_json
from ecrlab.oci.manifest import Manifest
from ecrlab.oci.strict_json import InvalidJson
from ecrlab.registry import images, layers, names, public, pull_through_cache, repositories
from ecrlab.registry.errors import (
    EcrError,
    ImageNotFoundException,
    InvalidParameterException,
    KmsException,
    RegistryNotFoundException,
    RepositoryNotFoundException,
)
from ecrlab.registry.images import ImageId
from ecrlab.registry.pull_through_cache import SERVICE, Rule
from ecrlab.registry.pull_through_copies import Source, role_session
from ecrlab.registry.pull_through_errors import (
    UpstreamAccessDenied,
    UpstreamImageNotFound,
    UpstreamUnavailable,
)
from ecrlab.registry.world import Registry
from ecrlab.simulator import stand_ins
from ecrlab.simulator.access import identities, judging
from ecrlab.simulator.access.callers import Caller
from ecrlab.simulator.moto import secrets
from ecrlab.simulator.stand_ins import StandIn


def connect(registry: Registry, rule: Rule) -> None:
    """Log in to the upstream of a rule, as ECR does before a pull and to validate the rule.

    Raises `UnableToGetUpstreamImageException`; an unreadable secret is `UpstreamAccessDenied`.
    """
    upstream = pull_through_cache.upstream_of(rule["upstreamRegistryUrl"])
    assert upstream is not None
    if upstream.login == "role":
        if "customRoleArn" in rule and not identities.trusts(rule["customRoleArn"], SERVICE):
            raise UpstreamAccessDenied
        return
    credentials = None
    if upstream.login == "secret":
        try:
            credentials = _credentials(secrets.read(registry, rule["credentialArn"]))
        except EcrError as error:
            # UNSURE: how a pull reports a secret that cannot be read; here in the words of CreatePullThroughCacheRule.
            raise UpstreamAccessDenied(error.message) from error
    stand_ins.of(registry.world)[upstream.name].connect(credentials)


def source(registry: Registry, rule: Rule, repository_name: str) -> Source:
    """Return the upstream repository that one of this registry stands for.

    Raises `UnableToGetUpstreamImageException`.
    """
    connect(registry, rule)
    url, name = rule["upstreamRegistryUrl"], pull_through_cache.upstream_name(rule, repository_name)
    upstream = pull_through_cache.upstream_of(url)
    assert upstream is not None
    if upstream.login == "role":
        there = pull_through_cache.private_registry(registry, url)
        _check_role(registry, rule, there, name)
        return OfRegistry(there, name)
    stand_in = stand_ins.of(registry.world)[upstream.name]
    stand_in.count()
    if stand_in.in_gallery(name) in gallery.repositories():
        return OfGallery(stand_in, name)
    if upstream.name == "ecr-public":
        alias, _, rest = name.partition("/")
        if names.ACCOUNT.fullmatch(alias):
            raise UpstreamImageNotFound
        try:
            return OfRegistry(public.registry_of_alias(registry.world, alias), rest)
        except (InvalidParameterException, RegistryNotFoundException):
            raise UpstreamImageNotFound from None
    if upstream.login == "secret":
        # Docker Hub does not tell a private repository from a missing one (aws/containers-roadmap#2354).
        raise UpstreamAccessDenied
    raise UpstreamImageNotFound


@dataclass(frozen=True, slots=True)
class OfGallery:
    """A repository of a stand-in."""

    stand_in: StandIn
    name: str

    def manifest(self, reference: str) -> Manifest | None:
        """Return the manifest of a tag or digest, or None."""
        return self.stand_in.manifest(self.name, reference)

    def open(self, digest: str) -> BinaryIO:
        """Open the bytes of a layer or config."""
        body = gallery.blob(self.stand_in.in_gallery(self.name), digest)
        if body is None:
            raise UpstreamUnavailable
        return io.BytesIO(body)


@dataclass(frozen=True, slots=True)
class OfRegistry:
    """A repository of a registry of the lab. It supplies what it has; a cache there imports nothing for it."""

    registry: Registry
    name: str

    def manifest(self, reference: str) -> Manifest | None:
        """Return the manifest of a tag or digest, or None."""
        image_id = ImageId(digest=reference) if ":" in reference else ImageId(tag=reference)
        try:
            found = images.find(self.registry, self.name, image_id)
        except (RepositoryNotFoundException, ImageNotFoundException):
            return None
        except KmsException as error:
            raise UpstreamUnavailable from error
        if found.status(self.registry.world.clock.now().timestamp()) != "ACTIVE":
            return None
        algorithm = found.digest.partition(":")[0]
        return manifest.read(found.body or b"", found.media_type, algorithm=algorithm)

    def open(self, digest: str) -> BinaryIO:
        """Open the bytes of a layer or config."""
        layer = layers.find(self.registry, self.name, digest)
        if layer is None or not layer.has_bytes:
            raise UpstreamUnavailable
        try:
            return self.registry.world.blobs.open(repositories.find(self.registry, self.name), digest)
        except KmsException as error:
            raise UpstreamUnavailable from error


PULLS = ("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "ecr:BatchImportUpstreamImage")
"""What the role of a rule does upstream (AWS user guide, permissions for cross-account ECR to ECR pull through cache).
"""


def _check_role(registry: Registry, rule: Rule, there: Registry, name: str) -> None:
    """Check that ECR may pull from a private registry. Raises `UpstreamAccessDenied`.

    Within an account the service-linked role may; a role needs its own policies, and those of another account too.
    """
    if "customRoleArn" not in rule:
        return
    role = rule["customRoleArn"].rpartition("/")[2]
    session = f"arn:aws:sts::{registry.account_id}:assumed-role/{role}/{role_session(registry).rpartition('/')[2]}"
    caller = Caller(registry.account_id, session, "")
    if any(judging.decide(caller, action, there, name).refusal is not None for action in PULLS):
        raise UpstreamAccessDenied


def _credentials(secret: str) -> dict[str, str]:
    """Read the value of a secret: JSON with `username` and `accessToken`. Any other value is no login.

    >>> _credentials('{"username": "learner", "accessToken": "x"}')
    {'username': 'learner', 'accessToken': 'x'}
    >>> _credentials("x")
    {}
    """
    try:
        found = strict_json.read_object(secret.encode(errors="replace"))
    except InvalidJson:
        return {}
    return {member: str(found[member]) for member in ("username", "accessToken") if member in found}
