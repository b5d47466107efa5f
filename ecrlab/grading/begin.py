"""Confine and limit this process, then become another program: `python begin.py SETTINGS PROGRAM ARGUMENTS`.

SETTINGS is a JSON object: `limits` has a value for names of `resource`, such as RLIMIT_CPU. With `folder`, which needs
namespaces of its own, the process may write into that folder alone: all other files are read-only, what is beside the
folder and the sockets of this machine are hidden, and no privilege is left. The standard library alone, so that it
starts at once.
"""

import contextlib
import ctypes
import fcntl
import json
import os
import resource
import socket
import struct
import sys

SIOCSIFFLAGS, IFF_UP = 0x8914, 1

# From Linux's sys/mount.h, linux/mount.h and linux/prctl.h; system call 442 is mount_setattr on every architecture.
MS_BIND = 4096
MOUNT_SETATTR, AT_FDCWD, AT_RECURSIVE, MOUNT_ATTR_RDONLY = 442, -100, 0x8000, 1
PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS = 24, 38
CAP_DAC_OVERRIDE = 1
"""Kept: root may grade in another user's folder. Files stay read-only."""

HIDDEN = ("/run", "/dev/shm")  # noqa: S108
"""Where services of this machine have their sockets, and processes share memory."""


def main(settings: str, *command: str) -> None:
    """Confine, limit, and execute."""
    wanted = json.loads(settings)
    if "folder" in wanted:
        with contextlib.closing(socket.socket()) as device:
            fcntl.ioctl(device, SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", IFF_UP))
        confine(wanted["folder"])
    for name, most in wanted.get("limits", {}).items():
        number = getattr(resource, name)
        hard = resource.getrlimit(number)[1]
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(number, (most, most))
    os.execv(command[0], command)  # noqa: S606 - no shell is wanted


def confine(folder: str) -> None:
    """Leave one folder to write into, and no privilege to change that. Raises `OSError`."""
    working = os.path.relpath(os.getcwd(), folder)  # noqa: PTH109 - pathlib takes longer to import
    os.chdir(folder)
    for hidden in (os.path.dirname(folder), *filter(os.path.isdir, HIDDEN)):  # noqa: PTH120
        _mount("tmpfs", hidden, "tmpfs", 0, "size=64m")
    os.makedirs(folder)  # noqa: PTH103
    _mount(".", folder, None, MS_BIND)  # this process is still in the folder that is hidden now
    _set_read_only("/", 1, AT_RECURSIVE)
    for writable in filter(os.path.isdir, (folder, "/dev/shm", "/dev/pts")):  # noqa: S108
        _set_read_only(writable, 0, 0)
    os.chdir(os.path.join(folder, working))  # noqa: PTH118
    for capability in range(64):
        if capability != CAP_DAC_OVERRIDE:
            libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)  # fails for those that this kernel does not know
    _check(libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs")


libc = ctypes.CDLL(None, use_errno=True)


def _mount(source: str, target: str, kind: str | None, flags: int, options: str = "") -> None:
    arguments = (source.encode(), target.encode(), kind and kind.encode(), ctypes.c_ulong(flags), options.encode())
    _check(libc.mount(*arguments), target)


def _set_read_only(mount: str, wanted: int, flags: int) -> None:
    attributes = struct.pack("QQQQ", MOUNT_ATTR_RDONLY * wanted, MOUNT_ATTR_RDONLY * (1 - wanted), 0, 0)
    arguments = (AT_FDCWD, mount.encode(), flags, attributes, ctypes.c_size_t(len(attributes)))
    _check(libc.syscall(ctypes.c_long(MOUNT_SETATTR), *arguments), mount)


def _check(result: int, subject: str) -> None:
    if result:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), subject)


if __name__ == "__main__":
    main(*sys.argv[1:])
