"""A port of this machine, the connections to it, and the threads that attend to them.

One thread leads: it waits for whatever comes on any connection, reads it, and answers what is quick to answer. Before
it does anything that may have to wait, it steps aside: another thread leads, while it goes on with its connection,
then queues up to lead again (Schmidt et al., "Leader/Followers", 2000). So a request is answered by the thread that
read it, an idle connection costs no thread, and threads seldom compete for the interpreter, which is dearer than all
the rest. When nobody is queueing, a thread is made: whoever takes his time keeps nobody else out.
"""

import contextlib
import logging
import selectors
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from ecrlab.errors import EcrLabError
from ecrlab.simulator.http.connection import Connection
from ecrlab.simulator.http.incoming import Environ

HOST = "127.0.0.1"

BACKLOG = 1024
"""How many connections may wait to be taken."""

MOST_CONNECTIONS = 512
"""With more, whoever has waited longest is let go. There are hardly more threads than these."""

SILENCE_SECONDS = 60.0
"""How long a client may be silent."""

BREATH_SECONDS = 0.05
"""How long to wait when no connection can be taken and none be let go."""

GRACE_SECONDS = 1.0
"""How long requests under way may take when the port is closed."""

log = logging.getLogger("ecrlab.server")


class PortTaken(EcrLabError):
    """Something else listens on the port that was asked for."""


class Listener:
    """A WSGI application on a port of 127.0.0.1, from when it is made until `stop`.

    `is_quick` says which requests are answered without waiting for a disk or another request, or of which the
    application says by itself when it may have to: it calls what it finds in `environ[STEP_ASIDE]`.
    """

    def __init__(
        self,
        application: Any,
        *,
        port: int = 0,
        is_quick: Callable[[Environ], bool] = lambda environ: False,
        silence: float = SILENCE_SECONDS,
    ) -> None:
        """Listen on `port` (0: any free one). Raises `PortTaken`."""
        if not 0 <= port < 65536:
            raise EcrLabError(f"a port is a number from 1 to 65535 (0: any free one), got {port}")
        try:
            self._port = socket.create_server((HOST, port), backlog=BACKLOG)
        except OSError as error:
            raise PortTaken(f"port {port} of {HOST} is taken; choose another, or none for a free one") from error
        self._port.setblocking(False)
        self.endpoint = f"http://{HOST}:{self._port.getsockname()[1]}"
        self._application = application
        self._is_quick = is_quick
        self._silence = silence
        self._connections: dict[Connection, bool] = {}
        """All that are open, and whether the leader waits for something to come on them."""
        self._lead = threading.Lock()
        self._followers = 0
        """How many threads queue up to lead."""
        self._table = threading.Lock()
        """Held while `_connections` and `_awaited` are made to agree, and for `_followers`."""
        self._bell, self._ear = socket.socketpair()
        self._is_over = False
        self._awaited = selectors.DefaultSelector()
        self._awaited.register(self._port, selectors.EVENT_READ)
        self._awaited.register(self._ear, selectors.EVENT_READ)
        self._called: deque[selectors.SelectorKey] = deque()
        self._looked = time.monotonic()
        self._threads: list[threading.Thread] = []
        self._add_thread()

    def stop(self) -> None:
        """Take no more requests, and let those under way be answered if they are soon."""
        self._is_over = True
        self._bell.send(b"!")
        self._join(GRACE_SECONDS)
        for connection in self._connections.copy():
            connection.client.hang_up()
        self._join(GRACE_SECONDS)
        for connection in self._connections.copy():
            self._end(connection)
        # A forked child may have the port open too.
        with contextlib.suppress(OSError):
            self._port.shutdown(socket.SHUT_RDWR)
        for held in (self._awaited, self._port, self._bell, self._ear):
            held.close()

    def _join(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        for thread in self._threads.copy():
            thread.join(max(0.0, deadline - time.monotonic()))

    # What each thread does

    def _add_thread(self) -> None:
        thread = threading.Thread(target=self._work, name=f"ecrlab-{len(self._threads)}", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _work(self) -> None:
        while not self._is_over:
            with self._table:
                self._followers += 1
            self._lead.acquire()
            with self._table:
                self._followers -= 1
            while (connection := self._next()) and self._attend(connection):
                pass
            if connection is None:
                self._lead.release()

    def _attend(self, connection: Connection) -> bool:
        """Attend to a connection, and say whether this thread still leads."""
        connection.client.is_led = True
        try:
            goes_on = connection.attend()
            leads = connection.client.is_led
            if goes_on and not leads:
                # From here on another thread may attend to it.
                self._wait_for(connection)
        except Exception:
            log.exception("a connection failed")
            goes_on, leads = False, connection.client.is_led
        if not goes_on:
            self._end(connection)
        return leads

    def _step_aside(self, connection: Connection) -> None:
        with self._table:
            # `stop` may have ended it.
            if self._connections.get(connection):
                self._connections[connection] = False
                self._awaited.unregister(connection.client.socket)
            is_followed = self._followers > 0
        self._lead.release()
        if not is_followed:
            self._add_thread()

    # What the leader does

    def _next(self) -> Connection | None:
        """The next connection on which something came, or none when all is over."""
        while not self._is_over:
            if not self._called:
                self._called.extend(key for key, _ in self._awaited.select(self._silence / 4))
                self._end_overdue()
                continue
            key = self._called.popleft()
            if key.fileobj is self._port:
                self._accept()
            elif key.data in self._connections:
                connection: Connection = key.data
                return connection
        return None

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._port.accept()
            except BlockingIOError:
                return
            except ConnectionError:
                continue  # it has gone away again
            except OSError as error:
                log.warning("no further connection can be taken: %s", error)
                if not self._end_longest_waiting():
                    time.sleep(BREATH_SECONDS)
                return
            try:
                self._wait_for(
                    Connection(
                        client,
                        self._application,
                        step_aside=self._step_aside,
                        is_quick=self._is_quick,
                        silence=self._silence,
                    )
                )
            except OSError:
                client.close()  # so has this one
            if len(self._connections) > MOST_CONNECTIONS:
                self._end_longest_waiting()

    def _wait_for(self, connection: Connection) -> None:
        with self._table:
            self._awaited.register(connection.client.socket, selectors.EVENT_READ, connection)
            self._connections[connection] = True

    def _waiting(self) -> list[Connection]:
        with self._table:
            return [connection for connection, waits in self._connections.items() if waits]

    def _end_overdue(self) -> None:
        now = time.monotonic()
        if now - self._looked >= self._silence / 4:
            self._looked = now
            heard = {key.data for key in self._called}
            for connection in self._waiting():
                if connection.is_overdue(now) and connection not in heard:
                    self._end(connection)

    def _end_longest_waiting(self) -> bool:
        """Let one go, and say whether there was any."""
        waiting = self._waiting()
        if waiting:
            self._end(min(waiting, key=lambda connection: connection.waits_since))
        return bool(waiting)

    def _end(self, connection: Connection) -> None:
        with self._table:
            if self._connections.pop(connection, False):
                self._awaited.unregister(connection.client.socket)
        # A forked child may have it open too.
        connection.client.hang_up()
        connection.client.socket.close()
