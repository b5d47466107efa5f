"""One process for each notebook, with limits.

    time              wall clock for the notebook and for each cell, and processor time
    memory            address space of each process, and the memory of all together
    processes         their number; all end with the notebook
    files             bytes of one file and of all, in a folder that is deleted; all other files are read-only
    network           only the notebook's own lab
    home, variables   empty

On Linux (5.12 or newer) all of them hold, by namespaces and rlimits; elsewhere `missing` names those that do not.
Files are not hidden, except for those of other notebooks: a notebook may read what the teacher's user may.
"""

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from ecrlab.grading import hand_in
from ecrlab.grading.submissions import Submission
from ecrlab.lessons import exam, seeds
from ecrlab.machine.bootstrap import importable_from
from ecrlab.machine.environment import DEAD_ENDPOINT
from ecrlab.machine.requirements import CHECKOUT

MIB = 1024 * 1024
PREFIX = "ecrlab-grade-"
POLL_SECONDS = 0.2
BLOCK = 4096
"""Bytes that each file and folder counts at least, so that empty ones are limited too."""

UNSHARE = ("setpriv", "--pdeathsig", "KILL", "unshare", "--net", "--ipc", "--pid", "--fork", "--kill-child")
ISOLATE = (*UNSHARE, "--mount-proc")
AS_USER = ("--user", "--map-root-user")
BEGIN = (sys.executable, str(Path(__file__).with_name("begin.py")))
GONE = (OSError, ValueError, IndexError)
"""What a look at a process or file that ends meanwhile raises."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one notebook may use; seconds, bytes and numbers of processes."""

    seconds: int = 300
    cell_seconds: int = 60
    memory: int = 3 * 1024 * MIB
    address_space: int = 16 * 1024 * MIB
    file: int = 512 * MIB
    folder: int = 2 * 1024 * MIB
    processes: int = 200
    descriptors: int = 1024


@dataclass(frozen=True, slots=True)
class Execution:
    """What came of one execution: its folder, why it ended, the errors of cells, and how long it took."""

    folder: Path
    ended: str
    errors: list[tuple[int, str]]
    seconds: float

    @property
    def handed(self) -> Path:
        """The folder of its hand-ins."""
        return self.folder / "handed"


@cache
def isolation() -> tuple[str, ...]:
    """Return the command that isolates a process, or nothing where there is none."""
    if not all(map(shutil.which, ("setpriv", "unshare"))):
        return ()
    for command in ((*ISOLATE, "--"), (*ISOLATE, *AS_USER, "--")):
        with room() as folder:
            inside = folder / "probe"
            inside.mkdir()
            begin = [*BEGIN, json.dumps({"folder": str(inside)}), sys.executable, "-c", ""]
            if not subprocess.run([*command, *begin], cwd=inside, capture_output=True).returncode:
                return command
    return ()


def missing() -> list[str]:
    """Return the limits that this machine lacks."""
    if isolation():
        return []
    return [
        "the network is open",
        "a notebook may change your files",
        "a process that leaves its group outlives the notebook",
        "memory of all processes",
    ]


@contextmanager
def room() -> Iterator[Path]:
    """Make a folder for the folders of notebooks; it is deleted in the end."""
    folder = Path(tempfile.mkdtemp(prefix=PREFIX)).resolve()
    try:
        yield folder
    finally:
        remove(folder)


