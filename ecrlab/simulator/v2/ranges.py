"""Parts of a blob, for requests with a `Range` header."""

import re

from ecrlab.simulator.v2.errors import Refusal
from ecrlab.simulator.v2.wire import Headers, Request

_RANGE = re.compile(r"bytes=(?:([0-9]{1,18})-([0-9]{1,18})?|-([0-9]{1,18}))")


def about(digest: str) -> Headers:
    """Return the headers for all or some of a blob's bytes."""
    return [
        ("Content-Type", "application/octet-stream"),
        ("Docker-Content-Digest", digest),
        ("Accept-Ranges", "bytes"),
        ("ETag", f'"{digest}"'),
    ]


def asked_for(request: Request, digest: str, size: int) -> tuple[int, Headers, range]:
    """Return status, headers and bytes of the response to a GET; a request for several ranges gets the whole blob.

    Raises `Refusal` if the blob has none of the bytes.
    """
    found = _RANGE.fullmatch((request.header("Range") or "").strip())
    if found is None or request.header("If-Range") not in (None, f'"{digest}"'):
        return 200, about(digest), range(size)
    first, last, suffix = found.groups()
    if suffix is not None:
        part = range(max(size - int(suffix), 0), size)
    else:
        part = range(int(first), size if last is None else min(int(last) + 1, size))
    if not part:
        raise Refusal(416, "RANGE_INVALID", f"The layer has {size} bytes", [("Content-Range", f"bytes */{size}")])
    return 206, [*about(digest), ("Content-Range", f"bytes {part.start}-{part.stop - 1}/{size}")], part
