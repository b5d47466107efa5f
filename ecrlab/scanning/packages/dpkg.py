"""Debian's package database: `status`, `status.d` of distroless images, and the list of each package's files.

`var/lib/dpkg/status` holds a stanza per package (deb822, dpkg(1)); distroless images have one file per
package in `var/lib/dpkg/status.d` instead. A package counts while its files are on disk: every state but
`config-files` and `not-installed`. `Source: bash (5.2.15-2)` names the source, with its version where that
differs.
"""

import re
from collections.abc import Iterator

from ecrlab.scanning.packages.evidence import Evidence, EvidenceError, Found, insist_on_bounds, lines
from ecrlab.scanning.packages.manifests import ENDINGS

_FIELD = re.compile(r"(Package|Status|Version|Architecture|Source):(.*)")
_SOURCE = re.compile(r"(\S+)(?:\s+\((\S+)\))?")
_ABSENT = ("config-files", "not-installed")
_MANIFESTS = "|".join(re.escape(ending) for ending in (".dist-info", *ENDINGS)).encode()
_OWNED = re.compile(rb"^(?:[0-9a-f]{32}  /?|/)(.*(?:" + _MANIFESTS + rb"))$", re.MULTILINE | re.IGNORECASE)


def read_status(path: bytes, data: bytes) -> Evidence:
    """Read a status file, or one file of `status.d`; raises EvidenceError for what is neither."""
    where = path.decode("utf-8", "backslashreplace")
    packages: list[Found] = []
    for fields in _stanzas(data, where):
        found = _package(fields, where)
        if found is not None:
            packages.append(found)
            insist_on_bounds(packages, ())
    return Evidence(packages=tuple(packages))


def read_owned(path: bytes, data: bytes) -> Evidence:
    """Read which package manifests a Debian package brought, from its `.list` or `.md5sums`."""
    owner = path.rpartition(b"/")[2].rpartition(b".")[0].partition(b":")[0].decode("utf-8", "backslashreplace")
    owned: list[tuple[bytes, str]] = []
    for found in _OWNED.finditer(data):
        owned.append((found[1], owner))
        insist_on_bounds((), owned)
    return Evidence(owned=tuple(owned))


def _stanzas(data: bytes, where: str) -> Iterator[dict[str, str]]:
    """Go through the stanzas of a status file: of each the fields that matter here, "" for any other."""
    fields: dict[str, str] = {}
    for line in lines(data, where):
        match = _FIELD.match(line)
        if match:
            fields[match[1]] = match[2].strip()
        elif line.strip(" \t"):
            fields.setdefault("", "")
        elif fields:
            yield fields
            fields = {}


def _package(fields: dict[str, str], where: str) -> Found | None:
    state = fields.get("Status", "installed").split()
    if state and state[-1] in _ABSENT:
        return None
    name, version = fields.get("Package", ""), fields.get("Version", "")
    if not name or not version:
        raise EvidenceError(f"{where} has a stanza without a {'version' if name else 'package name'}")
    source = _SOURCE.match(fields.get("Source", ""))
    return Found(
        name,
        version,
        architecture=fields.get("Architecture", ""),
        source_name=source[1] if source else name,
        source_version=(source[2] if source else None) or version,
    )
