"""Alpine's package database, `lib/apk/db/installed`: a stanza for each package, and the files that it brought.

Single letters name the fields (apk v2 database format): P package, V version, A architecture, o origin (the
source package), F a folder, R a file in it.
"""

from ecrlab.scanning.packages.evidence import Evidence, EvidenceError, Found, insist_on_bounds, lines
from ecrlab.scanning.packages.manifests import may_be_manifest


def read_installed(path: bytes, data: bytes) -> Evidence:
    """Read an apk database; raises EvidenceError for what is none."""
    where = path.decode("utf-8", "backslashreplace")
    packages: list[Found] = []
    owned: list[tuple[bytes, str]] = []
    fields: dict[str, str] = {}
    for line in lines(data, where):
        if not line:
            if fields:
                packages.append(_package(fields, where))
                fields = {}
        elif line[1:2] != ":":
            raise EvidenceError(f"{where} has a line that is no field: {line[:60]!r}")
        elif line[0] == "F":
            fields["F"] = line[2:]
        elif line[0] != "R":
            fields.setdefault(line[0], line[2:].strip())
        else:
            brought = f"{fields.get('F', '')}/{line[2:]}".encode("utf-8", "surrogateescape")
            if may_be_manifest(brought):
                owned.append((brought, fields.get("P", "")))
        insist_on_bounds(packages, owned)
    return Evidence(packages=tuple(packages), owned=tuple(owned))


def _package(fields: dict[str, str], where: str) -> Found:
    name, version = fields.get("P", ""), fields.get("V", "")
    if not name or not version:
        raise EvidenceError(f"{where} has a stanza without a {'version' if name else 'package name'}")
    return Found(name, version, "", fields.get("A", ""), fields.get("o") or name, version)
