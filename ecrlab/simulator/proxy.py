"""The lab as an HTTP forward proxy for ECR's own host names, and for no others.

A Docker client that uses the lab as its proxy sends `GET http://123456789012.dkr.ecr.us-east-1.amazonaws.com/v2/` in
place of `GET /v2/`. So the real host names work without root and without a hosts file. The client first requests a
tunnel for TLS (`CONNECT`). For an ECR host the tunnel leads to the lab itself. The server rejects TLS in it, and the
client continues in plain HTTP. Any other host is rejected: the lab forwards nothing.

The server copies the request target to `PATH_INFO` unchanged; the target's host wins over `Host` (RFC 9112, 3.2.2).
"""

import re
from collections.abc import Callable, Iterable
from typing import Any

from ecrlab.simulator.v2 import auth

_LOCAL = re.compile(r"127\.0\.0\.1|\[::1\]|([a-z0-9_.-]+\.)?localhost|")
"""This machine's names, and the empty name of an HTTP/1.0 request."""


def is_ours(name: str) -> bool:
    """Tell whether the lab answers for a host: this machine, any private registry on AWS, or ECR Public.

    >>> [is_ours(name) for name in ("localhost", "123456789012.dkr.ecr.us-east-1.amazonaws.com", "example.com")]
    [True, True, False]
    """
    return bool(_LOCAL.fullmatch(name)) or is_on_aws(name)


def is_on_aws(name: str) -> bool:
    """Tell whether a host is a registry on AWS: a private one, or ECR Public."""
    return auth.is_a_registry(name) or name in auth.PUBLIC_HOSTS


_TARGET = re.compile(r"(?i)https?://([^/]*)(/.*|)", re.DOTALL)


class ProxyGate:
    """WSGI middleware that forwards requests for the lab and rejects all others in one sentence."""

    def __init__(self, application: Any, answers_for: Callable[[str], bool] = is_ours) -> None:
        self._application = application
        self._answers_for = answers_for

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Forward one request to the lab, or reject it."""
        if environ["REQUEST_METHOD"] == "CONNECT":
            if is_on_aws(auth.name_of(environ["PATH_INFO"])):
                start_response("200 Connection established", [])
                return []
            sentence = "ecrlab opens tunnels to Amazon ECR's registries only: use plain HTTP, it is all local"
            return _refuse(start_response, "405 Method Not Allowed", sentence)
        if not environ["PATH_INFO"].startswith("/") and (target := _TARGET.fullmatch(environ["PATH_INFO"])):
            environ |= {"HTTP_HOST": target[1], "PATH_INFO": target[2]}
        host = environ.get("HTTP_HOST", "")
        if not self._answers_for(auth.name_of(host)):
            sentence = f"ecrlab answers for Amazon ECR's registries only and forwards nothing to {host[:260]!r}"
            return _refuse(start_response, "403 Forbidden", sentence)
        environ["PATH_INFO"] = environ.get("PATH_INFO") or "/"
        answer: Iterable[bytes] = self._application(environ, start_response)
        return answer


def _refuse(start_response: Any, status: str, sentence: str) -> list[bytes]:
    body = f"{sentence}\n".encode()
    headers = [
        ("Content-Type", "text/plain; charset=utf-8"),
        ("Content-Length", str(len(body))),
        ("Connection", "close"),
    ]
    start_response(status, headers)
    return [body]
