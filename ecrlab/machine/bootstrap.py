"""The kit's environment, and its set-up on a machine with only Python.

    python3 -m ecrlab ── does this Python have the packages that pyproject.toml asks for? ── yes: stay here
                             │ no
                             ▼
                       .venv beside the package, installed from requirements.lock by uv or pip (every file's
                       hash is checked); `test` adds requirements-dev.lock
                             │ stamped once it is complete
                             ▼
                       the same command again, run by .venv's Python

The stamp names the environment's lock, folder and Python. If one of them changes, or a set-up was interrupted, the next
start makes the environment again. Standard library only: this runs before anything is installed.
"""

import contextlib
import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable, Iterator
from importlib import util
from pathlib import Path
from typing import IO, NamedTuple

from ecrlab.machine import installers
from ecrlab.machine.requirements import CHECKOUT, is_project, unmet_requirements

SECONDS_BETWEEN_LINES = 5.0

Say = Callable[[str], None]


class SetupError(Exception):
    """The environment cannot be made; the text is a sentence with the reason and the cure."""


class Lock(NamedTuple):
    """A file of pinned packages, the extra whose requirements they meet, and the disk that their set-up takes."""

    file: str
    extra: str
    needed_bytes: int


LEARNER = Lock("requirements.lock", "lab", 1_000_000_000)
DEVELOPER = Lock("requirements-dev.lock", "test", 1_600_000_000)
"""It has the learner's packages too, in the same versions."""


def fit_here(lock: Lock = LEARNER, checkout: Path = CHECKOUT) -> bool:
    """Tell whether the running Python is the finished `.venv`, or has the packages that the lock's extra requires.

    An installed kit stays with the Python that it is installed for.
    """
    if not is_project(checkout):
        return True
    if Path(sys.prefix).resolve() == checkout / ".venv":
        return is_whole(lock, checkout)
    return not unmet_requirements(lock.extra, checkout)


def prepare(lock: Lock = LEARNER, checkout: Path = CHECKOUT, *, afresh: bool = False, say: Say | None = None) -> Path:
    """Make `.venv` in the checkout unless it is complete, and return the path of its Python.

    Args:
        lock: the packages that it has.
        checkout: the folder that holds `ecrlab/`, `pyproject.toml` and the locks.
        afresh: make it again even if it looks complete.
        say: a function that prints a line of progress; standard error by default.

    Raises:
        SetupError: the set-up fails; the text names the cure.
    """
    python = checkout / ".venv" / "bin" / "python"
    if is_whole(lock, checkout) and not afresh:
        return python
    say = say or _say
    _check_machine(lock, checkout)
    try:
        with _one_at_a_time(checkout, say) as held:
            if afresh or not is_whole(lock, checkout):  # another set-up may have finished it meanwhile
                _make(lock, checkout, held, say, afresh=afresh)
    except OSError as error:
        raise SetupError(f"the set-up failed: {installers.cure(str(error)) or error}") from error
    return python


def is_whole(lock: Lock = LEARNER, checkout: Path = CHECKOUT) -> bool:
    """Tell whether `.venv` is complete: it has the lock's packages, in this folder, on a Python that still exists."""
    return made_from(checkout) in {lock, DEVELOPER}


def made_from(checkout: Path = CHECKOUT) -> Lock | None:
    """Return the lock of a complete `.venv`."""
    try:
        stamp = _stamp(checkout).read_text()
        return next((lock for lock in (LEARNER, DEVELOPER) if stamp == stamp_of(lock, checkout)), None)
    except (OSError, ValueError):
        return None


def importable_from(checkout: Path, environment: dict[str, str]) -> dict[str, str]:
    """Return `environment` with the checkout on Python's path, for kernels, which run in other folders.

    An installed kit is on the path of its own Python, and of no other.
    """
    if not is_project(checkout):
        return environment
    return environment | {"PYTHONPATH": os.pathsep.join(filter(None, [str(checkout), environment.get("PYTHONPATH")]))}


def hand_over(python: Path, arguments: list[str]) -> int:
    """Replace this process with the environment's Python and the same command; return only if that fails."""
    sys.stdout.flush()
    sys.stderr.flush()
    try:
        os.execv(python, [str(python), "-m", "ecrlab", *arguments])  # noqa: S606 - no shell is wanted
    except OSError as error:
        raise SetupError(
            f"{python} does not run ({error.strerror}): delete the folder .venv and start again"
        ) from error


def _stamp(checkout: Path) -> Path:
    return checkout / ".venv" / "ecrlab-made-from"


def stamp_of(lock: Lock, checkout: Path) -> str:
    """Return the stamp of an environment: its lock, the folder in its scripts, and its base Python."""
    digest = hashlib.sha256((checkout / lock.file).read_bytes()).hexdigest()
    python = (checkout / ".venv" / "bin" / "python").resolve(strict=True)
    return f"lock {digest}\nfolder {checkout}\npython {python}\n"


