"""What it costs to know what a repository stores, against building a DataFrame of the same descriptions; and to look a
year ahead.

    python3 -m tests.bench.storage

The aims: the storage of 100,000 images that share 50,000 layers (all bytes, what each image holds alone, what deleting
half of them frees) in at most twice the time of the DataFrame. For a what-if panel on 5,000 images the time is stated.
All is processor time, the least of some runs in turns, because other programs may be busy too.
"""

import gc
import json
import random
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pandas as pd

from ecrlab.analysis.costs import storage
from ecrlab.analysis.costs.projection import futures, prepare, project, replay
from ecrlab.analysis.costs.savings import settle
from ecrlab.analysis.inventory import reading
from ecrlab.analysis.inventory.snapshot import Snapshot
from ecrlab.lifecycle import Policy, evaluate, parse
from ecrlab.lifecycle.reading import images
from ecrlab.scenarios import draw

NOW = datetime(2026, 9, 1, 9, tzinfo=UTC)
MANY, LAYERS, OF_EACH = 100_000, 50_000, 8
RUNS = 7


def descriptions() -> list[dict[str, Any]]:
    """A describe-images answer, as boto3 gives it."""
    chance = random.Random(8)
    return [
        {
            "registryId": "123456789012",
            "repositoryName": "team/shop",
            "imageDigest": f"sha256:{chance.getrandbits(256):064x}",
            "imageTags": [f"v1.0.{serial}"] if serial % 3 else [],
            "imageSizeInBytes": chance.randrange(10**9),
            "imagePushedAt": NOW - timedelta(seconds=chance.randrange(400 * 86_400)),
            "imageManifestMediaType": "application/vnd.oci.image.manifest.v1+json",
            "artifactMediaType": "application/vnd.oci.image.config.v1+json",
            "lastRecordedPullTime": NOW - timedelta(seconds=chance.randrange(86_400)),
            "imageStatus": "ACTIVE",
        }
        for serial in range(MANY)
    ]


def manifests(details: list[dict[str, Any]]) -> dict[str, str]:
    """A manifest for each: some layers that many share, and some that few do, 50,000 in all."""
    chance = random.Random(9)
    layers = [(f"sha256:{chance.getrandbits(256):064x}", chance.randrange(10**8)) for _ in range(LAYERS)]
    texts = {}
    for detail in details:
        chosen = {chance.randrange(100) for _ in range(3)} | {chance.randrange(LAYERS) for _ in range(OF_EACH - 4)}
        config, *blobs = [{"mediaType": "x/y", "digest": layers[n][0], "size": layers[n][1]} for n in sorted(chosen)]
        texts[detail["imageDigest"]] = json.dumps({"schemaVersion": 2, "config": config, "layers": blobs})
    return texts


def least(works: dict[str, Callable[[], Any]], runs: int = RUNS) -> dict[str, float]:
    """The processor time of each work, the least of some runs in turns."""
    found = dict.fromkeys(works, float("inf"))
    for _ in range(runs):
        for name, work in works.items():
            gc.collect()
            start = time.process_time()
            work()
            found[name] = min(found[name], time.process_time() - start)
    return found


def computed(snapshot: Snapshot, half: list[str]) -> tuple[Any, ...]:
    """The storage of a repository, nothing remembered from before."""
    fresh = replace(snapshot)
    return storage.stored(fresh), storage.own(fresh), storage.freed(fresh, half)


def policy() -> Policy:
    """Five rules as people write them."""

    def rule(priority: int, number: int, count: str, *tags: str, status: str = "tagged") -> dict[str, Any]:
        selection: dict[str, Any] = {"tagStatus": status, "countType": count, "countNumber": number}
        selection |= {"tagPatternList": list(tags)} if tags else {}
        selection |= {} if count == "imageCountMoreThan" else {"countUnit": "days"}
        return {"rulePriority": priority, "selection": selection, "action": {"type": "expire"}}

    rules = [
        rule(1, 50, "imageCountMoreThan", "v*"),
        rule(2, 100, "imageCountMoreThan", "main-*"),
        rule(3, 14, "sinceImagePushed", "pr-*"),
        rule(4, 7, "sinceImagePushed", status="untagged"),
        rule(5, 180, "sinceImagePushed", status="any"),
    ]
    return parse(json.dumps({"rules": rules}))


def shop_of(number: int) -> tuple[Snapshot, Callable[[int], Any]]:
    """All images of a shop as if they were one repository, at least so many; and its futures."""
    shop = draw(7, date(2026, 9, 30), days=365)

    def one(days: Any) -> Any:
        for day in days:
            yield replace(
                day,
                pushes=tuple(replace(push, repository_name="shop") for push in day.pushes),
                pulls=tuple(replace(pull, repository_name="shop") for pull in day.pulls),
            )

    snapshot = replay("shop", one(shop.past), at=datetime(2026, 10, 1, tzinfo=UTC))
    newest = sorted(snapshot.images, key=lambda image: image.pushed_at)[-number:]
    older = frozenset(snapshot.by_digest) - {image.image_digest for image in newest}
    return snapshot.without(older), lambda number: one(shop.future(number))


def main() -> None:
    """Print the figures."""
    details = descriptions()
    texts, described = manifests(details), images({"imageDetails": details})
    snapshot = reading.snapshot("team/shop", NOW, described, texts)
    half = [image.image_digest for image in snapshot.images[::2]]
    seconds = least(
        {
            "DataFrame of the descriptions": lambda: pd.DataFrame(details),
            "storage": lambda: computed(snapshot, half),
            "reading the manifests": lambda: reading.snapshot("team/shop", NOW, described, texts),
        }
    )
    print(f"{MANY:,} images, {len(snapshot.sizes):,} layers, {sum(map(len, snapshot.layers.values())):,} uses")
    for name, taken in seconds.items():
        print(f"  {name}: {taken:.3f} s")
    ratio = seconds["storage"] / seconds["DataFrame of the descriptions"]
    print(f"  storage / DataFrame  {ratio:.2f}  (at most 2)")

    start, source = shop_of(5000)
    drawn = least({"drawing 5 futures": lambda: futures(source, number=5)}, runs=1)
    to_come, wanted = futures(source, number=5), policy()
    ahead = least(
        {
            "one policy, one year, one future": lambda: project(start, {"it": wanted}, to_come[:1]),
            "two policies, one year, five futures": lambda: project(start, {"it": wanted, "none": None}, to_come),
            "what goes now": lambda: settle(start, wanted),
            "ready for any policy: one future": lambda: prepare(to_come[0], "shop"),
            "looking at all images once (365 times would be a year)": lambda: evaluate(wanted, start.images, NOW),
        },
        runs=3,
    )
    print(f"a what-if panel on {len(start):,} images")
    for name, taken in (drawn | ahead).items():
        print(f"  {name}: {taken:.3f} s")


if __name__ == "__main__":
    main()
