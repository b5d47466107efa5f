"""Check this machine, and name a cure for each problem.

The report has three kinds of lines: `ok`, `note` (the kit works) and `WRONG` (something does not work; the line names
the cure). The exit status is 1 if anything is wrong.
"""

import argparse
import os
import platform
import re
import shlex
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Literal

from rich.console import Console
from rich.text import Text

from ecrlab import __version__
from ecrlab.machine import copies, environment
from ecrlab.machine.bootstrap import made_from
from ecrlab.machine.environment import DEAD_ENDPOINT, foreign_variables, lab_environment
from ecrlab.machine.installers import NEWEST_TESTED
from ecrlab.machine.jupyter import is_writable
from ecrlab.machine.requirements import CHECKOUT, how_to_install, is_project, program, unmet_requirements
from ecrlab.registry.store.directory import StateError
from ecrlab.registry.store.verify import verify
from ecrlab.simulator.moto.kms import KeptKeys

NEEDED_BYTES = 500_000_000  # for a lab's images and a test run
OLDEST_SQLITE = (3, 35, 0)  # RETURNING

# SQLite's write-ahead log shares memory between processes of one machine (sqlite.org, "Write-Ahead Logging").
NETWORK_FILE_SYSTEMS = {
    "9p",
    "afs",
    "ceph",
    "cifs",
    "fuse.sshfs",
    "gpfs",
    "lustre",
    "nfs",
    "nfs4",
    "smb3",
    "smbfs",
}

# Programs to look for, and the use of each.
CLIENTS = {
    "docker": "not needed: a lab brings a `docker` command that builds, pushes and pulls",
    "skopeo": "not needed: a real client to try on a lab (README.md)",
    "podman": "not needed: `test --all` drives it",
    "buildah": "not needed: `test --all` drives it",
    "chromium": "not needed: `test --all` drives it",
}

# The extras of an installed kit: the package that tells that one was asked for, and what does not run without it.
EXTRAS = {
    "aws": ("awscli", "the kit has no AWS CLI of its own, which `tour` and the lessons use"),
    "lab": ("jupyterlab", "the lessons and `report` do not run"),
}

Grade = Literal["ok", "note", "WRONG"]
STYLES = {"ok": "green", "note": "yellow", "WRONG": "bold red"}


@dataclass(frozen=True)
class Finding:
    """One line of the report: its level, its subject, and the result (with the cure)."""

    grade: Grade
    subject: str
    text: str


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `doctor`."""
    parser.add_argument(
        "--state",
        type=Path,
        metavar="DIR",
        help="also verify every digest and reference in the folder of `serve --state`",
    )


def run(options: argparse.Namespace) -> int:
    """Print the report and return 1 if anything is wrong."""
    console = Console(soft_wrap=True, highlight=False)
    wrong = 0
    for finding in examine(options.state):
        wrong += finding.grade == "WRONG"
        line = Text.assemble((f"{finding.grade:<6}", STYLES[finding.grade]), f"{finding.subject:<12} {finding.text}")
        console.print(line)
    console.print(f"\n{wrong} wrong: see above for the cure" if wrong else "\nnothing is wrong")
    return 1 if wrong else 0


def examine(state: Path | None = None) -> Iterator[Finding]:
    """Check everything that the kit depends on, most basic first; `state` is a folder of `serve --state`."""
    yield Finding("ok", "ecrlab", f"{__version__} in {CHECKOUT}")
    yield python(sys.version_info[:2], f"{sys.executable}, {platform.platform()}")
    yield from packages(CHECKOUT)
    mounts = file_systems()
    for name, folder in {
        "checkout" if is_project() else "your copies": CHECKOUT if is_project() else copies.home(),
        "temporary": Path(tempfile.gettempdir()),
        "state": state,
    }.items():
        if folder is not None:
            yield from storage(name, folder, file_system_of(folder, mounts))
    yield home(Path(os.environ.get("HOME") or "/"))
    if state is not None:
        yield from state_directory(state)
    yield sqlite(sqlite3.sqlite_version_info)
    yield aws_cli(environment.aws_cli(os.environ))
    path = lab_environment(DEAD_ENDPOINT, Path(), base=os.environ, docker="system")["PATH"]
    yield from (client(name, shutil.which(name, path=path)) for name in CLIENTS)
    yield hidden(foreign_variables(os.environ))
    yield would_set()


def python(version: tuple[int, int], where: str) -> Finding:
    """Check the running Python. A version newer than the tested ones may work too."""
    text = f"{version[0]}.{version[1]} ({where})"
    if version > NEWEST_TESTED:
        return Finding("note", "python", f"{text}; the tests know up to {NEWEST_TESTED[0]}.{NEWEST_TESTED[1]}")
    return Finding("ok", "python", text)


def packages(checkout: Path) -> Iterator[Finding]:
    """Check the packages of this environment against the kit's requirements."""
    if Path(sys.prefix).resolve() == checkout / ".venv" and (lock := made_from(checkout)):
        yield Finding("ok", "packages", f"those of {lock.file}, in {checkout / '.venv'}")
    elif not is_project(checkout):
        yield from parts(checkout)
    elif unmet := unmet_requirements("lab", checkout):
        cure = "start with `python3 -m ecrlab`, which makes an environment that has it"
        yield Finding("WRONG", "packages", f"{sys.prefix} lacks {', '.join(unmet)}: {cure}")
    else:
        yield Finding("ok", "packages", f"{sys.prefix} has all that the lessons need, and is used as it is")


