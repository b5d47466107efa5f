"""What this learner has solved, kept in one small file of their own, outside the notebooks.

The file is `ecrlab/progress.json` in the user's data folder (`$XDG_DATA_HOME`, or `~/.local/share`); `ECRLAB_PROGRESS`
names another. Notebooks of one learner may run side by side, so a change takes a lock and replaces the whole file. If
the file cannot be written, progress lasts as long as the process, and lessons go on.
"""

import contextlib
import fcntl
import json
import os
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ecrlab.lessons import catalogue

if TYPE_CHECKING:
    import pandas

_unwritten: dict[str, str] = {}


def path() -> Path:
    """Where progress is kept."""
    if named := os.environ.get("ECRLAB_PROGRESS"):
        return Path(named)
    data = os.environ.get("XDG_DATA_HOME") or Path("~/.local/share").expanduser()
    return Path(data) / "ecrlab" / "progress.json"


def note_solved(item: str) -> None:
    """Remember that an exercise was solved or a card answered; the first time counts."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    try:
        with _changing() as solved:
            solved.setdefault(item, now)
    except OSError:
        _unwritten.setdefault(item, now)


def solved() -> dict[str, str]:
    """What was solved: exercise or card -> when (ISO 8601, UTC). A file that cannot be read counts as empty."""
    return {**_read(path()), **_unwritten}


def progress() -> "pandas.DataFrame":
    """A row for each lesson: exercises and cards solved, of how many."""
    import pandas

    done = solved()
    rows = []
    for notebook, lesson in zip(catalogue.MODULES, catalogue.lessons(), strict=True):
        exercises = [exercise.id for exercise in lesson.EXERCISES]
        cards = [card.id for card in lesson.CARDS]
        rows.append(
            {
                "lesson": notebook,
                "exercises": f"{sum(item in done for item in exercises)} of {len(exercises)}",
                "questions": f"{sum(item in done for item in cards)} of {len(cards)}",
            }
        )
    return pandas.DataFrame(rows).set_index("lesson")


@contextlib.contextmanager
def _changing() -> Iterator[dict[str, str]]:
    """The record under a lock, for a change; it is written whole or not at all."""
    target = path()
    target.parent.mkdir(parents=True, exist_ok=True)
    with (target.parent / (target.name + ".lock")).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        record = _read(target, keep_unreadable=True)
        before = dict(record)
        yield record
        if record != before:
            with tempfile.NamedTemporaryFile("w", dir=target.parent, prefix=target.name, delete=False) as draft:
                json.dump({"solved": record}, draft, indent=1)
            Path(draft.name).replace(target)


def _read(target: Path, *, keep_unreadable: bool = False) -> dict[str, str]:
    try:
        kept = json.loads(target.read_text(encoding="utf-8"))["solved"]
        return {str(item): str(when) for item, when in kept.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        if keep_unreadable and target.is_file():
            # A person may still recover progress from it.
            target.replace(target.with_name(target.name + ".unreadable"))
        return {}
