"""Errors of the disk: the client receives one error, and nothing changes.

A full disk, a file size limit, a quota or a read-only disk raises an `OSError` in a write, a sync or a rename, or an
error of SQLite in a commit. All of them become a `ServerException` (botocore model: "These errors are usually caused by
a server-side issue").
"""

import contextlib
import errno
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from ecrlab.registry.errors import ServerException

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_SQLITE = {
    sqlite3.SQLITE_FULL: "No space left on device",
    sqlite3.SQLITE_IOERR: "Input/output error, or no space left on device",
    sqlite3.SQLITE_READONLY: "The registry's database is read-only",
    sqlite3.SQLITE_CANTOPEN: "The registry's database cannot be opened",
}


@contextlib.contextmanager
def writing() -> Iterator[None]:
    """Turn errors of the disk into `ServerException`. A missing file is not an error of the disk."""
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        raise _refusal(error.strerror or str(error), no_room=error.errno in _NO_ROOM) from error


def write_at(file: int, view: memoryview, start: int) -> None:
    """Write bytes at a position of an open file. A failure cuts the file there."""
    done = 0
    try:
        while done < len(view):
            done += os.pwrite(file, view[done:], start + done)
    except BaseException:
        os.ftruncate(file, start)
        raise


def sync(path: Path) -> None:
    """Sync a file or a folder to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def refusal(error: sqlite3.OperationalError) -> ServerException | None:
    """Return the error for a failed change of the database; None if the disk is not its cause."""
    # The primary result code; the higher bits have details that a client does not need.
    code = error.sqlite_errorcode & 0xFF
    if code not in _SQLITE:
        return None
    return _refusal(_SQLITE[code], no_room=code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR))


def _refusal(reason: str, *, no_room: bool) -> ServerException:
    cure = " Free some space, then try again." if no_room else ""
    return ServerException(f"The lab cannot write to its disk: {reason}. Nothing was changed.{cure}")
