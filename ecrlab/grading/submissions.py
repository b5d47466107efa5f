"""The notebooks that a class handed in, as learning platforms export them.

    class/ann.ipynb                        one notebook for each student
    class/ann/02-push-and-pull.ipynb       a folder for each student
    class/bob.zip                          a zip for each student, or one of all, with either of these inside

A notebook is read when it runs, so a large class needs no memory; nothing of a zip is unpacked. A student's other files
are ignored. Names are compared in Unicode's composed form, because macOS writes the other one.
"""

import csv
import unicodedata
import zipfile
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from ecrlab.errors import EcrLabError
from ecrlab.lessons import seeds

LARGEST = 20 * 1024 * 1024
"""Bytes of the largest notebook that is read."""

MOST = 2000
"""Notebooks of one run, and members of one zip."""


@dataclass(frozen=True, slots=True)
class Submission:
    """A student's notebook: a file, or a `member` of a zip; `problem` says why there is none."""

    student: str
    source: str
    path: Path
    member: str = ""
    problem: str = ""

    def read(self) -> bytes:
        """Return the notebook. Raises `EcrLabError` for one that is too large, or cannot be read."""
        if self.problem:
            raise EcrLabError(self.problem)
        try:
            with ExitStack() as open_files:
                file: IO[bytes]
                if self.member:
                    file = open_files.enter_context(zipfile.ZipFile(self.path)).open(self.member)
                else:
                    file = self.path.open("rb")
                body = open_files.enter_context(file).read(LARGEST + 1)  # whatever size a zip claims
        except Exception as error:  # zipfile raises what its decompressors raise
            raise EcrLabError(f"the notebook cannot be read: {error}") from error
        if len(body) > LARGEST:
            raise EcrLabError(f"the notebook has more than {LARGEST} bytes")
        return body


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


def read_seeds(path: Path | None) -> dict[str, str]:
    """Read a CSV file with the columns `student` and `seed`. Raises `EcrLabError`, also for a student named twice."""
    if path is None:
        return {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = [(_name(row["student"].strip()), row["seed"].strip()) for row in csv.DictReader(file)]
    except (OSError, ValueError, KeyError, AttributeError, csv.Error) as error:
        raise EcrLabError(f"{path}: expected CSV with the columns student and seed") from error
    for student, seed in rows:
        try:
            seeds.read(seed)
        except EcrLabError as error:
            raise EcrLabError(f"{path}: {student}: {error}") from error
    if twice := [student for student, many in Counter(student for student, _ in rows).items() if many > 1]:
        raise EcrLabError(f"{path} names more than once: {', '.join(twice)}")
    return dict(rows)


def _name(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def _in_folder(folder: Path) -> Iterator[Submission]:
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        if path.is_symlink() or not path.is_file() or _is_litter(PurePosixPath(inside)):
            continue
        student = inside.parts[0] if len(inside.parts) > 1 else path.stem
        if path.suffix == ".zip":
            yield from _in_zip(path, student)
        elif path.suffix == ".ipynb":
            yield Submission(_name(student), str(inside), path)


def _in_zip(path: Path, student: str = "") -> Iterator[Submission]:
    """Yield the notebooks of a zip: all of one `student`, or named by their first folder or their name."""
    try:
        with zipfile.ZipFile(path) as bundle:
            members = [one.filename for one in bundle.infolist()[:MOST] if not one.is_dir()]
    except Exception as error:  # zipfile raises what its parts raise
        yield Submission(_name(student or path.stem), path.name, path, problem=f"the zip cannot be read: {error}")
        return
    for member in members:
        inside = PurePosixPath(member)
        if inside.suffix == ".ipynb" and not _is_litter(inside):
            owner = student or (inside.parts[0] if len(inside.parts) > 1 else inside.stem)
            yield Submission(_name(owner), f"{path.name}/{member}", path, member)


def _is_litter(path: PurePosixPath) -> bool:
    return any(part.startswith(".") or part == "__MACOSX" for part in path.parts)


def _one_each(found: list[Submission], lesson: str) -> Iterator[Submission]:
    """Yield one submission for each student: of several notebooks, the one of the lesson."""
    number = lesson.partition("-")[0]
    for student in dict.fromkeys(one.student for one in found):
        mine = [one for one in found if one.student == student]
        names = {one.source: PurePosixPath(one.source).name for one in mine}
        of_lesson = [one for one in mine if lesson in names[one.source]]
        chosen = of_lesson or [one for one in mine if names[one.source].startswith(number)] or mine
        if len(chosen) > 1:
            sources = ", ".join(one.source for one in chosen)
            yield Submission(
                student, chosen[0].source, chosen[0].path, problem=f"there are several notebooks: {sources}"
            )
        else:
            yield chosen[0]
