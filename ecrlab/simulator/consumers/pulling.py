"""How a service pulls an image from the lab's ECR: what it gets, or why it cannot.

    GetAuthorizationToken ─► manifest of the tag ─► manifest of the platform ─► config and layers
         its own policies       ecr:BatchGetImage                                ecr:GetDownloadUrlForLayer

It uses the handlers of `/v2/` without HTTP. So permissions, caches, KMS keys, the time of the last pull and CloudTrail
are as for a Docker client. Only ECR and ECR Public are in the lab's reach.
"""

import contextlib
import io
from dataclasses import dataclass, replace
from enum import Enum, auto

from ecrlab import gallery
from ecrlab.docker import platforms, references
from ecrlab.docker.errors import DockerError
from ecrlab.docker.references import Reference
from ecrlab.errors import EcrLabError
from ecrlab.oci import strict_json
from ecrlab.oci.manifest import LARGEST, Manifest, read
from ecrlab.oci.media_types import MANIFESTS
from ecrlab.oci.strict_json import InvalidJson
from ecrlab.registry import images, names, public
from ecrlab.registry.errors import (
    AccessDeniedException,
    EcrError,
    ImageNotFoundException,
    InvalidParameterException,
    KmsException,
    RegistryNotFoundException,
    RepositoryNotFoundException,
)
from ecrlab.registry.images import ImageId
from ecrlab.registry.pull_through_errors import UpstreamImageNotFound
from ecrlab.registry.tokens import LIFETIME, Token
from ecrlab.registry.world import Registry, World
from ecrlab.simulator import cloud_trail
from ecrlab.simulator.access import judging
from ecrlab.simulator.access.callers import Caller
from ecrlab.simulator.v2 import auth, blobs, manifests
from ecrlab.simulator.v2.errors import Refusal, refusal
from ecrlab.simulator.v2.recording import recorded
from ecrlab.simulator.v2.visit import Handler, Visit
from ecrlab.simulator.v2.wire import Request, Response

PLATFORM = "linux/amd64"


class Kind(Enum):
    """Why a pull fails."""

    WRONG_NAME = auto()  # the reference is malformed
    NOT_ECR = auto()  # the registry is not in the lab's reach
    NO_TOKEN = auto()  # ecr:GetAuthorizationToken is denied
    DENIED = auto()  # ecr:BatchGetImage or ecr:GetDownloadUrlForLayer is denied
    REPOSITORY_MISSING = auto()  # the repository does not exist
    TAG_MISSING = auto()  # the tag does not exist
    DIGEST_MISSING = auto()  # the digest does not exist
    NO_PLATFORM = auto()  # the index has no image for the platform
    KEY_UNAVAILABLE = auto()  # the KMS key cannot be used
    ARCHIVED = auto()  # the image is archived, or being restored
    LAYER_MISSING = auto()  # a layer is not there
    REFUSED = auto()  # the registry refuses for another reason


