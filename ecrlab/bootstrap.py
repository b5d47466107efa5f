"""The environment the kit runs in, and how it comes to be on a machine with only Python.

    python3 -m ecrlab ── does this Python have the packages that pyproject.toml asks for? ── yes: stay here
                             │ no
                             ▼
                       .venv beside the package, installed from requirements.lock (every file's hash is checked)
                             │ stamped only once it is whole
                             ▼
                       the same command again, run by .venv's Python

The stamp names what the environment was made from. When any of it changes (a new lock, a moved checkout, another
Python underneath), or when a set-up was interrupted, the next start makes the environment again.
Standard library only: this runs before anything is installed.
"""

import contextlib
import hashlib
import os
import re
import select
import shutil
import subprocess
import sys
import sysconfig
import time
import tomllib
from collections.abc import Callable, Iterator
from importlib import metadata, util
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
NEEDED_BYTES = 1_500_000_000
SECONDS_BETWEEN_LINES = 5.0

Say = Callable[[str], None]


class SetupError(Exception):
    """Why the environment could not be made, and the cure, in a sentence for a person."""


def fit_here(checkout: Path = CHECKOUT) -> bool:
    """Whether the running Python is the kit's finished `.venv`, or has the packages that pyproject.toml asks for."""
    if Path(sys.prefix).resolve() == checkout / ".venv":
        return is_whole(checkout)
    return not unmet_requirements(checkout)


def unmet_requirements(checkout: Path = CHECKOUT) -> list[str]:
    """The lines of pyproject.toml's dependencies that the running Python does not meet, as they stand there."""
    with (checkout / "pyproject.toml").open("rb") as file:
        wanted: list[str] = tomllib.load(file)["project"]["dependencies"]
    try:
        from packaging.requirements import Requirement
    except ImportError:
        return wanted  # JupyterLab brings `packaging`, so without it JupyterLab is not here either.
    return [line for line in wanted if not _met(Requirement(line))]


def _met(requirement) -> bool:  # type: ignore[no-untyped-def]  # `packaging` may not be importable here
    try:
        return requirement.specifier.contains(metadata.version(requirement.name), prereleases=True)
    except metadata.PackageNotFoundError:
        return False


def prepare(checkout: Path = CHECKOUT, *, afresh: bool = False, say: Say | None = None) -> Path:
    """Make `.venv` in the checkout unless it is whole already, and return the path of its Python.

    Args:
        checkout: the folder that holds `ecrlab/`, `pyproject.toml` and `requirements.lock`.
        afresh: make it again even if it looks whole.
        say: where progress goes, a line at a time; standard error by default.

    Raises:
        SetupError: the set-up cannot be done, with the cure.
    """
    python = checkout / ".venv" / "bin" / "python"
    if is_whole(checkout) and not afresh:
        return python
    say = say or _say
    _refuse_what_cannot_work(checkout)
    with _one_at_a_time(checkout, say):
        if afresh or not is_whole(checkout):  # another set-up may have finished it while this one waited
            _make(checkout, say)
    return python


def is_whole(checkout: Path = CHECKOUT) -> bool:
    """Whether `.venv` was made to the end from the present lock, in this folder, and its Python is still there."""
    try:
        return (_stamp(checkout)).read_text() == _made_from(checkout)
    except (OSError, ValueError):
        return False


def importable_from(checkout: Path, environment: dict[str, str]) -> dict[str, str]:
    """`environment` with the checkout on Python's path, for kernels that run elsewhere and in a Python not `.venv`'s."""
    return environment | {"PYTHONPATH": os.pathsep.join(filter(None, [str(checkout), environment.get("PYTHONPATH")]))}


def hand_over(python: Path, arguments: list[str]) -> int:
    """Become the environment's Python running the same command; returns only if that fails."""
    sys.stdout.flush()
    sys.stderr.flush()
    try:
        os.execv(python, [str(python), "-m", "ecrlab", *arguments])  # noqa: S606 - no shell is wanted
    except OSError as error:
        raise SetupError(f"{python} does not run ({error.strerror}): delete the folder .venv and start again") from error


def _stamp(checkout: Path) -> Path:
    return checkout / ".venv" / "ecrlab-made-from"


def _made_from(checkout: Path) -> str:
    """What an environment depends on: the lock, the folder its scripts name, and the Python under it."""
    lock = hashlib.sha256((checkout / "requirements.lock").read_bytes()).hexdigest()
    python = (checkout / ".venv" / "bin" / "python").resolve(strict=True)
    return f"lock {lock}\nfolder {checkout}\npython {python}\n"


def _refuse_what_cannot_work(checkout: Path) -> None:
    if os.name != "posix":
        raise SetupError("this kit runs on Linux and macOS; on Windows, run it inside WSL (wsl --install)")
    if util.find_spec("venv") is None or util.find_spec("ensurepip") is None:
        version = f"{sys.version_info[0]}.{sys.version_info[1]}"
        raise SetupError(
            f"this Python ({sys.executable}) lacks the venv module; on Debian or Ubuntu: "
            f"sudo apt install python{version}-venv, elsewhere install Python from its maker, then start again"
        )
    if not os.access(checkout, os.W_OK):
        raise SetupError(f"{checkout} is not writable, and .venv is made there: copy the project to a folder of yours")
    free = shutil.disk_usage(checkout).free
    if free < NEEDED_BYTES:
        raise SetupError(
            f"the set-up needs {NEEDED_BYTES / 1e9:.1f} GB of disk and {free / 1e9:.1f} GB are free at {checkout}: "
            "free some space and start again"
        )


