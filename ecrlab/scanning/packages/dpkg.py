"""Debian's package database: `status`, `status.d` of distroless images, and the list of each package's files.

`var/lib/dpkg/status` holds a stanza per package (deb822, dpkg(1)); distroless images have one file per
package in `var/lib/dpkg/status.d` instead. A package counts while its files are on disk: every state but
`config-files` and `not-installed`. `Source: bash (5.2.15-2)` gives the source's name, and its version where
that differs.
"""

import re
from collections.abc import Iterator

from ecrlab.scanning.packages.evidence import Evidence, EvidenceError, Found, text
from ecrlab.scanning.packages.manifests import ENDINGS

_FIELDS = re.compile(r"^(Package|Status|Version|Architecture|Source):(.*)$", re.MULTILINE)
_SOURCE = re.compile(r"(\S+)(?:\s+\((\S+)\))?")
_ABSENT = ("config-files", "not-installed")
_OWNED = re.compile(
    rb"^(?:[0-9a-f]{32}  /?|/)(.*(?:"
    + "|".join(re.escape(ending) for ending in (".dist-info", *ENDINGS)).encode()
    + rb"))$",
    re.MULTILINE | re.IGNORECASE,
)


def read_status(path: bytes, data: bytes) -> Evidence:
    """Read a status file, or one file of `status.d`; raises EvidenceError for what is neither."""
    where = path.decode("utf-8", "backslashreplace")
    return Evidence(packages=tuple(_packages(text(data, where), where)))


def read_owned(path: bytes, data: bytes) -> Evidence:
    """Read which package manifests a Debian package brought, from its `.list` or `.md5sums`."""
    owner = path.rpartition(b"/")[2].rpartition(b".")[0].partition(b":")[0].decode("utf-8", "backslashreplace")
    return Evidence(owned=tuple((found, owner) for found in _OWNED.findall(data)))


def _packages(status: str, where: str) -> Iterator[Found]:
    for stanza in re.split(r"\n(?:[ \t]*\n)+", status):
        if not stanza.strip():
            continue
        fields = {key: value.strip() for key, value in _FIELDS.findall(stanza)}
        state = fields.get("Status", "installed").split()
        if state and state[-1] in _ABSENT:
            continue
        name, version = fields.get("Package", ""), fields.get("Version", "")
        if not name or not version:
            raise EvidenceError(f"{where} has a stanza without a {'version' if name else 'package name'}")
        source = _SOURCE.match(fields.get("Source", ""))
        yield Found(
            name,
            version,
            architecture=fields.get("Architecture", ""),
            source_name=source[1] if source else name,
            source_version=(source[2] if source else None) or version,
        )
