"""Put limits on this process, then become another program: `python begin.py LIMITS PROGRAM ARGUMENTS`.

LIMITS is a JSON object: a name of `resource`, such as RLIMIT_CPU, and its value. In a network namespace of its own it
also brings the loopback device up. The standard library alone, so that it starts at once.
"""

import contextlib
import fcntl
import json
import os
import resource
import socket
import struct
import sys

SIOCSIFFLAGS, IFF_UP = 0x8914, 1


def main(limits: str, *command: str) -> None:
    """Limit, and execute."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):  # outside of a namespace of its own it is up
            fcntl.ioctl(socket.socket(), SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", IFF_UP))
    for name, most in json.loads(limits).items():
        number = getattr(resource, name)
        hard = resource.getrlimit(number)[1]
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(number, (most, most))
    os.execv(command[0], command)  # noqa: S606 - no shell is wanted


if __name__ == "__main__":
    main(*sys.argv[1:])
