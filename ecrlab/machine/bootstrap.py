"""The kit's environment, and its set-up on a machine with only Python.

    python3 -m ecrlab ── does this Python have the packages that pyproject.toml asks for? ── yes: stay here
                             │ no
                             ▼
                       .venv beside the package, installed from requirements.lock (every file's hash is
                       checked)
                             │ stamped once it is complete
                             ▼
                       the same command again, run by .venv's Python

The stamp names the environment's lock, folder and Python. If one of them changes, or a set-up was interrupted, the next
start makes the environment again. Standard library only: this runs before anything is installed.
"""

import contextlib
import hashlib
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
import tomllib
from collections.abc import Callable, Iterator
from importlib import metadata, util
from pathlib import Path
from typing import IO

CHECKOUT = Path(__file__).resolve().parents[2]
NEEDED_BYTES = 1_500_000_000
NEWEST_TESTED = (3, 13)
"""The newest Python on which the tests were run."""
SECONDS_BETWEEN_LINES = 5.0

Say = Callable[[str], None]


class SetupError(Exception):
    """The environment cannot be made; the text is a sentence with the reason and the cure."""


def fit_here(checkout: Path = CHECKOUT) -> bool:
    """Tell whether the running Python is the finished `.venv`, or has the packages that pyproject.toml requires."""
    if Path(sys.prefix).resolve() == checkout / ".venv":
        return is_whole(checkout)
    return not unmet_requirements(checkout)


def unmet_requirements(checkout: Path = CHECKOUT) -> list[str]:
    """Return the dependencies in pyproject.toml that the running Python does not meet."""
    if not (checkout / "pyproject.toml").exists():
        return []  # an installed package without a checkout; its installer has installed its dependencies
    with (checkout / "pyproject.toml").open("rb") as file:
        wanted: list[str] = tomllib.load(file)["project"]["dependencies"]
    try:
        from packaging.requirements import Requirement
    except ImportError:
        return wanted  # JupyterLab installs `packaging`, so without it JupyterLab is missing too.
    return [line for line in wanted if not _met(Requirement(line))]


def _met(requirement) -> bool:  # type: ignore[no-untyped-def]  # `packaging` may not be importable here
    try:
        return bool(requirement.specifier.contains(metadata.version(requirement.name), prereleases=True))
    except metadata.PackageNotFoundError:
        return False


def prepare(checkout: Path = CHECKOUT, *, afresh: bool = False, say: Say | None = None) -> Path:
    """Make `.venv` in the checkout unless it is complete, and return the path of its Python.

    Args:
        checkout: the folder that holds `ecrlab/`, `pyproject.toml` and `requirements.lock`.
        afresh: make it again even if it looks complete.
        say: a function that prints a line of progress; standard error by default.

    Raises:
        SetupError: the set-up fails; the text names the cure.
    """
    python = checkout / ".venv" / "bin" / "python"
    if is_whole(checkout) and not afresh:
        return python
    say = say or _say
    _check_machine(checkout)
    try:
        with _one_at_a_time(checkout, say) as held:
            if afresh or not is_whole(checkout):  # another set-up may have finished it meanwhile
                _make(checkout, held, say)
    except OSError as error:
        raise SetupError(f"the set-up failed: {_cure(str(error)) or error}") from error
    return python


def is_whole(checkout: Path = CHECKOUT) -> bool:
    """Tell whether `.venv` is complete, from this lock, in this folder, on a Python that still exists."""
    try:
        return (_stamp(checkout)).read_text() == _made_from(checkout)
    except (OSError, ValueError):
        return False


def importable_from(checkout: Path, environment: dict[str, str]) -> dict[str, str]:
    """Return `environment` with the checkout on Python's path, for kernels, which run in other folders."""
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


def _made_from(checkout: Path) -> str:
    """Return the stamp of an environment: its lock, the folder in its scripts, and its base Python."""
    lock = hashlib.sha256((checkout / "requirements.lock").read_bytes()).hexdigest()
    python = (checkout / ".venv" / "bin" / "python").resolve(strict=True)
    return f"lock {lock}\nfolder {checkout}\npython {python}\n"


