"""What this learner has tried and solved, kept in one small file of their own, outside the notebooks.

The file is `ecrlab/progress.json` in the user's data folder (`$XDG_DATA_HOME`, or `~/.local/share`); `ECRLAB_PROGRESS`
names another. All copies of the kit of one user share it. Notebooks of one learner may run side by side, so a change
takes a lock and replaces the whole file. If the file cannot be written, progress lasts as long as the process, and
lessons go on. `python3 -m ecrlab progress` shows, exports, deletes and switches off what is recorded.
"""

import contextlib
import fcntl
import json
import os
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ecrlab.lessons import catalogue

if TYPE_CHECKING:
    import pandas


@dataclass(slots=True)
class Record:
    """The content of the file: members by the id of an exercise or card. Times are ISO 8601, in UTC.

    `checks` and `hints` are numbers; `checks` stops at the first that solves the exercise. With `off` nothing more is
    recorded.
    """

    solved: dict[str, str] = field(default_factory=dict)
    tries: dict[str, list[bool]] = field(default_factory=dict)
    checks: dict[str, int] = field(default_factory=dict)
    hints: dict[str, int] = field(default_factory=dict)
    solutions: dict[str, str] = field(default_factory=dict)
    off: bool = False

    @classmethod
    def from_json(cls, text: str) -> "Record":
        """Read the file's text; an absent member is empty. Raises `ValueError`."""
        try:
            kept: dict[str, Any] = json.loads(text)
            return cls(
                solved={str(item): str(when) for item, when in kept["solved"].items()},
                tries={str(card): [right is True for right in tries] for card, tries in kept.get("tries", {}).items()},
                checks={str(item): int(number) for item, number in kept.get("checks", {}).items()},
                hints={str(item): int(number) for item, number in kept.get("hints", {}).items()},
                solutions={str(item): str(when) for item, when in kept.get("solutions", {}).items()},
                off=kept.get("off") is True,
            )
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
            raise ValueError("not a file of ecrlab's progress") from error

    def to_json(self) -> str:
        """Return the text of the file."""
        return json.dumps(asdict(self), indent=1)


_unwritten = Record()


def path() -> Path:
    """Where progress is kept."""
    if named := os.environ.get("ECRLAB_PROGRESS"):
        return Path(named)
    data = os.environ.get("XDG_DATA_HOME") or Path("~/.local/share").expanduser()
    return Path(data) / "ecrlab" / "progress.json"


def note_check(exercise: str, *, solved: bool) -> None:
    """Record that an exercise was checked; checks after the one that solved it do not count."""
    with _changing() as record:
        if exercise not in record.solved:
            record.checks[exercise] = record.checks.get(exercise, 0) + 1
            if solved:
                record.solved[exercise] = _now()


def note_hint(exercise: str) -> None:
    """Record that a hint was taken."""
    with _changing() as record:
        record.hints[exercise] = record.hints.get(exercise, 0) + 1


def note_solution(exercise: str) -> None:
    """Record that the solution was shown; the first time counts."""
    with _changing() as record:
        record.solutions.setdefault(exercise, _now())


def note_try(card: str, *, right: bool) -> None:
    """Record whether the first choice on a card was right; a card is solved when it was."""
    with _changing() as record:
        record.tries.setdefault(card, []).append(right)
        if right:
            record.solved.setdefault(card, _now())


def recorded() -> Record:
    """Return what was recorded, also in this process alone. A file that cannot be read counts as empty."""
    kept = _read(path())
    for name in Record.__slots__:
        if name != "off":
            getattr(kept, name).update(getattr(_unwritten, name))
    return kept


def solved() -> dict[str, str]:
    """What was solved: exercise or card -> when (ISO 8601, UTC)."""
    return recorded().solved


def missed() -> list[str]:
    """The cards whose last first choice was wrong, the longest known first."""
    return [card for card, tries in recorded().tries.items() if tries and not tries[-1]]


def reset(*, off: bool | None = None) -> None:
    """Delete what was recorded; `off` switches recording off or on (None: leave it as it is). Raises `OSError`."""
    target = path()
    with _lock(target):
        _write(target, Record(off=_read(target).off if off is None else off))


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
            held.enter_context(_lock(target))
            record = _read(target, keep_unreadable=True)
        except OSError:
            yield _unwritten
            return
        if record.off:
            yield Record()
            return
        yield record
        try:
            _write(target, record)
        except OSError:
            for name in Record.__slots__:
                if name != "off":
                    getattr(_unwritten, name).update(getattr(record, name))


@contextlib.contextmanager
def _lock(target: Path) -> Iterator[None]:
    target.parent.mkdir(parents=True, exist_ok=True)
    with (target.parent / (target.name + ".lock")).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _write(target: Path, record: Record) -> None:
    with tempfile.NamedTemporaryFile("w", dir=target.parent, prefix=target.name, delete=False) as draft:
        draft.write(record.to_json())
    Path(draft.name).replace(target)


def _read(target: Path, *, keep_unreadable: bool = False) -> Record:
    try:
        return Record.from_json(target.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Record()
    except (OSError, ValueError):
        if keep_unreadable and target.is_file():
            # A person may still recover progress from it.
            target.replace(target.with_name(target.name + ".unreadable"))
        return Record()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
