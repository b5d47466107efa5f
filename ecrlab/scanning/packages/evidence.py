"""The evidence of one file about the packages of an image, without the other files."""

import io
from collections.abc import Callable, Iterator, Sized
from dataclasses import dataclass, field

from ecrlab.scanning.errors import TooLargeError

_MOST_PACKAGES = 50_000
"""Of one file; the largest distributions have some 5,000 packages installed."""
_MOST_OWNED = 250_000


@dataclass(frozen=True)
class Found:
    """A package as one file names it: in a distribution's database, or in a manifest of its own.

    `ecosystem` is OSV's word, empty for a distribution's package (its distribution says); `inside` is the
    path within the file, for a jar in a jar.
    """

    name: str
    version: str
    ecosystem: str = ""
    architecture: str = ""
    source_name: str = ""
    source_version: str = ""
    inside: str = ""

    @property
    def size(self) -> int:
        """The number of characters in memory."""
        texts = (self.name, self.version, self.architecture, self.source_name, self.source_version, self.inside)
        return sum(map(len, texts))


@dataclass(frozen=True)
class Evidence:
    """The content of one file, as far as packages are concerned.

    `owned` pairs each path that a distribution's package brought with the name of that package; `text` is a release
    file as it is; `uninventoried` says why packages in this file could not be listed.
    """

    packages: tuple[Found, ...] = ()
    owned: tuple[tuple[bytes, str], ...] = ()
    text: str = ""
    uninventoried: str | None = None

    @property
    def size(self) -> int:
        """The number of characters in memory."""
        return sum(found.size for found in self.packages) + sum(len(path) for path, _ in self.owned) + len(self.text)


def insist_on_bounds(packages: Sized, owned: Sized) -> None:
    """Raise TooLargeError where a database lists more than any image has."""
    if len(packages) > _MOST_PACKAGES or len(owned) > _MOST_OWNED:
        raise TooLargeError(
            f"a package database lists more than {_MOST_PACKAGES:,} packages, or {_MOST_OWNED:,} manifests"
        )


class EvidenceError(ValueError):
    """A file that should name packages does not: corrupt, too large, or not what its name promises."""


@dataclass(frozen=True)
class Kind:
    """A kind of file worth reading: its name, the most bytes that one may have, and what reads it.

    `read` takes the path and the bytes and raises EvidenceError. A `vital` kind is a package database: without it
    the image cannot be judged.
    """

    name: str
    limit: int
    read: Callable[[bytes, bytes], Evidence] = field(repr=False)
    vital: bool = False


def text(data: bytes, what: str) -> str:
    """Decode a file's text; raises EvidenceError where it holds NUL bytes, as text never does."""
    if b"\0" in data:
        raise EvidenceError(f"{what} holds NUL bytes: it is corrupt")
    return data.decode("utf-8", "backslashreplace")


def lines(data: bytes, what: str) -> Iterator[str]:
    """Go through a database's lines, one in memory at a time, and an empty one after the last."""
    if b"\0" in data:
        raise EvidenceError(f"{what} holds NUL bytes: it is corrupt")
    for line in io.BytesIO(data):
        yield line.rstrip(b"\r\n").decode("utf-8", "backslashreplace")
    yield ""
