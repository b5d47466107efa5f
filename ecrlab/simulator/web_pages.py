"""The guard against web pages: a page in a learner's browser can neither change nor read a lab.

A browser names the page that makes a request in `Origin` and `Sec-Fetch-Site` (Fetch Metadata Request Headers, W3C).
AWS and Docker clients send neither. A request from a page of another origin is rejected on every path. An address that
a person types or follows shows only the pages for people.

Stored bytes can be a page too, such as an S3 object of type HTML. A browser gets it as a download, in a sandbox without
scripts.
"""

import contextlib
from collections.abc import Iterable
from email.header import Header
from typing import Any

PAGES = ("/", "/gallery/")
"""The paths that people may open from anywhere, the second with all below it: they change nothing, and show only what
is public. A page that leads there cannot read them.
"""

OWN = ("same-origin", "none")
"""The values of `Sec-Fetch-Site` for the lab's own pages, and for an address that a person typed."""

METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE"

Headers = list[tuple[str, str]]


class WebPageWall:
    """WSGI middleware that rejects requests of foreign web pages, and grants no preflight."""

    def __init__(self, application: Any) -> None:
        self._application = application

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Reject one request, or pass it on."""
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
    """Tell whether a browser sends this request for a page that is not the lab's own.

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
    path = environ["PATH_INFO"]
    return not (opens_a_page and (path in PAGES or path.startswith(PAGES[1])))


def harmless(environ: dict[str, Any], headers: Headers) -> Headers:
    """Return the headers of another service's response, such as S3's, made safe for a browser.

    Permissions for other origins are removed, and a browser gets a download that runs no script.
    """
    kept = [(name, _encoded(value)) for name, value in headers if not name.lower().startswith("access-control-")]
    kept += [("X-Content-Type-Options", "nosniff"), ("Content-Security-Policy", "default-src 'none'; sandbox")]
    if "HTTP_SEC_FETCH_MODE" in environ or "text/html" in environ.get("HTTP_ACCEPT", ""):
        kept = [(name, value) for name, value in kept if name.lower() != "content-disposition"]
        kept.append(("Content-Disposition", "attachment"))
    return kept


def _encoded(value: str) -> str:
    """Return a header value in ASCII, encoded by RFC 2047 as S3 does (S3 user guide, user-defined object metadata)."""
    if value.isascii():
        return value
    with contextlib.suppress(UnicodeError):
        value = value.encode("latin-1").decode()  # WSGI carries a client's UTF-8 bytes as Latin-1
    return Header(value, "utf-8", maxlinelen=10_000).encode()
