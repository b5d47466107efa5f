"""The gate: the lab as an HTTP forward proxy for ECR's own names, and for nothing else.

A Docker client that is told to use the lab as its proxy sends `GET
http://123456789012.dkr.ecr.us-east-1.amazonaws.com/v2/` where it would otherwise send `GET /v2/`; so the
authentic names work without root and without a hosts file. It first tries a TLS tunnel (`CONNECT`); that is
refused at once, so that it goes on in plain HTTP. Whatever is not a name that the lab answers for is refused
too: nothing is ever forwarded.

The server puts the target's host into `HTTP_HOST` and the path into `PATH_INFO`, so the host is all there is to look
at.
"""

import re
from collections.abc import Callable, Iterable
from typing import Any

from ecrlab.simulator.v2 import auth

_LOCAL = re.compile(r"127\.0\.0\.1|\[::1\]|([a-z0-9_.-]+\.)?localhost|")
"""This machine's names; and no name at all, as HTTP/1.0 has it."""


def is_ours(name: str) -> bool:
    """Whether the lab answers for a host: this machine, any private registry on AWS, the public gallery.

    >>> [is_ours(name) for name in ("localhost", "123456789012.dkr.ecr.us-east-1.amazonaws.com", "example.com")]
    [True, True, False]
    """
    return bool(_LOCAL.fullmatch(name)) or auth.is_a_registry(name) or name == auth.PUBLIC_HOST


class ProxyGate:
    """WSGI middleware that lets through what is meant for the lab, and refuses the rest in one sentence."""

    def __init__(self, application: Any, answers_for: Callable[[str], bool] = is_ours) -> None:
        self._application = application
        self._answers_for = answers_for

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Let one request through, or refuse it."""
        if environ["REQUEST_METHOD"] == "CONNECT":
            return _refuse(
                start_response,
                "405 Method Not Allowed",
                "ecrlab opens no tunnels: use plain HTTP, it is all local",
            )
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