def _check_machine(checkout: Path) -> None:
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
    if free < NEEDED_BYTES:
        raise SetupError(
            f"the set-up needs {NEEDED_BYTES / 1e9:.1f} GB of disk, and {free / 1e9:.1f} GB are free at "
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


def _make(checkout: Path, held: int, say: Say) -> None:
    started = time.monotonic()
    folder = checkout / ".venv"
    say(f"making the environment in {folder} (only once; it takes a few minutes, and 1 GB of disk)")
    _stamp(checkout).unlink(missing_ok=True)
    # Not sys.executable: with .venv activated, that is the Python being replaced.
    base = getattr(sys, "_base_executable", sys.executable)
    _run([base, "-m", "venv", "--clear", str(folder)], "making an empty one", held, say)
    python = str(folder / "bin" / "python")
    lock = str(checkout / "requirements.lock")
    pip = [python, "-m", "pip", "install", "--no-input", "--progress-bar=off", "--disable-pip-version-check"]
    _run([*pip, "--require-hashes", "--no-compile", "-r", lock], "installing requirements.lock", held, say)
    packages = _site_packages(folder)
    # An editable install has no hash to check, so a .pth file adds the checkout to the path.
    (packages / "ecrlab.pth").write_text(f"{checkout}\n", encoding="utf-8")
    # pip would compile one file after the other; all cores at once are faster. Some packages ship
    # templates that do not compile, which is no failure.
    _run([python, "-m", "compileall", "-q", "-j", "0", str(packages)], "compiling it", held, say, may_fail=True)
    _stamp(checkout).write_text(_made_from(checkout))
    say(f"the environment is ready after {time.monotonic() - started:.0f} s")


def _site_packages(folder: Path) -> Path:
    return Path(sysconfig.get_path("purelib", "venv", {"base": str(folder), "platbase": str(folder)}))


# Settings of pip and Python that would install elsewhere; this environment is the kit's own.
FOREIGN = (
    "PIP_TARGET",
    "PIP_PREFIX",
    "PIP_ROOT",
    "PIP_USER",
    "PIP_REQUIRE_VIRTUALENV",
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
                say(f"  {time.monotonic() - started:3.0f} s  {_progress(_written(output))}")
        except BaseException:
            process.terminate()
            process.wait()
            raise
        if process.returncode and not may_fail:
            raise SetupError(f"{doing} failed: {_why(_written(output))}")


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


def _progress(said: str) -> str:
    r"""Return pip's progress, read from its output.

    >>> _progress("Collecting boto3==1.44.5\n  Downloading boto3\nCollecting flask==3.1.3\n")
    '2 packages fetched, now flask'
    """
    fetched = re.findall(r"^Collecting ([\w.-]+)", said, re.MULTILINE)
    if "\nInstalling collected packages" in said:
        return f"unpacking {len(fetched)} packages"
    return f"{len(fetched)} packages fetched, now {fetched[-1]}" if fetched else "at work"


# Outputs of a failed set-up, and their cures; the first match is reported.
CURES = {
    r"No space left on device|Errno 28": "the disk is full: free about 1.5 GB and start again",
    r"DO NOT MATCH THE HASHES": (
        "the package index offers a file that is not the one in requirements.lock: "
        "start again on another network or with another index"
    ),
    r"CERTIFICATE_VERIFY_FAILED|SSLError": (
        "this machine does not trust the package index's certificate: "
        "if a proxy inspects your traffic, name its certificate in PIP_CERT, and start again"
    ),
    r"NewConnectionError|NameResolutionError|Temporary failure in name resolution|Network is unreachable"
    r"|ConnectTimeout|Read timed out|ProxyError|Connection (?:refused|broken|reset)|from versions: none": (
        "no package index answers, and the first start needs one: connect to the network "
        "(behind a proxy, set https_proxy) and start again; later starts need no network"
    ),
    r"Permission denied|Read-only file system": (
        "a folder is not writable: copy the project to a folder of your own and start again"
    ),
}


def _cure(text: str) -> str | None:
    return next((cure for pattern, cure in CURES.items() if re.search(pattern, text)), None)


def _why(said: str) -> str:
    """Return the cure for a failed step's output, or else its last lines."""
    if cure := _cure(said):
        return cure
    last = " / ".join(said.split("\n")[-4:]).strip(" /") or "it printed nothing"
    if sys.version_info[:2] > NEWEST_TESTED:
        newest = ".".join(map(str, NEWEST_TESTED))
        return f"{last} (Python {newest} is the newest tested: start with python{newest})"
    return last


def _say(line: str) -> None:
    print(f"ecrlab: {line}", file=sys.stderr, flush=True)