def _check_machine(lock: Lock, checkout: Path) -> None:
    if os.name != "posix":
        raise SetupError("this kit runs on Linux and macOS; on Windows, run it inside WSL (wsl --install)")
    if os.pathsep in str(checkout):
        raise SetupError(
            f"{checkout} contains {os.pathsep!r}, which PATH cannot contain: move the project to another folder"
        )
    if util.find_spec("venv") is None or util.find_spec("ensurepip") is None:
        version = f"{sys.version_info[0]}.{sys.version_info[1]}"
        raise SetupError(
            f"this Python ({sys.executable}) lacks the venv module; on Debian or Ubuntu: "
            f"sudo apt install python{version}-venv (on other systems, install a complete Python); start again"
        )
    if not os.access(checkout, os.W_OK):
        raise SetupError(
            f"{checkout} is not writable, and the set-up makes .venv there: copy the project to a folder of your own"
        )
    free = shutil.disk_usage(checkout).free
    if free < lock.needed_bytes:
        raise SetupError(
            f"the set-up needs {lock.needed_bytes / 1e9:.1f} GB of disk, and {free / 1e9:.1f} GB are free at "
            f"{checkout}: free some space and start again"
        )


@contextlib.contextmanager
def _one_at_a_time(checkout: Path, say: Say) -> Iterator[int]:
    """Hold requirements.lock locked (flock), so that two set-ups in one folder follow each other.

    Yields the file descriptor that holds the lock: the steps inherit it, so that one that outlives its set-up
    keeps the next set-up waiting.
    """
    import fcntl

    with (checkout / "requirements.lock").open("rb+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another set-up is running in this folder; waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield lock.fileno()


def _make(lock: Lock, checkout: Path, held: int, say: Say, *, afresh: bool) -> None:
    started = time.monotonic()
    folder = checkout / ".venv"
    python = str(folder / "bin" / "python")
    grows = is_whole(LEARNER, checkout) and not afresh
    say(f"{'completing' if grows else 'making'} the environment in {folder} (only once; it takes a few minutes)")
    _stamp(checkout).unlink(missing_ok=True)
    if not grows:
        # Not sys.executable: with .venv activated, that is the Python being replaced.
        base = getattr(sys, "_base_executable", sys.executable)
        if folder.is_symlink():
            folder.unlink()  # `venv --clear` would empty the folder of another project
        _run([base, "-m", "venv", "--clear", str(folder)], "making an empty one", held, say)
    _install(lock, checkout, python, held, say)
    packages = _site_packages(folder)
    # An editable install has no hash to check, so a .pth file adds the checkout to the path.
    (packages / "ecrlab.pth").write_text(f"{checkout}\n", encoding="utf-8")
    _run([python, "-c", f"import {', '.join(STARTED)}"], "compiling what a lab imports", held, say, may_fail=True)
    _stamp(checkout).write_text(stamp_of(lock, checkout))
    say(f"the environment is ready after {time.monotonic() - started:.0f} s")


def _install(lock: Lock, checkout: Path, python: str, held: int, say: Say) -> None:
    """Install a lock with uv, which is faster, if it is on PATH and finds an index; otherwise with pip."""
    what = ["--require-hashes", "-r", str(checkout / lock.file)]
    if uv := shutil.which("uv"):
        try:
            _run([uv, "pip", "install", "--python", python, *what], f"installing {lock.file} with uv", held, say)
            return
        except SetupError as error:
            say(f"{error}; now with pip")  # the two have settings of their own, such as the index
    pip = [python, "-m", "pip", "install", "--no-input", "--progress-bar=off", "--disable-pip-version-check"]
    _run([*pip, "--no-compile", *what], f"installing {lock.file}", held, say)


STARTED = (
    *("awscli.clidriver", "boto3", "flask", "ipykernel.kernelapp", "ipywidgets", "jupyterlab.labapp"),
    *("matplotlib.pyplot", "moto.moto_server.werkzeug_app", "pandas"),
)
"""What the first start would have to compile. To compile all packages takes minutes, and 100 MB that no lab reads."""


def _site_packages(folder: Path) -> Path:
    return Path(sysconfig.get_path("purelib", "venv", {"base": str(folder), "platbase": str(folder)}))


# Settings of pip and Python that would install elsewhere or compile nothing; this environment is the kit's own.
FOREIGN = (
    "PIP_TARGET",
    "PIP_PREFIX",
    "PIP_ROOT",
    "PIP_USER",
    "PIP_REQUIRE_VIRTUALENV",
    "PYTHONDONTWRITEBYTECODE",
    "PYTHONHOME",
    "PYTHONPATH",
)


def _run(command: list[str], doing: str, held: int, say: Say, *, may_fail: bool = False) -> None:
    """Run one step, and report its progress every few seconds. Raises `SetupError` with the cure if it fails."""
    say(doing)
    started = time.monotonic()
    environment = {name: value for name, value in os.environ.items() if name not in FOREIGN}
    environment["PYTHONUNBUFFERED"] = "1"
    with tempfile.TemporaryFile("w+", errors="replace") as output:
        process = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            pass_fds=[held],
        )
        try:
            while _still_running(process):
                say(f"  {time.monotonic() - started:3.0f} s  {installers.progress(_written(output))}")
        except BaseException:
            process.terminate()
            process.wait()
            raise
        if process.returncode and not may_fail:
            raise SetupError(f"{doing} failed: {installers.why(_written(output))}")


def _still_running(process: subprocess.Popen[bytes]) -> bool:
    """Wait a few seconds for a step to end, and tell whether it is still running."""
    try:
        process.wait(SECONDS_BETWEEN_LINES)
    except subprocess.TimeoutExpired:
        return True
    return False


def _written(output: IO[str]) -> str:
    # The step writes through a copy of the descriptor, and both share one position: read without moving it.
    return os.pread(output.fileno(), 10_000_000, 0).decode(errors="replace")


def _say(line: str) -> None:
    print(f"ecrlab: {line}", file=sys.stderr, flush=True)
