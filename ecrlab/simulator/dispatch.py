"""One port for six kinds of request, and the application that answers each.

    /v2/…                     Docker clients     DockerFace, or PublicFace for public.ecr.aws (also /token/)
    X-Amz-Target of ecr(-public)   AWS clients   AwsFace; also for cloudtrail's LookupEvents
    /_ecrlab/layers/…         signed addresses   Downloads
    /_ecrlab/…                the lab itself     Control
    /gallery/…                people             the pages of public repositories
    everything else           AWS clients        moto, loaded on first use

In a private lab the AWS clients and the lab itself must sign (`access/signatures.py`); Docker clients have tokens. All
of it is plain WSGI, for the lab's own server.
"""

import http
import io
import json
import logging
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from ecrlab.registry.errors import EcrError
from ecrlab.registry.world import World
from ecrlab.simulator import control, downloads
from ecrlab.simulator.access import signatures
from ecrlab.simulator.access.callers import read_signature
from ecrlab.simulator.access.signatures import Wall, read_claim
from ecrlab.simulator.aws.face import LARGEST_BODY, Answer, AwsFace, is_ours
from ecrlab.simulator.control import Control
from ecrlab.simulator.downloads import Downloads
from ecrlab.simulator.gallery_page import site
from ecrlab.simulator.moto import request_log
from ecrlab.simulator.moto.request_log import RequestLog
from ecrlab.simulator.moto.warm_up import WarmUp
from ecrlab.simulator.v2 import DockerFace, PublicFace, auth, public_tokens
from ecrlab.simulator.v2.errors import Refusal
from ecrlab.simulator.v2.wire import Body
from ecrlab.simulator.web_pages import harmless

Environ = dict[str, Any]
Wsgi = Any
"""A WSGI application: (environ, start_response) -> an iterable of bytes."""

SPEAKING_XML = ("s3", "cloudfront", "route53")
"""Services that answer in XML, although their requests do not show it."""

MOTO_API = "/moto-api"
"""moto's own pages, where any client can read and reset its services. The lab does not serve them."""

GREETING = (
    b"This is ecrlab, a simulated Amazon ECR. Point the AWS CLI here with AWS_ENDPOINT_URL.\n"
    b"/gallery/ shows its public repositories.\n"
)

log = logging.getLogger("ecrlab.server")


def is_for_docker(environ: Environ) -> bool:
    """Tell whether a request speaks the protocol of Docker registries."""
    path = environ.get("PATH_INFO", "/")
    # Amazon SES has its own /v2/, whose requests are always signed.
    return (path == "/v2" or path.startswith("/v2/")) and read_signature(environ.get("HTTP_AUTHORIZATION", "")) is None


class Dispatcher:
    """The WSGI application of a lab."""

    def __init__(
        self, wall: Wall, aws: AwsFace, docker: DockerFace, public: PublicFace, control: Control, moto: "Moto"
    ) -> None:
        self._wall = wall
        self._aws = aws
        self._docker = docker
        self._public = public
        self._control = control
        self._downloads = Downloads(aws.world)
        self._moto = moto

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        """Answer one request."""
        path = environ.get("PATH_INFO", "/")
        is_public = auth.name_of(environ.get("HTTP_HOST", "")) in auth.PUBLIC_HOSTS
        if is_for_docker(environ) or (is_public and path in public_tokens.PATHS):
            face = self._public if is_public else self._docker
            return face(environ, start_response)
        signature = read_signature(environ.get("HTTP_AUTHORIZATION", ""))
        if path.startswith(downloads.PREFIX):
            return self._downloads(environ, start_response)
        if site.is_for_people(environ):
            return _send(site.answer(self._aws.world, path), start_response)
        if path == "/" and signature is None and environ["REQUEST_METHOD"] in ("GET", "HEAD"):
            return _send(Answer(200, {"Content-Type": "text/plain; charset=utf-8"}, GREETING), start_response)
        try:
            body = _body(environ)
        except Refusal as bad:
            return _send(_error(environ, bad.status, bad.code, bad.message, close=True), start_response)
        refused = self._wall.refusal(environ, body)
        if path.startswith(control.PREFIX):
            said = control.refusal() if refused else self._control.answer(_with_body(environ, body))
            return _send(said, start_response)
        if is_ours(environ.get("HTTP_X_AMZ_TARGET", "")):
            return _send(self._answer_aws(environ, body, refused), start_response)
        if refused:
            return _send(_refused(environ, refused), start_response)
        if path.startswith(MOTO_API):
            return _send(_unsupported(environ), start_response)
        return self._moto(_with_body(environ, body), start_response)

    def _answer_aws(self, environ: Environ, body: bytes, refused: EcrError | None) -> Answer:
        headers = {
            "X-Amz-Target": environ["HTTP_X_AMZ_TARGET"],
            "Authorization": environ.get("HTTP_AUTHORIZATION", ""),
            "Host": environ.get("HTTP_HOST", ""),
            "User-Agent": environ.get("HTTP_USER_AGENT", ""),
        }
        return self._aws.answer(headers, body, refused)