def parts(checkout: Path) -> Iterator[Finding]:
    """Check the packages of an installed kit. An extra that was not asked for is worth a note."""
    own = unmet_requirements("", checkout)
    if own:
        yield Finding("WRONG", "packages", f"{sys.prefix} lacks {', '.join(own)}: {how_to_install()}")
    else:
        yield Finding("ok", "packages", f"{sys.prefix} has those that every command needs")
    for extra, (sign, without) in EXTRAS.items():
        missing = [one for one in unmet_requirements(extra, checkout) if one not in own]
        if not missing:
            yield Finding("ok", extra, f"{sys.prefix} has those of ecrlab[{extra}]")
        else:
            grade: Grade = "WRONG" if is_installed(sign) else "note"
            yield Finding(grade, extra, f"{without}; missing: {', '.join(missing)}: {how_to_install(extra)}")


def is_installed(package: str) -> bool:
    """Tell whether this Python has a package, in whichever version."""
    try:
        return bool(metadata.version(package))
    except metadata.PackageNotFoundError:
        return False


def storage(name: str, folder: Path, file_system: str) -> Iterator[Finding]:
    """Check that a folder is writable, has room, and is on a local disk."""
    existing = next(parent for parent in (folder, *folder.absolute().parents) if parent.exists())
    free = shutil.disk_usage(existing).free
    text = f"{folder}, {free / 1e9:.1f} GB free"
    if not os.access(existing, os.W_OK):
        yield Finding("WRONG", name, f"{text}, not writable: use a folder of your own")
    elif free < NEEDED_BYTES:
        yield Finding("WRONG", name, f"{text}: a lab needs {NEEDED_BYTES / 1e9:.1f} GB, so free some space")
    else:
        yield Finding("ok", name, text)
    if file_system in NETWORK_FILE_SYSTEMS:
        keep = "keep a lab's state on a disk of this machine"
        yield Finding("note", name, f"{folder} is on a network file system ({file_system}), unsafe for SQLite: {keep}")


def home(folder: Path) -> Finding:
    """Check that the home directory is writable; a lab works without it."""
    if is_writable(folder):
        return Finding("ok", "home", f"{folder} keeps what you have solved")
    cure = "for that, name a file of yours in ECRLAB_PROGRESS"
    return Finding("note", "home", f"{folder} is not writable: labs work, but what you solve is forgotten; {cure}")


