"""COPY: the entries of a new layer, from the build context or the file system of another stage or image.

COPY copies the content of a source directory, not the directory. Files keep their names in a destination that ends
with a slash or is a directory; otherwise the destination is the new name. Missing directories are created.
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
    """A source of COPY."""

    def find(self, source: str) -> list[str]:
        """Return the paths that a source matches, sorted."""
        ...

    def is_directory(self, path: str) -> bool:
        """Tell whether a path from `find` is a directory."""
        ...

    def entry(self, path: str) -> Entry:
        """Return the entry of a path that is no directory."""
        ...

    def below(self, path: str) -> Iterable[Entry]:
        """Return the entries below a directory, with relative paths."""
        ...


@dataclass(frozen=True, slots=True)
class Ownership:
    """The values of --chown and --chmod; a mode of None keeps that of the source."""

    uid: int = 0
    gid: int = 0
    mode: int | None = None

    def of(self, entry: Entry, path: str) -> Entry:
        """Return the entry at its new path with its new owner and mode."""
        mode = entry.mode if self.mode is None or entry.kind == "link" else self.mode
        return Entry(path, entry.kind, mode, entry.content, entry.target, self.uid, self.gid)


class FromImage:
    """The file system of a stage or image as a source."""

    def __init__(self, files: FileSystem):
        self._files = files

    def find(self, source: str) -> list[str]:
        """Return the paths that a source matches, sorted."""
        wanted = "/".join(part for part in source.split("/") if part not in ("", "."))
        if not set("*?[\\") & set(wanted):
            path = self._files.resolve(wanted)
            return [path] if path in self._files.entries or self._files.is_directory(path) else []
        wanted_path = pattern(wanted)
        return [path for path in sorted(self._files.entries) if wanted_path.matches(path)]

    def is_directory(self, path: str) -> bool:
        """Tell whether a path from `find` is a directory."""
        return self._files.is_directory(self._files.resolve(path))

    def entry(self, path: str) -> Entry:
        """Return the entry of a path that is no directory; for a link that of its target."""
        return replace(self._files.entries[self._files.resolve(path)], path=path)

    def below(self, path: str) -> Iterator[Entry]:
        """Return the entries below a directory, with relative paths."""
        start = len(path) + 1 if path else 0
        return (replace(entry, path=entry.path[start:]) for entry in self._files.below(path))


def copied(source: Source, names: list[str], destination: str, files: FileSystem, ownership: Ownership) -> list[Entry]:
    """Return the entries of the layer. `destination` is absolute; `files` is the file system below it."""
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
    """Return the directories above these paths: the existing ones, or new ones with the given owner."""
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
