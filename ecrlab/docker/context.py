"""The build context: the folder whose files COPY may read, the same on every machine.

It normalises what differs between machines. A file has mode 0755 if its owner may execute it and else 0644, a directory
0755, for any umask. A text whose lines all end with CR LF, as git on Windows checks it out, is read with LF (except
`.bat` and `.cmd`, which need CR); other bytes stay as they are. The layer fixes times, owners and order.
"""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from ecrlab.docker.errors import DockerError
from ecrlab.docker.patterns import Ignore, pattern
from ecrlab.oci.layers import Entry

_LARGEST_TEXT = 1 << 20


class Context:
    """A folder, without the files that its `.dockerignore` excludes."""

    def __init__(self, root: Path, ignore: Ignore):
        self.root = root
        self._real_root = root.resolve()
        self._ignore = ignore

    def find(self, source: str) -> list[str]:
        """Return the paths that a COPY source matches, sorted; `''` is the context itself."""
        wanted = _inside(source)
        if not set("*?[\\") & set(wanted):
            return [wanted] if self._exists(wanted) else []
        found = [""]
        for part in wanted.split("/"):
            wanted_name = pattern(part)
            found = [
                name
                for path in found
                for name in self._names(path)
                if wanted_name.matches(name.rpartition("/")[2]) and self._exists(name)
            ]
        return sorted(found)

    def is_directory(self, path: str) -> bool:
        """Tell whether a path is a directory or a link to one."""
        return self._follow(path).is_dir()

    def entry(self, path: str) -> Entry:
        """Return a file of the context; for a link the file it points to, which must be in the context."""
        return _file(path, self._follow(path))

    def below(self, path: str) -> Iterator[Entry]:
        """Return the entries below a directory, with relative paths, each directory before its content."""
        for name in self._names(path):
            where = self.root / name
            if not self._ignore.ignores(name):
                yield self._inner(name, where)
            # An ignored directory may hold files that a later rule includes again.
            if (
                where.is_dir()
                and not where.is_symlink()
                and (self._ignore.has_exceptions or not self._ignore.ignores(name))
            ):
                own = name.rpartition("/")[2]
                for entry in self.below(name):
                    yield _moved(entry, f"{own}/{entry.path}")

    def _inner(self, name: str, where: Path) -> Entry:
        own = name.rpartition("/")[2]
        if where.is_symlink():
            return Entry(own, "link", 0o777, target=str(where.readlink()))
        if where.is_dir():
            return Entry(own, "directory", 0o755)
        return _moved(_file(name, where), own)

    def _names(self, path: str) -> list[str]:
        folder = self._follow(path)
        if not folder.is_dir():
            return []
        prefix = f"{path}/" if path else ""
        return sorted(prefix + path.name for path in folder.iterdir())

    def _exists(self, path: str) -> bool:
        """Tell whether the context has a path; an ignored folder exists if an exception (`!`) keeps a file in it."""
        if not path:
            return True
        if not os.path.lexists(self.root / path):
            return False
        if not self._ignore.ignores(path):
            return True
        return self._ignore.has_exceptions and any(True for _ in self.below(path))

    def _follow(self, path: str) -> Path:
        try:
            where = (self.root / path).resolve()
        except (OSError, RuntimeError) as error:
            raise DockerError(f'"/{path}": too many links') from error
        if not where.is_relative_to(self._real_root):
            raise DockerError(f'forbidden path outside the build context: "{path}"')
        if not where.exists():
            raise DockerError(f'"/{path}": not found')
        return where


def _inside(source: str) -> str:
    """Return a source as a path below the context; `..` at its root stays there, as in Docker."""
    parts: list[str] = []
    for part in source.split("/"):
        if part == "..":
            del parts[-1:]
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)


def _file(path: str, where: Path) -> Entry:
    status = where.stat()
    if not stat.S_ISREG(status.st_mode):
        raise DockerError(f'"/{path}" is neither a file, a directory nor a link')
    mode = 0o755 if status.st_mode & stat.S_IXUSR else 0o644
    return Entry(path, "file", mode, _content(where, status.st_size))


def _content(where: Path, size: int) -> bytes | Path:
    if size > _LARGEST_TEXT:
        return where
    content = where.read_bytes()
    lines = content.count(b"\n")
    is_text = b"\0" not in content and where.suffix.lower() not in (".bat", ".cmd")
    if lines and is_text and content.count(b"\r\n") == lines == content.count(b"\r"):
        return content.replace(b"\r\n", b"\n")
    return content


def _moved(entry: Entry, path: str) -> Entry:
    return Entry(path, entry.kind, entry.mode, entry.content, entry.target, entry.uid, entry.gid)
