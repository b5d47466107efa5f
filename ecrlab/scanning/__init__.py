"""Scanning: layers → packages → matched advisories → findings, offline.

files               what can be scanned: the layers of an image, laid upon one another, and the bounds on hostile input
packages            what is installed: the databases of package managers, and the distribution
vulnerabilities     what is known to be vulnerable: advisories, version orders, severities, and the findings
scanner             all of it: `scan`, or `take_inventory` once and `judge` as often as needed
report, table       the answer, its JSON, and how a person reads it
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
