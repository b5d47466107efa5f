"""Connections on which nothing moves any more: they are ended, so that none holds a thread for ever.

granian waits without end for a body that was promised and does not come, and for a client that does not take its
answer; each costs one of the server's threads. Linux tells of every TCP connection when bytes last came and went
(`TCP_INFO`, milliseconds); one that was silent both ways for too long is shut down, and the thread behind it sees a
body cut short.
"""

import contextlib
import os
import socket
import stat
import struct
import threading
from pathlib import Path

IDLE_SECONDS = 60.0
"""How long a connection may be silent; as long as werkzeug waits in a notebook."""

DESCRIPTORS = Path("/proc/self/fd")

_SENT_AND_RECEIVED = struct.Struct("=44xI4xI")
"""In Linux's `struct tcp_info`: milliseconds since data was last sent, and last received."""


class IdleWatch(threading.Thread):
    """Ends the silent connections of this process to one of its own ports."""

    def __init__(self, address: tuple[str, int], *, seconds: float = IDLE_SECONDS) -> None:
        super().__init__(name="ecrlab-idle-watch", daemon=True)
        self._address = address
        self._seconds = seconds

    def run(self) -> None:
        """Look again and again, as long as the process lives."""
        # macOS does not tell when data last moved; there a silent client keeps its thread until it goes away.
        if not hasattr(socket, "TCP_INFO") or not DESCRIPTORS.is_dir():
            return
        while True:
            threading.Event().wait(self._seconds / 4)
            self.look()

    def look(self) -> None:
        """End what has been silent for too long."""
        for entry in DESCRIPTORS.iterdir():
            # Another thread may close the descriptor at any moment; a copy of our own stays what it is.
            with contextlib.suppress(OSError):
                if stat.S_ISSOCK(os.fstat(int(entry.name)).st_mode):
                    with socket.socket(fileno=os.dup(int(entry.name))) as connection:
                        self._end_if_silent(connection)

    def _end_if_silent(self, connection: socket.socket) -> None:
        if connection.family != socket.AF_INET or connection.getsockname() != self._address:
            return
        connection.getpeername()  # the listening socket has no peer: OSError
        info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _SENT_AND_RECEIVED.size)
        if min(_SENT_AND_RECEIVED.unpack(info)) >= self._seconds * 1000:
            connection.shutdown(socket.SHUT_RDWR)
