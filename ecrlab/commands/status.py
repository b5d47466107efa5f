"""How a command ends: 0 clean, 1 findings, 2 usage, input or output trouble, 130 stopped with Ctrl-C.

Trouble is told in one sentence, also when the output has nowhere to go: a full disk, a closed pipe, no output at all
(`>&-`). Standard library only.
"""

import errno
import functools
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TextIO

from ecrlab.errors import EcrLabError

CLEAN, FINDINGS, TROUBLE, STOPPED = 0, 1, 2, 130

_OF_OUTPUT = frozenset({errno.EBADF, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.ENOSPC, errno.EPIPE})
"""What writing fails with, when it is to a stream and not to a file that has a name."""


def told(main: Callable[[Sequence[str]], int]) -> Callable[[Sequence[str]], int]:
    """Turn what stops a command line on purpose, and what its streams refuse, into a sentence and an exit status."""

    @functools.wraps(main)
    def telling(arguments: Sequence[str]) -> int:
        _open_streams()
        try:
            try:
                return main(arguments)
            finally:
                # Here, not at the interpreter's exit, where a failure would be a traceback.
                sys.stdout.flush()
        except EcrLabError as error:
            return _trouble(str(error))
        except OSError as error:
            return _trouble(_in_words(error))
        except SystemExit as stop:
            # rich leaves a closed pipe with status 1, which means findings here.
            if isinstance(stop.__context__, BrokenPipeError):
                return _trouble(_in_words(stop.__context__))
            raise
        except KeyboardInterrupt:
            return STOPPED

    return telling


def _trouble(sentence: str) -> int:
    try:
        print(f"ecrlab: {sentence}", file=sys.stderr, flush=True)
    except OSError:
        _discard(sys.stderr)
    return TROUBLE


def _in_words(error: OSError) -> str:
    if error.errno in _OF_OUTPUT and error.filename is None:
        _discard(sys.stdout)
        return f"cannot write: {error.strerror}"
    return str(error)


def _discard(stream: TextIO) -> None:
    """Let what a stream holds, and what is still written to it, go nowhere."""
    with suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _open_streams() -> None:
    """Give a process that was started without a standard stream one: an empty input, an output that takes nothing.

    Otherwise the next file that is opened would take its number, and get what is meant for it.
    """
    if sys.stdin is None:
        sys.stdin = os.fdopen(os.open(os.devnull, os.O_RDONLY), encoding="utf-8")
    if sys.stdout is None:
        # Open for reading, so that writing fails as it does on a closed output.
        sys.stdout = os.fdopen(os.open(os.devnull, os.O_RDONLY), "w", encoding="utf-8", closefd=False)
    if sys.stderr is None:
        sys.stderr = os.fdopen(os.open(os.devnull, os.O_WRONLY), "w", encoding="utf-8", closefd=False)
