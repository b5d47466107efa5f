"""A port of this machine, and the connections to it."""

import contextlib
import math
import resource
import socket
import threading
import time
from collections.abc import Iterable
from typing import Any

from ecrlab.errors import EcrLabError
from ecrlab.simulator.http.connection import Connection, note

HOST = "127.0.0.1"
BACKLOG = 1024  # connections that wait to be accepted
MOST_CONNECTIONS = 512  # that are open at the same time
DESCRIPTORS = 4  # for each of them: its own, a layer's and two of the database
SILENCE_SECONDS = 60.0  # for which a client may be silent
GRACE_SECONDS = 1.0  # for requests under way when the port is closed
BREATH_SECONDS = 0.05  # before a connection that could not be accepted is tried again


class PortTaken(EcrLabError):
    """Something else listens on the port that was asked for."""


class Listener:
    """A WSGI application on a port of 127.0.0.1, from when it is made until `stop`.

    With too many connections, or no descriptors, the one that has been idle longest ends; until then others wait.
    """

    def __init__(self, application: Any, *, port: int = 0, silence: float = SILENCE_SECONDS) -> None:
        """Listen on `port` (0: any free one). Raises `PortTaken`."""
        if not 0 <= port < 65536:
            raise EcrLabError(f"a port is a number from 1 to 65535 (0: any free one), got {port}")
        try:
            self._port = socket.create_server((HOST, port), backlog=BACKLOG)
        except OSError as error:
            raise PortTaken(f"port {port} of {HOST} is taken; choose another, or none for a free one") from error
        # Where `stop` does not wake the thread (macOS), it looks by itself.
        self._port.settimeout(GRACE_SECONDS / 4)
        self.endpoint = f"http://{HOST}:{self._port.getsockname()[1]}"
        self._application, self._silence = application, silence
        self._is_over = threading.Event()
        self._connections: list[Connection] = []
        self._thread = threading.Thread(target=self._accept_all, daemon=True)
        try:
            self._thread.start()
        except BaseException:
            self._port.close()
            raise

    def stop(self) -> None:
        """Accept no more requests, and let those under way be answered if they are soon."""
        self._is_over.set()
        # A forked child may have the port open too.
        with contextlib.suppress(OSError):
            self._port.shutdown(socket.SHUT_RDWR)
        _join([self._thread])
        for connection in self._connections:
            if connection.idle_since < math.inf:
                connection.hang_up()
        _join(self._connections)
        for connection in self._connections:
            connection.hang_up()
        _join(self._connections)
        self._port.close()

    def _accept_all(self) -> None:
        while not self._is_over.is_set():
            try:
                self._accept()
            except TimeoutError:
                pass
            except BaseException:
                if not self._is_over.is_set():
                    note("a connection was not accepted")
                    self._make_room()

    def _accept(self) -> None:
        accepted, _ = self._port.accept()
        try:
            while self._is_full() and not self._is_over.is_set():
                self._make_room()
            connection = Connection(accepted, self._application, self._silence, self._is_over)
            connection.start()
        except BaseException:
            accepted.close()
            raise
        self._connections.append(connection)

    def _is_full(self) -> bool:
        self._connections = [connection for connection in self._connections if connection.is_alive()]
        descriptors, _ = resource.getrlimit(resource.RLIMIT_NOFILE)  # -1: any number
        return len(self._connections) >= min(MOST_CONNECTIONS, descriptors % 2**31 // DESCRIPTORS)

    def _make_room(self) -> None:
        longest = min(self._connections, key=lambda connection: connection.idle_since, default=None)
        if longest is not None and longest.idle_since < math.inf:
            longest.hang_up()
            longest.join(BREATH_SECONDS)
        else:
            self._is_over.wait(BREATH_SECONDS)


def _join(threads: Iterable[threading.Thread]) -> None:
    deadline = time.monotonic() + GRACE_SECONDS
    for thread in threads:
        # One cannot wait for oneself.
        with contextlib.suppress(RuntimeError):
            thread.join(max(0.0, deadline - time.monotonic()))