def execute(
    submission: Submission, seed: str | None, limits: Limits, folder: Path, stopping: threading.Event | None = None
) -> Execution:
    """Execute a notebook in a folder of its own in `folder`; it ends early when `stopping` is set.

    Raises `EcrLabError` for a notebook that cannot be read.
    """
    body = submission.read()
    scratch = Path(tempfile.mkdtemp(dir=folder))
    for name in ("home", "work", "tmp", "handed"):
        (scratch / name).mkdir()
    notebook, report = scratch / "work" / "notebook.ipynb", scratch / "report.json"
    notebook.write_bytes(body)
    confined = {"folder": str(scratch)} if isolation() else {}
    begin = [*BEGIN, json.dumps({"limits": _rlimits(limits), **confined})]
    executing = [sys.executable, "-m", "ecrlab.grading.executing", str(notebook), str(report), str(limits.cell_seconds)]
    started = time.monotonic()
    with (scratch / "output.txt").open("wb") as output:
        process = subprocess.Popen(
            [*isolation(), *begin, *executing],
            cwd=scratch / "work",
            env=_environment(scratch, seed),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
        stopped = _watch(process, scratch, limits, started, stopping or threading.Event())
    told = _read(report)
    return Execution(
        folder=scratch,
        ended=stopped or str(told.get("ended", "the process ended before the first cell")),
        errors=[(one["cell"], one["error"]) for one in told.get("errors", [])],
        seconds=time.monotonic() - started,
    )


def remove(folder: Path) -> None:
    """Delete a folder, also where a notebook made parts of it unreadable, or deeper than Python can follow."""
    unreadable = ("-type", "d", "!", "-perm", "-700", "-exec", "chmod", "700", "{}", ";")
    subprocess.run(["find", str(folder), *unreadable], capture_output=True)
    subprocess.run(["rm", "-rf", "--", str(folder)], capture_output=True)


def _rlimits(limits: Limits) -> dict[str, int]:
    return {
        "RLIMIT_CPU": limits.seconds,
        "RLIMIT_AS": limits.address_space,
        "RLIMIT_FSIZE": limits.file,
        "RLIMIT_NOFILE": limits.descriptors,
        "RLIMIT_CORE": 0,
    }


def _environment(scratch: Path, seed: str | None) -> dict[str, str]:
    variables = {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), "/usr/local/bin", "/usr/bin", "/bin"]),
        "HOME": str(scratch / "home"),
        "TMPDIR": str(scratch / "tmp"),
        "LANG": "C.UTF-8",
        "AWS_ENDPOINT_URL": DEAD_ENDPOINT,
        "ECRLAB_PROGRESS": str(scratch / "home" / "progress.json"),
        hand_in.VARIABLE: str(scratch / "handed"),
        exam.VARIABLE: "1",
    }
    if seed is not None:
        variables[seeds.VARIABLE] = seed
    return importable_from(CHECKOUT, variables)


def _watch(
    process: "subprocess.Popen[bytes]", scratch: Path, limits: Limits, started: float, stopping: threading.Event
) -> str:
    """Wait for a process; end it at a limit, and return which one, or an empty text."""
    stopped = ""
    while process.poll() is None and not stopped:
        stopping.wait(POLL_SECONDS)
        family, memory = _use(process.pid)
        if stopping.is_set():
            stopped = "stopped: the grader ended"
        elif time.monotonic() - started > limits.seconds:
            stopped = f"stopped: it ran longer than {limits.seconds} seconds"
        elif len(family) > limits.processes:
            stopped = f"stopped: it had more than {limits.processes} processes"
        elif memory > limits.memory:
            stopped = f"stopped: it used more than {limits.memory // MIB} MiB of memory"
        elif _bytes_in(scratch, limits.folder) > limits.folder:
            stopped = f"stopped: its files had more than {limits.folder // MIB} MiB, or were hidden"
    if process.poll() is None:
        _end(process)
    with suppress(*GONE):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    return stopped


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Kill a process's descendants, and wait for them: a namespace's first process ends after all others of it."""
    for pid in _use(process.pid)[0][1:]:
        with suppress(*GONE):
            os.kill(pid, signal.SIGKILL)
    with suppress(subprocess.TimeoutExpired):
        process.wait(10 if isolation() else 0)


def _use(pid: int) -> tuple[list[int], int]:
    """Return the ids and the memory (bytes) of a process and its descendants; of it alone where /proc is missing."""
    children: dict[int, list[int]] = {}
    pages: dict[int, int] = {}
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(*GONE):
            fields = (entry / "stat").read_text(errors="replace").rpartition(")")[2].split()
            children.setdefault(int(fields[1]), []).append(int(entry.name))
            pages[int(entry.name)] = int(fields[21])
    family = [pid]
    for one in family:
        family += children.get(one, [])
    return family, sum(pages.get(one, 0) for one in family) * resource.getpagesize()


def _bytes_in(folder: Path, most: int) -> int:
    """Return the bytes of the files in a folder; some number above `most` if there are more, or some are hidden."""
    total, folders = 0, [str(folder)]
    while folders and total <= most:
        try:
            with os.scandir(folders.pop()) as entries:
                for entry in entries:
                    with suppress(FileNotFoundError):
                        total += max(BLOCK, entry.stat(follow_symlinks=False).st_size)
                        if entry.is_dir(follow_symlinks=False):
                            folders.append(entry.path)
        except (FileNotFoundError, NotADirectoryError):  # deleted meanwhile
            continue
        except OSError:  # without a permission, or at a path that is too long
            return most + 1
    return total


def _read(report: Path) -> dict[str, Any]:
    """Read the report; the notebook may have written it, so that anything may be in it."""
    try:
        told = json.loads(hand_in.read_file(report, MIB))
        return {
            "ended": str(told["ended"])[:200],
            "errors": [{"cell": int(one["cell"]), "error": str(one["error"])[:300]} for one in told["errors"][:50]],
        }
    except (hand_in.Unreadable, ValueError, KeyError, TypeError, RecursionError, OverflowError):
        return {}
