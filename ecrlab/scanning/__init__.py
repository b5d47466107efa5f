"""Scanning: layers → packages → matched advisories → findings, offline.

layers.py tarstream.py      the bytes of a layer, streamed rootfs.py unpack.py         the layers laid upon
one another recognise.py evidence.py    which files tell of packages; dpkg.py apk.py python.py node.py java.py
read them distribution.py inventory.py    what is installed osv.py advisories.py        what is known to be
vulnerable (severity.py, versions.py) matching.py report.py       findings, and the report with its JSON
scanner.py                  all of it, for callers: `scan`, or `take_inventory` once and `judge` as often as
needed targets.py command.py       images on disk, and `python3 -m ecrlab scan` (allowlist.py, table.py)
"""

from ecrlab.scanning.advisories import Advisories, embedded, load
from ecrlab.scanning.errors import ScanError
from ecrlab.scanning.inventory import Inventory, Package, take_inventory
from ecrlab.scanning.layers import LayerSource, Limits
from ecrlab.scanning.matching import Finding
from ecrlab.scanning.report import Report
from ecrlab.scanning.scanner import judge, scan
from ecrlab.scanning.targets import layers_of, open_target

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
