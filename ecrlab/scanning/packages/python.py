"""An installed Python distribution: `*.dist-info/METADATA`, or the older `*.egg-info` (PyPA core
metadata).
"""

import re

from ecrlab.scanning.packages.evidence import Evidence, EvidenceError, Found

_HEADER = re.compile(rb"^(Name|Version)[ \t]*:([^\r\n]*)", re.MULTILINE | re.IGNORECASE)


def read_metadata(_path: bytes, data: bytes) -> Evidence:
    """Read name and version from a distribution's core metadata; raises EvidenceError without both."""
    header = re.split(rb"\r?\n\r?\n", data, maxsplit=1)[0]
    fields = {key.lower(): value.strip() for key, value in reversed(_HEADER.findall(header))}
    name, version = (fields.get(key, b"").decode("utf-8", "backslashreplace") for key in (b"name", b"version"))
    if not name or not version:
        raise EvidenceError("its metadata names no package with a version")
    return Evidence(packages=(Found(name, version, "PyPI", source_name=name, source_version=version),))
