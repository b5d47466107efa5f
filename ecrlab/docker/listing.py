"""The output of `images`, `history` and `inspect`.

It shows dates as dates, because Docker's "3 weeks ago" changes every day and the lab's builds have a fixed date. SIZE
is that of the unpacked layers, as in Docker; ECR counts the compressed ones.
"""

import json
from typing import Any

from ecrlab.docker.errors import DockerError
from ecrlab.docker.platforms import choose, default_platform
from ecrlab.docker.references import Reference, parse
from ecrlab.docker.store import Image, Store, full_name
from ecrlab.docker.template import render

NONE = "<none>"


def human_size(size: int) -> str:
    """Return bytes as Docker prints them: three digits, units of 1000.

    >>> human_size(1234567), human_size(12)
    ('1.23MB', '12B')
    """
    value, units = float(size), ["B", "kB", "MB", "GB", "TB"]
    while value >= 1000 and len(units) > 1:
        value /= 1000
        units.pop(0)
    return f"{value:.3g}{units[0]}"


def table(header: list[str], rows: list[list[str]]) -> str:
    """Return columns in Docker's layout: at least ten wide, three apart."""
    widths = [max(10, max(len(row[column]) for row in [header, *rows]) + 3) for column in range(len(header))]
    lines = ("".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)) for row in [header, *rows])
    return "\n".join(line.rstrip() for line in lines)


# --- docker images ---------------------------------------------------------------------------------------------------

_HEADERS = {
    "Repository": "REPOSITORY",
    "Tag": "TAG",
    "Digest": "DIGEST",
    "ID": "IMAGE ID",
    "CreatedSince": "CREATED",
    "CreatedAt": "CREATED AT",
    "Size": "SIZE",
}


def image_rows(store: Store, wanted: str = "", *, full: bool = False) -> list[tuple[dict[str, str], Image]]:
    """Return a row for each tag, the newest image first; `wanted` is a repository with or without a tag."""
    state = store.state()
    rows: list[tuple[tuple[str, int], list[tuple[dict[str, str], Image]]]] = []
    for arrival, digest in enumerate(state.images):
        image = store.image(digest)
        references = [parse(name) for name, target in state.references.items() if target == digest]
        order = (created(store, image), arrival)
        rows.append((order, [(_row(store, image, name, full), image) for name in _names(references)]))
    found = [row for _, rows_of_image in sorted(rows, key=lambda row: row[0], reverse=True) for row in rows_of_image]
    if wanted:
        asked = parse(wanted)
        found = [
            (row, image) for row, image in found if row["Repository"] == asked.name and asked.tag in ("", row["Tag"])
        ]
    return found


def _names(references: list[Reference]) -> list[tuple[str, str, str]]:
    """Return repository, tag and digest of each row; a digest has a row of its own only if no tag exists."""
    digests = {reference.name: reference.digest for reference in references if reference.digest}
    tagged = sorted((r.name, r.tag, digests.get(r.name, NONE)) for r in references if r.tag)
    with_tag = {name for name, _, _ in tagged}
    untagged = [(name, NONE, digest) for name, digest in sorted(digests.items()) if name not in with_tag]
    return tagged + untagged or [(NONE, NONE, NONE)]


def _row(store: Store, image: Image, names: tuple[str, str, str], full: bool) -> dict[str, str]:
    repository, tag, digest = names
    when = created(store, image)
    return {
        "Repository": repository,
        "Tag": tag,
        "Digest": digest,
        "ID": image.id if full else short(image.id),
        "CreatedSince": when[:10],
        "CreatedAt": f"{when[:10]} {when[11:19]} +0000 UTC",
        "Size": human_size(store.size(image)),
    }


def show_rows(rows: list[dict[str, str]], columns: list[str], template: str = "") -> str:
    """Return rows as a table, or in the form of `--format`: a template, `table TEMPLATE`, or `json`."""
    if template == "json":
        return "\n".join(json.dumps(row, separators=(",", ":"), ensure_ascii=False) for row in rows)
    if template.startswith("table "):
        lines = [render(template[6:], row) for row in [_HEADERS, *rows]]
        cells = [line.split("\t") for line in lines]
        return table(cells[0], cells[1:])
    if template and template != "table":
        return "\n".join(render(template, row) for row in rows)
    return table([_HEADERS[column] for column in columns], [[row[column] for column in columns] for row in rows])


