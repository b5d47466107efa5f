"""Labs that are running: each has a folder of its own among the temporary files, and a lock on it while it lives.

    ecrlab-lab-XXXXXXXX/
      alive         locked by the lab's process; the lock goes with the process, however it ends
      lab.json      where the lab listens, for terminals that want to attach
      lab.log       what its server had to say
      …             the files of `ecrlab.machine.environment`, and the registry of a lab that keeps nothing

Folders of dead labs are swept when the next one starts.
"""

import contextlib
import fcntl
import json
import logging
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PREFIX = "ecrlab-lab-"
LOGGERS = ("ecrlab", "moto")
NEWBORN_SECONDS = 60.0
"""A folder without a lock is left alone this long: its lab may be just starting."""


@dataclass(frozen=True, slots=True)
class RunningLab:
    """A lab that runs in some process of this user."""

    endpoint: str
    directory: Path
    started_at: float


class LabFolder:
    """The folder of one lab of this process."""

    def __init__(self) -> None:
        sweep()
        self.path = Path(tempfile.mkdtemp(prefix=PREFIX))
        self._alive = os.open(self.path / "alive", os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(self._alive, fcntl.LOCK_EX)
        self._log = _LogFile(self.path / "lab.log", delay=True)
        self._log.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
        self._levels = {}
        for name in LOGGERS:
            logger = logging.getLogger(name)
            self._levels[name] = (logger.level, logger.propagate)
            logger.addHandler(self._log)
            logger.setLevel(logging.INFO)
            logger.propagate = False

    def announce(self, endpoint: str) -> None:
        """Let terminals find the lab."""
        about = {"endpoint": endpoint, "pid": os.getpid(), "started_at": time.time()}
        draft = self.path / "lab.json.new"
        draft.write_text(json.dumps(about))
        draft.replace(self.path / "lab.json")

    def remove(self) -> None:
        """The lab is over: nothing of the folder stays."""
        for name, (level, propagate) in self._levels.items():
            logger = logging.getLogger(name)
            logger.removeHandler(self._log)
            logger.setLevel(level)
            logger.propagate = propagate
        self._log.close()
        shutil.rmtree(self.path, ignore_errors=True)
        os.close(self._alive)


class _LogFile(logging.FileHandler):
    """A log file. What it cannot take is lost, and nothing ends because of it."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write, if the file can be opened."""
        with contextlib.suppress(OSError):
            super().emit(record)

    def close(self) -> None:
        """Close it; what is still to be written may be lost."""
        with contextlib.suppress(OSError):
            super().close()

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        """Say nothing on the screen."""


def find() -> list[RunningLab]:
    """The labs of this user that run now, the newest first."""
    labs = []
    for folder in _folders():
        with contextlib.suppress(OSError, ValueError, KeyError):
            about = json.loads((folder / "lab.json").read_text())
            if _is_alive(folder):
                labs.append(RunningLab(about["endpoint"], folder, about["started_at"]))
    return sorted(labs, key=lambda lab: lab.started_at, reverse=True)


def sweep() -> None:
    """Remove the folders of labs whose process is gone."""
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
