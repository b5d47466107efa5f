"""The files of an image on disk, by name: a folder, or a tar of it.

Names come from the image and may be hostile: a name never leads out of the folder, and a name in a tar never becomes
a path. The bundle opens only regular files (a pipe never ends); every problem is an OSError or a ValueError.
"""

import io
import posixpath
import tarfile
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, BinaryIO

from ecrlab.oci import strict_json
from ecrlab.oci.strict_json import InvalidJson

_LARGEST_DOCUMENT = 4 << 20  # the bound of the OCI distribution specification for manifests
_MOST_FILES = 100_000
_MOST_LINKS = 8


class Bundle(ABC):
    """Files by name."""

    @abstractmethod
    def has(self, name: str) -> bool:
        """Return whether the bundle has a file of a name."""

    @abstractmethod
    def open(self, name: str) -> BinaryIO:
        """Open a file. Raises OSError and ValueError."""

    def document(self, name: str) -> Any:
        """Return the value of a JSON document; raises OSError and ValueError."""
        try:
            return strict_json.read(self.read(name))
        except InvalidJson as cause:
            raise ValueError(f"{name} is not JSON: {cause}") from cause

    def read(self, name: str) -> bytes:
        """Read a whole file of at most the size of a document."""
        with self.open(name) as stream:
            data = stream.read(_LARGEST_DOCUMENT + 1)
        if len(data) > _LARGEST_DOCUMENT:
            raise ValueError(f"{name} is larger than {_LARGEST_DOCUMENT:,} bytes")
        return data


def open_bundle(path: Path) -> Bundle:
    """Open a folder or a tar; raises OSError, ValueError and tarfile.TarError."""
    if path.is_dir():
        return _Folder(path)
    if not path.is_file():
        raise FileNotFoundError("it is neither a file nor a folder")
    return _Archive(path)


class _Folder(Bundle):
    def __init__(self, path: Path) -> None:
        self._path = path

    def has(self, name: str) -> bool:
        return self._within(name).is_file()

    def open(self, name: str) -> BinaryIO:
        if not self.has(name):
            raise FileNotFoundError(f"there is no file {name} in it")
        return self._within(name).open("rb")

    def _within(self, name: str) -> Path:
        if posixpath.isabs(name) or ".." in name.split("/") or "\0" in name:
            raise ValueError(f"the file name {name!r} leads out of it")
        return self._path / name


class _Archive(Bundle):
    def __init__(self, path: Path) -> None:
        self._path = path
        with path.open("rb") as stream:
            if stream.read(2) == b"\x1f\x8b":
                raise ValueError("it is compressed as a whole: gunzip it first")
        self._members: dict[str, tarfile.TarInfo] = {}
        with tarfile.open(path, "r:") as archive:
            for member in archive:
                self._members[posixpath.normpath(member.name)] = member
                if len(self._members) > _MOST_FILES:
                    raise ValueError(f"it holds more than {_MOST_FILES:,} files: refused")

    def has(self, name: str) -> bool:
        member = self._members.get(posixpath.normpath(name))
        return member is not None and not member.isdir()

    def open(self, name: str) -> BinaryIO:
        place = posixpath.normpath(name)
        for _ in range(_MOST_LINKS):
            member = self._members.get(place)
            if member is None:
                raise FileNotFoundError(f"there is no file {name} in it")
            if member.isreg() and not member.issparse():
                return io.BufferedReader(_Slice(self._path, member.offset_data, member.size))
            if not (member.issym() or member.islnk()):
                break
            # Older docker save writes a shared layer once, and links to it.
            folder = posixpath.dirname(place) if member.issym() else ""
            place = posixpath.normpath(posixpath.join(folder, member.linkname))
        raise FileNotFoundError(f"{name} is no file in it")


class _Slice(io.RawIOBase):
    """A section of a file, as a file."""

    def __init__(self, path: Path, start: int, size: int) -> None:
        self._stream = path.open("rb")
        self._stream.seek(start)
        self._left = size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        piece = self._stream.read(min(len(buffer), self._left))
        self._left -= len(piece)
        buffer[: len(piece)] = piece
        return len(piece)

    def close(self) -> None:
        self._stream.close()
        super().close()
