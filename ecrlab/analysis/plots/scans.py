"""Scan findings as tidy tables and pictures: how bad, of which package, from which layer, and whether there is a fix.

Any boto3 ECR client will do, the lab's or one of a real account. Basic findings say neither layer nor fix; enhanced
ones, which are Amazon Inspector's, say both.
"""

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ecrlab.analysis.plots import bars, style

if TYPE_CHECKING:
    import pandas as pd

SEVERITIES = ("CRITICAL", "HIGH", "MEDIUM", "LOW", "INFORMATIONAL", "UNTRIAGED", "UNDEFINED")
"""Worst first; the last two mean "not rated", in enhanced and in basic scanning."""

SEVERITY_COLOURS = dict(
    zip(SEVERITIES, ("#7f0000", "#d7301f", "#fc8d59", "#fdcc8a", "#fef0d9", "#d9d9d9", "#f5f5f5"), strict=True)
)
"""From dark red to pale, the worse the darker (ColorBrewer's OrRd, told apart by lightness alone); grey: not rated."""

FIX = "fix available"

COLUMNS = ("severity", "id", "package", "version", "fixed in", "layer", "whose")


def findings(ecr: Any, repository: str, tag: str, *, base_layers: int) -> "pd.DataFrame":
    """One row for each finding on an image, worst first; indexed from 1.

    Columns: `severity`, `id` (the CVE), `package` (all that it concerns), `version`, `fixed in` (empty where no fix is
    known, or the scan does not say), `layer` (0 is the lowest; `<NA>` where the scan does not say), `whose`: "base" in
    one of the lowest `base_layers`, else "mine". ECR does not say how many layers are the base's; with 0 all are mine.
    """
    import pandas as pd

    image = {"imageTag": tag}
    pages = ecr.get_paginator("describe_image_scan_findings").paginate(repositoryName=repository, imageId=image)
    found = [page.get("imageScanFindings", {}) for page in pages]
    numbers = _layer_numbers(ecr, repository, image)
    rows = [_basic(one) for page in found for one in page.get("findings", [])]
    rows += [_enhanced(one, numbers) for page in found for one in page.get("enhancedFindings", [])]
    for row in rows:
        number = row["layer"]
        row["whose"] = "" if number is None else "base" if number < base_layers else "mine"
    rows.sort(key=lambda row: SEVERITIES.index(row["severity"]))
    table = pd.DataFrame(rows, columns=list(COLUMNS)).astype({"layer": "Int64"})
    table.index = pd.RangeIndex(1, len(table) + 1)
    return table


def counts(found: "pd.DataFrame") -> "pd.DataFrame":
    """How many findings there are of each severity that occurs (the rows), of whose layers, with a fix or without."""
    import pandas as pd

    fix = found["fixed in"].ne("").map({True: FIX, False: "no fix"})
    kinds = (found["whose"] + ": " + fix).where(found["whose"].ne(""), "layer and fix not said")
    order = [severity for severity in SEVERITIES if severity in set(found["severity"])]
    table = pd.crosstab(found["severity"], kinds).reindex(order)
    table.columns.name = None
    return table


def picture(title: str, found: "pd.DataFrame") -> Any:
    """The `counts` as bars: a row for each severity, parted by whose layer it is and whether there is a fix.

    Where every finding has the same of the two, the title says it once.
    """
    table = counts(found)
    fixes = {str(name).partition(": ")[2] for name in table.columns}
    names = [str(name) for name in table.columns]
    if len(fixes) == 1 and (fix := fixes.pop()):
        title, names = (
            f"{title} ({fix} for {'all' if fix == FIX else 'any'})",
            [name.partition(": ")[0] for name in names],
        )
    parts = {name: [float(count) for count in table[column]] for name, column in zip(names, table.columns, strict=True)}
    return _bars(title, list(table.index), parts, row_label="severity")


def compare(images: Mapping[str, "pd.DataFrame"]) -> "pd.DataFrame":
    """How many findings of each severity several images have: a row for each image, in the order given."""
    import pandas as pd

    rows = {name: found["severity"].value_counts() for name, found in images.items()}
    table = pd.DataFrame(rows).T.reindex(columns=list(SEVERITIES)).fillna(0).astype(int)
    return table.loc[:, table.any()]


def comparison_picture(title: str, images: Mapping[str, "pd.DataFrame"]) -> Any:
    """The same as bars: a row for each image, parted by severity."""
    table = compare(images)
    parts = {str(name): [float(count) for count in table[name]] for name in table.columns}
    colours = [SEVERITY_COLOURS[name] for name in parts] or style.PALETTE
    return _bars(title, list(table.index), parts, row_label="image", colours=colours)


def _bars(
    title: str,
    rows: list[str],
    parts: dict[str, list[float]],
    *,
    row_label: str,
    colours: Sequence[str] = style.PALETTE,
) -> Any:
    from matplotlib.ticker import MaxNLocator

    rows = rows or ["none"]
    parts = parts or {"no findings": [0.0] * len(rows)}
    shown = bars.stacked(title, rows, dict(parts), unit="findings", row_label=row_label, colours=colours)
    [axes] = shown.axes
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))  # findings are whole
    return shown


def _layer_numbers(ecr: Any, repository: str, image: dict[str, str]) -> dict[str, int]:
    answer = ecr.batch_get_image(repositoryName=repository, imageIds=[image])
    manifest = json.loads(answer["images"][0]["imageManifest"]) if answer["images"] else {}
    return {layer["digest"]: number for number, layer in enumerate(manifest.get("layers", []))}


def _basic(finding: dict[str, Any]) -> dict[str, Any]:
    said = {attribute["key"]: attribute["value"] for attribute in finding.get("attributes", [])}
    return {
        "severity": finding["severity"],
        "id": finding["name"],
        "package": said.get("package_name", ""),
        "version": said.get("package_version", ""),
        "fixed in": "",
        "layer": None,
    }


def _enhanced(finding: dict[str, Any], numbers: dict[str, int]) -> dict[str, Any]:
    details = finding["packageVulnerabilityDetails"]
    packages = details["vulnerablePackages"]
    layers = [numbers[one["sourceLayerHash"]] for one in packages if one.get("sourceLayerHash") in numbers]
    fixes = {one.get("fixedInVersion", "") for one in packages} - {"", "NotAvailable"}
    return {
        "severity": finding["severity"],
        "id": details["vulnerabilityId"],
        "package": ", ".join(dict.fromkeys(one["name"] for one in packages)),
        "version": ", ".join(dict.fromkeys(_version(one) for one in packages)),
        "fixed in": ", ".join(sorted(fix.removeprefix("0:") for fix in fixes)),
        "layer": min(layers, default=None),
    }


def _version(package: dict[str, Any]) -> str:
    epoch = f"{package['epoch']}:" if package.get("epoch") else ""
    return f"{epoch}{package['version']}" + (f"-{package['release']}" if package.get("release") else "")
