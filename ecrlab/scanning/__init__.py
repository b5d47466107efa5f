"""Scanning: layers → packages → matched advisories → findings, offline.

files               the input: the layers of an image, stacked into one file system, and the bounds on hostile input
packages            the installed packages: the databases of package managers, and the distribution
vulnerabilities     the known vulnerabilities: advisories, severities, and the findings
versions            the order of versions in each ecosystem
scanner             the whole: `scan`, or `take_inventory` once and `judge` as often as needed
report, table       the result, its JSON, and its table for people
"""

from ecrlab.scanning.errors import ScanError
from ecrlab.scanning.files.layers import LayerSource, Limits
from ecrlab.scanning.files.targets import layers_of, open_target
from ecrlab.scanning.packages.inventory import Inventory, Package, take_inventory
from ecrlab.scanning.report import Report
from ecrlab.scanning.scanner import judge, scan
from ecrlab.scanning.vulnerabilities.advisories import Advisories, embedded, load
from ecrlab.scanning.vulnerabilities.matching import Finding

__all__ = [
    "Advisories",
    "Finding",
    "Inventory",
    "LayerSource",
    "Limits",
    "Package",
    "Report",
    "ScanError",
    "embedded",
    "judge",
    "layers_of",
    "load",
    "open_target",
    "scan",
    "take_inventory",
]
