"""The learner's copies of the lessons: a guess is a guess in a copy without outputs, and the originals stay whole.

work/
  03-tag-immutability.ipynb        a copy without outputs; only the learner changes it
  03-tag-immutability-newer.ipynb  a later original, offered once beside the copy
  03-tag-immutability-old.ipynb    the copy that `reset` put aside
  apps/my-app/                     a copy of an application, to look at
  .originals.json                  the hashes of the originals that the learner was given
"""

import contextlib
import fcntl
import hashlib
import itertools
import json
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from ecrlab.errors import EcrLabError
from ecrlab.machine import originals
from ecrlab.machine.requirements import CHECKOUT

Record = dict[str, list[str]]
"""For each copy, by its path in the work folder, the hashes of the originals that the learner was given."""


def home(base: Mapping[str, str] = os.environ) -> Path:
    """Return the folder that holds `work/` and JupyterLab's files.

    It is the checkout. For an installed kit, or where the checkout is read-only, it is a folder in the user's data
    folder (XDG Base Directory Specification; on macOS, Apple's File System Programming Guide).
    """
    if originals.is_checkout() and os.access(CHECKOUT, os.W_OK):
        return CHECKOUT
    data = Path(base.get("XDG_DATA_HOME") or ".")
    if not data.is_absolute():
        data = Path("~/Library/Application Support" if sys.platform == "darwin" else "~/.local/share")
    try:
        return data.expanduser() / "ecrlab"
    except RuntimeError as error:
        raise EcrLabError("this user has no home directory: name a data folder in XDG_DATA_HOME") from error


def work_folder(named: str | None) -> Path:
    """Return the absolute path of the work folder: the value of `--work`, or `work/`.

    Raises `EcrLabError` for a path that is no folder, and for the folder of the originals.
    """
    if named is not None and not named.strip():
        raise EcrLabError("--work names the folder for your copies, and this name is empty")
    work = (home() / "work" if named is None else Path(named)).absolute()
    if work.exists() and not work.is_dir():
        raise EcrLabError(f"{work} is not a folder: name another with --work")
    if work.resolve().is_relative_to(originals.folder().resolve()):
        raise EcrLabError(
            f"{work} holds the originals of the lessons, which stay as they are: name another with --work"
        )
    return work


def bring(work: Path) -> list[Path]:
    """Copy what is missing in the work folder, offer later originals beside their copies, and return these offers.

    Raises `EcrLabError` if the folder cannot be written.
    """
    offers = []
    with _changing(work) as record:
        for original in (*originals.lessons(), *originals.apps()):
            name, fresh = _name(original), originals.read_fresh(original)
            copy, given = work / name, record.setdefault(name, [])
            if not copy.exists():
                _put(fresh, copy)
            elif _hash(fresh) not in given and originals.read(copy) != fresh:
                offers.append(_beside(copy, "newer"))
                _put(fresh, offers[-1])
            if _hash(fresh) not in given:
                given.append(_hash(fresh))
    return offers


def reset(work: Path, lesson: str | None = None) -> list[tuple[Path, Path | None]]:
    """Put fresh copies of one lesson, or of everything, in place, and the learner's own aside.

    Returns a pair for each fresh copy: its path, and the path of the one that was put aside, if there was one. A copy
    without changes stays.

    Raises `EcrLabError` for an unknown lesson, and if the folder cannot be written.
    """
    chosen = [originals.lesson(lesson)] if lesson is not None else [*originals.lessons(), *originals.apps()]
    done: list[tuple[Path, Path | None]] = []
    with _changing(work) as record:
        for original in chosen:
            name, fresh = _name(original), originals.read_fresh(original)
            copy, given = work / name, record.setdefault(name, [])
            if not (copy.exists() and originals.read(copy) == fresh):
                aside = _beside(copy, "old") if os.path.lexists(copy) else None
                _put(fresh, copy, aside=aside)
                done.append((copy, aside))
            if _hash(fresh) not in given:
                given.append(_hash(fresh))
    return done


def _name(original: Path) -> str:
    return str(original.relative_to(originals.folder()))


def _hash(files: originals.Files) -> str:
    digest = hashlib.sha256()
    for name, content in sorted(files.items()):
        digest.update(f"{name} {len(content)}\n".encode() + content)
    return digest.hexdigest()


def _beside(copy: Path, word: str) -> Path:
    """Return a free path next to a copy, such as 03-tag-immutability-old.ipynb, or then …-old-2.ipynb."""
    numbers = itertools.chain([""], (f"-{number}" for number in itertools.count(2)))
    paths = (copy.with_name(f"{copy.stem}-{word}{number}{copy.suffix}") for number in numbers)
    return next(path for path in paths if not os.path.lexists(path))


def _put(fresh: originals.Files, target: Path, *, aside: Path | None = None) -> None:
    """Write the files to `target`; what is there goes to `aside` once they are written."""
    target.parent.mkdir(exist_ok=True)
    draft = target.with_name(f".{target.name}.draft")
    _delete(draft)
    try:
        originals.write(fresh, draft)
        if aside is not None:
            target.rename(aside)
        draft.rename(target)
    except OSError:
        _delete(draft)
        raise


def _delete(draft: Path) -> None:
    if draft.is_dir():
        shutil.rmtree(draft)
    else:
        draft.unlink(missing_ok=True)


@contextlib.contextmanager
def _changing(work: Path) -> Iterator[Record]:
    """Yield the record of a work folder, and write it at the end; another process waits for its turn (flock).

    An error of the disk becomes an `EcrLabError`. A record that cannot be read counts as empty.
    """
    try:
        work.mkdir(parents=True, exist_ok=True)
        with (work / ".originals.json").open("a+", encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.seek(0)
            record = _parsed(before := file.read())
            try:
                yield record
            finally:
                if (after := json.dumps(record, indent=1)) != before:
                    file.truncate(0)
                    file.write(after)
    except OSError as error:
        raise EcrLabError(
            f"the copies of the lessons cannot be written in {work} ({error.strerror or error}): "
            "make it writable with some free space, or name another folder with --work"
        ) from error


def _parsed(text: str) -> Record:
    with contextlib.suppress(ValueError):
        record = json.loads(text)
        if isinstance(record, dict) and all(isinstance(given, list) for given in record.values()):
            return record
    return {}
