"""Exit statuses: 0 clean, 1 findings, 2 usage, input or output trouble, 130 stopped with Ctrl-C.

A command reports trouble in one sentence, also if its output cannot be written: a full disk, a closed pipe, no output
at all (`>&-`). Standard library only.
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
"""The errors of writing to a stream; an error of writing to a file has a file name."""


def with_exit_status(main: Callable[[Sequence[str]], int]) -> Callable[[Sequence[str]], int]:
    """Turn expected errors, and errors of the standard streams, into a sentence and an exit status."""

    @functools.wraps(main)
    def wrapper(arguments: Sequence[str]) -> int:
        _open_streams()
        try:
            try:
                return main(arguments)
            finally:
                # At the interpreter's exit, a failure would print a traceback.
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

    return wrapper


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
    """Discard the stream's buffer and everything written to it later."""
    with suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _open_streams() -> None:
    """Open a missing standard stream: an empty input, or an output that rejects writing.

    Otherwise the next file to be opened would take its number, and receive its data.
    """
    if sys.stdin is None:
        sys.stdin = os.fdopen(os.open(os.devnull, os.O_RDONLY), encoding="utf-8")
    if sys.stdout is None:
        # Open for reading, so that writing fails as it does on a closed output.
        sys.stdout = os.fdopen(os.open(os.devnull, os.O_RDONLY), "w", encoding="utf-8", closefd=False)
    if sys.stderr is None:
        sys.stderr = os.fdopen(os.open(os.devnull, os.O_WRONLY), "w", encoding="utf-8", closefd=False)
