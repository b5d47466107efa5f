"""Walks through a lesson in one process, other than from top to bottom, and reports the errors that say nothing.

    python -m tests.notebooks.walking NOTEBOOK twice|restarted|skipping|tomorrow

`twice` runs each cell two times, and the first time it must work; `restarted` runs each cell in a new session without a
lab, `skipping` walks once for each cell, and leaves it out, and `tomorrow` walks two times through a lab that keeps its
registry. A kernel for each walk would take most of the time, so IPython runs here, in the current folder. The report is
a line of JSON for each cell whose error is not a clear one; `tomorrow`, for each error.
"""

import ast
import contextlib
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import matplotlib.pyplot as plt
import nbformat
from botocore.exceptions import BotoCoreError, ClientError
from IPython.core.interactiveshell import InteractiveShell

import ecrlab
import ecrlab.lab
from tests.warm_aws import warm

NAMES_WHAT_IS_MISSING = (ecrlab.EcrLabError, ClientError, BotoCoreError, FileNotFoundError)
"""AWS's errors name the repository or the image, the lab's what to do, and Python's the file."""


class Shell(InteractiveShell):
    """IPython whose `!` prints through Python, so that it is read here."""

    def system(self, command):
        done = subprocess.run(
            self.var_expand(command, depth=1), shell=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        print(done.stdout, end="")

    def showtraceback(self, *arguments, **settings):
        """Print nothing: the error is in the result."""


class Walk:
    """A new session without a lab, and the names that its skipped and failed cells would have bound."""

    def __init__(self, shell, folder):
        if ecrlab.lab._running:
            ecrlab.lab._running.stop()
        plt.close("all")
        os.chdir(folder)
        shell.reset()
        self.shell, self.missing = shell, set()

    def skip(self, cell):
        self.missing |= names(self.shell, cell)

    def run(self, cell, *, clear_errors=True):
        """Run a cell; return None, or the error if it does not say what is missing, or if clear ones do not count."""
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
            error = self.shell.run_cell(cell.source).error_in_exec
        if error is not None:
            self.missing |= names(self.shell, cell)
        text = printed.getvalue()
        if "Traceback (most recent call last)" in text:
            return f"prints a traceback: {text[-200:]}"
        if error is None or "raises-exception" in cell.metadata.get("tags", []):
            return None
        if clear_errors and self._is_clear(error, text):
            return None
        return f"{type(error).__name__}: {error}"

    def _is_clear(self, error, printed):
        if isinstance(error, subprocess.CalledProcessError):
            return bool(printed.strip())
        if isinstance(error, AssertionError):
            return bool(str(error))
        return isinstance(error, NAMES_WHAT_IS_MISSING) or (type(error) is NameError and error.name in self.missing)


def names(shell, cell):
    """The names that a cell binds."""
    bound = set()
    for node in ast.walk(ast.parse(shell.transform_cell(cell.source))):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            bound.add(node.id)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            bound.add(node.name)
        elif isinstance(node, ast.alias):
            bound.add((node.asname or node.name).partition(".")[0])
    return bound


def twice(start, cells):
    walk = start()
    for number, cell in enumerate(cells):
        yield f"{number}, first time", cell, walk.run(cell, clear_errors=False)
        yield f"{number}, second time", cell, walk.run(cell)


def restarted(start, cells):
    for number, cell in enumerate(cells):
        walk = start()
        for earlier in cells[:number]:
            walk.skip(earlier)
        yield f"{number} in a restarted kernel", cell, walk.run(cell)


def skipping(start, cells):
    for left_out in range(len(cells) - 1):
        walk = start()
        for number, cell in enumerate(cells):
            if number == left_out:
                walk.skip(cell)
            else:
                yield f"{number} without {left_out}", cell, walk.run(cell)


def tomorrow(start, cells):
    for day in ("first", "second"):
        walk = start()
        for number, cell in enumerate(cells):
            source = cell.source.replace("ecrlab.start()", 'ecrlab.start(state="my-registry")')
            kept = nbformat.NotebookNode(cell, source=source)
            yield f"{number}, {day} day", cell, walk.run(kept, clear_errors=False)


MODES = {mode.__name__: mode for mode in (twice, restarted, skipping, tomorrow)}

if __name__ == "__main__":
    path, mode = Path(sys.argv[1]), MODES[sys.argv[2]]
    code = [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
    shell, folder = Shell.instance(), Path.cwd()
    with warm():
        for where, cell, puzzle in mode(lambda: Walk(shell, folder), code):
            if puzzle:
                print(json.dumps({"cell": where, "source": cell.source.splitlines()[0], "error": puzzle}), flush=True)
    Walk(shell, folder)
