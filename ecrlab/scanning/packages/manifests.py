"""The file names of the manifests of language packages.

`recognise` passes over all other files by these names, and the lists of what a distribution's package brought are
read for them alone.
"""

ARCHIVES = ("jar", "war", "ear", "par", "sar", "rar", "nar", "kar", "hpi", "jpi", "lpkg")
"""Java's archives, all of them zips: of libraries, applications, plug-ins (Jenkins: hpi, jpi), and connectors."""

ENDINGS = (
    *("/METADATA", "/PKG-INFO", ".egg-info", ".egg", "/package.json", ".gemspec", "/installed.json", ".deps.json"),
    *("/DESCRIPTION", *(f".{ending}" for ending in ARCHIVES)),
)
"""How the path of a manifest ends, in letters of either case."""

_ENDINGS = tuple(ending.lower().encode() for ending in ENDINGS)


def may_be_manifest(path: bytes) -> bool:
    """Tell whether a path ends as that of a manifest does."""
    return path.lower().endswith(_ENDINGS)
