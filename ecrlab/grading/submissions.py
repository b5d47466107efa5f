"""The notebooks that a class handed in, as learning platforms export them.

    class/ann.ipynb                        one notebook for each student
    class/ann/02-push-and-pull.ipynb       a folder for each student
    class/bob.zip                          a zip for each student, or one of all, with either of these inside

Zips are read in memory, and nothing of them is unpacked. A student's other files are ignored.
"""

import csv
import re
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ecrlab.errors import EcrLabError

LARGEST = 20 * 1024 * 1024
"""Bytes of the largest notebook that is read."""

MOST = 2000
"""Notebooks of one run, and members of one zip."""


@dataclass(frozen=True, slots=True)
class Submission:
    """A student's notebook; `problem` says why there is none."""

    student: str
    source: str
    notebook: bytes = b""
    problem: str = ""


def find(folder: Path, lesson: str) -> list[Submission]:
    """Return the submissions in a folder or zip, sorted by student; `lesson` is a notebook's name without its ending.

    Raises `EcrLabError` for a folder without notebooks.
    """
    if not folder.exists():
        raise EcrLabError(f"{folder} does not exist")
    found = [*_in_zip(folder)] if folder.is_file() else [*_in_folder(folder)]
    if len(found) > MOST:
        raise EcrLabError(f"{folder} has {len(found)} notebooks; at most {MOST} are graded at once")
    if not found:
        raise EcrLabError(f"{folder} has no notebook: neither *.ipynb, nor a zip or folder of a student with one")
    return sorted(_one_each(found, lesson), key=lambda one: one.student.casefold())


def seeds(path: Path | None) -> dict[str, str]:
    """Read a CSV file with the columns `student` and `seed`. Raises `EcrLabError`."""
    if path is None:
        return {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
        return {row["student"].strip(): row["seed"].strip() for row in rows}
    except (OSError, ValueError, KeyError, AttributeError, csv.Error) as error:
        raise EcrLabError(f"{path}: expected CSV with the columns student and seed") from error


def _in_folder(folder: Path) -> Iterator[Submission]:
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        if path.is_symlink() or not path.is_file() or _is_litter(PurePosixPath(inside)):
            continue
        if path.suffix == ".zip":
            yield from _in_zip(path, inside.parts[0] if len(inside.parts) > 1 else path.stem)
        elif path.suffix == ".ipynb":
            student = inside.parts[0] if len(inside.parts) > 1 else path.stem
            size = path.stat().st_size
            if size > LARGEST:
                yield Submission(student, str(inside), problem=f"the notebook has {size} bytes, more than {LARGEST}")
            else:
                yield Submission(student, str(inside), path.read_bytes())


def _in_zip(path: Path, student: str = "") -> Iterator[Submission]:
    """Yield the notebooks of a zip: all of one `student`, or named by their first folder or their name."""
    try:
        with zipfile.ZipFile(path) as bundle:
            for member in bundle.infolist()[:MOST]:
                inside = PurePosixPath(member.filename)
                if inside.suffix != ".ipynb" or member.is_dir() or _is_litter(inside):
                    continue
                owner = student or (inside.parts[0] if len(inside.parts) > 1 else inside.stem)
                source = f"{path.name}: {member.filename}"
                with bundle.open(member) as file:
                    body = file.read(LARGEST + 1)  # whatever size the zip claims
                if len(body) > LARGEST:
                    yield Submission(owner, source, problem=f"the notebook has more than {LARGEST} bytes")
                else:
                    yield Submission(owner, source, body)
    except (OSError, ValueError, RuntimeError, NotImplementedError, zipfile.BadZipFile) as error:
        yield Submission(student or path.stem, path.name, problem=f"the zip cannot be read: {error}")


def _is_litter(path: PurePosixPath) -> bool:
    return any(part.startswith(".") or part == "__MACOSX" for part in path.parts)


def _one_each(found: list[Submission], lesson: str) -> Iterator[Submission]:
    """Yield one submission for each student: of several notebooks, the one of the lesson."""
    of_lesson = [one for one in found if lesson in one.source]
    number = re.match(r"[0-9]+", lesson)
    for student, many in Counter(one.student for one in found).items():
        mine = [one for one in found if one.student == student]
        named = [one for one in mine if one in of_lesson]
        if many > 1 and not named and number:
            named = [one for one in mine if PurePosixPath(one.source).name.startswith(number[0])]
        chosen = named or mine
        if len(chosen) > 1:
            sources = ", ".join(one.source for one in chosen)
            yield Submission(student, chosen[0].source, problem=f"there are several notebooks: {sources}")
        else:
            yield chosen[0]
