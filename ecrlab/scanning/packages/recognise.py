"""The files of an image that name packages, recognised by their paths: an image has tens of thousands of files.

The paths are those the package managers themselves use; a database may also lie where a symbolic link of such
a path leads (the file system sees to that). What an interrupted package manager leaves behind is not installed:
pip's folders that begin with `~` or `-` (AdjacentTempDirectory) or lie in `pip-uninstall-*`, and npm's that begin
with a dot.
"""

import re

from ecrlab.scanning.packages import apk, dpkg, java, node, python
from ecrlab.scanning.packages.evidence import Evidence, Kind, text
from ecrlab.scanning.packages.manifests import ARCHIVES, may_be_manifest

_MIB = 1 << 20


def _release(path: bytes, data: bytes) -> Evidence:
    return Evidence(text=text(data, path.decode("utf-8", "backslashreplace")))


def _present(name: str, what: str) -> Kind:
    unread = Evidence(uninventoried=f"{what}, which this scanner does not read")
    return Kind(name, 0, lambda _path, _data: unread)


RELEASE = Kind("release", 1 << 16, _release)
DPKG = Kind("dpkg", 64 * _MIB, dpkg.read_status, vital=True)
DPKG_OWNED = Kind("dpkg-owned", 64 * _MIB, dpkg.read_owned)
APK = Kind("apk", 64 * _MIB, apk.read_installed, vital=True)
PYTHON = Kind("python", 16 * _MIB, python.read_metadata)
NODE = Kind("node", 2 * _MIB, node.read_package_json)
JAVA = Kind("java", 256 * _MIB, java.read_jar)
RPM = _present("rpm", "an RPM database")
GO = _present("go", "a Go binary, with a list of its modules")

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
_RPM_FOLDERS = (b"var/lib/rpm", b"usr/lib/sysimage/rpm", b"usr/share/rpm")
_RPM_FILES = (b"Packages", b"Packages.db", b"rpmdb.sqlite")

FIXED: dict[bytes, Kind] = {
    **dict.fromkeys(RELEASE_FILES, RELEASE),
    DPKG_STATUS: DPKG,
    **dict.fromkeys(APK_DATABASES, APK),
    **{folder + b"/" + name: RPM for folder in _RPM_FOLDERS for name in _RPM_FILES},
    b"var/lib/rpmmanifest/container-manifest-2": RPM,
}
"""Databases and release files: one path, one meaning."""

_LANGUAGES = tuple(
    (re.compile(rb"(?:.*/)?" + pattern), kind)
    for pattern, kind in (
        (rb"(?:[^/~-][^/]*\.(?:dist-info/METADATA|egg-info/PKG-INFO|egg-info|egg/EGG-INFO/PKG-INFO)"
         rb"|EGG-INFO/PKG-INFO)", PYTHON),
        (rb"node_modules/(?:@[^/]+/)?[^/@.][^/]*/package\.json", NODE),
        (rb"[^/]+\.(?i:" + "|".join(ARCHIVES).encode() + rb")", JAVA),
        (rb"specifications/(?:default/)?[^/]+\.gemspec", _present("gem", "a Ruby gem")),
        (rb"composer/installed\.json", _present("composer", "Composer's list of PHP packages")),
        (rb"[^/]+\.deps\.json", _present("dotnet", "the list of a .NET application's packages")),
        (rb"[^/~-][^/]*\.egg", _present("egg", "a zipped Python egg")),
        (rb"(?:site-)?library/[^/]+/DESCRIPTION", _present("r", "an R package")),
    )
)  # fmt: skip
_OWNED = re.compile(rb"var/lib/dpkg/(?:info/[^/]+\.list|status\.d/[^/]+\.md5sums)")
_UNINSTALLED = re.compile(rb"(?:^|/)(?:pip-uninstall-|[~-][^/]*\.egg/)")

_CACHES = re.compile(rb"(?:^|/)(?:\.cache|pkgs|\.pnpm-store)/")

GO_MARK = b"\xff Go buildinf:"
"""The mark that the Go linker writes into each executable (package debug/buildinfo)."""


def recognise(path: bytes, languages: bool) -> Kind | None:
    """Return the kind of evidence at a path, or None for any other file."""
    fixed = FIXED.get(path)
    if fixed is not None:
        return fixed
    if path.startswith(b"var/lib/dpkg/status.d/") and not path.endswith(b".md5sums"):
        return DPKG
    if not languages:
        return None
    if may_be_manifest(path):
        kinds = (kind for pattern, kind in _LANGUAGES if pattern.fullmatch(path))
        return None if _UNINSTALLED.search(path) else next(kinds, None)
    return DPKG_OWNED if path.endswith((b".list", b".md5sums")) and _OWNED.fullmatch(path) else None


def is_cached(path: bytes) -> bool:
    """Tell whether a path lies where package managers (uv, conda, pnpm) keep files to link to from elsewhere."""
    return _CACHES.search(path) is not None


def may_be_go(mode: int, size: int) -> bool:
    """Tell whether a file could be a Go binary: executable, and at least as large as Go's runtime (half a MiB)."""
    return bool(mode & 0o111) and size >= _MIB // 2