def state_directory(state: Path) -> Iterator[Finding]:
    """Verify every blob, image and tag in a state directory. This reads all of it."""
    if not state.is_dir() or not any(state.iterdir()):
        yield Finding("note", "registry", f"{state} holds none yet; `serve --state` makes one")
        return
    try:
        problems = list(verify(state, KeptKeys))
    except StateError as error:
        yield Finding("WRONG", "registry", str(error))
        return
    cure = "restore the folder from a copy, or push what is missing again"
    for problem in problems:
        # The unfinished work of a killed server does no harm.
        if problem.passes:
            yield Finding("note", "registry", str(problem))
        else:
            yield Finding("WRONG", "registry", f"{problem}; {cure}")
    if all(problem.passes for problem in problems):
        yield Finding("ok", "registry", f"every digest and reference in {state} was checked")


def file_systems(table: Path = Path("/proc/mounts")) -> dict[Path, str]:
    """Return the file system type of each mount point on Linux; return nothing elsewhere."""
    try:
        lines = table.read_text().splitlines()
    except OSError:
        return {}
    fields = [line.split() for line in lines]
    return {Path(mount.replace("\\040", " ")): kind for _, mount, kind, *_ in fields}


def file_system_of(folder: Path, mounts: dict[Path, str]) -> str:
    """Return the type of the file system that holds a folder, or `unknown`.

    >>> file_system_of(Path("/home/me/ecr"), {Path("/"): "ext4", Path("/home"): "nfs4"})
    'nfs4'
    """
    path = folder.resolve()
    return next((mounts[parent] for parent in (path, *path.parents) if parent in mounts), "unknown")


def sqlite(version: tuple[int, int, int]) -> Finding:
    """Check the SQLite of this Python."""
    text = ".".join(map(str, version))
    if version < OLDEST_SQLITE:
        return Finding(
            "WRONG", "sqlite", f"{text}: {OLDEST_SQLITE[0]}.{OLDEST_SQLITE[1]} is needed; use a newer Python"
        )
    return Finding("ok", "sqlite", text)


def aws_cli(command: list[str] | None) -> Finding:
    """Check that the AWS CLI runs as a lab starts it; every lesson needs it."""
    if command is None:
        return Finding("note", "aws", f"not found; a lab then has no `aws`: {how_to_install('aws')}")
    typed = shlex.join(command)
    try:
        return Finding("ok", "aws", f"{_version([*command, '--version'])} ({typed})")
    except (OSError, subprocess.SubprocessError) as error:
        again = "pip install --force-reinstall awscli"
        cure = f"`{f'{program()} setup --again' if is_project() else again}` installs it again"
        return Finding("WRONG", "aws", f"{typed} does not run ({_reason(error)}): {cure}")


def client(name: str, path: str | None) -> Finding:
    """Check that a program at `path` runs; no lab needs it."""
    if path is None:
        return Finding("note", name, f"not found; {CLIENTS[name]}")
    try:
        return Finding("ok", name, f"{_version([path, '--version'])} ({path})")
    except (OSError, subprocess.SubprocessError) as error:
        return Finding("note", name, f"{path} does not run ({_reason(error)}); {CLIENTS[name]}")


def _version(command: list[str]) -> str:
    said = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
    version = re.search(r"\d+(\.\d+)+", said.stdout + said.stderr)
    return version[0] if version else "of unknown version"


def _reason(error: OSError | subprocess.SubprocessError) -> str:
    """Return why a program did not run: the last line of its output, or the error itself."""
    said = (error.stderr if isinstance(error, subprocess.CalledProcessError) else "") or ""
    return said.strip().rpartition("\n")[2] or str(error)


def hidden(variables: list[str]) -> Finding:
    """List the user's variables that a lab removes, by name only: the values may be secret."""
    if variables:
        return Finding("ok", "your AWS", f"hidden from a lab, and put back after it: {', '.join(variables)}")
    return Finding("ok", "your AWS", "no variable of yours names another AWS; ~/.aws and ~/.docker are not read")


def would_set() -> Finding:
    """List the variables that a lab sets for its processes."""
    variables = lab_environment("http://127.0.0.1:PORT", Path("LAB"), base={"PATH": "…"})
    lines = [f"{'':<19} {name}={value}" for name, value in variables.items()]
    return Finding("ok", "a lab sets", "\n".join(["for its own processes only:", *lines]))
