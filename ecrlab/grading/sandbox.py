"""One process for each notebook, with limits.

    time              wall clock for the notebook and for each cell, and processor time
    memory            address space of each process, and the memory of all together
    processes         their number; all end with the notebook
    files             bytes of one file and of all, in a folder that is deleted
    network           only the notebook's own lab
    home, variables   empty

On Linux all of them hold, by namespaces and rlimits; elsewhere `missing` names those that do not. The grader's files
are not hidden: a notebook runs as the teacher's user and may read what that user may.
"""

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
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
POLL_SECONDS = 0.2
ISOLATE = ("unshare", "--net", "--pid", "--fork", "--kill-child", "--mount-proc")
AS_USER = ("--user", "--map-root-user")
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
    for command in ((*ISOLATE, "--"), (*ISOLATE[:1], *AS_USER, *ISOLATE[1:], "--")):
        if shutil.which("unshare") and not subprocess.run([*command, "true"], capture_output=True).returncode:
            return command
    return ()


def missing() -> list[str]:
    """Return the limits that this machine lacks."""
    if isolation():
        return []
    return ["the network is open", "a process that leaves its group outlives the notebook", "memory of all processes"]


def execute(submission: Submission, seed: str | None, limits: Limits) -> Execution:
    """Execute a notebook in a folder of its own, which the caller deletes with `remove`."""
    scratch = Path(tempfile.mkdtemp(prefix="ecrlab-grade-"))
    for name in ("home", "work", "tmp", "handed"):
        (scratch / name).mkdir()
    notebook, report = scratch / "work" / "notebook.ipynb", scratch / "report.json"
    notebook.write_bytes(submission.notebook)
    begin = [sys.executable, str(Path(__file__).with_name("begin.py")), json.dumps(_rlimits(limits))]
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
        stopped = _watch(process, scratch, limits, started)
    told = _read(report)
    return Execution(
        folder=scratch,
        ended=stopped or str(told.get("ended", "the process ended before the first cell")),
        errors=[(one["cell"], one["error"]) for one in told.get("errors", [])],
        seconds=time.monotonic() - started,
    )


def remove(execution: Execution) -> None:
    """Delete the folder of an execution, also where the notebook made parts of it unreadable."""
    for path, folders, _ in os.walk(execution.folder):
        for name in folders:
            with suppress(*GONE):
                if not (Path(path) / name).is_symlink():
                    (Path(path) / name).chmod(0o700)
    shutil.rmtree(execution.folder, ignore_errors=True)


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


def _watch(process: "subprocess.Popen[bytes]", scratch: Path, limits: Limits, started: float) -> str:
    """Wait for a process; end it at a limit, and return which one, or an empty text."""
    stopped = ""
    while process.poll() is None and not stopped:
        time.sleep(POLL_SECONDS)
        number, memory = _use(process.pid)
        if time.monotonic() - started > limits.seconds:
            stopped = f"stopped: it ran longer than {limits.seconds} seconds"
        elif number > limits.processes:
            stopped = f"stopped: it had more than {limits.processes} processes"
        elif memory > limits.memory:
            stopped = f"stopped: it used more than {limits.memory // MIB} MiB of memory"
        elif _bytes_in(scratch) > limits.folder:
            stopped = f"stopped: its files had more than {limits.folder // MIB} MiB"
    with suppress(*GONE):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    return stopped


def _use(pid: int) -> tuple[int, int]:
    """Return the number and the memory (bytes) of a process and its descendants; of none where /proc is missing."""
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
    return len(family), sum(pages.get(one, 0) for one in family) * resource.getpagesize()


def _bytes_in(folder: Path) -> int:
    total = 0
    for path, _, files in os.walk(folder):
        for name in files:
            with suppress(*GONE):
                total += (Path(path) / name).lstat().st_size
    return total


def _read(report: Path) -> dict[str, Any]:
    """Read the report; the notebook may have written it, so that anything may be in it."""
    try:
        with os.fdopen(os.open(report, os.O_RDONLY | os.O_NOFOLLOW)) as file:
            told = json.loads(file.read(MIB))
        return {
            "ended": str(told["ended"])[:200],
            "errors": [{"cell": int(one["cell"]), "error": str(one["error"])[:300]} for one in told["errors"][:50]],
        }
    except (OSError, ValueError, KeyError, TypeError, RecursionError, OverflowError):
        return {}
