"""The other end of a connection: bytes from a client and to it, and a limit to its silence."""

import contextlib
import socket
import struct
from collections.abc import Callable


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
        """The next bytes, at most so many. Raises `OSError` when none will come."""
        received = self.socket.recv(most, flags)
        if not received:
            raise ConnectionResetError("the client hung up")
        return received

    def send(self, data: bytes) -> None:
        """Send all of it. Raises `OSError` when it is not taken."""
        if self.is_led:
            sent = 0
            with contextlib.suppress(BlockingIOError):
                sent = self.socket.send(data, socket.MSG_DONTWAIT)
            if sent == len(data):
                return
            self.step_aside()
            data = data[sent:]
        self.socket.sendall(data)

    def hang_up(self) -> None:
        """End the connection under whichever thread is at it."""
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
