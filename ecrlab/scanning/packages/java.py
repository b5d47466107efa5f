"""The Maven artifacts in a jar, by the `pom.properties` that their builds left in it; also in jars within the jar.

A fat jar (Spring Boot, a war, a Jenkins plug-in) holds other jars whole, a shaded one the classes and the properties
of several artifacts. A jar without any `pom.properties` has no coordinates to look up; the evidence says so, also
of jars within the jar.
"""

import io
import lzma
import re
import zipfile
import zlib
from collections.abc import Iterator

from ecrlab.scanning.packages.evidence import Evidence, EvidenceError, Found
from ecrlab.scanning.packages.manifests import ARCHIVES

_POM = re.compile(r"META-INF/maven/[^/]+/[^/]+/pom\.properties")
_NESTED = re.compile(rf".+\.(?:{'|'.join(ARCHIVES)})", re.IGNORECASE)
_DEEPEST = 5  # an ear holds a war that holds a jar: 3
_LARGEST_POM = 1 << 16
_LARGEST_NESTED = 256 << 20
_EXPANDED_IN_ALL = 512 << 20
_MOST_ENTRIES = 200_000


def read_jar(path: bytes, data: bytes) -> Evidence:
    """Read the artifacts of a Java archive; raises EvidenceError for a corrupt or hostile one."""
    if _is_other_rar(path.decode("latin-1"), data):
        return Evidence()
    budget = _Budget()
    try:
        found = tuple(dict.fromkeys(_artifacts(data, "", budget)))
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, OSError, EOFError, ValueError, NotImplementedError,
            RuntimeError) as cause:  # fmt: skip
        raise EvidenceError(f"it cannot be read as a jar: {cause}") from cause
    if not found:
        return Evidence(uninventoried="it has no pom.properties, so no coordinates")
    nameless = budget.nameless
    jars = "a jar in it has" if nameless == 1 else f"{nameless} jars in it have"
    return Evidence(found, uninventoried=f"{jars} no pom.properties, so no coordinates" if nameless else None)


def _is_other_rar(name: str, data: bytes) -> bool:
    """Tell a RAR archive, which has nothing to do with Java, from a connector of the same ending."""
    return name.lower().endswith(".rar") and not data.startswith(b"PK")


class _Budget:
    """How much the outermost jar may still expand to, in bytes and entries, and how many jars in it have no name."""

    def __init__(self) -> None:
        self.expanded = _EXPANDED_IN_ALL
        self.entries = _MOST_ENTRIES
        self.nameless = 0

    def spend(self, expanded: int = 0, entries: int = 0) -> None:
        self.expanded -= expanded
        self.entries -= entries
        if self.expanded < 0 or self.entries < 0:
            raise ValueError("it holds more than any jar: refused as a bomb")


def _artifacts(data: bytes, inside: str, budget: _Budget) -> Iterator[Found]:
    if inside.count("!") >= _DEEPEST:
        raise ValueError(f"jars lie in it more than {_DEEPEST} deep")
    # Counted before zipfile makes an object of each; what nested jars hold uncompressed counts along.
    budget.spend(entries=data.count(b"PK\x01\x02"))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        told = False
        for entry in archive.infolist():
            if _POM.fullmatch(entry.filename):
                artifact = _artifact(_content(archive, entry, _LARGEST_POM, budget), inside)
                if artifact:
                    told = True
                    yield artifact
            elif _NESTED.fullmatch(entry.filename):
                nested = _content(archive, entry, _LARGEST_NESTED, budget)
                if not _is_other_rar(entry.filename, nested):
                    told = True
                    yield from _artifacts(nested, f"{inside}!/{entry.filename}", budget)
        budget.nameless += not told


def _content(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, limit: int, budget: _Budget) -> bytes:
    # The directory's sizes may lie: read no further than allowed, whatever it says.
    with archive.open(entry) as stream:
        content = stream.read(limit + 1)
    if len(content) > limit:
        raise ValueError(f"{entry.filename} in it is larger than {limit:,} bytes")
    budget.spend(expanded=len(content))
    return content


def _artifact(properties: bytes, inside: str) -> Found | None:
    lines = properties.decode("utf-8", "backslashreplace").splitlines()
    fields = {key.strip(): value.strip() for key, _, value in (line.partition("=") for line in lines)}
    group, artifact, version = (fields.get(key, "") for key in ("groupId", "artifactId", "version"))
    if not (group and artifact and version):
        return None
    name = f"{group}:{artifact}"
    return Found(name, version, "Maven", source_name=name, source_version=version, inside=inside)
