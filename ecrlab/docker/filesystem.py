"""What a stack of layers adds up to: the file system a container would see.

An upper layer's entry hides the one below with the same path; `.wh.NAME` hides NAME, and `.wh..wh..opq` all
that was in a directory (OCI image specification, layers). A build needs it to know whether `/app` is a
directory already, where a link leads, and what `COPY --from` takes. Layers may come from anywhere, so paths
and sizes are not trusted.
"""

import tarfile
from collections.abc import Iterator
from pathlib import Path

from ecrlab.docker.errors import DockerError
from ecrlab.oci.layers import Entry, directory

LARGEST = 256 << 20
"""Bytes that the files of one image may have, for they are held in memory."""


class FileSystem:
    """Paths (relative, no leading slash) and what is there."""

    def __init__(self) -> None:
        self.entries: dict[str, Entry] = {"": directory("")}
        self._size = 0

    def add(self, entry: Entry) -> None:
        """Put an entry there, as the next layer would."""
        folder, _, name = entry.path.rpartition("/")
        if name == ".wh..wh..opq":
            self._remove_below(folder)
        elif name.startswith(".wh."):
            hidden = f"{folder}/{name.removeprefix('.wh.')}".lstrip("/")
            self._remove_below(hidden)
            self.entries.pop(hidden, None)
        else:
            if entry.kind != "directory":
                self._remove_below(entry.path)
            self.entries[entry.path] = entry

    def add_layer(self, path: Path) -> None:
        """Add the entries of a layer, a tar squeezed or not."""
        try:
            with tarfile.open(path, "r:*") as tar:
                for member in tar:
                    if entry := self._entry(tar, member):
                        self.add(entry)
        except (tarfile.TarError, EOFError, OSError, ValueError) as error:
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
        opened = tar.extractfile(member)
        if self._size > LARGEST or opened is None:
            raise DockerError(f"the image holds more than {LARGEST >> 20} MiB, too much for a build without an engine")
        return Entry(path, "file", mode, opened.read(), uid=uid, gid=gid)

    def resolve(self, path: str) -> str:
        """A path with the links on its way followed; what is not there stays as it is written."""
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
        """Whether a resolved path is a directory, be it only because something lies in it."""
        entry = self.entries.get(path)
        return entry.kind == "directory" if entry else any(self.below(path))

    def below(self, path: str) -> Iterator[Entry]:
        """All that is in a directory, sorted, with full paths."""
        prefix = f"{path}/" if path else ""
        return (self.entries[name] for name in sorted(self.entries) if name.startswith(prefix) and name != path)

    def _remove_below(self, path: str) -> None:
        for name in [entry.path for entry in self.below(path)]:
            del self.entries[name]


def _plain(name: str) -> str:
    """A path of a tar without what does not count: a leading slash, `./`, a slash at the end."""
    return "/".join(part for part in name.split("/") if part not in ("", "."))
