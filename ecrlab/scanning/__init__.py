"""Scanning: layers → packages → matched advisories → findings, offline.

layers, tarstream           the bytes of a layer, streamed
rootfs, unpack              the layers laid upon one another
evidence, recognise         which files tell of packages; dpkg, apk, python, node and java read them
distribution, inventory     what is installed
osv, advisories             what is known to be vulnerable; with versions and severity
matching, report            findings, and the report with its JSON
scanner                     all of it: `scan`, or `take_inventory` once and `judge` as often as needed
targets, command            images on disk, and `python3 -m ecrlab scan`; with allowlist and table
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
