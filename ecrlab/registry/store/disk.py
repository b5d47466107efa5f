"""A disk that takes no more: the client gets one plain answer, and nothing has changed.

A full disk speaks through an `OSError` of a write, a sync or a rename, or through SQLite in a commit; so does
a file size limit, a quota, or a disk that became read-only. All of them end as a `ServerException` (botocore
model: "These errors are usually caused by a server-side issue").
"""

import contextlib
import errno
import sqlite3
from collections.abc import Iterator

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
    """Work on files; what the disk refuses is a `ServerException`. A file that is not there is no matter of
    the disk.
    """
    try:
        yield
    except FileNotFoundError:
        raise
    except OSError as error:
        raise _refusal(error.strerror or str(error), no_room=error.errno in _NO_ROOM) from error


def refusal(error: sqlite3.OperationalError) -> ServerException | None:
    """What to answer for a failed change of the database; None if the disk has no part in it."""
    # The primary result code; the bits above it say more than a client needs.
    code = error.sqlite_errorcode & 0xFF
    if code not in _SQLITE:
        return None
    return _refusal(_SQLITE[code], no_room=code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR))


def _refusal(reason: str, *, no_room: bool) -> ServerException:
    cure = " Free some space, then try again." if no_room else ""
    return ServerException(f"The lab cannot write to its disk: {reason}. Nothing was changed.{cure}")
