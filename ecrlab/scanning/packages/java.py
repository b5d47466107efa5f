"""The Maven artifacts in a jar, by the `pom.properties` their builds left inside; also in jars within the
jar.

A fat jar (Spring Boot, a war) holds other jars whole, a shaded one the classes and the properties of several
artifacts. A jar without any `pom.properties` has no coordinates to look up, and is said to be so.
"""

import io
import lzma
import re
import zipfile
import zlib
from collections.abc import Iterator

from ecrlab.scanning.packages.evidence import Evidence, EvidenceError, Found

_POM = re.compile(r"META-INF/maven/[^/]+/[^/]+/pom\.properties")
_NESTED = re.compile(r".+\.(?:jar|war|ear)", re.IGNORECASE)
_DEEPEST = 5  # an ear holds a war that holds a jar: 3
_LARGEST_POM = 1 << 16
_LARGEST_NESTED = 256 << 20
_EXPANDED_IN_ALL = 1 << 30
_MOST_ENTRIES = 200_000


def read_jar(_path: bytes, data: bytes) -> Evidence:
    """Read the artifacts of a jar, war or ear; raises EvidenceError for a corrupt or hostile one."""
    try:
        found = tuple(dict.fromkeys(_artifacts(data, "", _Budget())))
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, OSError, EOFError, ValueError, NotImplementedError,
            RuntimeError) as cause:  # fmt: skip
        raise EvidenceError(f"it cannot be read as a jar: {cause}") from cause
    return Evidence(found, uninventoried=None if found else "it has no pom.properties, so no coordinates")


class _Budget:
    """How much one outermost jar may still expand to, in bytes and entries."""

    def __init__(self) -> None:
        self.expanded = _EXPANDED_IN_ALL
        self.entries = _MOST_ENTRIES

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
        for entry in archive.infolist():
            if _POM.fullmatch(entry.filename):
                artifact = _artifact(_content(archive, entry, _LARGEST_POM, budget), inside)
                if artifact:
                    yield artifact
            elif _NESTED.fullmatch(entry.filename):
                nested = _content(archive, entry, _LARGEST_NESTED, budget)
                yield from _artifacts(nested, f"{inside}!/{entry.filename}", budget)


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
