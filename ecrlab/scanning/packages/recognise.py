"""Which files of an image tell about packages, told by their paths alone, for tens of thousands of them go
by.

The paths are those the package managers themselves use; a database may also lie where a symbolic link of such
a path leads (the file system sees to that).
"""

import re

from ecrlab.scanning.packages import apk, dpkg, java, node, python
from ecrlab.scanning.packages.evidence import Evidence, Kind, text

_MIB = 1 << 20


def _release(path: bytes, data: bytes) -> Evidence:
    return Evidence(text=text(data, path.decode("utf-8", "backslashreplace")))


def _present(why: str, name: str) -> Kind:
    return Kind(name, 0, lambda _path, _data: Evidence(uninventoried=why))


RELEASE = Kind("release", 1 << 16, _release)
DPKG = Kind("dpkg", 64 * _MIB, dpkg.read_status, vital=True)
DPKG_OWNED = Kind("dpkg-owned", 64 * _MIB, dpkg.read_owned)
APK = Kind("apk", 64 * _MIB, apk.read_installed, vital=True)
PYTHON = Kind("python", 16 * _MIB, python.read_metadata)
NODE = Kind("node", 16 * _MIB, node.read_package_json)
JAVA = Kind("java", 256 * _MIB, java.read_jar)
RPM = _present("an RPM database, which this scanner does not read", "rpm")
GEM = _present("a Ruby gem, which this scanner does not read", "gem")
GO = _present("a Go binary, whose modules this scanner does not read", "go")

OLD_RELEASE_FILES = (
    b"etc/alpine-release",
    b"etc/debian_version",
    b"etc/lsb-release",
    b"etc/redhat-release",
    b"etc/system-release",
    b"usr/lib/system-release",
    b"etc/fedora-release",
    b"etc/centos-release",
)
RELEASE_FILES = (b"etc/os-release", b"usr/lib/os-release", *OLD_RELEASE_FILES)
DPKG_STATUS = b"var/lib/dpkg/status"
APK_DATABASES = (b"lib/apk/db/installed", b"usr/lib/apk/db/installed")
_RPM_FOLDERS = (b"var/lib/rpm", b"usr/lib/sysimage/rpm")
_RPM_FILES = (b"Packages", b"Packages.db", b"rpmdb.sqlite")

FIXED: dict[bytes, Kind] = {
    **dict.fromkeys(RELEASE_FILES, RELEASE),
    DPKG_STATUS: DPKG,
    **dict.fromkeys(APK_DATABASES, APK),
    **{folder + b"/" + name: RPM for folder in _RPM_FOLDERS for name in _RPM_FILES},
    b"var/lib/rpmmanifest/container-manifest-2": RPM,
}
"""Databases and release files: one path, one meaning."""

_TELLING = (b"/METADATA", b"/PKG-INFO", b".egg-info", b"/package.json", b".jar", b".war", b".ear", b".gemspec",
            b".list", b".md5sums")  # fmt: skip
_LANGUAGES = (
    (re.compile(rb"(?:.*/)?(?:[^/]+\.dist-info/METADATA|[^/]+\.egg-info/PKG-INFO|EGG-INFO/PKG-INFO|[^/]+\.egg-info)"),
     PYTHON),
    (re.compile(rb"(?:.*/)?node_modules/(?:@[^/]+/)?[^/@.][^/]*/package\.json"), NODE),
    (re.compile(rb"(?:.*/)?specifications/(?:default/)?[^/]+\.gemspec"), GEM),
    (re.compile(rb".*\.(?:jar|war|ear)"), JAVA),
    (re.compile(rb"var/lib/dpkg/(?:info/[^/]+\.list|status\.d/[^/]+\.md5sums)"), DPKG_OWNED),
)  # fmt: skip

GO_MARK = b"\xff Go buildinf:"
"""What the Go linker leaves in each executable (package debug/buildinfo)."""


def recognise(path: bytes, languages: bool) -> Kind | None:
    """Tell which kind of evidence a path names, or None for the multitude of other files."""
    fixed = FIXED.get(path)
    if fixed is not None:
        return fixed
    if path.startswith(b"var/lib/dpkg/status.d/") and not path.endswith(b".md5sums"):
        return DPKG
    if languages and path.endswith(_TELLING):
        for pattern, kind in _LANGUAGES:
            if pattern.fullmatch(path):
                return kind
    return None


def may_be_go(mode: int, size: int) -> bool:
    """Tell whether a file could be a Go binary: executable, and as large as its runtime at least (half a
    MiB).
    """
    return bool(mode & 0o111) and size >= _MIB // 2
