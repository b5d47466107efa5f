"""Execute a notebook's cells in the sandbox: `python -m ecrlab.grading.executing NOTEBOOK REPORT`.

An error in a cell does not stop the next one, as in a reader's hands. The report is written after each cell, because
the process can end at any moment; the notebook may also write it, so it only informs.
"""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError, DeadKernelError

MOST_ERRORS = 20


def main(notebook: str, report: str, cell_seconds: str) -> int:
    """Execute a notebook, and write what happened."""
    told: dict[str, Any] = {"errors": [], "ended": "the process was ended"}

    def write() -> None:
        Path(report).write_text(json.dumps(told), encoding="utf-8")

    write()
    try:
        content = nbformat.read(notebook, as_version=4)  # type: ignore[no-untyped-call]
        cells = [(n, one) for n, one in enumerate(content.cells) if one.cell_type == "code" and one.source.strip()]
    except Exception as error:  # nbformat raises what its parts raise
        told["ended"] = f"this is no notebook: {error}"[:200]
        write()
        return 1
    client = NotebookClient(
        content, timeout=int(cell_seconds), kernel_name="python3", allow_errors=True, interrupt_on_timeout=True
    )
    try:
        with client.setup_kernel():
            for number, cell in cells:
                try:
                    client.execute_cell(cell, number)
                except CellTimeoutError:
                    told["errors"].append({"cell": number, "error": f"ran longer than {cell_seconds} seconds"})
                for output in cell.outputs:
                    if output.output_type == "error" and len(told["errors"]) < MOST_ERRORS:
                        told["errors"].append({"cell": number, "error": f"{output.ename}: {output.evalue}"[:300]})
                cell.outputs = []
                write()
        told["ended"] = "done"
    except DeadKernelError:
        told["ended"] = "the kernel died"
    except Exception as error:  # the client raises what its parts raise
        told["ended"] = f"the kernel failed: {error}"[:200]
    write()
    return 0


if __name__ == "__main__":
    asyncio.set_event_loop(asyncio.new_event_loop())
    sys.exit(main(*sys.argv[1:]))