# --- docker inspect --------------------------------------------------------------------------------------------------


def inspected(store: Store, image: Image, platform: str | None = None) -> dict[str, Any]:
    """Return the document of `docker inspect` for an image; for an index that of one platform, and its children."""
    state = store.state()
    references = sorted((parse(name) for name, target in state.references.items() if target == image.digest), key=str)
    single = single_of(store, image, platform)
    config = single.config
    history = config.get("history") or [{}]
    told: dict[str, Any] = {
        "Id": image.id,
        "RepoTags": [str(reference) for reference in references if reference.tag],
        "RepoDigests": [str(reference) for reference in references if reference.digest],
        "Comment": config.get("comment") or history[-1].get("comment", ""),
        "Created": config.get("created", ""),
        "Author": config.get("author", ""),
        "Config": config.get("config") or {},
        "Architecture": config.get("architecture", ""),
        **({"Variant": config["variant"]} if config.get("variant") else {}),
        "Os": config.get("os", ""),
        "Size": store.size(image),
        "RootFS": {"Type": "layers", "Layers": (config.get("rootfs") or {}).get("diff_ids") or []},
        "Descriptor": {
            "mediaType": image.manifest.media_type,
            "digest": image.digest,
            "size": len(image.manifest.body),
        },
    }
    return told | ({"Manifests": json.loads(image.manifest.body)["manifests"]} if image.is_index else {})


def single_of(store: Store, image: Image, platform: str | None = None) -> Image:
    """Return the image, or the child of an index for a platform (by default the usual one, else the first)."""
    if not image.is_index:
        return image
    try:
        return store.image(choose(image.manifest, platform or default_platform(), image.digest))
    except DockerError:
        if platform:
            raise
        return store.image(image.manifest.children[0].digest)


# --- docker history --------------------------------------------------------------------------------------------------


def history(store: Store, image: Image, *, full: bool = False, quiet: bool = False) -> str:
    """Return the table of `docker history`, the latest step first; `quiet` shows only the IDs."""
    single = single_of(store, image)
    sizes = iter([store.size_of_layer(layer) for layer in single.manifest.layers])
    rows = []
    for step in single.config.get("history") or []:
        size = 0 if step.get("empty_layer") else next(sizes, 0)
        rows.append(
            [
                "<missing>",
                (step.get("created") or "")[:10],
                step.get("created_by") or "",
                human_size(size),
                step.get("comment") or "",
            ]
        )
    rows.reverse()
    if rows:
        rows[0][0] = image.id if full else short(image.id)
    for row in rows:
        if not full and len(row[2]) > 45:
            row[2] = row[2][:44] + "…"
    if quiet:
        return "\n".join(row[0] for row in rows)
    return table(["IMAGE", "CREATED", "CREATED BY", "SIZE", "COMMENT"], rows)


# --- docker rmi ------------------------------------------------------------------------------------------------------


def remove(store: Store, name: str, *, force: bool = False) -> list[str]:
    """Remove a name, and the image with its last name. Returns the lines that Docker prints."""
    image = store.get(name)
    lines: list[str] = []
    with store.sweeping(), store.changing() as state:
        own = [key for key, target in state.references.items() if target == image.digest]
        try:
            asked = full_name(parse(name).with_tag())
        except DockerError:
            asked = ""
        if asked in own:
            gone = [asked]
        else:
            gone = [key for key in own if "@" not in key]
            if len(gone) > 1 and not force:
                raise DockerError(
                    f"Error response from daemon: conflict: unable to delete {short(image.id)} (must be forced) - image"
                    " is referenced in multiple repositories"
                )
        left = {parse(key).repository for key in own if key not in gone and "@" not in key}
        gone += [key for key in own if "@" in key and key not in gone and parse(key).repository not in left]
        for key in gone:
            del state.references[key]
            lines.append(f"Untagged: {parse(key)}")
        if image.digest not in state.references.values():
            state.images.remove(image.digest)
            store.sweep(state)
            lines.append(f"Deleted: {image.id}")
    return lines


def created(store: Store, image: Image) -> str:
    """Return the creation date in an image's config, ISO 8601."""
    return single_of(store, image).config.get("created") or ""


def short(digest: str) -> str:
    """Return the first twelve hexadecimal digits of a digest."""
    return digest.removeprefix("sha256:")[:12]
