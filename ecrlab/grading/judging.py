"""The judges, on a copy of what was handed in: in the grader's process, where no notebook can replace them."""

import os
import signal
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from botocore.exceptions import BotoCoreError, ClientError

import ecrlab
from ecrlab.errors import EcrLabError
from ecrlab.grading.hand_in import HandIn
from ecrlab.lessons import seeds
from ecrlab.lessons.exercises import Exercise, NotYet
from ecrlab.registry.store import snapshots

JUDGED_SECONDS, ALL_SECONDS = 60, 300
"""How long one judge may look, and all on one notebook; a real registry takes a second."""

State = Literal["solved", "missing", "unjudged", "absent"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """How an exercise stands, in the judge's words; `checks` is how often it was handed in."""

    exercise: str
    state: State
    words: str
    checks: int = 0


def none(exercises: Sequence[Exercise]) -> list[Verdict]:
    """Return the verdicts on a notebook that handed nothing in."""
    return verdicts(exercises, [], None)


def verdicts(exercises: Sequence[Exercise], handed: Iterable[HandIn], seed: str | None) -> list[Verdict]:
    """Judge all exercises. One hand-in that solves an exercise is enough; else the last one's words count.

    With a `seed`, a lab of another seed solves nothing.
    """
    found = {one.id: Verdict(one.id, "absent", "the notebook never checked it") for one in exercises}
    known = {one.id: one for one in exercises}
    checks: Counter[str] = Counter()
    end = time.monotonic() + ALL_SECONDS
    for one in handed:
        checks[one.exercise] += 1
        if one.exercise in found and found[one.exercise].state != "solved":
            found[one.exercise] = _judge(known[one.exercise], one, seed, min(JUDGED_SECONDS, end - time.monotonic()))
    return [replace(verdict, checks=checks[verdict.exercise]) for verdict in found.values()]


class _TooLong(BaseException):
    """The judge takes too long. No `Exception`, because moto and others catch those."""


def _judge(exercise: Exercise, handed: HandIn, seed: str | None, seconds: float) -> Verdict:
    if seconds <= 0:
        return Verdict(exercise.id, "unjudged", f"the judges took more than {ALL_SECONDS} seconds")
    if seed is not None and handed.seed != seeds.read(seed).text:
        return Verdict(exercise.id, "missing", f"the lab had the seed {handed.seed}, and this student's is {seed}")
    try:
        with _time_limit(seconds), ecrlab.start(at=handed.began, seed=handed.seed or "") as lab:
            snapshots.load(lab._world, handed.folder)
            if handed.requests:
                lab._server.moto.make_again(handed.requests, handed.states)
                lab._world.skip_to(handed.at)
                snapshots.load(lab._world, handed.folder)  # some requests change the registry too
            (Path(os.environ["DOCKER_CONFIG"]) / "config.json").write_text(handed.docker, encoding="utf-8")
            if exercise.answer is not None:
                exercise.answer.accept(handed.answer)
            return Verdict(exercise.id, "solved", exercise.judge(lab._view(handed.answer)))
    except NotYet as missing:
        return Verdict(exercise.id, "missing", str(missing))
    except _TooLong:
        return Verdict(exercise.id, "unjudged", f"the judge took more than {seconds:.0f} seconds")
    except (EcrLabError, BotoCoreError, ClientError) as error:
        return Verdict(exercise.id, "unjudged", str(error))
    except Exception as error:  # a judge met a registry that no lab could have made
        return Verdict(exercise.id, "unjudged", f"{type(error).__name__}: {error}")


@contextmanager
def _time_limit(seconds: float) -> Iterator[None]:
    """Raise `_TooLong` in the main thread after some seconds."""

    def ring(*_: object) -> None:
        raise _TooLong

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
