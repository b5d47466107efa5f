"""COPY: which entries a layer gets, from the build context or from the file system of another stage or image.

The content of a source directory is copied, not the directory. A destination that ends with a slash, or is
a directory, takes files under their names; otherwise it is the new name. Directories on the way are made.
Source: Dockerfile reference, COPY.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Protocol

from ecrlab.docker.errors import DockerError
from ecrlab.docker.filesystem import FileSystem
from ecrlab.docker.patterns import pattern
from ecrlab.oci.layers import Entry


class Source(Protocol):
    """What can be copied from."""

    def find(self, source: str) -> list[str]:
        """The paths that a source names, sorted."""
        ...

    def is_directory(self, path: str) -> bool:
        """Whether such a path is a directory."""
        ...

    def entry(self, path: str) -> Entry:
        """A path that is no directory."""
        ...

    def below(self, path: str) -> Iterable[Entry]:
        """What is in a directory, with paths relative to it."""
        ...


@dataclass(frozen=True, slots=True)
class Ownership:
    """What --chown and --chmod ask for; None leaves things as they are."""

    uid: int = 0
    gid: int = 0
    mode: int | None = None

    def of(self, entry: Entry, path: str) -> Entry:
        """The entry at its new path with its new owner and mode."""
        mode = entry.mode if self.mode is None or entry.kind == "link" else self.mode
        return Entry(path, entry.kind, mode, entry.content, entry.target, self.uid, self.gid)


class FromImage:
    """The file system of a stage or image as a source."""

    def __init__(self, files: FileSystem):
        self._files = files

    def find(self, source: str) -> list[str]:
        """The paths that a source names, sorted."""
        wanted = "/".join(part for part in source.split("/") if part not in ("", "."))
        if not set("*?[\\") & set(wanted):
            path = self._files.resolve(wanted)
            return [path] if path in self._files.entries or self._files.is_directory(path) else []
        wanted_path = pattern(wanted)
        return [path for path in sorted(self._files.entries) if wanted_path.matches(path)]

    def is_directory(self, path: str) -> bool:
        """Whether such a path is a directory."""
        return self._files.is_directory(self._files.resolve(path))

    def entry(self, path: str) -> Entry:
        """A path that is no directory; a link stands for what it leads to."""
        return replace(self._files.entries[self._files.resolve(path)], path=path)

    def below(self, path: str) -> Iterator[Entry]:
        """What is in a directory, with paths relative to it."""
        start = len(path) + 1 if path else 0
        return (replace(entry, path=entry.path[start:]) for entry in self._files.below(path))


def copied(source: Source, names: list[str], destination: str, files: FileSystem, ownership: Ownership) -> list[Entry]:
    """The entries of the layer. `destination` is absolute; `files` is what is there before."""
    found = [path for name in names for path in _found(source, name)]
    target = files.resolve(destination)
    into = destination.endswith("/") or files.is_directory(target)
    if len(found) > 1 and not into:
        raise DockerError(
            "When using COPY with more than one source file, the destination must be a directory and end with a /"
        )
    made: list[Entry] = []
    for path in found:
        if source.is_directory(path):
            inside = [ownership.of(entry, _join(target, entry.path)) for entry in source.below(path)]
            made += [*([_owned_directory(target, files, ownership)] if target else []), *inside]
        else:
            name = path.rpartition("/")[2]
            made.append(ownership.of(source.entry(path), _join(target, name) if into else target))
    return [*parents((entry.path for entry in made), files, ownership), *made]


def parents(paths: Iterable[str], files: FileSystem, ownership: Ownership) -> list[Entry]:
    """The directories above these paths: as they are, or new and owned as what is copied."""
    above = {"/".join(parts[:depth]) for parts in (path.split("/") for path in paths) for depth in range(1, len(parts))}
    return [_owned_directory(path, files, ownership) for path in sorted(above)]


def _owned_directory(path: str, files: FileSystem, ownership: Ownership) -> Entry:
    there = files.entries.get(path)
    if there and there.kind == "directory":
        return there
    return Entry(path, "directory", 0o755, uid=ownership.uid, gid=ownership.gid)


def _found(source: Source, name: str) -> list[str]:
    found = source.find(name)
    if not found:
        shown = "/".join(part for part in name.split("/") if part not in ("", ".", ".."))
        raise DockerError(f'failed to compute cache key: "/{shown}": not found')
    return found


def _join(folder: str, name: str) -> str:
    return f"{folder}/{name}" if folder else name
