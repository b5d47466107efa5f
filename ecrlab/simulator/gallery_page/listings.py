"""What the gallery shows: public repositories with their texts and tags, as plain values.

They are the repositories of all accounts' public registries, and the kit's own images below AWS's alias `docker`.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from ecrlab import gallery
from ecrlab.oci.manifest import Manifest
from ecrlab.registry import catalog, names, public, repositories
from ecrlab.registry.errors import EcrError
from ecrlab.registry.world import Registry, World

MOST = 1000
"""The most repositories of one registry in the list."""

STAND_IN = "A stand-in of the lab for Docker's official image: its package list is true, and it has no programs."
STAND_IN_USAGE = "```\nFROM {uri}\nCOPY app /app\n```\n"


@dataclass(frozen=True, slots=True)
class Tag:
    """One tag: its image's digest and compressed size in bytes, and when it was pushed (UTC)."""

    name: str
    digest: str
    size_in_bytes: int
    pushed_at: datetime


@dataclass(frozen=True, slots=True)
class Listing:
    """One public repository, as it describes itself; its tags, the newest first."""

    full_name: str
    """With the alias: `l9v4i4d7/my-app`."""
    publisher: str
    """The display name of its registry, or the alias."""
    description: str = ""
    about: str = ""
    usage: str = ""
    architectures: tuple[str, ...] = ()
    operating_systems: tuple[str, ...] = ()
    logo_id: str = ""
    tags: tuple[Tag, ...] = ()

    @property
    def uri(self) -> str:
        """Its name for Docker clients."""
        return f"{names.PUBLIC_HOST}/{self.full_name}"


def of_all(world: World) -> list[Listing]:
    """Return all public repositories, without their tags: those of the world by alias and name, then the kit's."""
    published = [
        _published(registry, repository.name)
        for registry in public.registries(world)
        for repository in repositories.describe(registry, most=MOST)
    ]
    return published + [_of_the_kit(name) for name in gallery.repositories()]


def of_one(world: World, full_name: str) -> Listing | None:
    """Return one public repository with its tags, or None if there is none of this name."""
    if full_name in gallery.repositories():
        return _of_the_kit(full_name, with_tags=True)
    alias, _, name = full_name.partition("/")
    try:
        registry = public.registry_of_alias(world, alias)
        return _published(registry, name, with_tags=True) if public.alias(registry) == alias else None
    except EcrError:
        return None


def _published(registry: Registry, name: str, *, with_tags: bool = False) -> Listing:
    alias = public.alias(registry) or ""
    shown = catalog.of(registry, name)
    found = public.tagged_images(registry, name) if with_tags else []
    return Listing(
        full_name=f"{alias}/{name}",
        publisher=catalog.display_name(registry) or alias,
        description=shown.get("description", ""),
        about=shown.get("aboutText", ""),
        usage=shown.get("usageText", ""),
        architectures=tuple(shown.get("architectures", ())),
        operating_systems=tuple(shown.get("operatingSystems", ())),
        logo_id=shown.get("logoId", ""),
        tags=tuple(
            Tag(one.tag, one.image.digest, one.image.size, datetime.fromtimestamp(one.at, UTC))
            for one in sorted(found, key=lambda one: (-one.at, one.tag))
        ),
    )


def _of_the_kit(name: str, *, with_tags: bool = False) -> Listing:
    tags = [_tag_of_the_kit(name, tag) for tag in gallery.tags(name)] if with_tags else []
    return Listing(
        full_name=name,
        publisher="Docker",
        description=STAND_IN,
        usage=STAND_IN_USAGE.format(uri=f"{names.PUBLIC_HOST}/{name}:{gallery.tags(name)[-1]}"),
        architectures=("x86-64", "ARM 64"),
        operating_systems=("Linux",),
        tags=tuple(sorted(tags, key=lambda tag: tag.pushed_at, reverse=True)),
    )


def _tag_of_the_kit(name: str, tag: str) -> Tag:
    index = _manifest(name, tag)
    # The size of an index is that of its largest image, as in ECR's API.
    images = [_manifest(name, child.digest) for child in index.children]
    size = max(sum(blob.size for blob in image.blobs) for image in images)
    return Tag(tag, index.digest, size, gallery.created(name, tag))


def _manifest(name: str, reference: str) -> Manifest:
    found = gallery.manifest(name, reference)
    if found is None:
        raise LookupError(f"the gallery has no {name}:{reference}")
    return found
