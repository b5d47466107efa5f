"""An installed Node package: the `package.json` in its own folder under `node_modules`."""

import json

from ecrlab.scanning.packages.evidence import Evidence, EvidenceError, Found


def read_package_json(_path: bytes, data: bytes) -> Evidence:
    """Read name and version from a package's manifest; a manifest without either is no package."""
    try:
        manifest = json.loads(data)
    except (ValueError, RecursionError) as cause:
        raise EvidenceError("it is not JSON") from cause
    if not isinstance(manifest, dict):
        raise EvidenceError("it is no package manifest")
    name, version = manifest.get("name"), manifest.get("version")
    if not (isinstance(name, str) and isinstance(version, str) and name and version):
        return Evidence()
    try:
        (name + version).encode()
    except UnicodeEncodeError as cause:
        raise EvidenceError("its name or version has half a surrogate pair, which is no character") from cause
    return Evidence(packages=(Found(name, version, "npm", source_name=name, source_version=version),))