@contextlib.contextmanager
def _one_at_a_time(checkout: Path, say: Say) -> Iterator[None]:
    """Hold requirements.lock locked (flock), so that two set-ups in one folder follow each other."""
    import fcntl

    with (checkout / "requirements.lock").open("rb+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another set-up is at work in this folder; waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _make(checkout: Path, say: Say) -> None:
    started = time.monotonic()
    folder = checkout / ".venv"
    say(f"first start: making the environment in {folder} (once; a few minutes, about 1 GB)")
    with contextlib.suppress(FileNotFoundError):
        _stamp(checkout).unlink()
    # Not sys.executable, which is .venv's own Python where someone has activated the environment being replaced.
    base = getattr(sys, "_base_executable", sys.executable)
    _run([base, "-m", "venv", "--clear", str(folder)], "making an empty environment", say)
    python = folder / "bin" / "python"
    lock = checkout / "requirements.lock"
    install = "--require-hashes --no-compile --no-input --progress-bar=off --disable-pip-version-check".split()
    _run(
        [str(python), "-m", "pip", "install", *install, "-r", str(lock)],
        "installing the packages of requirements.lock",
        say,
    )
    packages = _site_packages(folder)
    # An editable install has no hash to check, so the checkout is put on the path the plain way.
    (packages / "ecrlab.pth").write_text(f"{checkout}\n")
    # pip compiles one file after the other; all cores at once are faster, and without .pyc files every start is slow.
    _run([str(python), "-m", "compileall", "-q", "-j", "0", str(packages)], "compiling them", say, may_fail=True)
    _stamp(checkout).write_text(_made_from(checkout))
    say(f"the environment is ready after {time.monotonic() - started:.0f} s")


def _site_packages(folder: Path) -> Path:
    return Path(sysconfig.get_path("purelib", "venv", {"base": str(folder), "platbase": str(folder)}))


def _run(command: list[str], doing: str, say: Say, *, may_fail: bool = False) -> None:
    """Run one step, saying every few seconds how far it is; a failure becomes a SetupError with the cure."""
    started = told = time.monotonic()
    say(doing)
    environment = {name: value for name, value in os.environ.items() if name not in FOREIGN_TO_SETUP}
    said: list[str] = []
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        assert process.stdout is not None
        output = process.stdout.fileno()
        rest = b""
        try:
            while True:
                if select.select([output], [], [], 1.0)[0]:
                    chunk = os.read(output, 65536)
                    if not chunk:
                        break
                    *lines, rest = (rest + chunk).split(b"\n")
                    said += [line.decode(errors="replace") for line in lines]
                if time.monotonic() - told >= SECONDS_BETWEEN_LINES:
                    told = time.monotonic()
                    say(f"  {told - started:3.0f} s  {_progress(said)}")
        except BaseException:
            process.terminate()
            raise
    said.append(rest.decode(errors="replace"))
    if process.returncode and not may_fail:
        raise SetupError(_why(doing, said))


# Settings that change where pip or venv put things; the environment is the kit's own.
FOREIGN_TO_SETUP = {"PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_USER", "PIP_REQUIRE_VIRTUALENV", "PYTHONHOME", "PYTHONPATH"}


def _progress(said: list[str]) -> str:
    """One line on how far pip is, from what it has printed."""
    fetched = [match[1] for line in said if (match := re.match(r"Collecting ([\w.-]+)", line))]
    if any(line.startswith("Installing collected packages") for line in said):
        return f"unpacking {len(fetched)} packages"
    return f"{len(fetched)} packages fetched, now {fetched[-1]}" if fetched else "at work"


# What pip prints when a set-up fails, and what a person can do about it.
CURES = [
    (r"No space left on device|Errno 28", "the disk is full: free about 1.5 GB and start again"),
    (r"DO NOT MATCH THE HASHES|Hashes are required|THESE PACKAGES DO NOT MATCH",
     "a package is not the one that requirements.lock names: use another network or package index, and start again"),
    (r"NewConnectionError|NameResolutionError|Temporary failure in name resolution|ConnectTimeout|Read timed out|"
     r"ProxyError|Network is unreachable|Connection (?:refused|broken|reset)|from versions: none",
     "no package index answers, and the first start needs one: connect to the network (behind a proxy, set "
     "https_proxy), and start again; later starts need no network"),
    (r"CERTIFICATE_VERIFY_FAILED|SSLError",
     "the package index's certificate is not trusted here: behind a filtering proxy, point PIP_CERT at its "
     "certificate, and start again"),
    (r"Permission denied|Read-only file system|Errno 13|Errno 30",
     "a folder is not writable: copy the project to a folder of yours and start again"),
]


def _why(doing: str, said: list[str]) -> str:
    text = "\n".join(said)
    for pattern, cure in CURES:
        if re.search(pattern, text):
            return f"{doing} failed: {cure}"
    last = [line.strip() for line in said if line.strip()][-3:]
    return f"{doing} failed: {' / '.join(last) or 'it said nothing'}"


def _say(line: str) -> None:
    print(f"ecrlab: {line}", file=sys.stderr, flush=True)
