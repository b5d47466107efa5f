"""`python3 -m ecrlab scan`: an image's findings as a table or JSON, and an exit status to gate a release with.

Images on disk are found here; those in a running lab by whoever runs the command (`ecrlab.commands.scan`), which
says what the options and the exit status mean.
"""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any

from ecrlab.errors import EcrLabError
from ecrlab.scanning.errors import LayerError, TargetError, UnsupportedImageError
from ecrlab.scanning.files.layers import LayerSource
from ecrlab.scanning.files.targets import open_target
from ecrlab.scanning.packages.inventory import Inventory, take_inventory
from ecrlab.scanning.report import Report
from ecrlab.scanning.scanner import judge
from ecrlab.scanning.vulnerabilities.advisories import embedded, load
from ecrlab.scanning.vulnerabilities.allowlist import Exemption, read_allow_list
from ecrlab.scanning.vulnerabilities.matching import Finding, Unresolved
from ecrlab.scanning.vulnerabilities.severity import SEVERITIES, rank

CLEAN, FOUND, UNREADABLE = 0, 1, 2

LabImages = Callable[[str], Sequence[LayerSource]]
"""Gives the layers, lowest first, of an image in a running lab by its name; raises EcrLabError when there is
none."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `scan` to a parser."""
    add = parser.add_argument
    add(
        "target",
        metavar="TARGET",
        help="an image: an OCI layout (folder or tar), a `docker save` tar, or one in a running lab by its name",
    )
    add(
        "--advisories",
        type=Path,
        metavar="PATH",
        help="OSV advisories: a JSON file, a folder, or a zip (default: the kit's own)",
    )
    add("--inventory", action="store_true", help="print every package, too (the JSON always has them)")
    add("--fail-on", type=str.upper, choices=SEVERITIES[::-1], metavar="SEVERITY",
        help="exit 1 on a finding of this severity or worse: " + ", ".join(SEVERITIES[::-1]))  # fmt: skip
    add(
        "--ignore",
        type=Path,
        metavar="FILE",
        help="accepted findings, a line each: ID [PACKAGE] [until YYYY-MM-DD] [# why]",
    )
    add("--output", choices=("table", "json"), default="table", help="how to print (default: table)")
    add(
        "--as-of",
        type=date.fromisoformat,
        metavar="YYYY-MM-DD",
        help="judge as on this day: advisories known, exceptions held",
    )
    add("--reference", metavar="NAME", help="which image, where the target holds several")
    add(
        "--platform",
        default="linux/amd64",
        metavar="OS/ARCH",
        help="which platform of it (default: linux/amd64)",
    )


def run(options: argparse.Namespace, lab_images: LabImages | None = None) -> int:
    """Scan as the options say, print the report, and give the exit code."""
    try:
        advisories = load(options.advisories) if options.advisories else embedded()
        exemptions = read_allow_list(options.ignore) if options.ignore else ()
        now = datetime.combine(options.as_of, time.max, UTC) if options.as_of else None
        report = judge(_inventory(options, lab_images), advisories=advisories, now=now)
        report = _except(report, exemptions, options.as_of or datetime.now(UTC).date())
    except EcrLabError as problem:  # the lab's own too, when the target is one of its images
        print(f"ecrlab scan: {problem}", file=sys.stderr)
        return UNREADABLE
    _print(report, options)
    return _exit_code(report, options.fail_on)


def _inventory(options: argparse.Namespace, lab_images: LabImages | None) -> Inventory:
    path = Path(options.target)
    try:
        if path.exists():
            layers: Sequence[LayerSource] = open_target(path, reference=options.reference, platform=options.platform)
        elif lab_images is not None:
            layers = lab_images(options.target)
        else:
            raise TargetError(f"{options.target}: there is no such file or folder")
    except UnsupportedImageError as problem:
        return Inventory("UNSUPPORTED_IMAGE", str(problem))
    except LayerError as problem:
        return Inventory("FAILED", str(problem))
    return take_inventory(layers)


def _except(report: Report, exemptions: Sequence[Exemption], day: date) -> Report:
    """Take the accepted findings out of a report, and note the exceptions whose time has passed."""
    held = [one for one in exemptions if one.holds(day)]
    everything: list[Finding | Unresolved] = [*report.findings, *report.unresolved]
    expired = [one for one in exemptions if not one.holds(day) and any(one.covers(found) for found in everything)]
    ignored = tuple(found for found in report.findings if any(one.covers(found) for one in held))
    return replace(
        report,
        findings=tuple(found for found in report.findings if found not in ignored),
        ignored=ignored,
        unresolved=tuple(item for item in report.unresolved if not any(one.covers(item) for one in held)),
        notes=(*report.notes, *(f"The exception for {one.id} expired on {one.until}." for one in expired)),
    )


def _print(report: Report, options: argparse.Namespace) -> None:
    if options.output == "json":
        print(json.dumps(report.to_json(), indent=2))
    else:
        from rich.console import Console  # here, for a scan into JSON should not wait for rich

        from ecrlab.scanning.table import print_report

        terminal = sys.stdout.isatty()
        # Notebooks and CI set FORCE_COLOR; what a file or a pipe gets is plain all the same, a line for each row.
        plain: dict[str, Any] = {} if terminal else {"force_terminal": False, "color_system": None, "width": 500}
        console = Console(highlight=False, **plain)
        print_report(report, console, inventory=options.inventory)
    if report.status != "COMPLETE":
        print(f"ecrlab scan: {report.status}: {report.reason}".encode("unicode_escape").decode(), file=sys.stderr)


def _exit_code(report: Report, fail_on: str | None) -> int:
    # Findings come first: nothing that could still be read would take them back.
    if fail_on is not None and any(rank(finding.severity) >= rank(fail_on) for finding in report.findings):
        return FOUND
    return UNREADABLE if report.status != "COMPLETE" or report.unresolved else CLEAN
