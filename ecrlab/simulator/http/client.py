"""The other end of a connection: bytes from a client and to it, and a limit to its silence."""

import contextlib
import socket
import struct
import time
from collections.abc import Callable

FAREWELL_SECONDS = 2.0
"""How long a client to which the last was said may still send."""


class Gone(OSError):
    """The client hung up, was silent for too long, or takes no more."""


class Client:
    """A client. While it `is_led`, other clients wait for what is done with this one."""

    def __init__(self, connected: socket.socket, step_aside: Callable[[], None], *, silence: float) -> None:
        """`step_aside` is called before the first thing that may have to wait, whenever it `is_led`."""
        self.socket = connected
        self.is_led = False
        self._step_aside = step_aside
        connected.setblocking(True)
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.wait_at_most(silence)

    def wait_at_most(self, seconds: float) -> None:
        """From now on it may neither send nor take anything for so long."""
        # Like this the kernel watches the time; a timeout of Python's costs another system call for each.
        limit = struct.pack("@ll", int(seconds), int(seconds % 1 * 1_000_000))
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)

    def step_aside(self) -> None:
        """Let others go on: what follows may have to wait."""
        if self.is_led:
            self.is_led = False
            self._step_aside()

    def receive(self, most: int, flags: int = 0) -> bytes:
        """The next bytes, at most so many. Raises `Gone` when none will come."""
        try:
            received = self.socket.recv(most, flags)
        except OSError as error:
            raise Gone("nothing came") from error
        if not received:
            raise Gone("the client hung up")
        return received

    def send(self, data: bytes) -> None:
        """Send all of it. Raises `Gone` when it is not taken."""
        try:
            if self.is_led:
                sent = 0
                with contextlib.suppress(BlockingIOError):
                    sent = self.socket.send(data, socket.MSG_DONTWAIT)
                if sent == len(data):
                    return
                self.step_aside()
                data = data[sent:]
            self.socket.sendall(data)
        except OSError as error:
            raise Gone("nothing is taken") from error

    def part(self, last_word: bytes) -> None:
        """Say a last word to a client that may still be sending, and make sure that it hears it.

        Bytes that nobody reads would make the kernel reset the connection, and take that word away with it.
        """
        self.step_aside()
        with contextlib.suppress(OSError):
            self.send(last_word)
            self.socket.shutdown(socket.SHUT_WR)
            self.wait_at_most(FAREWELL_SECONDS)
            until = time.monotonic() + FAREWELL_SECONDS
            while time.monotonic() < until:
                self.receive(64 * 1024)

    def hang_up(self) -> None:
        """End the connection under whichever thread is at it."""
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
