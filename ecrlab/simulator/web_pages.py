"""The wall against web pages: a page that a learner's browser shows neither changes nor reads a lab.

A browser says on whose behalf it asks: in `Origin`, and in `Sec-Fetch-Site` (Fetch Metadata Request Headers, W3C). AWS
and Docker clients send neither. A request for a page of another origin is refused on every path; an address that
somebody types or follows shows the pages meant for people.

Stored bytes may be a page too: an S3 object is HTML when its owner says so. A browser gets it as a download, in a
sandbox without scripts.
"""

import contextlib
from collections.abc import Iterable
from email.header import Header
from typing import Any

PAGES = ("/",)
"""The paths that people may open from anywhere: they change nothing and show no data."""

OWN = ("same-origin", "none")
"""What `Sec-Fetch-Site` says of the lab's own pages, and of an address that somebody typed."""

METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE"

Headers = list[tuple[str, str]]


class WebPageWall:
    """WSGI middleware that refuses what a foreign web page asks, and answers every preflight without a permission."""

    def __init__(self, application: Any) -> None:
        self._application = application

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer one request, or let it through."""
        if is_foreign(environ):
            body = b"ecrlab answers no web page of another site\n"
            start_response("403 Forbidden", [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))])
            return [body]
        if environ["REQUEST_METHOD"] == "OPTIONS":
            start_response("204 No Content", [("Allow", METHODS)])
            return []
        answer: Iterable[bytes] = self._application(environ, start_response)
        return answer


def is_foreign(environ: dict[str, Any]) -> bool:
    """Whether a browser asks on behalf of a page that is not the lab's own.

    >>> is_foreign({"HTTP_HOST": "127.0.0.1:5055", "HTTP_ORIGIN": "https://example.com"})
    True
    >>> is_foreign({"HTTP_HOST": "127.0.0.1:5055"})
    False
    """
    origin = environ.get("HTTP_ORIGIN")
    if origin is not None and origin != f"http://{environ.get('HTTP_HOST', '')}":
        return True
    if environ.get("HTTP_SEC_FETCH_SITE", "none") in OWN:
        return False
    opens_a_page = environ["REQUEST_METHOD"] == "GET" and environ.get("HTTP_SEC_FETCH_MODE") == "navigate"
    return not (opens_a_page and environ["PATH_INFO"] in PAGES)


def harmless(environ: dict[str, Any], headers: Headers) -> Headers:
    """The headers of another service's answer, such as S3's, fit to be sent to a browser as well.

    Permissions for other origins are left out, and a browser gets a download that runs no script.
    """
    kept = [(name, _encoded(value)) for name, value in headers if not name.lower().startswith("access-control-")]
    kept += [("X-Content-Type-Options", "nosniff"), ("Content-Security-Policy", "default-src 'none'; sandbox")]
    if "HTTP_SEC_FETCH_MODE" in environ or "text/html" in environ.get("HTTP_ACCEPT", ""):
        kept = [(name, value) for name, value in kept if name.lower() != "content-disposition"]
        kept.append(("Content-Disposition", "attachment"))
    return kept


def _encoded(value: str) -> str:
    """A header value in ASCII: S3 encodes the rest as RFC 2047 has it (S3 user guide, user-defined object metadata)."""
    if value.isascii():
        return value
    with contextlib.suppress(UnicodeError):
        value = value.encode("latin-1").decode()  # as WSGI carries the bytes that a client sent in UTF-8
    return Header(value, "utf-8", maxlinelen=10_000).encode()
