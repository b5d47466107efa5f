"""An image's name: registry host, repository, and a tag or a digest.

    123456789012.dkr.ecr.us-east-1.amazonaws.com / team/my-app : v1.2.3
    domain                                         path         tag

A name without a host means Docker Hub (`my-app` is `docker.io/library/my-app`); Docker names local images in the same
way. Grammar: the distribution project's `reference` package. The lab knows only ECR's hosts.
"""

import re
from dataclasses import dataclass, replace

from ecrlab.docker.errors import DockerError

HUB = "docker.io"
PUBLIC = "public.ecr.aws"
PUBLIC_HOSTS = (PUBLIC, "ecr-public.aws.com")

_PATH = re.compile(r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*")
_DOMAIN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]+)?")
_TAG = re.compile(r"\w[\w.-]{0,127}", re.ASCII)
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_PRIVATE = re.compile(
    r"[0-9]{12}\.(?:dkr\.ecr(?:-fips)?\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?|dkr-ecr(?:-fips)?\.[a-z0-9-]+\.on\.aws)"
)
_OWN_ALIAS = re.compile(r"(?:[a-z][0-9]){4}/")


@dataclass(frozen=True, slots=True)
class Reference:
    """A parsed name; the tag, the digest or both may be empty."""

    domain: str
    path: str
    tag: str = ""
    digest: str = ""

    @property
    def repository(self) -> str:
        """The full name of the repository, with its host."""
        return f"{self.domain}/{self.path}"

    @property
    def name(self) -> str:
        """Host and repository as Docker prints them, without `docker.io/library/`."""
        if self.domain != HUB:
            return self.repository
        return self.path.removeprefix("library/")

    @property
    def is_ecr(self) -> bool:
        """Tell whether the host is one of ECR's: private, or ECR Public."""
        return self.domain in PUBLIC_HOSTS or bool(_PRIVATE.fullmatch(self.domain))

    def with_tag(self, tag: str = "latest") -> "Reference":
        """Return the reference with `tag`, if it has neither tag nor digest."""
        return self if self.tag or self.digest else replace(self, tag=tag)

    def __str__(self) -> str:
        return self.name + (f":{self.tag}" if self.tag else "") + (f"@{self.digest}" if self.digest else "")


def parse(text: str) -> Reference:
    """Read a name, also in its short form.

    >>> str(parse("docker.io/library/my-app:v1"))
    'my-app:v1'
    >>> parse("public.ecr.aws/docker/library/alpine").domain
    'public.ecr.aws'
    """
    rest, _, digest = text.partition("@")
    domain, path = HUB, rest
    first, slash, after = rest.partition("/")
    if slash and (set(first) & set(".:") or first == "localhost" or first != first.lower()):
        domain, path = first, after
    path, colon, tag = path.partition(":")
    if domain == HUB and "/" not in path:
        path = f"library/{path}"
    if not _PATH.fullmatch(path) and _PATH.fullmatch(path.lower()):
        raise DockerError(f"invalid reference format: repository name ({path}) must be lowercase")
    valid = _PATH.fullmatch(path) and _DOMAIN.fullmatch(domain) and (not colon or _TAG.fullmatch(tag))
    if not valid or ("@" in text and not _DIGEST.fullmatch(digest)):
        raise DockerError("invalid reference format")
    return Reference(domain, path, tag, digest)


def require_registry(reference: Reference) -> None:
    """Raise `DockerError` for a host outside the lab; the text suggests another name.

    The connection checks the lab's own address (`127.0.0.1:PORT`).
    """
    if reference.is_ecr or re.fullmatch(r"(?:127\.0\.0\.1|localhost):\d+", reference.domain):
        return
    if reference.domain != HUB:
        raise DockerError(f"{reference.domain} is not in the lab's world, which has only Amazon ECR and {PUBLIC}")
    raise DockerError(_instead_of_hub(reference))


def what_the_gallery_has(reference: Reference) -> str:
    """Return a line on what the gallery offers, for an unknown name at ECR Public; else an empty text.

    A name below the alias of a learner's own registry is not one of the gallery's.
    """
    if reference.domain not in PUBLIC_HOSTS or _OWN_ALIAS.match(reference.path):
        return ""
    from ecrlab import gallery

    tags = gallery.tags(reference.path)
    if tags:
        return f"\nThe lab's gallery has {reference.name} with the tags {', '.join(tags)}."
    return f"\nThe lab's gallery has {', '.join(gallery.repositories())}."


def _instead_of_hub(reference: Reference) -> str:
    from ecrlab import gallery

    said = f"{reference.name} means Docker Hub, which the lab never reaches"
    repository = f"docker/{reference.path}"
    tags = gallery.tags(repository)
    if not tags:
        return f"{said}: name an ECR registry, or one of the images at {PUBLIC}/docker/library"
    wanted = reference.tag.removesuffix("-slim")
    tag = next((tag for tag in tags if wanted and tag.startswith(wanted)), tags[-1])
    return f"{said}: use {PUBLIC}/{repository}:{tag}"
