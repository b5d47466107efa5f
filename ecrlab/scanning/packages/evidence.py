"""What one file of an image tells about its packages, before anything is known of the other files."""

from collections.abc import Callable
from dataclasses import dataclass, field


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


@dataclass(frozen=True)
class Evidence:
    """All that was read from one file.

    `owned` pairs paths this file says a distribution's package brought with the name of that package; `text`
    is a release file as it is; `uninventoried` says why the packages in this file could not be listed.
    """

    packages: tuple[Found, ...] = ()
    owned: tuple[tuple[bytes, str], ...] = ()
    text: str = ""
    uninventoried: str | None = None


class EvidenceError(ValueError):
    """A file that should name packages does not: corrupt, too large, or not what its name promises."""


@dataclass(frozen=True)
class Kind:
    """A kind of file worth reading: its name, how many bytes of it are sane, and what reads it.

    `read` takes the path and the bytes and raises EvidenceError. A `vital` kind is a package database: when
    it cannot be read, neither can the image.
    """

    name: str
    limit: int
    read: Callable[[bytes, bytes], Evidence] = field(repr=False)
    vital: bool = False


def text(data: bytes, what: str) -> str:
    """Decode a database's text; raises EvidenceError where it holds NUL bytes, as text never does."""
    if b"\0" in data:
        raise EvidenceError(f"{what} holds NUL bytes: it is corrupt")
    return data.decode("utf-8", "backslashreplace")
