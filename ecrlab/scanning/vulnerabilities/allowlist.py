"""Exemptions from a release gate: findings that a person accepted, each for a time.

One exemption a line: the id of a vulnerability (or an alias), and optionally the one package that it is accepted for,
the last day that it holds, and the reason:

    CVE-2023-0286  openssl  until 2026-12-31  # the vendor's fix comes with the next base image
    GHSA-jfh8-c2jp-5v3q
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from ecrlab.scanning.errors import AllowListError
from ecrlab.scanning.vulnerabilities.matching import Finding, Unresolved

_LINE = re.compile(r"(?P<id>\S+)(?:\s+(?!until\b)(?P<package>\S+))?(?:\s+until\s+(?P<until>\S+))?")


@dataclass(frozen=True)
class Exemption:
    """One accepted vulnerability: of one package or (None) of any, to the end of a day or (None) for good."""

    id: str
    package: str | None = None
    until: date | None = None

    def holds(self, day: date) -> bool:
        """Tell whether the exemption still holds on a day."""
        return self.until is None or day <= self.until

    def covers(self, found: Finding | Unresolved) -> bool:
        """Tell whether a finding is the accepted one."""
        names = {found.id.upper(), *(alias.upper() for alias in getattr(found, "aliases", ()))}
        return self.id.upper() in names and self.package in (None, found.package)


def read_allow_list(path: Path) -> tuple[Exemption, ...]:
    """Read an allow-list; raises AllowListError with the line that is not an exemption."""
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as cause:
        raise AllowListError(f"allow-list {path} cannot be read: {cause}") from cause
    return tuple(_exemptions(lines, path))


def _exemptions(lines: Iterable[str], path: Path) -> Iterable[Exemption]:
    for number, line in enumerate(lines, start=1):
        said = line.partition("#")[0].strip()
        if not said:
            continue
        match = _LINE.fullmatch(said)
        try:
            if match is None:
                raise ValueError("expected ID [PACKAGE] [until YYYY-MM-DD]")
            yield Exemption(
                match["id"], match["package"], date.fromisoformat(match["until"]) if match["until"] else None
            )
        except ValueError as cause:
            raise AllowListError(f"allow-list {path}, line {number}: {said!r}: {cause}") from cause