class Moto:
    """moto's services behind our port. They load on first use, and never answer with an HTML page.

    `warm_up` has the lab's own requests; `log` is a log of all requests, if they are logged into a folder.
    """

    def __init__(self, world: World, log_into: Path | None = None) -> None:
        self.warm_up = WarmUp()
        self.log: RequestLog | None = None
        self._world = world
        self._log_into = log_into
        self._application: Wsgi = None
        self._lock = threading.Lock()

    def application(self) -> Wsgi:
        """Return moto's WSGI application; the first time, it loads."""
        with self._lock:
            if self._application is None:
                from ecrlab.simulator.moto import seams

                self._application = seams.moto_application(self._world)
                if self._log_into is not None:
                    self._application = self.log = RequestLog(self._application, self._world, self._log_into)
            return self._application

    def requests(self) -> list[dict[str, str]]:
        """Return the logged requests; the lab's own that still wait are made first."""
        if self.warm_up.is_waiting:
            self.warm_up.make_all(self.application())
        return [] if self.log is None else list(self.log.requests)

    def make_again(self, requests: Sequence[dict[str, str]], states: Path) -> None:
        """Make logged requests of another lab once more, to the services that matter for ECR.

        The clock and the registry are as they were then. Raises `SnapshotError`.
        """
        from ecrlab.simulator.moto import seams

        application = seams.moto_application(self._world, only=request_log.MADE_AGAIN)
        request_log.make_again(requests, application, self._world, states)

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        """Let moto answer one request."""
        application = self.application()
        started: list[tuple[str, list[tuple[str, str]]]] = []

        def note(status: str, headers: list[tuple[str, str]], _: Any = None) -> None:
            started.append((status, headers))

        try:
            if signature := read_signature(environ.get("HTTP_AUTHORIZATION", "")):
                self.warm_up.make(signature.service, application)
            pieces = application(environ, note)
            body = b"".join(pieces)
            if hasattr(pieces, "close"):
                pieces.close()
            status, headers = started[-1]
        except Exception:
            log.exception("moto failed")
            return _send(_unsupported(environ), start_response)
        content_type = {name.lower(): value for name, value in headers}.get("content-type", "")
        if not status.startswith("2") and content_type.startswith("text/html"):
            return _send(_unsupported(environ), start_response)
        start_response(status, harmless(environ, headers))
        return [body]


def _unsupported(environ: Environ) -> Answer:
    """Return the error that an operation is not simulated, in the protocol of the request."""
    signature = read_signature(environ.get("HTTP_AUTHORIZATION", ""))
    service = signature.service if signature else "this service"
    message = f"ecrlab does not simulate this operation of {service}; docs/fidelity.md lists what it does"
    return _error(environ, 400, "UnsupportedOperation", message)


def _refused(environ: Environ, refused: EcrError) -> Answer:
    """Return the error of the wall as the service of the request names it."""
    claim = read_claim(environ)
    is_s3 = claim is not None and claim.scope.service == "s3"
    names = signatures.IN_S3 if is_s3 else signatures.IN_XML if _speaks_xml(environ) else {}
    # UNSURE: the status of each service; here 400 in the JSON protocols, as for their other errors, and 403 elsewhere.
    status = 400 if "HTTP_X_AMZ_TARGET" in environ else 403
    return _error(environ, status, *names.get(refused.code, (refused.code, refused.message)))


def _speaks_xml(environ: Environ) -> bool:
    """Tell whether the service of a request answers in XML."""
    claim = read_claim(environ)
    is_query = environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded")
    return is_query or (claim is not None and claim.scope.service in SPEAKING_XML)


def _error(environ: Environ, status: int, code: str, message: str, *, close: bool = False) -> Answer:
    """Return an error in the protocol of the request; `close` ends the connection after it."""
    headers = {"Connection": "close"} if close else {}
    if not _speaks_xml(environ):
        body = json.dumps({"__type": code, "message": message}).encode()
        return Answer(status, {"Content-Type": "application/x-amz-json-1.1", "x-amzn-ErrorType": code, **headers}, body)
    text = (
        f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message>"
        "</Error><RequestId>00000000-0000-0000-0000-000000000000</RequestId></ErrorResponse>"
    )
    return Answer(status, {"Content-Type": "text/xml", **headers}, text.encode())


def _body(environ: Environ) -> bytes:
    """Read the request's whole body. Raises `Refusal` for a body that is too large or cut short."""
    try:
        incoming = Body(environ)
        promised = incoming.length or 0
        body = incoming.whole(LARGEST_BODY + 1) if promised <= LARGEST_BODY else b""
    except Refusal as error:
        raise Refusal(400, "IncompleteBody", error.message) from error
    if max(promised, len(body)) > LARGEST_BODY:
        raise Refusal(413, "RequestEntityTooLarge", f"the request is larger than {LARGEST_BODY} bytes")
    return body


def _with_body(environ: Environ, body: bytes) -> Environ:
    """Return the same request with its body in memory."""
    rest = {name: value for name, value in environ.items() if name != "HTTP_TRANSFER_ENCODING"}
    return {**rest, "CONTENT_LENGTH": str(len(body)), "wsgi.input": io.BytesIO(body)}


def _send(answer: Answer, start_response: Any) -> list[bytes]:
    headers = {**answer.headers, "Content-Length": str(len(answer.body))}
    start_response(f"{answer.status} {http.HTTPStatus(answer.status).phrase}", list(headers.items()))
    return [answer.body]
