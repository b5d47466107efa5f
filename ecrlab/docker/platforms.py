"""Platforms: operating system, processor, and sometimes its variant, as in `linux/amd64` or `linux/arm/v7`."""

import os

from ecrlab.docker.errors import DockerError
from ecrlab.oci.manifest import Manifest

_ALIASES = {"x86_64": "amd64", "aarch64": "arm64"}
_ARCHITECTURES = {"386", "amd64", "arm", "arm64", "ppc64le", "riscv64", "s390x"}


def default_platform() -> str:
    """Return DOCKER_DEFAULT_PLATFORM, or else linux/amd64 on every machine."""
    return normalized(os.environ.get("DOCKER_DEFAULT_PLATFORM") or "linux/amd64")


def normalized(text: str) -> str:
    """Return the full form of a platform.

    >>> normalized("arm64"), normalized("linux/arm64/v8"), normalized("linux/x86_64")
    ('linux/arm64', 'linux/arm64', 'linux/amd64')
    """
    parts = [_ALIASES.get(part, part) for part in text.strip().lower().split("/")]
    parts = parts if parts[0] in ("linux", "windows") else ["linux", *parts]
    if not 2 <= len(parts) <= 3 or parts[1] not in _ARCHITECTURES:
        raise DockerError(f'ERROR: failed to parse platform "{text}": unknown operating system or architecture')
    return "/".join(parts).replace("arm64/v8", "arm64")


def suits(offered: str, wanted: str) -> bool:
    """Tell whether an image for one platform suits another: `linux/arm64/v8` suits `linux/arm64`."""
    parts = normalized(wanted).split("/")
    return offered.split("/")[: len(parts)] == parts


def choose(index: Manifest, wanted: str, name: str) -> str:
    """Return the digest in an index for a platform; `name` is the index's name in the error."""
    for child in index.children:
        if suits(child.platform_name, wanted):
            return child.digest
    raise DockerError(f"no matching manifest for {wanted} in the manifest list entries of {name}")
