"""Running labs: each has its own temporary folder, and holds a lock on it while it runs.

    ecrlab-lab-XXXXXXXX/
      alive         locked by the lab's process; the lock ends with the process
      lab.json      where the lab listens and its secret, for terminals of this user that want to attach
      lab.log       its server's log
      …             the files of `ecrlab.machine.environment`, and the registry of a temporary lab

The next lab to start deletes the folders of dead labs. Commands find a lab with `choose`, which never guesses among
several.
"""

import contextlib
import fcntl
import json
import logging
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from io import TextIOWrapper
from pathlib import Path

from ecrlab.errors import EcrLabError
from ecrlab.machine.environment import DEAD_ENDPOINT, SECRET_ACCESS_KEY, Docker, write_private
from ecrlab.machine.requirements import program

JUPYTER = "ECRLAB_JUPYTER"
"""The variable that names the JupyterLab of a kernel or a terminal."""

PREFIX = "ecrlab-lab-"
LOGGERS = ("ecrlab", "moto")
NEWBORN_SECONDS = 60.0
"""The seconds until a folder without a lock is deleted: its lab may be starting."""


@dataclass(frozen=True, slots=True)
class RunningLab:
    """A running lab of this user, in any process."""

    endpoint: str
    directory: Path
    started_at: float
    docker: Docker = "lab"
    jupyter: str | None = None
    notebook: str | None = None
    secret: str = field(default=SECRET_ACCESS_KEY, repr=False)

    def __str__(self) -> str:
        since = datetime.fromtimestamp(self.started_at).strftime("%H:%M")
        return f"{self.endpoint}  {self.notebook or 'in a terminal or script'}, since {since}"


class LabFolder:
    """The folder of one lab of this process. Raises `EcrLabError` if it cannot be written."""

    def __init__(self) -> None:
        with in_temporary_files():
            sweep()
            self.path = Path(tempfile.mkdtemp(prefix=PREFIX))
            if os.pathsep in str(self.path):
                self.path.rmdir()
                raise EcrLabError(f"no program is found in {self.path.parent}: name a TMPDIR without {os.pathsep!r}")
            # The file has its name once it is locked: the sweep of another lab takes an unlocked one for a dead lab's.
            self._alive = os.open(self.path / "alive.new", os.O_RDWR | os.O_CREAT, 0o600)
            fcntl.flock(self._alive, fcntl.LOCK_EX)
            (self.path / "alive.new").rename(self.path / "alive")
            # systemd-tmpfiles(8), which deletes old temporary files, leaves a locked folder alone.
            self._folder = os.open(self.path, os.O_RDONLY)
            fcntl.flock(self._folder, fcntl.LOCK_SH)
        self._log = _LogFile(self.path / "lab.log", delay=True)
        self._log.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
        self._levels = {}
        for name in LOGGERS:
            logger = logging.getLogger(name)
            self._levels[name] = (logger.level, logger.propagate)
            logger.addHandler(self._log)
            logger.setLevel(logging.INFO)
            logger.propagate = False

    def announce(self, endpoint: str, docker: Docker = "lab", *, secret: str = SECRET_ACCESS_KEY) -> None:
        """Write lab.json, so that terminals find the lab."""
        about = {
            "endpoint": endpoint,
            "started_at": time.time(),
            "docker": docker,
            "jupyter": os.environ.get(JUPYTER),
            "notebook": os.environ.get("JPY_SESSION_NAME"),  # set by Jupyter for the kernel of a notebook
            "secret": secret,
        }
        draft = self.path / "lab.json.new"
        write_private(draft, json.dumps(about))
        draft.replace(self.path / "lab.json")

    def remove(self) -> None:
        """Delete the folder at the end of the lab."""
        for name, (level, propagate) in self._levels.items():
            logger = logging.getLogger(name)
            logger.removeHandler(self._log)
            logger.setLevel(level)
            logger.propagate = propagate
        self._log.close()
        shutil.rmtree(self.path, ignore_errors=True)
        os.close(self._alive)
        os.close(self._folder)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


