"""What happens at a registry on one day: pushes and pulls. Instants are aware datetimes in UTC, sizes are in bytes."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple


class Blob(NamedTuple):
    """A config or a layer: its digest, and its size as stored (compressed)."""

    digest: str
    size: int


@dataclass(frozen=True, slots=True)
class Push:
    """One manifest that is pushed, under its tags (if any); they move to it from wherever they were.

    A digest that was pushed before is the same image: it only gets these tags too. What an index lists, and what a
    referrer is about, was pushed earlier.
    """

    pushed_at: datetime
    repository_name: str
    image_digest: str
    image_tags: tuple[str, ...]
    size_in_bytes: int
    """As in `imageSizeInBytes`: config and layers; for an index, its largest image."""
    media_type: str
    manifest: bytes
    """The JSON of which `image_digest` is the sha256."""
    blobs: tuple[Blob, ...] = ()
    """Config first, then the layers from the lowest up; none for an index."""
    children: tuple[str, ...] = ()
    """The digests that an index lists."""
    subject_digest: str | None = None
    """The image that a signature or an SBOM is about."""
    artifact_type: str | None = None
    """What a referrer is; None for images and indexes."""


@dataclass(frozen=True, slots=True)
class Pull:
    """One image that is pulled. A pull by the tag of an index is two: of the index and of the platform's image."""

    pulled_at: datetime
    repository_name: str
    image_digest: str


@dataclass(frozen=True, slots=True)
class Task:
    """What ECS runs: a task definition of this family, which names the image by tag or by digest.

    `since` is the day of its deployment, `image_digest` what the name meant on that day: with ECS's version consistency
    the tasks go on running that (ECS developer guide, container image resolution).
    """

    family: str
    repository_name: str
    reference: str
    """`:v1.2.3`, or `@sha256:…`"""
    image_digest: str
    since: date


@dataclass(frozen=True, slots=True)
class Day:
    """One day: its pushes and its pulls, each in the order of their instants; no two pushes share one."""

    date: date
    pushes: tuple[Push, ...]
    pulls: tuple[Pull, ...]
    deployments: tuple[Task, ...]
    """What ECS runs from this day on, in place of what it ran for the same family."""


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository of the shop; where releases may not move, `latest` and `pr-…` still may."""

    name: str
    is_immutable: bool = False
