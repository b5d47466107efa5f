"""Which images `docker images --filter` shows, and which `docker image prune` removes.

Sources: Docker's reference, docker image ls (filtering) and docker image prune.
"""

import fnmatch

from ecrlab.docker.errors import DockerError
from ecrlab.docker.listing import NONE, created, human_size, single_of
from ecrlab.docker.references import parse
from ecrlab.docker.store import Image, Store

Row = dict[str, str]


def filtered(store: Store, rows: list[tuple[Row, Image]], filters: list[str]) -> list[Row]:
    """Return the rows that match every kind of filter, and any value of one kind. Raises `DockerError`."""
    wanted: dict[str, list[str]] = {}
    for text in filters:
        kind, equals, value = text.partition("=")
        if not equals:
            raise DockerError(f'invalid argument "{text}" for "-f, --filter" flag: invalid filter \'{text}\'', 125)
        if kind not in ("dangling", "label", "before", "since", "reference"):
            raise DockerError(f"Error response from daemon: invalid filter '{kind}'")
        if kind == "dangling" and value not in ("true", "false", "1", "0"):
            raise DockerError(f"Error response from daemon: invalid filter 'dangling={value}'")
        wanted.setdefault(kind, []).append(value)
    return [
        row
        for row, image in rows
        if all(any(_fits(store, kind, value, row, image) for value in values) for kind, values in wanted.items())
    ]


def _fits(store: Store, kind: str, value: str, row: Row, image: Image) -> bool:
    match kind:
        case "dangling":
            return (row["Tag"] == NONE) is (value in ("true", "1"))
        case "label":
            name, equals, text = value.partition("=")
            labels = (single_of(store, image).config.get("config") or {}).get("Labels") or {}
            return name in labels and (not equals or labels[name] == text)
        case "reference":
            name, colon, tag = value.rpartition(":") if ":" in value.rpartition("/")[2] else (value, "", "")
            return fnmatch.fnmatchcase(row["Repository"], name) and (not colon or fnmatch.fnmatchcase(row["Tag"], tag))
    other = created(store, store.get(value))
    return created(store, image) < other if kind == "before" else created(store, image) > other


def prune(store: Store, *, every: bool) -> str:
    """Remove images without a tag, or `every` one (no container uses any). Returns the text that Docker prints."""
    lines: list[str] = []
    with store.sweeping(), store.changing() as state:
        before = store.size_on_disk()
        for digest in list(state.images):
            names = [key for key, target in state.references.items() if target == digest]
            if not every and any("@" not in name for name in names):
                continue
            for name in sorted(names):
                del state.references[name]
                lines.append(f"untagged: {parse(name)}")
            lines.append(f"deleted: {store.image(digest).id}")
            state.images.remove(digest)
        store.sweep(state)
        freed = before - store.size_on_disk()
    deleted = ["Deleted Images:", *lines, ""] if lines else []
    return "\n".join([*deleted, f"Total reclaimed space: {human_size(freed)}"])
