"""What the what-if panel takes to answer, on a repository of 5,000 images and a year of 3 futures, against a render.

    python3 -m tests.bench.what_if [--images 5000]

Each answer is from the choice to the table and the picture, as the kernel makes them. The yardstick is the picture
alone: no answer can be quicker.
"""

import argparse
import json
import statistics
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from time import perf_counter

from ecrlab.analysis.costs import outlook
from ecrlab.analysis.costs.projection import replay
from ecrlab.analysis.inventory.snapshot import Snapshot
from ecrlab.analysis.plots import style
from ecrlab.analysis.widgets import what_if
from ecrlab.scenarios import draw

AT = datetime(2026, 10, 1, 9, tzinfo=UTC)


def rule(priority: int, number: int, **selection: object) -> dict[str, object]:
    """A rule that expires; by count unless `selection` says otherwise."""
    chosen = {"countType": "imageCountMoreThan", "countNumber": number} | selection
    return {"rulePriority": priority, "selection": chosen, "action": {"type": "expire"}}


AGED = {"countType": "sinceImagePushed", "countUnit": "days"}
UNTAGGED = {"tagStatus": "untagged"} | AGED
POLICIES = {
    "untagged": json.dumps({"rules": [rule(1, 1, **UNTAGGED)]}),
    "tidy": json.dumps(
        {
            "rules": [
                rule(1, 10, tagStatus="tagged", tagPatternList=["v*"]),
                rule(2, 1, **UNTAGGED),
                rule(3, 30, tagStatus="any", **AGED),
            ]
        }
    ),
}


def big(images: int) -> Snapshot:
    """One repository with the images of all the repositories of one shop, as many as are wanted."""
    shop = draw(1, date(2026, 9, 30))
    parts = [replay(repository.name, shop.past, at=AT) for repository in shop.repositories]
    found = {
        image.image_digest: replace(
            image, image_tags=tuple(f"{tag}-{part.name.rpartition('/')[2]}" for tag in image.image_tags)
        )
        for part in parts
        for image in part.images
    }
    if len(found) < images:
        raise SystemExit(f"the shop has {len(found):,} images only")
    chosen = dict(list(found.items())[:images])
    layers = {digest: blobs for part in parts for digest, blobs in part.layers.items() if digest in chosen}
    sizes = {layer: size for part in parts for layer, size in part.sizes.items()}
    return Snapshot("big", AT, tuple(chosen.values()), layers, sizes)


def seconds(act: Callable[[], object]) -> float:
    """How long it takes."""
    begin = perf_counter()
    act()
    return perf_counter() - begin


def measure(images: int) -> dict[str, float]:
    """The answers, and the picture alone."""
    snapshot = big(images)
    shown: list[what_if.WhatIf] = []
    figures = {"the panel, first shown": seconds(lambda: shown.append(what_if.panel(snapshot, POLICIES)))}
    [panel] = shown
    figures["a policy chosen for the first time"] = seconds(lambda: panel.choose(second="untagged"))
    figures["another start"] = seconds(lambda: panel.choose(start=30))
    back = [seconds(lambda name=name: panel.choose(start=0, second=name)) for name in ("tidy", "untagged") * 5]  # type: ignore[misc]
    figures["a policy chosen again"] = statistics.median(back)
    near = [seconds(lambda days=days: panel.choose(horizon=days)) for days in (300, 200, 100, 365)]  # type: ignore[misc]
    figures["another horizon"] = statistics.median(near)
    drawing = [
        seconds(lambda: style.as_img(outlook.picture(panel.projection, snapshot, panel.prices))) for _ in range(5)
    ]
    figures["yardstick: the picture alone"] = statistics.median(drawing)
    return figures


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=5000)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to FILE")
    options = parser.parse_args()
    taken = measure(options.images)
    picture = taken["yardstick: the picture alone"]
    for name, value in taken.items():
        print(f"{name:<36} {value:6.3f} s {value / picture:6.1f} ×")
    if options.json:
        options.json.write_text(json.dumps(taken))
