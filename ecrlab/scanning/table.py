"""A report as tables and lines for a terminal."""

from collections.abc import Iterable, Sized

from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from ecrlab.scanning.plain import plain
from ecrlab.scanning.report import Report

_LONGEST_WHOLE = 40  # characters of what is kept on one line
_COLOURS = {"CRITICAL": "bold red", "HIGH": "red", "MEDIUM": "yellow", "LOW": "cyan"}


def print_report(report: Report, console: Console, *, inventory: bool) -> None:
    """Print the findings, the unread parts, and the notes; with `inventory` every package first."""
    out = console.print
    if inventory:
        out(_packages(report))
    if report.findings:
        out(_findings(report))
    counts = ", ".join(f"{count} {severity}" for severity, count in report.severity_counts.items())
    image = report.os.title if report.os else "no distribution"
    out(
        _plain(
            f"{image}: {_count(report.packages, 'package')}, {_count(report.findings, 'finding')}"
            + (f" ({counts})" if counts else "")
        )
    )
    date = f" of {report.advisories_date}" if report.advisories_date else ""
    records = f"{report.advisories_records:,} record{'' if report.advisories_records == 1 else 's'}"
    out(_plain(f"Judged by {report.advisories_origin}{date}, {records}."))
    for ignored in report.ignored:
        out(_plain(f"Excepted: {ignored.id} of {ignored.package} ({ignored.severity})."))
    for item in report.unresolved:
        out(_plain(f"Cannot be told: whether {item.id} concerns {item.package} {item.version}: {item.reason}."))
    for unread in report.not_inventoried:
        more = f" and {unread.count - 1} more" if unread.count > 1 else ""
        out(_plain(f"Present, not inventoried ({unread.kind}): {unread.path}{more}: {unread.reason}."))
    for note in report.notes:
        out(_plain(note))


def _count(things: Sized, name: str) -> str:
    return f"{len(things)} {name}{'' if len(things) == 1 else 's'}"


def _findings(report: Report) -> Table:
    table = Table(
        "severity",
        "score",
        _whole("id", (one.id for one in report.findings)),
        "package",
        "version",
        "fixed in",
        "layer",
    )
    for one in report.findings:
        table.add_row(
            Text(one.severity, style=_COLOURS.get(one.severity, "")),
            "" if one.score is None else f"{one.score:.1f}",
            _plain(one.id),
            _plain(one.package),
            _plain(one.version),
            _plain(one.fixed_version or "-"),
            str(one.layer_index),
        )
    return table


def _packages(report: Report) -> Table:
    names = _whole("package", (one.name for one in report.packages))
    table = Table(names, "version", "ecosystem", "source", "layer", "path")
    for one in report.packages:
        source = one.source_name
        if one.source_version != one.version:
            source += f" {one.source_version}"
        shown = (one.name, one.version, one.ecosystem, source, str(one.layer_index), one.path)
        table.add_row(*[_plain(text) for text in shown])
    return table


def _whole(name: str, values: Iterable[str]) -> Column:
    """Return a column that keeps each value on one line, for copy and search."""
    return Column(
        name, no_wrap=True, min_width=min(_LONGEST_WHOLE, max((len(plain(value)) for value in values), default=0))
    )


def _plain(text: str) -> Text:
    return Text(plain(text), overflow="fold")
