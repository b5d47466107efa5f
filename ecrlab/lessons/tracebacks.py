"""Errors as a learner can read them: the cell's own lines and the error's sentence, without the inside of libraries.

A `ClientError` of boto3 comes with some forty lines of botocore, an error of a stopped lab with two hundred. None of
them is the learner's code, and the message comes last.
"""

import sys
import sysconfig
from pathlib import Path
from types import TracebackType
from typing import Any

from ecrlab.errors import EcrLabError

LIBRARIES = tuple(
    str(folder) for folder in (*map(sysconfig.get_path, ("purelib", "platlib", "stdlib")), Path(__file__).parents[1])
)


def shorten() -> None:
    """In a notebook, let errors of AWS, boto3 and the kit end at the line of the cell that met them."""
    interactive = sys.modules.get("IPython")
    shell = interactive.get_ipython() if interactive else None
    if shell is None:
        return
    from botocore.exceptions import BotoCoreError, ClientError

    shell.set_custom_exc((BotoCoreError, ClientError, EcrLabError), _show)


def cut(trace: TracebackType) -> None:
    """End a traceback before it enters a library; its first entry is the notebook's own machinery."""
    last = trace
    while last.tb_next is not None and not last.tb_next.tb_frame.f_code.co_filename.startswith(LIBRARIES):
        last = last.tb_next
    last.tb_next = None


def _show(shell: Any, kind: type, error: BaseException, trace: TracebackType, tb_offset: int | None = None) -> None:
    cut(trace)
    # Causes inside a library (a refused connection, retried) do not help the learner.
    error.__cause__ = error.__context__ = None
    shell.showtraceback((kind, error, trace), tb_offset=tb_offset)
