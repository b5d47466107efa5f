"""Which distribution an image is, in which words OSV speaks of it, and whether ECR still scans it.

os-release(5) says it in every image of the last decade, in `/etc` or `/usr/lib`; older ones have a file of
their own.
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
        return f"{_ECOSYSTEMS.get(self.id, self.id)} {self.version_id}".strip()

    @property
    def ecosystem(self) -> str:
        """Give OSV's word for its packages: "Debian"; its own id where OSV has none."""
        return _ECOSYSTEMS.get(self.id, self.id)

    @property
    def advisory_ecosystem(self) -> str:
        """Give OSV's word for this very release, by which its advisories are found: "Debian:12",
        "Alpine:v3.18".
        """
        release = _release(self.id, self.version_id)
        return f"{self.ecosystem}:{release}" if release else self.ecosystem


_ECOSYSTEMS = {
    "debian": "Debian",
    "alpine": "Alpine",
    "ubuntu": "Ubuntu",
    "wolfi": "Wolfi",
    "chainguard": "Chainguard",
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
    "debian": lambda version: version.partition(".")[0],
    "wolfi": lambda _version: "",
    "chainguard": lambda _version: "",
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
    known = {"red hat enterprise": "rhel", "centos": "centos", "fedora": "fedora", "amazon": "amzn"}
    return Distribution(next((known[key] for key in known if key in name), name.split()[0]), match["version"])


# Amazon Inspector user guide, supported operating systems, mid-2026; of those whose packages are read here.
# None: supported with no end in sight. Releases not listed had ended before that list was read.
_ECR_SUPPORT: dict[str, datetime | None] = {
    "Debian:13": None,
    "Debian:12": None,
    "Debian:11": datetime(2026, 8, 31, tzinfo=UTC),
    "Alpine:v3.24": None,
    "Alpine:v3.23": None,
    "Alpine:v3.22": None,
    "Alpine:v3.21": None,
    "Alpine:v3.20": datetime(2026, 4, 1, tzinfo=UTC),
    **dict.fromkeys((f"Ubuntu:{year}.04:LTS" for year in (18, 20, 22, 24, 26)), None),
    "Wolfi": None,
    "Chainguard": None,
}


def support(distribution: Distribution, now: datetime | None = None) -> str:
    """Tell what ECR itself does with a release: "supported", "discontinued" (scanned, and said to be at its
    end), or "unsupported".

    `now` None asks for the state of the table's own date. ECR ends findings 12 months after the
    discontinuation (taken as 365 days).
    """
    ecosystem = distribution.advisory_ecosystem
    if ecosystem not in _ECR_SUPPORT:
        return "unsupported"
    end = _ECR_SUPPORT[ecosystem]
    if end is None or (now is not None and now < end):
        return "supported"
    # UNSURE: how AWS counts its 12 months, from the day or the month; 365 days from the day here.
    return "discontinued" if now is None or (now - end).days < 365 else "unsupported"
