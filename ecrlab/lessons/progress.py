"""What this learner has solved and missed, kept in one small file of their own, outside the notebooks.

The file is `ecrlab/progress.json` in the user's data folder (`$XDG_DATA_HOME`, or `~/.local/share`); `ECRLAB_PROGRESS`
names another. It holds `solved` (exercise or card -> when) and `tries` (card -> whether each first choice was right).
Notebooks of one learner may run side by side, so a change takes a lock and replaces the whole file. If the file cannot
be written, progress lasts as long as the process, and lessons go on.
"""

import contextlib
import fcntl
import json
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ecrlab.lessons import catalogue

if TYPE_CHECKING:
    import pandas


@dataclass(slots=True)
class Record:
    """The content of the file."""

    solved: dict[str, str] = field(default_factory=dict)
    tries: dict[str, list[bool]] = field(default_factory=dict)


_unwritten = Record()


def path() -> Path:
    """Where progress is kept."""
    if named := os.environ.get("ECRLAB_PROGRESS"):
        return Path(named)
    data = os.environ.get("XDG_DATA_HOME") or Path("~/.local/share").expanduser()
    return Path(data) / "ecrlab" / "progress.json"


def note_solved(item: str) -> None:
    """Remember that an exercise was solved; the first time counts."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    with _changing() as record:
        record.solved.setdefault(item, now)


def note_try(card: str, *, right: bool) -> None:
    """Remember whether the first choice on a card was right; a card is solved when it was."""
    with _changing() as record:
        record.tries.setdefault(card, []).append(right)
    if right:
        note_solved(card)


def solved() -> dict[str, str]:
    """What was solved: exercise or card -> when (ISO 8601, UTC). A file that cannot be read counts as empty."""
    return {**_read(path()).solved, **_unwritten.solved}


def missed() -> list[str]:
    """The cards whose last first choice was wrong, the longest known first."""
    return [card for card, tries in {**_read(path()).tries, **_unwritten.tries}.items() if tries and not tries[-1]]


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
def _changing() -> Iterator[Record]:
    """Yield the record for a change, under a lock; it is written whole, or kept in this process if it cannot be."""
    target = path()
    with contextlib.ExitStack() as held:
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            lock = held.enter_context((target.parent / (target.name + ".lock")).open("w"))
            fcntl.flock(lock, fcntl.LOCK_EX)
            record = _read(target, keep_unreadable=True)
        except OSError:
            yield _unwritten
            return
        yield record
        try:
            _write(target, record)
        except OSError:
            _unwritten.solved.update(record.solved)
            _unwritten.tries.update(record.tries)


def _write(target: Path, record: Record) -> None:
    with tempfile.NamedTemporaryFile("w", dir=target.parent, prefix=target.name, delete=False) as draft:
        json.dump({"solved": record.solved, "tries": record.tries}, draft, indent=1)
    Path(draft.name).replace(target)


def _read(target: Path, *, keep_unreadable: bool = False) -> Record:
    try:
        kept = json.loads(target.read_text(encoding="utf-8"))
        return Record(
            solved={str(item): str(when) for item, when in kept["solved"].items()},
            tries={str(card): [right is True for right in tries] for card, tries in kept.get("tries", {}).items()},
        )
    except FileNotFoundError:
        return Record()
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        if keep_unreadable and target.is_file():
            # A person may still recover progress from it.
            target.replace(target.with_name(target.name + ".unreadable"))
        return Record()
