"""What is installed in an image: its distribution and its packages, each with its path and the layer that brought it.

A file that a distribution's package brought (`python3-requests` brings `requests`) is that package, not a second one.
What the scanner sees but does not read (an RPM database, Go binaries, gems, a corrupt manifest) has a place in the
inventory too: an image is clean only where everything in it was read.
"""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from packageurl import PackageURL

from ecrlab.scanning.errors import LayerError, TooLargeError, UnsupportedImageError
from ecrlab.scanning.files.layers import LayerSource, Limits
from ecrlab.scanning.files.rootfs import CircularLinkError, Piece, show
from ecrlab.scanning.files.unpack import Unpacked, identity, unpack
from ecrlab.scanning.packages import recognise
from ecrlab.scanning.packages.distribution import Distribution, from_os_release, from_release_file
from ecrlab.scanning.packages.evidence import Found
from ecrlab.scanning.versions import LANGUAGES
from ecrlab.scanning.vulnerabilities.osv import canonical_name

_MOST_REASONS = 100
"""Of what is not read; a hostile image has another one for each file."""


@dataclass(frozen=True)
class Package:
    """One installed package.

    `ecosystem` is OSV's word (Debian, Alpine, PyPI, npm, Maven); advisories go by `source_name` and
    `source_version` (apk: the origin; language packages: the package itself). `path` is from the image's
    root, for a distribution's package that of the database; `layer_index` counts from 0, the lowest layer.
    """

    name: str
    version: str
    ecosystem: str
    source_name: str
    source_version: str
    purl: str
    path: str
    layer_index: int
    layer_digest: str
    architecture: str = ""


@dataclass(frozen=True)
class NotInventoried:
    """Something present whose packages were not read: its kind, the path of the first, their number, and why."""

    kind: str
    path: str
    count: int
    reason: str


@dataclass(frozen=True)
class Inventory:
    """What an image holds, or why it cannot be told: `status` is COMPLETE, FAILED, IMAGE_SIZE_EXCEEDED or
    UNSUPPORTED_IMAGE.
    """

    status: str
    reason: str | None = None
    distribution: Distribution | None = None
    packages: tuple[Package, ...] = ()
    not_inventoried: tuple[NotInventoried, ...] = ()


def take_inventory(layers: Sequence[LayerSource], *, languages: bool = True, limits: Limits | None = None) -> Inventory:
    """List what is installed in an image, given its layers, lowest first.

    `languages` False keeps to the distribution's packages (ECR's BASIC scanning). Hostile or broken layers do not
    raise: the inventory has their status and the reason.
    """
    try:
        unpacked = unpack(layers, languages, limits or Limits())
        distribution = _distribution(unpacked)
        _insist_on_databases(unpacked)
        owners = _owners(unpacked)
        packages = tuple(_packages(unpacked, owners, layers, distribution))
    except UnsupportedImageError as cause:
        return Inventory("UNSUPPORTED_IMAGE", str(cause))
    except TooLargeError as cause:
        # UNSURE: what ECR calls too large is not public, nor which status it has for too many packages or too long a
        # scan; IMAGE_SIZE_EXCEEDED for all of them.
        return Inventory("IMAGE_SIZE_EXCEEDED", str(cause))
    except LayerError as cause:
        return Inventory("FAILED", str(cause))
    unread = tuple(_not_inventoried(unpacked, owners))
    reason = _unsupported(distribution, packages, unread)
    return Inventory("UNSUPPORTED_IMAGE" if reason else "COMPLETE", reason, distribution, packages, unread)


def _distribution(unpacked: Unpacked) -> Distribution | None:
    root = unpacked.root
    for path in recognise.RELEASE_FILES:
        try:
            piece = root.pieces.get(root.resolve(path))
        except CircularLinkError:
            continue  # A circle of links: as absent as to a program that would open it.
        if piece is None or piece.evidence is None:
            continue
        content = piece.evidence.text
        is_modern = path.endswith(b"os-release")
        found = from_os_release(content) if is_modern else from_release_file(path.decode(), content)
        if found is not None:
            return found
    return None


def _insist_on_databases(unpacked: Unpacked) -> None:
    """Raise LayerError where a package database is there but cannot be read."""
    root = unpacked.root
    for path, piece in root.evidence():
        if piece.kind is None or not piece.kind.vital:
            continue
        if piece.unreadable:
            raise LayerError(f"the package database {show(path)} cannot be read: {piece.unreadable}")
        if piece.link is not None:
            target = root.pieces.get(root.resolve(path))
            if target is None or target.evidence is None:
                raise LayerError(f"the package database {show(path)} is a link to {show(piece.link)}, not to a file")


