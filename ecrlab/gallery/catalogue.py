"""What is known of each official image: facts about it, and every package in it.

The facts (creation date, size, command, environment, package list) were transcribed from
docker-library/repo-info, which records each release of an official image; `data/catalogue.json` names the
page for each, `data/NAME.tsv` has the list. Only linux/amd64 is recorded there.
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
    """The source package (Debian) or origin (Alpine); empty where it is not known."""
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
    """The name of the image it was built from, where that is in the catalogue."""
    created: str
    size_on_disk_in_megabytes: float
    entrypoint: tuple[str, ...]
    command: tuple[str, ...]
    environment: tuple[str, ...]
    labels: dict[str, str]
    source: str


@cache
def images() -> dict[str, Facts]:
    """All images by name, bases before what is built from them."""
    document = json.loads((DATA / "catalogue.json").read_text(encoding="utf-8"))
    return {image["name"]: _facts(image) for image in document["images"]}


def _facts(image: dict[str, Any]) -> Facts:
    fields: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in image.items()}
    return Facts(**fields)


@cache
def packages(name: str) -> tuple[Package, ...]:
    """The packages of an image, in the order of its list."""
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
