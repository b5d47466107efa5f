"""The catalogue of official images: facts about each, and every package in it.

The facts (creation date, size, command, environment, package list) come from
docker-library/repo-info, which records each release of an official image for linux/amd64. `data/catalogue.json` names
the page for each image, `data/NAME.tsv` has its packages.
"""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

DATA = Path(__file__).parent / "data"


@dataclass(frozen=True, slots=True)
class Package:
    """One installed package, with the fields of its database: dpkg's, or apk's."""

    name: str
    version: str
    source: str
    """The source package (Debian) or origin (Alpine); empty if unknown."""
    source_version: str
    architecture_independent: bool = False
    installed_size_in_bytes: int = 0
    """Alpine only."""
    license: str = ""
    """Alpine only."""


@dataclass(frozen=True, slots=True)
class Facts:
    """One official image as it was published."""

    name: str
    repository: str
    tags: tuple[str, ...]
    os: str
    """`debian` or `alpine`"""
    os_version: str
    base: str | None
    """The name of its base image, if the catalogue has that."""
    created: str
    size_on_disk_in_megabytes: float
    entrypoint: tuple[str, ...]
    command: tuple[str, ...]
    environment: tuple[str, ...]
    labels: dict[str, str]
    source: str


@cache
def images() -> dict[str, Facts]:
    """Return all images by name, each base before its descendants."""
    document = json.loads((DATA / "catalogue.json").read_text(encoding="utf-8"))
    return {image["name"]: _facts(image) for image in document["images"]}


def _facts(image: dict[str, Any]) -> Facts:
    fields: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in image.items()}
    return Facts(**fields)


@cache
def packages(name: str) -> tuple[Package, ...]:
    """Return the packages of an image, in the order of its list."""
    rows = [line.split("\t") for line in (DATA / f"{name}.tsv").read_text(encoding="utf-8").splitlines()[1:]]
    if images()[name].os == "debian":
        return tuple(
            Package(package, version, source or package, source_version or version, architecture == "all")
            for package, version, architecture, source, source_version in rows
        )
    return tuple(
        Package(package, version, origin, version, False, int(size), terms)
        for package, version, size, terms, origin in rows
    )
