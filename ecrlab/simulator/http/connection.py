"""One connection: HTTP/1.1 outside, WSGI inside."""

import contextlib
import logging
import socket
import sys
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from ecrlab.simulator.http.answer import Answer, last_word
from ecrlab.simulator.http.body import Body
from ecrlab.simulator.http.client import Client, Gone
from ecrlab.simulator.http.incoming import Environ, Incoming, Malformed, Request

RECEIVED = 64 * 1024
"""Bytes asked for when a request may have come: most are whole with the first of them."""

HEAD_SECONDS = 30.0
"""How long a request may take until it is known what it wants."""

DISCARD_SECONDS = 5.0
"""How long an unwanted body may come in."""

STEP_ASIDE = "ecrlab.step_aside"
"""What an application finds under this name it calls before it does what may have to wait."""

SURROUNDINGS: Environ = {
    "SCRIPT_NAME": "",
    "wsgi.version": (1, 0),
    "wsgi.url_scheme": "http",
    "wsgi.input_terminated": True,
    "wsgi.errors": sys.stderr,
    "wsgi.multithread": True,
    "wsgi.multiprocess": False,
    "wsgi.run_once": False,
}
"""What is the same for all requests (PEP 3333)."""

log = logging.getLogger("ecrlab.server")


class Connection:
    """A connection, and the requests that come by it, one after the other.

    `attend` is called whenever bytes have come. It waits for nothing before it has called `step_aside`; what is not
    `is_quick`, that is, of what the application does not say by itself when it may have to wait, is answered after that
    as well. For `silence` seconds a client may be silent.
    """

    def __init__(
        self,
        connected: socket.socket,
        application: Any,
        *,
        step_aside: Callable[["Connection"], None],
        is_quick: Callable[[Environ], bool],
        silence: float,
    ) -> None:
        self.client = Client(connected, lambda: step_aside(self), silence=silence)
        self.waits_since = time.monotonic()
        """When the client was last answered, or began to ask."""
        self._application = application
        self._is_quick = is_quick
        self._silence = silence
        self._incoming = Incoming()
        host, port = connected.getsockname()
        self._surroundings = {**SURROUNDINGS, "SERVER_NAME": host, "SERVER_PORT": str(port)}

    def attend(self) -> bool:
        """Answer every request that has come, and say whether the connection goes on."""
        if not self._incoming.is_within:
            self.waits_since = time.monotonic()
        goes_on = True
        try:
            self._incoming.feed(self.client.receive(RECEIVED, socket.MSG_DONTWAIT))
            while goes_on and self._incoming.requests:
                goes_on = self._answer(self._incoming.requests.popleft())
                self.waits_since = time.monotonic()
        except Malformed as bad:
            goes_on = False
            self.client.part(last_word(bad.status))
        except Gone:
            goes_on = False
        return goes_on

    def is_overdue(self, now: float) -> bool:
        """Whether a client that nobody attends to has taken its time."""
        return now - self.waits_since > (HEAD_SECONDS if self._incoming.is_within else self._silence)

    def _answer(self, request: Request) -> bool:
        """Answer one request, and say whether another may follow it."""
        body, answer = Body(self.client, self._incoming, request), Answer(self.client, request)
        environ = {**self._surroundings, **request.environ(), "wsgi.input": body, STEP_ASIDE: self.client.step_aside}
        if self._incoming.is_within or not self._is_quick(environ):
            self.client.step_aside()
        try:
            pieces = self._application(environ, answer.start)
        except (Gone, Malformed):
            raise
        except Exception:
            log.exception("%s %s failed", request.method, request.target)
            self.client.part(last_word(HTTPStatus.INTERNAL_SERVER_ERROR))
            return False
        answer.is_last |= body.is_held_back
        try:
            answer.send(pieces)
        finally:
            if hasattr(pieces, "close"):
                pieces.close()
        if not body.is_over() and not body.is_held_back:
            self._discard(body)
        return body.is_over() and not answer.is_last

    def _discard(self, body: Body) -> None:
        self.client.wait_at_most(DISCARD_SECONDS)
        with contextlib.suppress(OSError):
            body.discard(DISCARD_SECONDS)
        self.client.wait_at_most(self._silence)
