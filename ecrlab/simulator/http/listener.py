"""A port of this machine, and the connections to it."""

import contextlib
import math
import resource
import socket
import threading
import time
from typing import Any

from ecrlab.errors import EcrLabError
from ecrlab.simulator.http.connection import Connection, note

HOST, BACKLOG = "127.0.0.1", 1024
MOST_CONNECTIONS = 512  # at the same time; beyond that the longest idle one ends, or new ones wait
DESCRIPTORS = 4  # for each connection: its own, a layer's and two of the database
SILENCE_SECONDS = 60.0  # of silence from a client
GRACE_SECONDS = 1.0  # for requests under way when the port is closed
BREATH_SECONDS = 0.05  # before a failed accept is tried again


class PortTaken(EcrLabError):
    """Another program listens on the requested port."""


class Listener:
    """A WSGI application on a port of 127.0.0.1, from creation until `stop`."""

    def __init__(self, application: Any, *, port: int = 0, silence: float = SILENCE_SECONDS) -> None:
        """Listen on `port` (0: any free one). Raises `PortTaken`."""
        if not 0 <= port < 65536:
            raise EcrLabError(f"a port is a number from 1 to 65535 (0: any free one), got {port}")
        try:
            self._port = socket.create_server((HOST, port), backlog=BACKLOG)
        except OSError as error:
            raise PortTaken(f"port {port} of {HOST} is taken; choose another, or none for a free one") from error
        self._port.settimeout(GRACE_SECONDS / 4)  # on macOS `stop` does not wake the thread
        self.endpoint = f"http://{HOST}:{self._port.getsockname()[1]}"
        self._application, self._silence, self._is_over = application, silence, threading.Event()
        self._connections: list[Connection] = []
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Accept no more requests, and wait briefly for the responses under way."""
        self._is_over.set()
        with contextlib.suppress(OSError):
            self._port.shutdown(socket.SHUT_RDWR)  # a forked child may also have it open
        end = time.monotonic() + 2 * GRACE_SECONDS
        while time.monotonic() < end and any(one.is_alive() for one in (self._thread, *self._connections)):
            for connection in self._connections:
                if connection.idle_since < math.inf or time.monotonic() > end - GRACE_SECONDS:
                    connection.hang_up()
            time.sleep(BREATH_SECONDS / 10)
        self._port.close()

    def _accept(self) -> None:
        while not self._is_over.is_set():
            accepted = None
            try:
                accepted, _ = self._port.accept()
                while self._is_full() and not self._is_over.is_set():
                    self._make_room()
                connection = Connection(accepted, self._application, self._silence, self._is_over)
                connection.start()
                self._connections.append(connection)
            except TimeoutError:
                pass
            except BaseException:
                if accepted is not None:
                    accepted.close()
                if not self._is_over.is_set():
                    note("a connection was not accepted")
                    self._make_room()

    def _is_full(self) -> bool:
        self._connections = [connection for connection in self._connections if connection.is_alive()]
        descriptors, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        most = min(MOST_CONNECTIONS, descriptors // DESCRIPTORS) if descriptors > 0 else MOST_CONNECTIONS
        return len(self._connections) >= most

    def _make_room(self) -> None:
        longest = min(self._connections, key=lambda connection: connection.idle_since, default=None)
        if longest is not None and longest.idle_since < math.inf:
            longest.hang_up()
            longest.join(BREATH_SECONDS)
        else:
            self._is_over.wait(BREATH_SECONDS)
