"""A log of the requests to moto's services, which can be made again: so another process gets the same users and roles.

moto keeps its state in memory, in objects of its own. Its ids come from a seed, so the same requests in the same order
lead to the same state.
"""

import base64
import io
import logging
from collections.abc import Iterable, Sequence
from typing import Any

KEPT = ("REQUEST_METHOD", "PATH_INFO", "QUERY_STRING", "SERVER_PROTOCOL", "CONTENT_TYPE", "wsgi.url_scheme")
"""What a request needs besides its headers and its body."""

MADE_AGAIN = ("awslambda", "ecs", "iam", "kms", "secretsmanager", "sts")
"""moto's names of the services that ECR or a lesson's judge asks. Requests may be forged, and others of moto's services
reach further: into the network, or into moto's own settings.
"""

MOST_REQUESTS, MOST_BYTES = 20_000, 4 * 1024 * 1024
"""Requests to keep, and the bytes of a body that is kept; a lesson makes a few hundred small ones."""

log = logging.getLogger("ecrlab.server")


class RequestLog:
    """WSGI middleware that keeps every request: a dictionary of strings, which JSON can hold."""

    def __init__(self, application: Any) -> None:
        self._application = application
        self.requests: list[dict[str, str]] = []

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer one request, and keep it unless it is too large."""
        body = environ["wsgi.input"].read()
        if len(self.requests) < MOST_REQUESTS and len(body) <= MOST_BYTES:
            kept = {name: str(environ.get(name, "")) for name in KEPT}
            kept |= {name: value for name, value in environ.items() if name.startswith("HTTP_")}
            self.requests.append(kept | {"body": base64.b64encode(body).decode()})
        answer: Iterable[bytes] = self._application({**environ, "wsgi.input": io.BytesIO(body)}, start_response)
        return answer


def make_again(requests: Sequence[dict[str, str]], application: Any) -> None:
    """Make logged requests once more, in order; a request that fails is the same as one that changes nothing."""
    for request in requests:
        body = base64.b64decode(request["body"])
        environ = {name: value for name, value in request.items() if name in KEPT or name.startswith("HTTP_")}
        environ |= {"SERVER_NAME": "127.0.0.1", "SERVER_PORT": "80", "CONTENT_LENGTH": str(len(body))}
        try:
            for _ in application({**environ, "wsgi.input": io.BytesIO(body)}, lambda *_: None):
                pass
        except Exception:
            log.exception("a request could not be made again")