def _packages(
    unpacked: Unpacked, owners: Mapping[bytes, int], layers: Sequence[LayerSource], distribution: Distribution | None
) -> Iterator[Package]:
    told: set[int] = set()  # hard links of one file share its evidence: they are one package, under its first name
    for path, piece in sorted(unpacked.root.evidence(), key=lambda item: recognise.is_cached(item[0])):
        if piece.evidence is None or id(piece.evidence) in told:
            continue
        for found in piece.evidence.packages:
            layer = unpacked.first_seen.get(identity(path, found), piece.layer)
            if found.ecosystem and _owned(path, layer, owners):
                continue
            told.add(id(piece.evidence))
            kind = piece.kind.name if piece.kind else ""
            yield Package(
                found.name, found.version, found.ecosystem or (distribution.ecosystem if distribution else ""),
                canonical_name(found.ecosystem, found.source_name), found.source_version,
                _purl(kind, found, distribution), show(path) + found.inside, layer, layers[layer].digest,
                found.architecture,
            )  # fmt: skip


def _owners(unpacked: Unpacked) -> dict[bytes, int]:
    """Map each manifest that a distribution's package brought to the layer which that package came with."""
    seen: dict[str, int] = {}
    claims: list[tuple[bytes, str, int]] = []
    for path, piece in unpacked.root.evidence():
        if piece.evidence is None or piece.kind not in (recognise.DPKG, recognise.DPKG_OWNED, recognise.APK):
            continue
        for found in piece.evidence.packages:
            seen[found.name] = unpacked.first_seen.get(identity(path, found), piece.layer)
        claims += [(owned, owner, piece.layer) for owned, owner in piece.evidence.owned]
    owners: dict[bytes, int] = {}
    for owned, owner, layer in claims:
        with contextlib.suppress(CircularLinkError):  # then no file can be there
            owners[unpacked.root.resolve_parent(owned)] = seen.get(owner, layer)
    return owners


def _owned(path: bytes, layer: int, owners: Mapping[bytes, int]) -> bool:
    # A manifest that changed in a layer after its owner's (npm install -g npm) is the distribution's no more.
    places = (path, path.rpartition(b"/")[0])
    return any(layer <= owners[place] for place in places if place in owners)


def _purl(kind: str, found: Found, distribution: Distribution | None) -> str:
    """Write the package URL (purl specification, types deb, apk, pypi, npm and maven)."""
    if found.ecosystem == "PyPI":
        return PackageURL("pypi", None, canonical_name("PyPI", found.name), found.version).to_string()
    if found.ecosystem == "npm":
        scope, _, name = found.name.rpartition("/")
        return PackageURL("npm", scope or None, name, found.version).to_string()
    if found.ecosystem == "Maven":
        group, _, name = found.name.partition(":")
        return PackageURL("maven", group, name, found.version).to_string()
    of = f"{distribution.id}-{distribution.version_id}".rstrip("-") if distribution else None
    qualifiers = {"arch": found.architecture, "distro": of or ""}
    kept = {key: value for key, value in qualifiers.items() if value}
    namespace = distribution.id if distribution else None
    return PackageURL({"dpkg": "deb"}.get(kind, kind), namespace, found.name, found.version, kept).to_string()


def _not_inventoried(unpacked: Unpacked, owners: Mapping[bytes, int]) -> Iterator[NotInventoried]:
    groups: dict[tuple[str, str], list[bytes]] = {}
    for path, piece in unpacked.root.evidence():
        reason = _why_unread(piece)
        if reason is not None and piece.kind is not None and not _owned(path, piece.layer, owners):
            key = (piece.kind.name, reason)
            if len(groups) >= _MOST_REASONS and key not in groups:
                key = (piece.kind.name, "it cannot be read, for one of many reasons")
            groups.setdefault(key, []).append(path)
    for (kind, reason), paths in groups.items():
        yield NotInventoried(kind, show(paths[0]), len(paths), reason)


def _why_unread(piece: Piece) -> str | None:
    if piece.evidence is not None:
        return piece.evidence.uninventoried
    if piece.unreadable is not None:
        return piece.unreadable
    return "it is a hard link to a file that is not there" if piece.hard else None


def _unsupported(
    distribution: Distribution | None, packages: Sequence[Package], unread: Sequence[NotInventoried]
) -> str | None:
    """Say why the image cannot be judged although it was read, or None when it can."""
    if any(item.kind == "rpm" for item in unread):
        title = distribution.title if distribution else "this image"
        return f"the packages of {title} are in an RPM database, which is not read"
    systems = [package for package in packages if package.ecosystem not in LANGUAGES]
    if distribution is None:
        if systems:
            return "it has a distribution's packages, but no os-release says of which"
        # UNSURE: ECR calls scratch images unsupported; whether with language packages too is open: judged here.
        return None if packages else "no distribution and no packages were found in it"
    if not systems:
        return f"it is {distribution.title}, but no package database says what is installed"
    return None
