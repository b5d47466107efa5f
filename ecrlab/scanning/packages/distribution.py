"""The distribution of an image, its name in OSV, and whether ECR still scans it.

os-release(5) names it in every image of the last decade, in `/etc` or `/usr/lib`; older images have other files.
"""

import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True)
class Distribution:
    """A distribution and its release, in the words of os-release: `id` "debian", `version_id` "12".

    `version_id` is empty where the image names none (Debian's testing, a rolling release).
    """

    id: str
    version_id: str

    @property
    def title(self) -> str:
        """Name it for people: "Debian 12"."""
        return f"{_TITLES.get(self.id, self.ecosystem)} {self.version_id}".strip()

    @property
    def ecosystem(self) -> str:
        """OSV's word for its packages, "Debian"; its own id where the scanner reads no advisories on it."""
        return _ECOSYSTEMS.get(self.id, self.id)

    @property
    def advisory_ecosystem(self) -> str:
        """OSV's word for this release, by which its advisories are found: "Debian:12", "Alpine:v3.18"."""
        release = _release(self.id, self.version_id)
        return f"{self.ecosystem}:{release}" if release else self.ecosystem


_ECOSYSTEMS = {
    "debian": "Debian",
    "alpine": "Alpine",
    "ubuntu": "Ubuntu",
    "wolfi": "Wolfi",
    "chainguard": "Chainguard",
}
_TITLES = {
    "almalinux": "AlmaLinux",
    "amzn": "Amazon Linux",
    "azurelinux": "Azure Linux",
    "centos": "CentOS",
    "echo": "Echo",
    "fedora": "Fedora",
    "minimos": "MinimOS",
    "ol": "Oracle Linux",
    "photon": "Photon OS",
    "rhel": "Red Hat Enterprise Linux",
    "rocky": "Rocky Linux",
    "sles": "SUSE Linux Enterprise Server",
}


def _alpine_branch(version: str) -> str:
    match = re.match(r"(\d+\.\d+)(?:\.\d+)?$", version)
    return f"v{match[1]}" if match else "edge" if version else ""


def _ubuntu_release(version: str) -> str:
    # OSV marks long-term releases: those of April of even years.
    match = re.match(r"(\d\d)\.(\d\d)$", version)
    return f"{version}:LTS" if match and match[2] == "04" and int(match[1]) % 2 == 0 else version


def _release(distribution: str, version: str) -> str:
    spell = _RELEASES.get(distribution)
    return spell(version) if spell else version


_RELEASES: dict[str, Callable[[str], str]] = {
    "alpine": _alpine_branch,
    "ubuntu": _ubuntu_release,
    "wolfi": lambda _version: "",
    "chainguard": lambda _version: "",
    "minimos": lambda _version: "",
    **dict.fromkeys(
        ("debian", "almalinux", "amzn", "azurelinux", "centos", "echo", "fedora", "ol", "photon", "rhel", "rocky"),
        lambda version: version.partition(".")[0],
    ),
}


def from_os_release(content: str) -> Distribution | None:
    """Read os-release; None where it names no distribution.

    >>> from_os_release('ID=debian VERSION_ID="12"'.replace(" ", chr(10)))
    Distribution(id='debian', version_id='12')
    """
    fields: dict[str, str] = {}
    for line in content.splitlines():
        key, equals, value = line.strip().partition("=")
        if equals and not key.startswith("#"):
            try:
                fields[key] = "".join(shlex.split(value))
            except ValueError:  # an unfinished quote: the value as it stands
                fields[key] = value
    return Distribution(fields["ID"].lower(), fields.get("VERSION_ID", "")) if fields.get("ID") else None


def from_release_file(path: str, content: str) -> Distribution | None:
    """Read the older release files, by their names; None where they name no distribution."""
    line = content.strip().splitlines()[0].strip() if content.strip() else ""
    if path == "etc/alpine-release" and line:
        return Distribution("alpine", line)
    if path == "etc/debian_version" and line:
        # "12.5" in a release; "trixie/sid" in testing, which has no number.
        return Distribution("debian", line.partition(".")[0] if line[0].isdigit() else "")
    if path == "etc/lsb-release":
        fields = dict(re.findall(r'^(DISTRIB_\w+)="?([^"\n]*)', content, re.MULTILINE))
        name = fields.get("DISTRIB_ID", "").lower()
        return Distribution(name, fields.get("DISTRIB_RELEASE", "")) if name else None
    match = re.match(r"(?P<name>.+?)(?: Linux)?(?: \w+)? release (?P<version>[\d.]+)", line)
    if match is None:
        return None
    name = match["name"].lower()
    known = {"red hat enterprise": "rhel", "centos": "centos", "amazon": "amzn", "oracle": "ol"}
    return Distribution(next((known[key] for key in known if key in name), name.split()[0]), match["version"])


# Amazon Inspector user guide, "Supported operating systems: Amazon ECR scanning", mid-2026.
# None: supported with no end in sight; else the day from which the guide calls it discontinued.
_ECR_SUPPORT: dict[str, datetime | None] = {
    **dict.fromkeys(("Debian:13", "Debian:12"), None),
    "Debian:11": datetime(2026, 8, 31, tzinfo=UTC),
    **dict.fromkeys((f"Alpine:v3.{minor}" for minor in (21, 22, 23, 24)), None),
    "Alpine:v3.20": datetime(2026, 4, 1, tzinfo=UTC),
    **dict.fromkeys((f"Ubuntu:{year}.04:LTS" for year in (18, 20, 22, 24, 26)), None),
    **dict.fromkeys(("Wolfi", "Chainguard", "minimos", "echo:2"), None),
    **dict.fromkeys((f"{name}:{major}" for name in ("almalinux", "ol", "rhel", "rocky") for major in (8, 9, 10)), None),
    "amzn:2023": None,
    "amzn:2": datetime(2026, 6, 30, tzinfo=UTC),
    **dict.fromkeys(("azurelinux:3", "fedora:43", "fedora:44", "photon:4", "photon:5"), None),
    **dict.fromkeys(("sles:15.7", "sles:16.0"), None),
}


def support(distribution: Distribution, now: datetime | None = None) -> str:
    """Tell how ECR supports a release: "supported", "discontinued" (scanned for 12 months more) or "unsupported".

    `now` None asks for the state of the table's own date. ECR ends findings 12 months after the discontinuation
    (taken as 365 days).
    """
    ecosystem = distribution.advisory_ecosystem
    if ecosystem not in _ECR_SUPPORT:
        return "unsupported"
    end = _ECR_SUPPORT[ecosystem]
    if end is None or (now is not None and now < end):
        return "supported"
    # UNSURE: how AWS counts its 12 months, from the day or the month; 365 days from the day here.
    return "discontinued" if now is None or (now - end).days < 365 else "unsupported"


def is_listed(distribution: Distribution) -> bool:
    """Return whether the guide names a release; it does not say when the support of others ended."""
    return distribution.advisory_ecosystem in _ECR_SUPPORT
