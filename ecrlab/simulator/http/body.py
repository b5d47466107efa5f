"""The body of a request: what has come of it already, then what comes."""

import socket
import sys
import time

from ecrlab.simulator.http.client import Client
from ecrlab.simulator.http.incoming import END, Incoming, Request

UNKNOWN = 256 * 1024
"""Bytes asked for while it is not known how many will come."""

KNOWN = 1024 * 1024
"""Bytes asked for at the most when it is."""


class Body:
    """A body, as `wsgi.input`; of what WSGI has for it there is `read`."""

    def __init__(self, client: Client, incoming: Incoming, request: Request) -> None:
        self._client = client
        self._incoming = incoming
        self._left = request.length
        self._expects_leave = request.expects_leave
        self._spare = b""
        self._has_ended = False

    @property
    def is_held_back(self) -> bool:
        """Whether the client waits to be told to send it."""
        return self._expects_leave and not self._incoming.pieces

    def is_over(self) -> bool:
        """Whether all of it was read, so that the next request can follow."""
        if self._incoming.pieces and not self._spare:
            self._spare = self._next(1)
        return self._has_ended and not self._spare

    def read(self, size: int = -1) -> bytes:
        """The next `size` bytes, fewer only at the end; all of them without a size.

        Raises `OSError` when the client breaks off, falls silent, or makes no sense.
        """
        pieces, missing = [], size if size >= 0 else sys.maxsize
        while missing and (piece := self._spare or self._next(missing)):
            piece, self._spare = piece[:missing], piece[missing:]
            pieces.append(piece)
            missing -= len(piece)
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def discard(self, seconds: float) -> None:
        """Read on and forget for so long, so that a client that sends all before it listens hears the answer."""
        until = time.monotonic() + seconds
        while time.monotonic() < until and self.read(KNOWN):
            pass

    def _next(self, wanted: int) -> bytes:
        """The next piece; nothing at the end."""
        if not self._has_ended and not self._incoming.pieces:
            self._wait(wanted)
        if self._has_ended:
            return b""
        piece = self._incoming.pieces.popleft()
        self._expects_leave = False
        self._has_ended = piece == END
        if self._left is not None:
            self._left -= len(piece)
        return piece

    def _wait(self, wanted: int) -> None:
        """Let a piece come."""
        self._client.step_aside()
        if self._expects_leave:
            self._expects_leave = False
            self._client.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        if self._left:
            # Nothing but bytes: they need not be looked at.
            piece = self._client.receive(min(wanted, self._left, KNOWN), socket.MSG_WAITALL)
            self._incoming.pass_by(piece, is_last=len(piece) == self._left)
        while not self._incoming.pieces:
            self._incoming.feed(self._client.receive(UNKNOWN))
