"""One port, five kinds of caller: who gets which request.

    /v2/…                     Docker clients     DockerFace, or GalleryFace for public.ecr.aws
    X-Amz-Target of ecr(-public)   AWS clients   AwsFace
    /_ecrlab/layers/…         whoever was given the address   Downloads
    /_ecrlab/…                the lab itself     Control
    everything else           AWS clients        moto, made on first use

All of it is plain WSGI, so that any WSGI server can carry it.
"""

import http
import json
import logging
import threading
from collections.abc import Iterable
from typing import Any

from ecrlab.registry.world import World
from ecrlab.simulator.aws import LARGEST_BODY, TARGETS, Answer, AwsFace
from ecrlab.simulator.callers import read_signature
from ecrlab.simulator.control import PREFIX, Control
from ecrlab.simulator.v2 import auth
from ecrlab.simulator.v2.gallery import GalleryFace
from ecrlab.simulator.downloads import PREFIX as LAYERS
from ecrlab.simulator.downloads import Downloads

Environ = dict[str, Any]
Wsgi = Any
"""A WSGI application: (environ, start_response) -> an iterable of bytes."""

SPEAKING_XML = ("s3", "cloudfront", "route53")
"""The services whose requests do not show that their answers are XML."""

GREETING = b"This is ecrlab, a simulated Amazon ECR. Point the AWS CLI here with AWS_ENDPOINT_URL.\n"

log = logging.getLogger("ecrlab.server")


class Dispatcher:
    """The WSGI application of a lab."""

    def __init__(self, aws: AwsFace, docker: Wsgi, control: Control) -> None:
        self._aws = aws
        self._docker = docker
        self._gallery = GalleryFace()
        self._control = control
        self._downloads = Downloads(aws.world)
        self._moto = Moto(aws.world)

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "/")
        signature = read_signature(environ.get("HTTP_AUTHORIZATION", ""))
        # Amazon SES has a /v2/ of its own, always signed.
        if (path == "/v2" or path.startswith("/v2/")) and signature is None:
            is_public = auth.name_of(environ.get("HTTP_HOST", "")) == auth.PUBLIC_HOST
            face = self._gallery if is_public else self._docker
            return face(environ, start_response)
        if path.startswith(LAYERS):
            return self._downloads(environ, start_response)
        if path.startswith(PREFIX):
            return _send(self._control.answer(environ), start_response)
        if environ.get("HTTP_X_AMZ_TARGET", "").partition(".")[0] in TARGETS:
            return _send(self._answer_aws(environ), start_response)
        if path == "/" and signature is None and environ["REQUEST_METHOD"] in ("GET", "HEAD"):
            return _send(Answer(200, {"Content-Type": "text/plain; charset=utf-8"}, GREETING), start_response)
        return self._moto(environ, start_response)

    def _answer_aws(self, environ: Environ) -> Answer:
        body = _body(environ)
        if body is None:
            return _error(413, "RequestEntityTooLarge", f"the request is larger than {LARGEST_BODY} bytes")
        headers = {
            "X-Amz-Target": environ["HTTP_X_AMZ_TARGET"],
            "Authorization": environ.get("HTTP_AUTHORIZATION", ""),
            "Host": environ.get("HTTP_HOST", ""),
        }
        return self._aws.answer(headers, body)


class Moto:
    """moto's services behind our door: made when first asked, and never answering a page of HTML."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._application: Wsgi = None
        self._lock = threading.Lock()

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        with self._lock:
            if self._application is None:
                from ecrlab.simulator import moto_seams

                self._application = moto_seams.moto_application(self._world)
        started: list[tuple[str, list[tuple[str, str]]]] = []

        def note(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> None:
            started.append((status, headers))

        try:
            pieces = self._application(environ, note)
            body = b"".join(pieces)
            if hasattr(pieces, "close"):
                pieces.close()
            status, headers = started[-1]
        except Exception:
            log.exception("moto failed")
            return _send(_unsupported(environ), start_response)
        content_type = dict((name.lower(), value) for name, value in headers).get("content-type", "")
        if not status.startswith("2") and content_type.startswith("text/html"):
            return _send(_unsupported(environ), start_response)
        start_response(status, headers)
        return [body]


def _unsupported(environ: Environ) -> Answer:
    """What AWS clients of either protocol can read: this is not simulated."""
    signature = read_signature(environ.get("HTTP_AUTHORIZATION", ""))
    service = signature.service if signature else "this service"
    message = f"ecrlab does not simulate this operation of {service}; docs/fidelity.md lists what it does"
    is_query = environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded")
    if not is_query and service not in SPEAKING_XML:
        return _error(400, "UnsupportedOperation", message)
    body = (
        f"<ErrorResponse><Error><Type>Sender</Type><Code>UnsupportedOperation</Code><Message>{message}</Message>"
        "</Error><RequestId>00000000-0000-0000-0000-000000000000</RequestId></ErrorResponse>"
    )
    return Answer(400, {"Content-Type": "text/xml"}, body.encode())


def _error(status: int, code: str, message: str) -> Answer:
    body = json.dumps({"__type": code, "message": message}).encode()
    return Answer(status, {"Content-Type": "application/x-amz-json-1.1", "x-amzn-ErrorType": code}, body)


def _body(environ: Environ) -> bytes | None:
    """The request's body, or None when it is too large."""
    declared = environ.get("CONTENT_LENGTH", "")
    if declared.isdecimal():
        length = int(declared)
    else:
        # Without a length the server must say where the body ends (as it does for chunks), or there is none.
        length = LARGEST_BODY + 1 if environ.get("wsgi.input_terminated") else 0
    if declared and length > LARGEST_BODY:
        return None
    body: bytes = environ["wsgi.input"].read(length)
    return body if len(body) <= LARGEST_BODY else None


def _send(answer: Answer, start_response: Any) -> list[bytes]:
    headers = {**answer.headers, "Content-Length": str(len(answer.body))}
    start_response(f"{answer.status} {http.HTTPStatus(answer.status).phrase}", list(headers.items()))
    return [answer.body]
