"""An inventory as JSON, which lets the registry read an image once and judge it many times.

The JSON has a format number; an inventory of another format is discarded, and the image is read again.
"""

import json
from dataclasses import asdict

from ecrlab.scanning.packages.distribution import Distribution
from ecrlab.scanning.packages.inventory import Inventory, NotInventoried, Package

FORMAT = 2


def write(inventory: Inventory) -> str:
    """Return an inventory as JSON."""
    return json.dumps({"format": FORMAT, **asdict(inventory)}, separators=(",", ":"))


def read(text: str) -> Inventory | None:
    """Read what `write` wrote; None for the work of another version."""
    kept = json.loads(text)
    if kept["format"] != FORMAT:
        return None
    distribution = kept["distribution"]
    return Inventory(
        kept["status"],
        kept["reason"],
        Distribution(**distribution) if distribution else None,
        tuple(Package(**package) for package in kept["packages"]),
        tuple(NotInventoried(**item) for item in kept["not_inventoried"]),
    )
