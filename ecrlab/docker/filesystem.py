"""The file system that a stack of layers results in, as a container would see it.

An upper layer's entry hides the one below with the same path; `.wh.NAME` hides NAME, and `.wh..wh..opq` the
earlier content of a directory (OCI image specification, layers). A build asks it whether `/app` is a directory, where
a link points, and what `COPY --from` reads. Layers may come from anywhere, so no path or size is trusted.
"""

import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from ecrlab.docker.errors import DockerError
from ecrlab.oci.layers import Entry, directory

LARGEST = 256 << 20
"""Bytes that the files of one image may have, because they are in memory."""
MOST = 200_000
"""Entries that the layers of one image may have together."""
LARGEST_HEADER = 128 << 10
"""Bytes of an extended header: names and attributes of one entry. tarfile reads it into memory as a whole."""

_EXTENDED = (
    *(tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.SOLARIS_XHDTYPE),
    *(tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK),
)


class _Member(tarfile.TarInfo):
    """An entry of a layer with bounded extended headers."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> "_Member":
        member = super().frombuf(buf, encoding, errors)
        if member.type in _EXTENDED and member.size > LARGEST_HEADER:
            raise DockerError(f"an entry of the image has an extended header of {member.size} bytes, too many")
        return member


class FileSystem:
    """The entry at each path (relative, without a leading slash)."""

    def __init__(self) -> None:
        self.entries: dict[str, Entry] = {"": directory("")}
        self._inside: dict[str, set[str]] = {}
        """Directory -> the paths directly in it that are entries or contain some."""
        self._size = self._count = 0

    def add(self, entry: Entry) -> None:
        """Add an entry, as the next layer would."""
        folder, _, name = entry.path.rpartition("/")
        if name == ".wh..wh..opq":
            self._remove_below(folder)
        elif name.startswith(".wh."):
            hidden = f"{folder}/{name.removeprefix('.wh.')}".lstrip("/")
            self._remove_below(hidden)
            if self.entries.pop(hidden, None):
                self._forget(hidden)
        else:
            if entry.kind != "directory":
                self._remove_below(entry.path)
            self.entries[entry.path] = entry
            path = entry.path
            while path:
                folder = path.rpartition("/")[0]
                names = self._inside.setdefault(folder, set())
                if path in names:
                    break
                names.add(path)
                path = folder

    def add_layer(self, path: Path) -> None:
        """Add the entries of a layer, a tar with or without compression."""
        try:
            with tarfile.open(path, "r:*", tarinfo=_Member) as tar:
                for member in tar:
                    tar.members.clear()  # type: ignore[attr-defined]  # tarfile would remember each
                    self._count += 1
                    if self._count > MOST:
                        raise DockerError(
                            f"the image has more than {MOST} files, too many for a build without an engine"
                        )
                    if entry := self._entry(tar, member):
                        self.add(entry)
        except (tarfile.TarError, EOFError, OSError, ValueError, OverflowError, RecursionError, zlib.error) as error:
            raise DockerError(f"layer sha256:{path.name} cannot be read: {error}") from error

    def _entry(self, tar: tarfile.TarFile, member: tarfile.TarInfo) -> Entry | None:
        path = _plain(member.name)
        if not path or ".." in path.split("/"):
            return None
        mode, uid, gid = member.mode & 0o7777, member.uid, member.gid
        if member.isdir():
            return Entry(path, "directory", mode, uid=uid, gid=gid)
        if member.issym():
            return Entry(path, "link", 0o777, target=member.linkname, uid=uid, gid=gid)
        if member.islnk():
            first = self.entries.get(_plain(member.linkname))
            return first and Entry(path, first.kind, first.mode, first.content, first.target, first.uid, first.gid)
        if not member.isfile():
            return None
        self._size += member.size
        if self._size > LARGEST:
            raise DockerError(f"the image holds more than {LARGEST >> 20} MiB, too much for a build without an engine")
        opened = tar.extractfile(member)
        assert opened is not None
        return Entry(path, "file", mode, opened.read(), uid=uid, gid=gid)

    def resolve(self, path: str) -> str:
        """Return a path with its links resolved; a missing part stays as written."""
        done: list[str] = []
        ahead = [part for part in reversed(path.split("/")) if part not in ("", ".")]
        for _ in range(1000):
            if not ahead:
                return "/".join(done)
            part = ahead.pop()
            if part == "..":
                del done[-1:]
                continue
            entry = self.entries.get("/".join([*done, part]))
            if entry is None or entry.kind != "link":
                done.append(part)
                continue
            if entry.target.startswith("/"):
                done = []
            ahead += [step for step in reversed(entry.target.split("/")) if step not in ("", ".")]
        raise DockerError(f"too many links on the way to /{path}")

    def is_directory(self, path: str) -> bool:
        """Tell whether a resolved path is a directory, also one without an entry of its own."""
        entry = self.entries.get(path)
        return entry.kind == "directory" if entry else path in self._inside

    def below(self, path: str) -> Iterator[Entry]:
        """Return the entries below a directory, sorted, with full paths."""
        return (self.entries[name] for name in sorted(self._below(path)) if name in self.entries)

    def _below(self, path: str) -> list[str]:
        found: list[str] = []
        folders = [path]
        while folders:
            inside = self._inside.get(folders.pop(), ())
            found += inside
            folders += inside
        return found

    def _remove_below(self, path: str) -> None:
        if path not in self._inside:
            return
        for name in [path, *self._below(path)]:
            self._inside.pop(name, None)
            if name != path:
                self.entries.pop(name, None)
        if path not in self.entries:
            self._forget(path)

    def _forget(self, path: str) -> None:
        """Remove a deleted path from the directories above that exist only because of it."""
        while path and path not in self.entries and path not in self._inside:
            folder = path.rpartition("/")[0]
            inside = self._inside.get(folder, set())
            inside.discard(path)
            if inside:
                break
            self._inside.pop(folder, None)
            path = folder


def _plain(name: str) -> str:
    """Return a path of a tar without a leading slash, `./` and a trailing slash."""
    return "/".join(part for part in name.split("/") if part not in ("", "."))
