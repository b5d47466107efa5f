"""Grade the notebooks of a class: run each apart from the others, and judge what it handed in.

SUBMISSIONS is a folder (or zip) with a notebook, a zip or a folder for each student. A check in a notebook hands in the
state of its registry; the judges look at that here, so that nothing in the notebook can replace them. Each notebook has
limits of time, memory, processes and files, and no network but its own lab.

Exit status: 0 all exercises of all students are solved; 1 some are not; 2 unusable input or output.

examples:
  python3 -m ecrlab grade submissions --lesson 02
  python3 -m ecrlab grade submissions --lesson 02 --seeds names.csv -j 4 --output html --pages pages > class.html
"""

import argparse
import re
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from ecrlab.errors import EcrLabError
from ecrlab.lessons import catalogue

if TYPE_CHECKING:
    from ecrlab.grading.results import Result
    from ecrlab.grading.sandbox import Execution
    from ecrlab.grading.submissions import Submission

CLEAN, FINDINGS = 0, 1


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `ecrlab grade`."""
    add = parser.add_argument
    add("submissions", type=Path, metavar="SUBMISSIONS")
    add("--lesson", required=True, help="a lesson: 02, or 02-push-and-pull")
    add("--seeds", type=Path, metavar="FILE", help="CSV with the columns student and seed (default: no seeds)")
    add("-j", "--jobs", type=int, default=1, metavar="N", help="notebooks that run at the same time (default: 1)")
    add("--seconds", type=int, default=300, help="of each notebook (default: 300)")
    add("--output", choices=("table", "csv", "json", "html"), default="table")
    add("--pages", type=Path, metavar="DIR", help="also write a page for each student into DIR")


def run(options: argparse.Namespace) -> int:
    """Grade, print the results, and return the exit status."""
    from ecrlab.grading import pages, results

    name, exercises = _lesson(options.lesson)
    graded = []
    for one in _grade(options, name):
        print(f"{one.student}: {one.solved} of {len(one.verdicts)} ({one.ended}, {one.seconds:.0f} s)", file=sys.stderr)
        graded.append(one)
    if options.pages is not None:
        try:
            options.pages.mkdir(parents=True, exist_ok=True)
            for number, one in enumerate(graded, 1):
                file = options.pages / f"{number:03}-{re.sub(r'[^A-Za-z0-9._-]', '_', one.student)[:80]}.html"
                file.write_text(pages.of_student(one, name), encoding="utf-8")
        except OSError as error:
            raise EcrLabError(f"{options.pages} cannot be written: {error.strerror}") from error
    match options.output:
        case "table":
            print(results.as_table(graded, exercises))
        case "csv":
            print(results.as_csv(graded), end="")
        case "json":
            print(results.as_json(graded))
        case "html":
            print(pages.of_class(graded, exercises, name), end="")
    return CLEAN if all(one.solved == len(exercises) for one in graded) else FINDINGS


def _lesson(named: str) -> tuple[str, list[str]]:
    """Return a lesson's name and the ids of its exercises."""
    for name, lesson in zip(catalogue.MODULES, catalogue.lessons(), strict=True):
        if named in (name, name.partition("-")[0], name.partition("-")[2]):
            return name, [one.id for one in lesson.EXERCISES]
    raise EcrLabError(f"there is no lesson {named!r}; there are {', '.join(catalogue.MODULES)}")


def _grade(options: argparse.Namespace, lesson: str) -> Iterator["Result"]:
    from ecrlab.grading import sandbox, submissions

    for option, value in (("--jobs", options.jobs), ("--seconds", options.seconds)):
        if value < 1:
            raise EcrLabError(f"{option} must be at least 1, got {value}")
    found = submissions.find(options.submissions, lesson)
    seeds = submissions.read_seeds(options.seeds)
    if unknown := [one.student for one in found if options.seeds is not None and one.student not in seeds]:
        raise EcrLabError(f"{options.seeds} has no seed for {', '.join(unknown)}")
    if lacking := sandbox.missing():
        print(f"ecrlab grade: this machine lacks limits: {'; '.join(lacking)}", file=sys.stderr)
    limits, stopping = sandbox.Limits(seconds=options.seconds), threading.Event()
    # Notebooks run side by side; the judges use moto's services, of which a process has one set.
    with sandbox.room() as folder, ThreadPoolExecutor(options.jobs) as pool:
        try:
            running = [
                pool.submit(sandbox.execute, one, seeds.get(one.student), limits, folder, stopping) for one in found
            ]
            for one, future in zip(found, running, strict=True):
                yield _judged(one, future, lesson, seeds.get(one.student)).printable()
        finally:
            stopping.set()
            pool.shutdown(cancel_futures=True)


def _judged(submission: "Submission", future: "Future[Execution]", lesson: str, seed: str | None) -> "Result":
    from ecrlab.grading import hand_in, judging, sandbox
    from ecrlab.grading.results import Result

    module = catalogue.lesson(lesson)
    assert module is not None
    about = (submission.student, submission.source, seed)
    try:
        execution = future.result()
    except EcrLabError as problem:
        return Result(*about, str(problem), verdicts=judging.none(module.EXERCISES))
    try:
        verdicts, ended = judging.verdicts(module.EXERCISES, hand_in.read_all(execution.handed), seed), execution.ended
    except hand_in.Unreadable as error:
        verdicts, ended = judging.none(module.EXERCISES), str(error)
    finally:
        sandbox.remove(execution.folder)
    return Result(*about, ended, execution.seconds, execution.errors, verdicts)