class _LogFile(logging.FileHandler):
    """A log file that ignores failed writes."""

    def _open(self) -> TextIOWrapper:
        return open(self.baseFilename, "a", encoding="utf-8", opener=_private)

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record if the file can be opened."""
        with contextlib.suppress(OSError):
            super().emit(record)

    def close(self) -> None:
        """Close the file; unwritten records may be lost."""
        with contextlib.suppress(OSError):
            super().close()

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        """Print nothing."""


@contextlib.contextmanager
def in_temporary_files() -> Iterator[None]:
    """Write temporary files in the block; an error of the disk becomes an `EcrLabError` with the cure."""
    try:
        yield
    except OSError as error:
        raise EcrLabError(
            f"the temporary files of a lab cannot be written ({error.strerror or error}): "
            "free some space there, or name another folder in TMPDIR"
        ) from error


@contextlib.contextmanager
def temporary_folder(prefix: str) -> Iterator[Path]:
    """Yield a folder that is deleted at the end of the block. Raises `EcrLabError` if it cannot be created."""
    with in_temporary_files():
        folder = tempfile.TemporaryDirectory(prefix=prefix, ignore_cleanup_errors=True)
    with folder as name:
        yield Path(name)


def choose(endpoint: str | None = None, *, base: Mapping[str, str] = os.environ, attaching: bool = False) -> RunningLab:
    """Return the lab of a command: the one at `endpoint`, the attached one, this JupyterLab's own, or the only one.

    Args:
        endpoint: the value of `--endpoint`.
        base: the environment of the terminal or the kernel.
        attaching: whether another lab may replace an attached one that has ended.

    Raises:
        EcrLabError: no such lab runs, or several do; the text then lists them.
    """
    labs = find()
    attached = base.get("ECRLAB_ENDPOINT")
    if attached == DEAD_ENDPOINT or (attaching and attached not in [lab.endpoint for lab in labs]):
        attached = None
    if wanted := (endpoint or attached or "").rstrip("/"):
        return _at(wanted, labs, is_attached=not endpoint)
    own = [lab for lab in labs if lab.jupyter and lab.jupyter == base.get(JUPYTER)]
    candidates = own or labs
    if not candidates:
        raise EcrLabError(f"no lab is running on this machine: {HOW_TO_START}")
    if len(candidates) > 1:
        listed = "".join(f"\n  {lab}" for lab in candidates)
        raise EcrLabError(f"{len(candidates)} labs are running; choose one with --endpoint:{listed}")
    return candidates[0]


HOW_TO_START = f"start one in a notebook with ecrlab.start(), or in a terminal with: {program()} serve"


def _at(endpoint: str, labs: list[RunningLab], *, is_attached: bool) -> RunningLab:
    for lab in labs:
        if lab.endpoint == endpoint:
            return lab
    if is_attached:
        raise EcrLabError(
            f"the lab at {endpoint} has ended, and this terminal is attached to it; "
            f'attach to another: eval "$({program()} env)"'
        )
    raise EcrLabError(f"no lab is running at {endpoint}: {HOW_TO_START}")


def find() -> list[RunningLab]:
    """Return the running labs of this user, the newest first."""
    labs = []
    for folder in _folders():
        with contextlib.suppress(OSError, ValueError, TypeError):
            about = json.loads((folder / "lab.json").read_text())
            if _is_alive(folder):
                labs.append(RunningLab(directory=folder, **about))
    return sorted(labs, key=lambda lab: lab.started_at, reverse=True)


def sweep() -> None:
    """Delete the folders of labs whose process has ended."""
    for folder in _folders():
        with contextlib.suppress(OSError):
            is_newborn = time.time() - folder.stat().st_mtime < NEWBORN_SECONDS and not (folder / "alive").exists()
            if not is_newborn and not _is_alive(folder):
                shutil.rmtree(folder, ignore_errors=True)


def _folders() -> Iterator[Path]:
    for folder in Path(tempfile.gettempdir()).glob(PREFIX + "*"):
        with contextlib.suppress(OSError):
            if folder.is_dir() and not folder.is_symlink() and folder.stat().st_uid == os.getuid():
                yield folder


def _is_alive(folder: Path) -> bool:
    try:
        descriptor = os.open(folder / "alive", os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