class CannotPull(EcrLabError):
    """A pull failed. `kind` says why; `status` and `code` are the registry's, 0 and empty if it was not asked; `path`
    is what the refused request was for, such as `/v2/app/manifests/v1`.

    `message` is the text of ECR or of the client, such as `User: … is not authorized to perform: …`. With `NO_TOKEN`
    status, code and text are those of GetAuthorizationToken.
    """

    def __init__(
        self, kind: Kind, reference: Reference | None, message: str, status: int = 0, code: str = "", path: str = ""
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.reference = reference
        self.message = message
        self.status = status
        self.code = code
        self.path = path

    @property
    def in_docker(self) -> str:
        """The registry's error as Docker prints it: `denied: User: …`, `manifest unknown: Requested image not found`.

        (distribution, registry/api/errcode: the code in small letters, without underscores.)
        """
        return f"{self.code.lower().replace('_', ' ')}: {self.message}" if self.code else self.message


@dataclass(frozen=True, slots=True)
class Pulled:
    """An image that was pulled.

    `digest` is what the reference names, possibly an index; `manifest` is the image of the platform in it; `platform`
    is that of the image's config, such as `linux/arm64`, which an image without an index may have on any machine. Empty
    if the config does not name one.
    """

    reference: Reference
    digest: str
    manifest: Manifest
    platform: str

    @property
    def size_in_bytes(self) -> int:
        """The size of config and layers, compressed."""
        return sum(blob.size for blob in self.manifest.blobs)


def role_session(role_arn: str, session: str) -> Caller:
    """Return the session of a role (its ARN or, for a role with a path, that of the role) as a caller.

    The session `i-1` of `arn:aws:iam::123456789012:role/node` is
    `arn:aws:sts::123456789012:assumed-role/node/i-1`.
    """
    partition, _, _, account_id, resource = role_arn.removeprefix("arn:").split(":", 4)
    return Caller(account_id, f"arn:{partition}:sts::{account_id}:assumed-role/{resource.split('/')[-1]}/{session}", "")


def resolve(world: World, text: str, caller: Caller, *, agent: str = "") -> str:
    """Return the digest that a reference names now, possibly of an index; this is not a pull.

    Raises `CannotPull` like `pull`.
    """
    puller = _puller(world, _parse(text), caller, agent)
    return puller.reference.digest or puller.digest()


def pull(
    world: World, text: str, caller: Caller, *, platform: str | None = PLATFORM, agent: str = "", digest: str = ""
) -> Pulled:
    """Pull an image as a caller, a session of a role or a service (`Caller`), and return what was pulled.

    `digest` pins the image that the tag named before. With `platform=None` an index is returned as it is, without its
    images. `agent` is the client in CloudTrail. A caller without an account, such as `lambda.amazonaws.com`, needs no
    token. Raises `CannotPull`.
    """
    parsed = _parse(text)
    if digest:
        parsed = replace(parsed, digest=digest)
    puller = _puller(world, parsed, caller, agent)
    top = puller.manifest(parsed.digest or parsed.tag)
    chosen = top
    if top.is_index:
        if platform is None:
            return Pulled(parsed, top.digest, top, "")
        try:
            chosen = puller.manifest(platforms.choose(top, platform, str(parsed)))
        except DockerError as error:
            raise CannotPull(Kind.NO_PLATFORM, parsed, str(error)) from error
    for layer in chosen.layers:
        if not layer.is_foreign:
            puller.blob(layer.digest)
    config = chosen.config
    body = b"" if config is None else puller.blob(config.digest, read=config.size <= LARGEST)
    return Pulled(parsed, top.digest, chosen, _platform(body))


def _parse(text: str) -> Reference:
    try:
        return references.parse(text).with_tag()
    except DockerError as error:
        raise CannotPull(Kind.WRONG_NAME, None, str(error)) from error


def _puller(world: World, reference: Reference, caller: Caller, agent: str) -> "_FromEcr | _FromGallery":
    """Return the access to a registry for one pull. Raises `CannotPull`."""
    world.keep_up()
    if reference.domain == references.PUBLIC:
        return _public_puller(world, reference, agent)
    region = auth.region_of(reference.domain)
    if region is None:
        text = f"{reference.domain} is outside the lab, which has only Amazon ECR and {references.PUBLIC}"
        raise CannotPull(Kind.NOT_ECR, reference, text)
    token = Token(
        caller.account_id or reference.domain[:12], region, caller.arn, caller.access_key, world.clock.now() + LIFETIME
    )
    registry = auth.registry_of(world, reference.domain, token)
    if caller.account_id:
        _check_token(registry, reference, caller, agent)
    return _FromEcr(registry, reference, reference.path, token, agent, caller)


def _public_puller(world: World, reference: Reference, agent: str) -> "_FromEcr | _FromGallery":
    """Return the access to ECR Public: to a repository below the alias of an account, or to the gallery."""
    alias, _, name = reference.path.partition("/")
    # The alias `docker` is the gallery's; an account number is no alias for Docker clients.
    if alias == names.DOCKER_ALIAS or names.ACCOUNT.fullmatch(alias):
        return _FromGallery(reference)
    try:
        registry = public.registry_of_alias(world, alias)
    except (InvalidParameterException, RegistryNotFoundException):
        return _FromGallery(reference)
    nobody = Token(registry.account_id, registry.region, "", "", world.clock.now() + LIFETIME)
    return _FromEcr(registry, reference, name, nobody, agent, None)


def _check_token(registry: Registry, reference: Reference, caller: Caller, agent: str) -> None:
    """Ask for a token of the image's registry, as the caller. Raises `CannotPull`."""
    own = registry.world.registry(caller.account_id, registry.region)
    parameters = {"registryIds": [registry.account_id]}
    error: tuple[str, str] | None = None
    try:
        judging.require(caller, "ecr:GetAuthorizationToken", own, "")
    except AccessDeniedException as denied:
        error = cloud_trail.named(denied)
        raise CannotPull(Kind.NO_TOKEN, reference, denied.message, denied.status, denied.code) from denied
    finally:
        cloud_trail.note(caller, own, "GetAuthorizationToken", parameters, None if error else {}, error, agent=agent)


class _FromEcr:
    """Requests of one pull to the repository `name` of a registry; without a caller everything is allowed."""

    def __init__(
        self, registry: Registry, reference: Reference, name: str, token: Token, agent: str, caller: Caller | None
    ) -> None:
        self.reference = reference
        self._registry = registry
        self._name = name
        self._token = token
        self._agent = agent
        self._caller = caller

    def digest(self) -> str:
        """Return the digest that the tag names."""
        return dict(self._ask("HEAD", manifests.look, "manifests", self.reference.tag).headers)["Docker-Content-Digest"]

    def manifest(self, thing: str) -> Manifest:
        """Return the manifest of a tag or digest."""
        response = self._ask("GET", manifests.send, "manifests", thing)
        assert isinstance(response.body, bytes)
        return read(response.body, dict(response.headers)["Content-Type"], algorithm=_algorithm(thing))

    def blob(self, digest: str, *, read: bool = False) -> bytes:
        """Open a config or layer; return its bytes with `read`."""
        body = self._ask("GET", blobs.send, "blobs", digest).body
        if isinstance(body, bytes):
            return body
        try:
            return b"".join(body) if read else b""
        except EcrError as error:
            raise self._failed(error, "blobs", digest) from error
        finally:
            body.close()

    def _ask(self, method: str, handler: Handler, kind: str, thing: str) -> Response:
        environ = {
            "REQUEST_METHOD": method,
            "PATH_INFO": f"/v2/{self.reference.path}/{kind}/{thing}",
            "HTTP_HOST": self.reference.domain,
            "HTTP_ACCEPT": ", ".join(MANIFESTS) if kind == "manifests" else "*/*",
            "HTTP_USER_AGENT": self._agent,
            "wsgi.input": io.BytesIO(),
        }
        visit = Visit(Request(environ), self._token, self._registry, self._name, thing, self._authorize, None)
        try:
            return recorded(handler, visit)
        except (EcrError, Refusal) as error:
            raise self._failed(error, kind, thing) from error

    def _authorize(self, token: Token, action: str, registry: Registry, repository_name: str) -> None:
        del token  # it lacks the resource that a service acts for
        if self._caller is not None:
            judging.require(self._caller, action, registry, repository_name)

    def _failed(self, error: EcrError | Refusal, kind: str, thing: str) -> CannotPull:
        told = error if isinstance(error, Refusal) else refusal(error)
        path = f"/v2/{self.reference.path}/{kind}/{thing}"
        return CannotPull(self._why(error, thing), self.reference, told.message, told.status, told.code, path)

    def _why(self, error: EcrError | Refusal, thing: str) -> Kind:
        match error:
            case AccessDeniedException():
                return Kind.DENIED
            case RepositoryNotFoundException():
                return Kind.REPOSITORY_MISSING
            case ImageNotFoundException() | UpstreamImageNotFound():
                return _missing(thing)
            case KmsException():
                return Kind.KEY_UNAVAILABLE
            case Refusal(code="BLOB_UNKNOWN"):
                return Kind.LAYER_MISSING
            case Refusal(code="MANIFEST_UNKNOWN"):
                return Kind.ARCHIVED if self._exists(thing) else _missing(thing)
        return Kind.REFUSED

    def _exists(self, thing: str) -> bool:
        image_id = ImageId(digest=thing) if ":" in thing else ImageId(tag=thing)
        with contextlib.suppress(EcrError):
            images.find(self._registry, self._name, image_id, body=False)
            return True
        return False


class _FromGallery:
    """Requests of one pull to the public gallery, which everybody may pull from."""

    def __init__(self, reference: Reference) -> None:
        self.reference = reference

    def digest(self) -> str:
        """Return the digest that the tag names."""
        return self.manifest(self.reference.tag).digest

    def manifest(self, thing: str) -> Manifest:
        """Return the manifest of a tag or digest."""
        found = gallery.manifest(self.reference.path, thing)
        if found is not None:
            return found
        if self.reference.path not in gallery.repositories():
            # UNSURE: the text of ECR Public for a missing repository, as in `v2/gallery.py`.
            text = f"The repository with name '{self.reference.path}' does not exist in the public gallery"
            raise CannotPull(Kind.REPOSITORY_MISSING, self.reference, text, 404, "NAME_UNKNOWN")
        raise CannotPull(_missing(thing), self.reference, "Requested image not found", 404, "MANIFEST_UNKNOWN")

    def blob(self, digest: str, *, read: bool = False) -> bytes:
        """Return the bytes of a config or layer."""
        del read
        body = gallery.blob(self.reference.path, digest)
        if body is None:
            raise CannotPull(Kind.LAYER_MISSING, self.reference, "blob unknown to registry", 404, "BLOB_UNKNOWN")
        return body


def _missing(thing: str) -> Kind:
    return Kind.DIGEST_MISSING if ":" in thing else Kind.TAG_MISSING


def _algorithm(thing: str) -> str:
    return thing.partition(":")[0] if ":" in thing else "sha256"


def _platform(config: bytes) -> str:
    """Return `os/architecture` of an image's config; empty if it has none."""
    try:
        document = strict_json.read_object(config)
    except InvalidJson:
        return ""
    return f"{document['os']}/{document['architecture']}" if {"os", "architecture"} <= document.keys() else ""
