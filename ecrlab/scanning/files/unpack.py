"""Stack the layers of an image into one file system, reading only the files about packages.

One pass over each layer suffices, unless a database is a link to a file with an unrelated name; then a second pass
reads that file too.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from ecrlab.scanning.errors import LayerError, TooLargeError
from ecrlab.scanning.files import rootfs
from ecrlab.scanning.files.layers import LayerSource, Limits, tar_pieces
from ecrlab.scanning.files.rootfs import CircularLinkError, Piece, RootFs, clean, show
from ecrlab.scanning.files.tarstream import Entry, TarStream
from ecrlab.scanning.packages import recognise
from ecrlab.scanning.packages.evidence import EvidenceError, Found, Kind

_MOST_PASSES = 3
_DEEPEST = 256  # no image is deeper, and link resolution costs the square of the depth

Identity = tuple[bytes, str, str, str]
"""The identity of a package across layers: the path of its manifest (empty for a distribution's package, whose database
may move), its name, architecture and version."""


def identity(path: bytes, found: Found) -> Identity:
    """Return the identity of a package found in a file."""
    return (path if found.ecosystem else b""), found.name, found.architecture, found.version


class Unpacked:
    """The file system of an image, with only the files about packages, and the first layer of each package."""

    def __init__(self, root: RootFs, first_seen: Mapping[Identity, int]) -> None:
        self.root = root
        self.first_seen = first_seen


def unpack(layers: Sequence[LayerSource], languages: bool, limits: Limits) -> Unpacked:
    """Read all layers, lowest first; raises LayerError, TooLargeError and UnsupportedImageError."""
    deadline = time.monotonic() + limits.seconds
    wanted: dict[bytes, Kind] = {}
    only_hard_linked: set[bytes] = set()
    for _ in range(_MOST_PASSES):
        reading = _Reading(languages, limits, wanted, deadline)
        for index, layer in enumerate(layers):
            reading.read_layer(index, layer)
        hard, symbolic = reading.missing()
        only_hard_linked = (only_hard_linked | hard.keys()) - symbolic.keys()
        if not (hard.keys() | symbolic.keys()) - wanted.keys():
            break
        wanted |= hard | symbolic
    for path in only_hard_linked:
        # The file is installed under its links' names; this one is of a store (pnpm's, uv's), or of nothing.
        reading.root.remove(path)
    return Unpacked(reading.root, reading.first_seen)


class _Reading:
    """One pass over all layers."""

    def __init__(self, languages: bool, limits: Limits, wanted: Mapping[bytes, Kind], deadline: float) -> None:
        self.root = RootFs(limits.kept_names)
        self.first_seen: dict[Identity, int] = {}
        self._languages = languages
        self._limits = limits
        self._wanted = wanted
        self._deadline = deadline
        self._expanded = 0
        self._kept_bytes = 0
        self._owned = 0
        self._entries = limits.entries

    def read_layer(self, index: int, layer: LayerSource) -> None:
        stream = TarStream(self._counted(layer), self._entries)
        try:
            for entry in stream:
                self._take_in(index, entry, stream)
                self._entries -= 1
        except LayerError as cause:
            if layer.digest in str(cause):
                raise
            raise type(cause)(f"layer {layer.digest}: {cause}") from cause

    def _counted(self, layer: LayerSource) -> Iterator[bytes]:
        for piece in tar_pieces(layer, self._limits):
            self._expanded += len(piece)
            if self._expanded > self._limits.expanded_total:
                raise TooLargeError(f"the image expands to more than {self._expanded:,} bytes: refused as a bomb")
            if time.monotonic() >= self._deadline:
                raise TooLargeError(f"reading the image takes longer than {self._limits.seconds:g} seconds: refused")
            yield piece

    def _take_in(self, index: int, entry: Entry, stream: TarStream) -> None:
        path = clean(entry.name)
        if not path:
            return
        if path.count(b"/") > _DEEPEST:
            raise TooLargeError(f"an entry lies more than {_DEEPEST} folders deep: refused")
        path = self.root.resolve_parent(path)
        if rootfs.WHITEOUT in path and self._white_out(index, path):
            return
        if entry.kind == "directory":
            self.root.make_folder(path)
        elif entry.kind == "symlink":
            self._keep(len(path) + len(entry.link))
            self.root.place(path, Piece(index, recognise.recognise(path, self._languages), link=entry.link))
        elif entry.kind == "hardlink":
            self._link(index, path, entry)
        else:
            piece = self._examine(index, path, entry, stream) if entry.kind == "file" else None
            if piece is None:
                self.root.remove(path)
            else:
                self.root.place(path, piece)

    def _white_out(self, index: int, path: bytes) -> bool:
        """Apply a whiteout to the layers below; return whether the path is one, or no part of the image."""
        folder, _, name = path.rpartition(b"/")
        if rootfs.is_bookkeeping(path):
            return True
        if not name.startswith(rootfs.WHITEOUT):
            return False
        if name == rootfs.OPAQUE:
            self.root.empty(folder, below=index)
            return True
        victim = name.removeprefix(rootfs.WHITEOUT)
        if victim in (b"", b".", b".."):
            raise LayerError(f"{show(path)} is a whiteout of no name")
        self.root.remove(folder + b"/" + victim if folder else victim, below=index)
        return True

    def _link(self, index: int, path: bytes, entry: Entry) -> None:
        self._keep(len(path) + len(entry.link))
        target = self.root.resolve_parent(clean(entry.link))
        held = self.root.pieces.get(target)
        kind = self._kind(path)
        if target == path:
            return
        if held is not None and held.link is not None and not held.hard:
            self.root.place(path, replace(held, layer=index, kind=kind))
        elif kind is None:
            self.root.remove(path)
        elif held is not None:
            self.root.place(path, replace(held, layer=index))
        else:
            self.root.place(path, Piece(index, kind, link=target, hard=True))

    def _kind(self, path: bytes) -> Kind | None:
        return recognise.recognise(path, self._languages) or self._wanted.get(path)

    def _examine(self, index: int, path: bytes, entry: Entry, stream: TarStream) -> Piece | None:
        kind = self._kind(path)
        if kind is None:
            if self._languages and recognise.may_be_go(entry.mode, entry.size) and _is_go(stream):
                kind = recognise.GO
                return Piece(index, kind, kind.read(path, b""))
            return None
        if entry.sparse:
            return Piece(index, kind, unreadable="it is stored as a sparse file")
        if not kind.limit:
            return Piece(index, kind, kind.read(path, b""))
        if entry.size > kind.limit:
            return Piece(index, kind, unreadable=f"it is {entry.size:,} bytes large, at most {kind.limit:,} are read")
        try:
            evidence = kind.read(path, stream.read(kind.limit))
        except EvidenceError as cause:
            return Piece(index, kind, unreadable=str(cause)[:300])
        self._keep(len(path) + evidence.size)
        for found in evidence.packages:
            self.first_seen.setdefault(identity(path, found), index)
        self._owned += len(evidence.owned)
        if len(self.first_seen) > self._limits.packages or self._owned > self._limits.kept_names:
            raise TooLargeError(f"the image has more than {self._limits.packages:,} packages: refused")
        return Piece(index, kind, evidence)

    def _keep(self, size: int) -> None:
        self._kept_bytes += size
        if self._kept_bytes > self._limits.kept_bytes:
            raise TooLargeError(f"its links and manifests take more than {self._limits.kept_bytes:,} bytes: refused")

    def missing(self) -> tuple[dict[bytes, Kind], dict[bytes, Kind]]:
        """Return the unread files behind hard links, and those behind symbolic links."""
        hard: dict[bytes, Kind] = {}
        symbolic: dict[bytes, Kind] = {}
        for _, piece in self.root.evidence():
            if piece.hard and piece.link is not None and piece.kind is not None:
                hard[piece.link] = piece.kind
        links = [(path, piece.kind) for path, piece in self.root.evidence() if piece.link is not None]
        paths = [item for item in links if item[0] not in recognise.FIXED]
        # Of the release files os-release suffices; the others of RPM's family are mostly links.
        fixed = [item for item in recognise.FIXED.items() if item[0] not in recognise.OLD_RELEASE_FILES]
        for path, kind in [*fixed, *paths]:
            try:
                target = self.root.resolve(path)
            except CircularLinkError:
                continue
            if kind is not None and target != path and target not in self.root.pieces and not self._kind(target):
                symbolic[target] = kind
        return hard, symbolic


def _is_go(stream: TarStream) -> bool:
    """Look for the Go linker's mark in the entry at hand, if it begins as an ELF binary does."""
    tail = b""
    for piece in stream.pieces():
        if not tail and not piece.startswith(b"\x7fELF"[: len(piece)]):
            return False
        if recognise.GO_MARK in piece or recognise.GO_MARK in tail + piece[: len(recognise.GO_MARK)]:
            return True
        tail = (tail + piece)[-len(recognise.GO_MARK) :]
    return False
