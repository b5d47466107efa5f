"""Alpine's package database, `lib/apk/db/installed`: a stanza per package, and after its fields what it
brought.

Single letters name the fields (apk v2 database format): P package, V version, A architecture, o origin (the
source package), F a folder, R a file in it.
"""

import re
from collections.abc import Iterator

from ecrlab.scanning.packages.evidence import Evidence, EvidenceError, Found, text
from ecrlab.scanning.packages.manifests import may_be_manifest


def read_installed(path: bytes, data: bytes) -> Evidence:
    """Read an apk database; raises EvidenceError for what is none."""
    where = path.decode("utf-8", "backslashreplace")
    packages: list[Found] = []
    owned: list[tuple[bytes, str]] = []
    for stanza in re.split(r"\n\n+", text(data, where)):
        if not stanza.strip():
            continue
        lines = stanza.strip("\n").split("\n")
        fields: dict[str, str] = {}
        for line in lines:
            if line[1:2] != ":":
                raise EvidenceError(f"{where} has a line that is no field: {line[:60]!r}")
            fields.setdefault(line[0], line[2:].strip())
        name, version = fields.get("P", ""), fields.get("V", "")
        if not name or not version:
            raise EvidenceError(f"{where} has a stanza without a {'version' if name else 'package name'}")
        origin = fields.get("o") or name
        packages.append(Found(name, version, "", fields.get("A", ""), origin, version))
        owned += [(brought, name) for brought in _manifests(lines)]
    return Evidence(packages=tuple(packages), owned=tuple(owned))


def _manifests(lines: list[str]) -> Iterator[bytes]:
    folder = ""
    for line in lines:
        if line.startswith("F:"):
            folder = line[2:]
        elif line.startswith("R:"):
            path = f"{folder}/{line[2:]}".encode("utf-8", "surrogateescape")
            if may_be_manifest(path):
                yield path
