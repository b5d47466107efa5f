"""Run all or the named notebooks from top to bottom and store the outputs, for authors of lessons.

The stored outputs are the same on every machine: no timings, no names of kernels or machines, cell ids by position. So
a notebook changes only if its text or its outputs change. Each cell says what it is as a slide (docs/instructor.md);
each check of an exercise is marked for nbgrader (docs/grading.md).

examples:
  python3 -m ecrlab notebooks                    all of them
  python3 -m ecrlab notebooks 01-authentication  one
"""

import argparse
import os
import re
import sys
from pathlib import Path
from typing import Any

from ecrlab.commands.test import surroundings
from ecrlab.machine import originals
from ecrlab.machine.running import temporary_folder

CELL_SECONDS = 120

CHECK = re.compile(r'lab\.check\("([a-z0-9-]+)"(?:, \w+)?\)')
"""A cell that only checks an exercise: nbgrader restores such a cell's text before it grades."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `ecrlab notebooks`."""
    parser.add_argument("names", nargs="*", metavar="NAME", help="a lesson, such as 00-start-here (default: all)")


def run(options: argparse.Namespace) -> int:
    """Execute, tidy and write the notebooks; return 1 if a cell fails unexpectedly."""
    failed = False
    for path in [originals.lesson(name) for name in options.names] or originals.lessons():
        print(f"{path.name} …", flush=True)
        failed |= not execute(path)
    return int(failed)


def tidy(notebook: Any) -> None:
    """Remove the values that differ between machines and runs from a notebook, in place."""
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    count = 0
    for position, cell in enumerate(notebook.cells):
        cell.id = f"cell-{position:02d}"
        cell.metadata.pop("execution", None)
        cell.metadata["slideshow"] = {"slide_type": slide_type(cell)}
        if cell.cell_type != "code":
            continue
        if check := CHECK.fullmatch(cell.source):
            cell.metadata["nbgrader"] = for_nbgrader(check[1])
        count += 1
        cell.execution_count = count
        cell.outputs = _joined(cell.outputs)
        for output in cell.outputs:
            if output.output_type == "execute_result":
                output.execution_count = count
            output.get("data", {}).pop("application/vnd.jupyter.widget-view+json", None)


def slide_type(cell: Any) -> str:
    """Return what a cell is when nbconvert makes slides of the notebook, in the words of its metadata `slide_type`.

    A heading begins a slide, other text continues below it. A code cell and its output appear at the next key, so that
    people guess before they see.
    """
    if cell.cell_type == "code":
        return "skip" if cell.source == "lab.stop()" else "fragment"
    text = re.sub(r"```.*?```", "", cell.source, flags=re.DOTALL)
    return "slide" if re.search(r"^##? ", text, re.MULTILINE) else "subslide"


def for_nbgrader(exercise: str) -> dict[str, Any]:
    """Return nbgrader's metadata (its schema 3) of a cell that checks an exercise: one point, unless it raises."""
    return {
        "grade": True,
        "grade_id": exercise,
        "locked": True,
        "points": 1,
        "schema_version": 3,
        "solution": False,
        "task": False,
    }


def execute(path: Path) -> bool:
    """Run a notebook in its folder and store its outputs; print the error and return False if a cell fails."""
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError

    notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    with temporary_folder("ecrlab-notebooks-") as folder:
        environment = surroundings(folder, everything=False, base=os.environ)
        client = NotebookClient(
            notebook,
            timeout=CELL_SECONDS,
            kernel_name="python3",
            resources={"metadata": {"path": str(path.parent)}},
            store_widget_state=False,
        )
        try:
            client.execute(env=environment)
        except CellExecutionError as error:
            print(error, file=sys.stderr)
            return False
    tidy(notebook)
    nbformat.write(notebook, path)  # type: ignore[no-untyped-call]
    return True


def _joined(outputs: list[Any]) -> list[Any]:
    """Return the outputs with consecutive pieces of a stream joined."""
    joined: list[Any] = []
    for output in outputs:
        last = joined[-1] if joined else None
        if output.output_type == "stream" and last is not None and last.get("name") == output.name:
            last.text += output.text
        else:
            joined.append(output)
    return joined
