"""The few files that identify a system: os-release, its version, its package database.

A scanner reads only these, so a stand-in with the real files is scanned like the original image.
Formats: os-release(5), deb-control(5) for `/var/lib/dpkg/status`, and apk's `/lib/apk/db/installed`
(one letter a field).
"""

from collections.abc import Iterable

from ecrlab.gallery.catalogue import Facts, Package
from ecrlab.oci.layers import Entry, directory, file

NOTICE_PATH = "etc/ecrlab-stand-in"

_DEBIAN_ARCHITECTURE = {"amd64": "amd64", "arm64": "arm64"}
_ALPINE_ARCHITECTURE = {"amd64": "x86_64", "arm64": "aarch64"}
_CODENAMES = {"11": "bullseye", "12": "bookworm"}


def entries(facts: Facts, packages: tuple[Package, ...], architecture: str, notice: str) -> list[Entry]:
    """Return the entries of a stand-in's layer, also directories. `architecture` is Docker's `amd64` or `arm64`."""
    files = [file(NOTICE_PATH, notice + "\n")]
    if facts.os == "debian":
        files += [
            file("usr/lib/os-release", _debian_release(facts.os_version)),
            Entry("etc/os-release", "link", 0o777, target="../usr/lib/os-release"),
            file("etc/debian_version", _debian_version(packages) + "\n"),
            file("var/lib/dpkg/status", dpkg_status(packages, _DEBIAN_ARCHITECTURE[architecture])),
        ]
    else:
        files += [
            file("etc/os-release", _alpine_release(facts.os_version)),
            file("etc/alpine-release", facts.os_version + "\n"),
            # UNSURE: 3.23 may keep it under /usr/lib; scanners look under /lib as well.
            file("lib/apk/db/installed", apk_installed(packages, _ALPINE_ARCHITECTURE[architecture])),
        ]
    return [*map(directory, _parents(entry.path for entry in files)), *files]


def dpkg_status(packages: Iterable[Package], architecture: str) -> str:
    """Return the stanzas of `/var/lib/dpkg/status`."""
    return "\n".join(_dpkg_stanza(package, architecture) for package in sorted(packages, key=lambda p: p.name))


def _dpkg_stanza(package: Package, architecture: str) -> str:
    lines = [
        f"Package: {package.name}",
        "Status: install ok installed",
        f"Architecture: {'all' if package.architecture_independent else architecture}",
    ]
    if package.source_version != package.version:
        lines.append(f"Source: {package.source} ({package.source_version})")
    elif package.source != package.name:
        lines.append(f"Source: {package.source}")
    lines.append(f"Version: {package.version}")
    return "\n".join(lines) + "\n"


def apk_installed(packages: Iterable[Package], architecture: str) -> str:
    """Return the stanzas of `/lib/apk/db/installed`."""
    return "".join(_apk_stanza(package, architecture) + "\n" for package in packages)


def _apk_stanza(package: Package, architecture: str) -> str:
    lines = [
        f"P:{package.name}",
        f"V:{package.version}",
        f"A:{architecture}",
        f"I:{package.installed_size_in_bytes}",
        f"L:{package.license}",
    ]
    if package.source:
        lines.append(f"o:{package.source}")
    return "\n".join(lines) + "\n"


def _debian_release(version: str) -> str:
    codename = _CODENAMES[version]
    return (
        f'PRETTY_NAME="Debian GNU/Linux {version} ({codename})"\n'
        'NAME="Debian GNU/Linux"\n'
        f'VERSION_ID="{version}"\n'
        f'VERSION="{version} ({codename})"\n'
        f"VERSION_CODENAME={codename}\n"
        "ID=debian\n"
        'HOME_URL="https://www.debian.org/"\n'
        'SUPPORT_URL="https://www.debian.org/support"\n'
        'BUG_REPORT_URL="https://bugs.debian.org/"\n'
    )


def _debian_version(packages: Iterable[Package]) -> str:
    """Return the point release: base-files 12.4+deb12u15 belongs to Debian 12.15."""
    version = next(package.version for package in packages if package.name == "base-files")
    release, _, update = version.partition("+deb")[2].partition("u")
    return f"{release}.{update}"


def _alpine_release(version: str) -> str:
    branch = ".".join(version.split(".")[:2])
    return (
        'NAME="Alpine Linux"\n'
        "ID=alpine\n"
        f"VERSION_ID={version}\n"
        f'PRETTY_NAME="Alpine Linux v{branch}"\n'
        'HOME_URL="https://alpinelinux.org/"\n'
    )


def _parents(paths: Iterable[str]) -> set[str]:
    return {"/".join(parts[:depth]) for parts in (path.split("/") for path in paths) for depth in range(1, len(parts))}
