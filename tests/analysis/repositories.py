"""Repositories as the tests of storage make them up: by hand in a line, or by hypothesis."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

from ecrlab.analysis.inventory.snapshot import Snapshot
from ecrlab.lifecycle import Image

NOW = datetime(2026, 10, 1, 9, tzinfo=UTC)
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
DIGESTS = [f"d{n}" for n in range(7)]
LAYERS = {f"l{n}": size for n, size in enumerate((0, 1, 10, 100, 1000, 10_000))}


def image(digest: str, tags: str = "", days: float = 1, **facts: Any) -> Image:
    """An image pushed some days before NOW; `tags` with spaces between."""
    return Image(digest, tuple(tags.split()), NOW - timedelta(days=days), **facts)


def repository(*images: Image, layers: dict[str, str] | None = None, sizes: dict[str, int] | None = None) -> Snapshot:
    """A snapshot; `layers` of each image with spaces between, of sizes as in LAYERS unless given."""
    of_images = {one.image_digest: tuple((layers or {}).get(one.image_digest, "").split()) for one in images}
    used = {layer for some in of_images.values() for layer in some}
    return Snapshot("my-app", NOW, images, of_images, {layer: (sizes or LAYERS)[layer] for layer in sorted(used)})


@st.composite
def snapshots(draw: Callable[[Any], Any], unread: bool = False) -> Snapshot:
    """A few images with ties of all kinds, also to images that are not there; some `unread` if asked for.

    Ties lead from lower digests to higher ones: a digest vouches for what it refers to, so there are no circles.
    """
    digests = draw(st.lists(st.sampled_from(DIGESTS), unique=True))
    images, layers, missing = [], {}, {}
    for digest in digests:
        others = st.sampled_from([other for other in [*DIGESTS, "nowhere"] if other > digest])
        children = tuple(draw(st.lists(others, max_size=2, unique=True)))
        mine = () if children else tuple(draw(st.lists(st.sampled_from(sorted(LAYERS)), max_size=4, unique=True)))
        size = sum(LAYERS[layer] for layer in mine)
        facts = {
            "subject_digest": draw(st.none() | st.none() | others),
            "storage_class": draw(st.sampled_from(["standard", "standard", "archive", "activating"])),
            "children": children,
            "media_type": OCI_INDEX if children else "",
        }
        images.append(image(digest, days=draw(st.integers(-1, 9)), size_in_bytes=size, **facts))
        if unread and draw(st.booleans()):
            missing[digest] = "their manifests are lost"
        else:
            layers[digest] = mine
    sizes = {layer: LAYERS[layer] for some in layers.values() for layer in some}
    return Snapshot("my-app", NOW, tuple(images), layers, sizes, missing)


@st.composite
def wishes(draw: Callable[[Any], Any], unread: bool = False) -> tuple[Snapshot, set[str]]:
    """A repository and some digests to delete."""
    return draw(snapshots(unread=unread)), draw(st.sets(st.sampled_from(DIGESTS)))


def manifest(*layers: tuple[str, int], **more: Any) -> str:
    """The text of a manifest with these layers, as digests with sizes, and a config of 7 bytes."""
    blobs = [{"mediaType": "x/y", "digest": digest, "size": size} for digest, size in layers]
    return json.dumps({"config": {"mediaType": "x/y", "digest": "sha256:c", "size": 7}, "layers": blobs} | more)
