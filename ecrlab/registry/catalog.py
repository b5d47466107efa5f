"""Catalog data: what the ECR Public Gallery says about a repository, and the display name of its registry.

Anybody can read it. The botocore model of `ecr-public` bounds the texts; a logo is a PNG file of 60 to 2048 pixels in
each direction (ECR Public user guide, repository catalog data).
"""

import json
import struct
import zlib
from typing import Any

from ecrlab.registry import repositories
from ecrlab.registry.errors import InvalidParameterException
from ecrlab.registry.repositories import Repository, Settings
from ecrlab.registry.settings import put_setting, setting
from ecrlab.registry.world import Change, Registry, World

Catalog = dict[str, Any]
"""AWS's members: description, architectures, operatingSystems, aboutText and usageText, if they were set.

In requests `logoImageBlob` are the bytes of the logo; in the registry `logoId` names it.
"""

SMALLEST_LOGO, LARGEST_LOGO = 60, 2048
"""Pixels of a logo in each direction."""

_LOGO, _DISPLAY_NAME = "logoImageBlob", "display name"
_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def create(registry: Registry, name: str, settings: Settings, catalog: Catalog) -> tuple[Repository, Catalog]:
    """Create a public repository with its catalog data; return both.

    Raises `InvalidParameterException` for a bad name or logo, `RepositoryAlreadyExistsException`.
    """
    with registry.world.change() as change:
        made = repositories.create_in(change, registry, name, settings)
        return made, _store(change, registry, made, catalog)


def put(registry: Registry, name: str, catalog: Catalog) -> Catalog:
    """Replace the catalog data of a repository; return it as stored.

    Raises `RepositoryNotFoundException`, `InvalidParameterException` for a bad logo.
    """
    # UNSURE: whether members that a request leaves out stay as they were; here the new data replaces the old.
    with registry.world.change() as change:
        return _store(change, registry, repositories.get(change.db, registry, name), catalog)


def of(registry: Registry, name: str) -> Catalog:
    """Return the catalog data of a repository; empty if it has none. Raises `RepositoryNotFoundException`."""
    # UNSURE: when AWS raises RepositoryCatalogDataNotFoundException; Terraform's provider reads the catalog data of
    # every repository and expects no error of those without.
    with registry.world.store.read() as db:
        repository = repositories.get(db, registry, name)
        row = db.execute("SELECT data FROM catalog WHERE repository_id = ?", (repository.id,)).fetchone()
    found: Catalog = json.loads(row["data"]) if row is not None else {}
    return found


def logo(world: World, logo_id: str) -> bytes | None:
    """Return the PNG file of a logo, or None if no repository has it."""
    with world.store.read(one=True) as db:
        row = db.execute("SELECT logo FROM catalog WHERE logo_id = ?", (logo_id,)).fetchone()
    return None if row is None else bytes(row["logo"])


def display_name(registry: Registry) -> str | None:
    """Return the display name of a registry, or None."""
    return setting(registry, _DISPLAY_NAME)


def put_display_name(registry: Registry, name: str | None) -> None:
    """Set the display name of a registry, or delete it. The gallery shows it for accounts that AWS has verified."""
    put_setting(registry, _DISPLAY_NAME, name)


def _store(change: Change, registry: Registry, repository: Repository, catalog: Catalog) -> Catalog:
    stored = {name: value for name, value in catalog.items() if name != _LOGO}
    logo_id, image = None, catalog.get(_LOGO)
    if image:
        _check_logo(image)
        stored["logoId"] = logo_id = registry.world.new_id()
    change.db.execute(
        "INSERT OR REPLACE INTO catalog VALUES (?, ?, ?, ?)", (repository.id, json.dumps(stored), logo_id, image)
    )
    return stored


def _check_logo(image: bytes) -> None:
    # UNSURE: the texts, and whether AWS accepts other formats; its guide speaks of PNG files, and all logos have .png.
    size = _size_of_png(image)
    if size is None:
        raise InvalidParameterException(_LOGO, "the logo must be a PNG image")
    if not all(SMALLEST_LOGO <= pixels <= LARGEST_LOGO for pixels in size):
        bounds = f"{SMALLEST_LOGO} to {LARGEST_LOGO} pixels in each direction"
        raise InvalidParameterException(_LOGO, f"the logo must have {bounds}, got {size[0]}x{size[1]}")


def _size_of_png(image: bytes) -> tuple[int, int] | None:
    """Return width and height in pixels; None if it is not a PNG file: IHDR first, IEND last, and all sums correct."""
    if not image.startswith(_SIGNATURE):
        return None
    place, kinds = len(_SIGNATURE), []
    while place < len(image):
        if place + 12 > len(image):
            return None
        (length,) = struct.unpack_from(">I", image, place)
        end = place + 8 + length
        if end + 4 > len(image) or struct.unpack_from(">I", image, end)[0] != zlib.crc32(image[place + 4 : end]):
            return None
        kinds.append((image[place + 4 : place + 8], length))
        place = end + 4
    if len(kinds) < 3 or kinds[0] != (b"IHDR", 13) or (b"IDAT" not in dict(kinds)) or kinds[-1] != (b"IEND", 0):
        return None
    width, height = struct.unpack_from(">II", image, len(_SIGNATURE) + 8)
    return width, height
