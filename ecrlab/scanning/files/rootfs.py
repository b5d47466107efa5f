"""The part of an image's file system that tells of packages, and its links, after all layers are laid upon another.

A layer adds and replaces; a whiteout `.wh.NAME` removes NAME, and `.wh..wh..opq` all of a folder, from the
layers below and never from its own (OCI image specification, "Whiteouts"). Anything but a folder replaces
a folder and all that was in it; paths go through the symbolic links of the layers below, as a runtime that
unpacks them does, and never above the root. Only paths worth reading and links are kept, so memory does not
grow with the layers.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from ecrlab.scanning.errors import LayerError, TooLargeError
from ecrlab.scanning.packages.evidence import Evidence, Kind

WHITEOUT = b".wh."
OPAQUE = b".wh..wh..opq"
_RESERVED = b".wh..wh."  # AUFS's own bookkeeping
_MOST_HOPS = 40  # as in the Linux kernel
_MOST_REMEMBERED = 32 << 20


@dataclass(frozen=True, slots=True)
class Piece:
    """Something kept: evidence that was read (or why it could not be), or a link and where it leads.

    `layer` is the index of the layer that wrote it, 0 the lowest; `link` is raw and, for a hard link whose
    target was not kept, `kind` says what would have been read.
    """

    layer: int
    kind: Kind | None = None
    evidence: Evidence | None = None
    unreadable: str | None = None
    link: bytes | None = None
    hard: bool = False


class CircularLinkError(LayerError):
    """Symbolic links lead in a circle."""


class RootFs:
    """The merged view of the layers so far; entries of the next layer come through the verbs below."""

    def __init__(self, kept_names: int) -> None:
        self.pieces: dict[bytes, Piece] = {}
        self._children: dict[bytes, set[bytes]] = {}
        self._parents: dict[bytes, bytes] = {}  # folders as written → with links followed
        self._passed: set[bytes] = set()  # every path that resolving them passed
        self._remembered = 0  # bytes of both
        self._limit = kept_names

    def place(self, path: bytes, piece: Piece) -> None:
        """Put a piece at a path whose parents are resolved, in place of all that was there."""
        self.remove(path)
        if len(self.pieces) >= self._limit:
            raise TooLargeError(f"the image holds more than {self._limit:,} links and package manifests: refused")
        self.pieces[path] = piece
        self._forget_resolved_through(path)
        while path:
            parent, _, name = path.rpartition(b"/")
            siblings = self._children.setdefault(parent, set())
            if name in siblings:
                return
            siblings.add(name)
            path = parent

    def make_folder(self, path: bytes) -> None:
        """Make a folder at a path, in place of a link or file; a folder that is there stays with all it holds."""
        if path in self.pieces:
            self.remove(path)

    def remove(self, path: bytes, below: int | None = None) -> None:
        """Remove a path and all under it, or only what layers under `below` brought."""
        if path in self.pieces or path in self._children:
            self._forget(path, below)

    def empty(self, path: bytes, below: int) -> None:
        """Remove all in a folder that layers under `below` brought."""
        for name in tuple(self._children.get(path, ())):
            self._forget(path + b"/" + name if path else name, below)

    def _forget(self, path: bytes, below: int | None) -> None:
        folders = [path]
        for folder in folders:
            folders += [folder + b"/" + name if folder else name for name in self._children.get(folder, ())]
        for one in reversed(folders):
            piece = self.pieces.get(one)
            if piece is not None and (below is None or piece.layer < below):
                del self.pieces[one]
                self._forget_resolved_through(one)
            if one not in self.pieces and not self._children.get(one):
                self._children.pop(one, None)
                parent, _, name = one.rpartition(b"/")
                self._children.get(parent, set()).discard(name)

    def _forget_resolved_through(self, path: bytes) -> None:
        """Forget the resolved folders if a link or folder on their way changes."""
        if path in self._passed:
            self._forget_resolved()

    def _forget_resolved(self) -> None:
        self._parents.clear()
        self._passed.clear()
        self._remembered = 0

    def resolve_parent(self, path: bytes) -> bytes:
        """Return a clean path with the links in its parents followed; its last name stays as it is."""
        parent, slash, name = path.rpartition(b"/")
        if not slash:
            return path
        resolved = self._parents.get(parent)
        if resolved is None:
            if self._remembered > _MOST_REMEMBERED:
                self._forget_resolved()
            resolved = self._parents[parent] = self.resolve(parent)
        return resolved + slash + name if resolved else name

    def resolve(self, path: bytes) -> bytes:
        """Return a path with every link followed, the last one too; raises CircularLinkError."""
        hops = 0
        resolved = b""
        rest = path.split(b"/")[::-1]
        while rest:
            name = rest.pop()
            if name in (b"", b"."):
                continue
            if name == b"..":
                resolved = resolved.rpartition(b"/")[0]
                continue
            here = resolved + b"/" + name if resolved else name
            self._passed.add(here)
            self._remembered += len(here)
            piece = self.pieces.get(here)
            if piece is None or piece.link is None or piece.hard:
                resolved = here
                continue
            hops += 1
            if hops > _MOST_HOPS:
                raise CircularLinkError(f"the links at {show(path)} lead in a circle")
            if piece.link.startswith(b"/"):
                resolved = b""
            rest += piece.link.split(b"/")[::-1]
        return resolved

    def evidence(self) -> Iterator[tuple[bytes, Piece]]:
        """Go through all pieces that are evidence, in the order of their paths."""
        for path in sorted(self.pieces):
            if self.pieces[path].kind is not None:
                yield path, self.pieces[path]


def clean(name: bytes) -> bytes:
    """Spell an entry's name as a path from the root: no dots, no slashes at the ends, never above the root.

    >>> clean(b"./usr//lib/../bin/"), clean(b"../../etc/passwd")
    (b'usr/bin', b'etc/passwd')
    """
    if name.startswith(b"./"):
        name = name[2:]
    if name.endswith(b"/"):
        name = name[:-1]
    odd = name.startswith((b"/", b"./", b"../")) or name.endswith(b"/") or b"//" in name or b"/." in name
    if name and not odd:
        return b"" if name in (b".", b"..") else name
    parts: list[bytes] = []
    for part in name.split(b"/"):
        if part == b"..":
            del parts[-1:]
        elif part not in (b"", b"."):
            parts.append(part)
    return b"/".join(parts)


def is_bookkeeping(path: bytes) -> bool:
    """Tell whether a path lies in what AUFS keeps for itself, which is no part of the image."""
    return any(part.startswith(_RESERVED) and part != OPAQUE for part in path.split(b"/"))


def show(path: bytes) -> str:
    """Spell a path for people and JSON; bytes that are no UTF-8 as backslash escapes."""
    return path.decode("utf-8", "backslashreplace")
